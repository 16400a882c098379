"""Working copies of training runs: the tokens of a cut, which lie in the folder of a run while it trains."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final, Protocol

from assent.pipeline.folder import alone
from assent.services.erase.derived.port import RUNS, Acknowledged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from assent.services.erase.derived.port import ErasureOrder
    from assent.store.records import Run

OWN: Final = "trl"
"""The trainer that comes with assent: it holds the folder of its run while it trains."""

WORK: Final = "work"
"""The folder, inside that of a run, in which a trainer keeps what it reads; it is made anew where it is missing."""


class RunStore(Protocol):
    """What this asks of the store."""

    def run(self, run: str) -> Run | None: ...


class InRuns:
    """The working copies of all runs. What a model has learned is no copy: `assent train forget` is for that."""

    name = RUNS
    reach = "working copies of training runs; not what a model has learned: `assent train forget` trains it anew"

    def __init__(self, folder: Path, store: RunStore) -> None:
        """Look after the folders of runs in this one."""
        self._folder = folder
        self._store = store

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Remove every working copy that no trainer is using; one that is in use goes when its run ends or stops."""
        busy = sum(not self._cleared(work.parent) for work in sorted(self._folder.glob(f"*/{WORK}")))
        answer = Acknowledged("removed")
        if busy:
            answer = Acknowledged("pending maintenance", f"{busy} runs are training; their copies end with them")
        return {order.erasure.id: answer for order in orders}

    def _cleared(self, folder: Path) -> bool:
        """Remove the working copy of a run that nobody trains; False if somebody does."""
        run = self._store.run(folder.name)
        if run is not None and run.state == "started" and run.trainer != OWN:
            # another program reads it, and holds no lock of ours; its end is recorded
            return False
        with alone(folder) as free:
            if free:
                shutil.rmtree(folder / WORK)
            return free
