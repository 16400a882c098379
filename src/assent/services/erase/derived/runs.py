"""Working copies of training runs: the tokens of a cut, which lie in the folder of a run while it trains."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from assent.pipeline.folder import alone
from assent.services.erase.derived.port import RUNS, Acknowledged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from assent.services.erase.derived.port import ErasureOrder

WORK: Final = "work"
"""The folder, inside that of a run, in which a trainer keeps what it reads; it is made anew where it is missing."""


class InRuns:
    """The working copies of all runs. What a model has learned is no copy: `assent train forget` is for that."""

    name = RUNS
    reach = "working copies of training runs; not what a model has learned: `assent train forget` trains it anew"

    def __init__(self, folder: Path) -> None:
        """Look after the folders of runs in this one."""
        self._folder = folder

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Remove every working copy that no trainer is using; one that is in use goes when its run ends or stops."""
        busy = sum(not _cleared(work.parent) for work in sorted(self._folder.glob(f"*/{WORK}")))
        answer = Acknowledged("removed")
        if busy:
            answer = Acknowledged("pending maintenance", f"{busy} runs are training; their copies end with them")
        return {order.erasure.id: answer for order in orders}


def _cleared(run: Path) -> bool:
    """Remove the working copy of a run that nobody trains; False if somebody does."""
    with alone(run) as free:
        if free:
            shutil.rmtree(run / WORK)
        return free
