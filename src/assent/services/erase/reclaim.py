"""Reclaim: bytes of the vault that nobody refers to any more are removed, or written out of the way.

A segment without a live record goes whole. Of one that holds both, the live records are copied
into a new segment, the rows follow, and then the old one goes. A crash leaves at worst a copy
that no row names, which the next look finds.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from assent.vault.compact import Rewrite, Usage, plan_compaction
from assent.vault.disk import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from assent.store.port import Reclaiming
    from assent.vault.vault import Vault

AT_ONCE_BYTES: Final = 1 << 20
"""So many live bytes are written anew for few dead ones in any look: in a small home nothing lingers.

Each that is copied costs as much as erasing one does, and its rows and log follow it.
"""

COPIED_TOGETHER: Final = 64 << 20
"""Live bytes that are copied at once; they pass through memory."""

_SLOTS: Final = re.compile(r".*/(\d+)-(\d+)(?:-\d+)?(?:\.part)?")


class Span(NamedTuple):
    """A segment that holds bytes nobody refers to, and the slots it may hold: `first` to `last`."""

    segment: str
    first: int
    last: int

    def holds(self, slots: Sequence[int]) -> bool:
        """Tell whether a record of one of these slots, in ascending order, may be in there."""
        place = bisect_left(slots, self.first)
        return place < len(slots) and slots[place] <= self.last


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """What one look at the vault came to: segments removed and made anew, and those that hold dead bytes still."""

    removed: int
    rewritten: int
    left: tuple[Span, ...]


class Yard:
    """The vault of one home, with the lock that lets one at a time clear it."""

    def __init__(self, store: Reclaiming, vault: Vault, lock: Path) -> None:
        """Clear `vault`, to which rows of `store` refer; `lock` is a file of its own."""
        self._store = store
        self._vault = vault
        self._lock = lock

    def reclaim(
        self,
        *,
        today: date,
        slots: Sequence[int] | None = None,
        everything: bool = False,
        on_segments: Callable[[int], None] = lambda _count: None,
    ) -> Reclaimed:
        """Look at the segments in which these slots (ascending; None: all) may be, and clear what is worth it.

        `everything` clears every dead byte of them, however few. Waits for whoever clears just now.
        """
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._lock, alone=True):
            usages = self._usages(slots)
            plan = plan_compaction(usages, today=today, promised=_promised(usages, everything=everything))
            removed = self._remove(plan.empty)
            rewritten = 0
            for rewrite in plan.rewrites:
                self._rewrite(rewrite)
                rewritten += len(rewrite.segments)
                on_segments(len(rewrite.segments))
            left = tuple(_span(one.segment) for one in self._usages(slots) if one.live < one.size)
        return Reclaimed(removed, rewritten, left)

    def _usages(self, slots: Sequence[int] | None) -> list[Usage]:
        sizes = {name: size for name, size in self._vault.segments() if slots is None or _span(name).holds(slots)}
        live = self._store.live_bytes(list(sizes))
        return [Usage(name, size, live.get(name, 0)) for name, size in sizes.items()]

    def _rewrite(self, rewrite: Rewrite) -> None:
        """Copy live records, let their rows follow, then remove what nobody refers to, be it the copy."""
        for some in self._stretches(rewrite.segments):
            places = [place for segment in some for place in self._store.places_in(segment)]
            copies = self._vault.copy(places, day=rewrite.day, lane=rewrite.lane)
            self._store.moved(zip(places, copies, strict=True))
            self._remove(sorted({*some, *(copy.segment for copy in copies)}))

    def _stretches(self, segments: Sequence[str]) -> Iterator[list[str]]:
        live = self._store.live_bytes(segments)
        some: list[str] = []
        size = 0
        for segment in segments:
            some.append(segment)
            size += live.get(segment, 0)
            if size >= COPIED_TOGETHER:
                yield some
                some, size = [], 0
        if some:
            yield some

    def _remove(self, segments: Sequence[str]) -> int:
        gone = self._store.unreferenced(segments) if segments else []
        for segment in gone:
            self._vault.remove_segment(segment)
        return len(gone)


def _promised(usages: Sequence[Usage], *, everything: bool) -> set[str]:
    """Name segments to write anew for few dead bytes: all, or those with the fewest live ones up to a limit."""
    mixed = sorted((one for one in usages if 0 < one.live < one.size), key=lambda one: one.live)
    names, spent = set(), 0
    for one in mixed:
        spent += one.live
        if everything or spent <= AT_ONCE_BYTES:
            names.add(one.segment)
    return names


def _span(segment: str) -> Span:
    """Read from the name of a segment which slots it may hold; of an unknown name, any."""
    found = _SLOTS.fullmatch(segment)
    return Span(segment, int(found[1]), int(found[2])) if found else Span(segment, 0, 1 << 63)
