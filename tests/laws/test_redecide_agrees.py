"""What a sweep decides in sets is what the reference decides, down to the digest that a tombstone carries."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from assent.domain.errors import AssentError
from assent.domain.instants import in_utc
from assent.policy.versions import by_date, decide_versions, governing
from assent.services.erase.redecide import redecide
from assent.store.columns import Columns, tables
from assent.store.records import FactColumnsBatch
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load

ANTHROPIC = by_date(load(path) for path in POLICIES if path.parent.name == "anthropic")


@pytest.mark.parametrize("lead", [timedelta(), timedelta(days=16)], ids=["no lead", "16 days"])
def test_a_batch_is_decided_as_the_reference_decides_each_part(lead: timedelta) -> None:
    at = INSTANTS[0]
    source = RandomFacts(ANTHROPIC[-1], at, random.Random(3))
    facts = [source.facts(str(number)) for number in range(600)]
    batch = FactColumnsBatch(*tables(facts), dict(enumerate(facts)))
    due = redecide(Columns(threads=1), ANTHROPIC, at, lead)(batch)
    found = {row["part"]: (in_utc(row["erase_by"]), row["policy"]) for row in due.to_pylist()}
    expected = {}
    for number, fact in enumerate(facts):
        decision = decide_versions(fact, governing(ANTHROPIC, fact, at), at)
        if decision.due(lead):
            expected[number] = (decision.erase_by, decision.digest)
    assert found == expected
    assert len({policy for _, policy in found.values()}) > 1, "parts of several versions are among them"


def test_a_part_on_which_they_differ_stops_the_batch() -> None:
    at = INSTANTS[0]
    source = RandomFacts(ANTHROPIC[-1], at, random.Random(3))
    facts = [source.facts(str(number)) for number in range(50)]
    due = [f for f in facts if decide_versions(f, governing(ANTHROPIC, f, at), at).due()]
    other = [f for f in facts if not decide_versions(f, governing(ANTHROPIC, f, at), at).due()]
    decide = redecide(Columns(threads=1), ANTHROPIC, at, timedelta())
    for read, sampled in ((due[0], other[0]), (other[0], due[0])):
        with pytest.raises(AssentError, match="do not agree on part"):
            decide(FactColumnsBatch(*tables([read]), {0: sampled}))
