"""Which segments are worth writing anew. Pure: it is told what lies where and names what to do."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

MOST_DEAD_PERCENT: Final = 50
"""Of a segment's bytes. Above it each live byte that is copied gives back more than one; below, more will die yet."""

SMALL_BYTES: Final = 1 << 20
FEWEST_SMALL: Final = 8
"""So many small segments of one day and lane are written as one: each costs a name, and a request to read it."""

_NAME: Final = re.compile(r"(\d{4}-\d{2}-\d{2})/([a-z0-9-]+)/\d+-\d+(?:-\d+)?")


class Usage(NamedTuple):
    """One segment: its size in bytes, and how many of them are records that a row of the store still names."""

    segment: str
    size: int
    live: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Segments of one day and lane whose live records go into a new one."""

    day: date
    lane: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compaction:
    """What to do: `empty` segments hold no live record, `rewrites` hold some.

    A segment that is being written is empty too until the rows that name it are committed: leave those alone that are
    younger than that may take.
    """

    empty: tuple[str, ...]
    rewrites: tuple[Rewrite, ...]


def plan_compaction(usages: Iterable[Usage], *, today: date, promised: Container[str] = ()) -> Compaction:
    """Name the segments without a live record, those with too many dead bytes, and small ones that belong together.

    `promised` segments hold erased bytes that must be out of the way now: they are written anew however few those are.
    Small segments of `today` are left: more of them will come. Records keep their day and lane, so that segments still
    die whole.
    """
    empty: list[str] = []
    dead: dict[tuple[date, str], list[str]] = defaultdict(list)
    small: dict[tuple[date, str], list[str]] = defaultdict(list)
    for segment, size, live in usages:
        name = _NAME.fullmatch(segment)
        if live == 0:
            empty.append(segment)
        elif name is not None:
            group = (date.fromisoformat(name[1]), name[2])
            if (size - live) * 100 > size * MOST_DEAD_PERCENT or (live < size and segment in promised):
                dead[group].append(segment)
            elif size < SMALL_BYTES and group[0] < today:
                small[group].append(segment)
    for group, names in small.items():
        if len(names) + len(dead.get(group, ())) >= FEWEST_SMALL:
            dead[group] += names
    rewrites = [Rewrite(day, lane, tuple(sorted(names))) for (day, lane), names in sorted(dead.items())]
    return Compaction(tuple(sorted(empty)), tuple(rewrites))
