"""Contract of reclaiming: which bytes of the vault a row still refers to, and where a record was moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from assent.domain.contents import Sealed


class Reclaiming(Protocol):
    """What clearing the vault asks of a store."""

    def live_bytes(self, segments: Sequence[str]) -> dict[str, int]:
        """Add up the bytes of records that a part refers to, by segment; segments without any are left out."""
        ...

    def places_in(self, segment: str) -> list[Sealed]:
        """Read where the live records of a segment lie, in the order of their slots."""
        ...

    def moved(self, pairs: Iterable[tuple[Sealed, Sealed]]) -> int:
        """Note for copied records (from, to) where they lie now; returns how many were still there to be moved."""
        ...

    def unreferenced(self, segments: Sequence[str]) -> list[str]:
        """Return those of these segments that no part refers to, and that no writer can be about to refer to.

        It is asked under the writers' lock: content is sealed by writers that hold it, so what was
        listed before and has no row then is nobody's.
        """
        ...

    def log_mark(self) -> str:
        """Name the end of what the database's log may hold of rows that are gone by now; empty where it holds none.

        Asked after `checkpoint`.
        """
        ...

    def log_passed(self, mark: str) -> bool:
        """Tell whether the log has been written over up to a mark."""
        ...

    def cuts_with_erased(self, erasure: int) -> list[tuple[str, int, str, int]]:
        """Name the cuts that parts of an erasure are in: name, number, folder, and how many parts; oldest first."""
        ...
