"""What a trainer reads lies in the folder of its run while it trains, and no longer than that."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW

from assent.pipeline.folder import alone
from assent.services.erase.derived.port import Acknowledged, ErasureOrder
from assent.services.erase.derived.runs import InRuns
from assent.store.records import Erasure, Run, RunState

ORDER = ErasureOrder(Erasure(1, "swept", 1, NOW, b"", b"", b"", b"", 1), (), lambda: iter(()), NOW)


class Store:
    """What a store knows of runs: their trainer and state, by name."""

    def __init__(self, **known: tuple[str, RunState]) -> None:
        self._known = known

    def run(self, name: str) -> Run | None:
        if name not in self._known:
            return None
        trainer, state = self._known[name]
        return Run(name, "c", 1, "sha256:m", "training", trainer, "sha256:c", "1", NOW, state=state)


NOBODY = Store()


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / name / "work").mkdir(parents=True)
        (tmp_path / name / "work/tokens").write_bytes(b"words")
        (tmp_path / name / "log.jsonl").write_text("{}")
    return tmp_path


def test_what_a_dead_trainer_left_goes_with_the_next_erasure(runs: Path) -> None:
    assert InRuns(runs, NOBODY).erase([ORDER]) == {1: Acknowledged("removed")}
    assert not list(runs.glob("*/work"))
    assert len(list(runs.glob("*/log.jsonl"))) == 2


def test_what_a_trainer_is_reading_is_pending_until_it_stops(runs: Path) -> None:
    with alone(runs / "one") as free:
        assert free
        (answer,) = InRuns(runs, NOBODY).erase([ORDER]).values()
    assert (answer.state, answer.note) == (
        "pending maintenance",
        "1 runs are training; their copies end with them",
    )
    assert [path.parent.name for path in runs.glob("*/work")] == ["one"]
    (answer,) = InRuns(runs, NOBODY).erase([ORDER]).values()
    assert answer.state == "removed"
    assert not list(runs.glob("*/work"))


def test_a_home_without_runs_owes_nothing(tmp_path: Path) -> None:
    assert InRuns(tmp_path / "runs", NOBODY).erase([ORDER]) == {1: Acknowledged("removed")}


def test_what_another_program_reads_stays_until_its_run_has_ended(runs: Path) -> None:
    (answer,) = InRuns(runs, Store(one=("axolotl", "started"), two=("trl", "started"))).erase([ORDER]).values()
    assert answer.state == "pending maintenance"
    assert [path.parent.name for path in runs.glob("*/work")] == ["one"]
    (answer,) = InRuns(runs, Store(one=("axolotl", "failed"))).erase([ORDER]).values()
    assert answer.state == "removed"
    assert not list(runs.glob("*/work"))
