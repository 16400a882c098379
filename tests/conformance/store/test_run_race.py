"""No run uses a row whose withdrawal was acknowledged before the run started, and the race catches runs that do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.store.run_race import Open, RunRace, as_assent_does, decide_then_read_the_clock


@pytest.mark.fault("withdrawal against run")
def test_an_acknowledged_withdrawal_always_counts(open_store: Open, tmp_path: Path) -> None:
    total = RunRace(open_store, tmp_path / "race", 0, 30).run(as_assent_does)
    assert total.violated == 0, total
    assert total.started, "every withdrawal came first: nothing was raced"
    assert total.refused, "every start came first: nothing was raced"


@pytest.mark.fault("withdrawal against run")
def test_a_start_that_reads_the_clock_last_is_caught(open_store: Open, tmp_path: Path) -> None:
    assert RunRace(open_store, tmp_path / "race", 0, 30).run(decide_then_read_the_clock).violated


TRIALS, FRESH = 200, 25


@pytest.mark.fault("withdrawal against run")
@pytest.mark.deep
@pytest.mark.parametrize("number", range(FRESH))
def test_of_ten_thousand_starts_none_uses_what_was_taken_back(
    open_store: Open, tmp_path: Path, number: int, injected: Callable[..., None]
) -> None:
    total = RunRace(open_store, tmp_path / "race", number, TRIALS).run(as_assent_does)
    assert total.violated == 0, total
    assert total.started > 0
    assert total.refused > 0
    injected(times=TRIALS, seed=number)
    print(f"\n{number}: {total}")
