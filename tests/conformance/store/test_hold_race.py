"""A hold that was acknowledged wins every race against a sweep, and the race catches sweeps where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.store.hold_race import (
    Open,
    Outcome,
    Race,
    as_assent_does,
    check_then_delete,
    delete_where_not_exists,
)


@pytest.mark.fault("hold against sweep")
def test_an_acknowledged_hold_always_wins(open_store: Open) -> None:
    total = Outcome()
    for seed in range(2):
        total += Race(open_store, seed, as_assent_does).run(f"r{seed}")
    assert total.violated == 0, total
    assert total.acknowledged == 120
    assert total.erased, "the sweep lost every race: nothing was raced"
    assert total.kept, "the sweep won every race: nothing was raced"


def caught(open_store: Open, way: object, rounds: int = 20) -> Outcome:
    total = Outcome()
    for seed in range(rounds):
        total += Race(open_store, seed, way).run(f"r{seed}")
        if total.violated:
            break
    return total


@pytest.mark.fault("hold against sweep")
def test_a_sweep_that_checks_and_then_deletes_is_caught(open_store: Open) -> None:
    assert caught(open_store, check_then_delete).violated


@pytest.mark.fault("hold against sweep")
def test_a_sweep_that_deletes_in_one_statement_without_the_lock_is_caught(postgres_store: Open) -> None:
    assert caught(postgres_store, delete_where_not_exists).violated


ROUNDS, HOLDS, FRESH_STORES = 5, 1_000, 10
"""Of each kind of store ten are raced, five rounds with a thousand holds each: 100,000 holds in all."""


@pytest.mark.fault("hold against sweep")
@pytest.mark.deep
@pytest.mark.parametrize("number", range(FRESH_STORES))
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_of_a_hundred_thousand_holds_none_is_lost(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, number: int, injected: Callable[..., None]
) -> None:
    open_one = request.getfixturevalue(f"{kind}_store")
    place = tmp_path / "store.db" if kind == "sqlite" else request.getfixturevalue("postgres_database")
    total = Outcome()
    for seed in range(ROUNDS):
        race = Race(open_one, number * ROUNDS + seed, as_assent_does, elsewhere=(place, tmp_path))
        race.people, race.holds, race.placers, race.batch = 400, HOLDS, 4, 32
        total += race.run(f"r{seed}")
    assert total.violated == 0, total
    assert total.acknowledged == ROUNDS * HOLDS
    assert total.erased > 0
    assert total.kept > 0
    injected(times=total.acknowledged, seed=number)
    print(f"\n{kind} {number}: {total}")
