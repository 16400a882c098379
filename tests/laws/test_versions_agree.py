"""Several versions at once: the combined set query says what `decide_versions` over `governing` says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from assent.domain.instants import to_micros
from assent.policy.compile import GAP_KEYS
from assent.policy.compile_versions import compile_versions
from assent.policy.versions import by_date, decide_versions, governing
from assent.store.columns import Columns, tables
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load

SEVERAL = sorted({path.parent for path in POLICIES if len(list(path.parent.glob("*.toml"))) > 1})


@pytest.mark.parametrize("folder", SEVERAL, ids=lambda folder: folder.name)
def test_the_stricter_of_then_and_now(folder: Path) -> None:
    """For every provider with several versions, over random facts at the edges of the newest."""
    policies = by_date(load(path) for path in folder.glob("*.toml"))
    cuts = list(dict.fromkeys(purpose for policy in policies for purpose in policy.cut_purposes))
    pairs = set()
    for seed, at in enumerate(INSTANTS):
        source = RandomFacts(policies[-1], at, random.Random(seed))
        facts = [source.facts(str(number)) for number in range(1500)]
        columns = Columns()
        with columns.loaded(*tables(facts), at):
            rows = columns.table(f"SELECT * FROM ({compile_versions(policies, at)}) ORDER BY part::BIGINT").to_pylist()
        for fact, row in zip(facts, rows, strict=True):
            versions = governing(policies, fact, at)
            pairs.add(tuple(version.name for version in versions))
            decision = decide_versions(fact, versions, at)
            assert row["held"] is decision.held
            end = row["erase_by"]
            assert (end and to_micros(end.replace(tzinfo=at.tzinfo))) == (
                decision.erase_by and to_micros(decision.erase_by)
            ), fact
            assert tuple(key for n, key in enumerate(GAP_KEYS) if row["gap"] & 1 << n) == decision.gap
            assert {p for p in cuts if row[f"eligible_{p}"]} == set(decision.eligible)
    assert len(pairs) > 1, "the facts never met two versions"
