"""The agreement of the evaluators, small enough to run once for each fault; not part of the ordinary suite."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from assent.domain.instants import to_micros
from assent.policy.compile_versions import compile_versions
from assent.policy.versions import by_date, decide_versions, governing
from assent.store.columns import Columns, tables
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load
from tests.laws.strategies import made_up
from tests.laws.test_agreement import agree
from tests.laws.test_versions_agree import SEVERAL

if TYPE_CHECKING:
    from pathlib import Path

MADE_UP = 60
FACTS = 120


@pytest.mark.parametrize("number", range(0, MADE_UP, 10))
def test_the_evaluators_agree_on_some_made_up_policies(number: int) -> None:
    for which in range(number, number + 10):
        agree(made_up(which, weak_floors=True), INSTANTS[which % len(INSTANTS)], which, FACTS)


@pytest.mark.parametrize("path", POLICIES[::3], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_evaluators_agree_on_some_shipped_policies(path: Path) -> None:
    for at in INSTANTS[1:3]:
        agree(load(path), at, 7, FACTS)


@pytest.mark.parametrize("folder", SEVERAL[:2], ids=lambda folder: folder.name)
def test_the_evaluators_agree_on_some_versions(folder: Path) -> None:
    policies, at = by_date(load(path) for path in folder.glob("*.toml")), INSTANTS[0]
    source = RandomFacts(policies[-1], at, random.Random(3))
    facts = [source.facts(str(number)) for number in range(6 * FACTS)]
    columns = Columns()
    with columns.loaded(*tables(facts), at):
        rows = columns.table(f"SELECT * FROM ({compile_versions(policies, at)}) ORDER BY part::BIGINT").to_pylist()
    for fact, row in zip(facts, rows, strict=True):
        decision = decide_versions(fact, governing(policies, fact, at), at)
        end = row["erase_by"]
        assert (end and to_micros(end.replace(tzinfo=at.tzinfo))) == (
            decision.erase_by and to_micros(decision.erase_by)
        )
        assert {p for p in policies[-1].cut_purposes if row[f"eligible_{p}"]} == set(decision.eligible)
