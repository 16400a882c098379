"""What every derived store does: it is asked to erase, and answers for its own copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from assent.domain.copies import CopyState
from assent.store.records import Erasure, Tombstone

DATABASE: Final = "database"
SEGMENTS: Final = "segments"
CUTS: Final = "cuts"
CONNECTOR: Final = "connector"
DOWNLOADS: Final = "downloads"
RUNS: Final = "runs"
BUILT_IN: Final = (DATABASE, SEGMENTS, CUTS)
"""Derived stores that every home has; each is registered under the name of its kind."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a derived store answers: the state of its copies, and a note for people without content or subject ids."""

    state: CopyState
    note: str = ""


@dataclass(frozen=True, slots=True)
class ErasureOrder:
    """One erasure to carry out at `now`, as one derived store is asked for it.

    `before` is what that store answered last. `slots` are the numbers of its destroyed keys, ascending; empty once it
    has its receipt. `tombstones()` reads what is left of its parts.
    """

    erasure: Erasure
    slots: Sequence[int]
    tombstones: Callable[[], Iterator[Tombstone]]
    now: datetime
    before: Acknowledged = Acknowledged("present")


class Derived(Protocol):
    """One derived store. Being asked again for what it has erased does no harm."""

    name: str
    """The name it is registered under."""

    @property
    def reach(self) -> str:
        """What it erases and what it does not reach, in a sentence."""
        ...

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Erase every copy of these erasures; returns the answer to each by its number.

        An erasure that is left out keeps its answer. `OSError` and `AssentError` stand for "not reachable".
        """
        ...
