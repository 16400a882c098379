"""When a part is ripe: the set query and the reference say the same, and no use is cut short for it."""

from __future__ import annotations

import random
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from assent.policy.compile_versions import compile_versions, ripe_at
from assent.policy.versions import by_date, decide_versions, governing
from assent.store.columns import Columns, tables
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load

FOLDERS = sorted({path.parent for path in POLICIES})
LEAD = timedelta(days=16)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_both_evaluators_know_when_a_part_is_ripe(folder: Path) -> None:
    policies = by_date(load(path) for path in folder.glob("*.toml"))
    early = 0
    for seed, at in enumerate(INSTANTS[:3]):
        source = RandomFacts(policies[-1], at, random.Random(seed))
        facts = [source.facts(str(number)) for number in range(500)]
        columns = Columns()
        with columns.loaded(*tables(facts), at):
            rows = columns.table(
                f"SELECT {ripe_at(LEAD)} AS led, {ripe_at(timedelta())} AS plain"
                f" FROM ({compile_versions(policies, at)}) ORDER BY part::BIGINT"
            ).to_pylist()
        for fact, row in zip(facts, rows, strict=True):
            decision = decide_versions(fact, governing(policies, fact, at), at)
            ripe = decision.ripe_at(LEAD)
            assert (row["led"] and row["led"].replace(tzinfo=UTC)) == ripe, fact
            assert (row["plain"] and row["plain"].replace(tzinfo=UTC)) == decision.erase_by
            if ripe is None:
                continue
            early += ripe < decision.erase_by
            assert decision.erase_by - LEAD <= ripe <= decision.erase_by
            assert all(end is not None and end <= ripe for end in decision.use_until.values())
            assert decision.may_use_until is None or min(decision.may_use_until, decision.erase_by) <= ripe
    assert early or folder.name == "meta", "nothing here was ripe before its end"
