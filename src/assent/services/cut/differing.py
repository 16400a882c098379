"""The difference between two numbers of a cut: who joined, who left, and why those who left did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING, Final

from assent.domain.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.store.port import Cuts
    from assent.store.records import Cut, CutRow

SHOWN: Final = 20


@dataclass(slots=True)
class Difference:
    """What two numbers differ in: parts and conversations that joined and left, with a few names of each."""

    joined: int = 0
    left: int = 0
    same: int = 0
    conversations: dict[str, set[str]] = field(default_factory=lambda: {"joined": set(), "left": set()})


def find_cut(store: Cuts, name: str, number: int | None = None) -> Cut:
    """Find a cut by name and number, or the newest of a name. Raises `NotFound`."""
    known = store.cuts_named(name)
    if not known:
        raise NotFound(f"there is no cut named `{name}`", "list them: assent cut show")
    if number is None:
        return known[-1]
    found = [cut for cut in known if cut.number == number]
    if not found:
        raise NotFound(f"cut `{name}` has no number `{number}`", f"it has {known[0].number} to {known[-1].number}")
    return found[0]


def compare(store: Cuts, name: str, one: int, other: int) -> Difference:
    """Compare the members of two numbers of a cut, in bounded memory but for the conversations that differ."""
    for number in (one, other):
        find_cut(store, name, number)
    found = Difference()
    sides = merge(_sided(store.members(name, one), 0), _sided(store.members(name, other), 1))
    for (conversation, _), rows in groupby(sides, key=lambda pair: pair[0]):
        there = Counter(side for _, side in rows)
        if there[0] and there[1]:
            found.same += 1
        elif there[1]:
            found.joined += 1
            found.conversations["joined"].add(conversation)
        else:
            found.left += 1
            found.conversations["left"].add(conversation)
    return found


def _sided(rows: Iterator[CutRow], side: int) -> Iterator[tuple[tuple[str, str], int]]:
    return (((row.conversation, row.part), side) for row in rows)
