"""What happens in a year: a script of events, drawn from a seed, that reads as Python and can be cut down."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Act = Literal["allow", "decline", "withdraw"]


@dataclass(frozen=True, order=True)
class Event:
    """Something that happens on a day, at noon; of two on one day the one that comes first in the script is first."""

    day: int


@dataclass(frozen=True, order=True)
class Talk(Event):
    """A person writes in a conversation: a new one, or one that goes on."""

    name: str
    person: str


@dataclass(frozen=True, order=True)
class Choose(Event):
    """A person answers, or takes an answer back."""

    person: str
    act: Act


@dataclass(frozen=True, order=True)
class Delete(Event):
    """A person deletes a conversation."""

    name: str


@dataclass(frozen=True, order=True)
class Undelete(Event):
    """A person brings a conversation back."""

    name: str


@dataclass(frozen=True, order=True)
class FlagIt(Event):
    """A conversation is flagged."""

    name: str


@dataclass(frozen=True, order=True)
class Overturn(Event):
    """The flags of a conversation are overturned on appeal."""

    name: str


@dataclass(frozen=True, order=True)
class Place(Event):
    """A hold is placed on a person, a conversation, or (`target` is empty) everyone."""

    hold: str
    target: str


@dataclass(frozen=True, order=True)
class Release(Event):
    """A hold is released."""

    hold: str


@dataclass(frozen=True, order=True)
class Tighten(Event):
    """A stricter version of the policy comes into force."""


@dataclass(frozen=True, order=True)
class Crash(Event):
    """The sweep of this day dies at its n-th write to the disk."""

    write: int


@dataclass(frozen=True, order=True)
class BackUp(Event):
    """A backup is taken."""


@dataclass(frozen=True, order=True)
class Restore(Event):
    """The disk is lost, and the newest backup is restored; the journal, kept elsewhere, is there."""


Script = tuple[Event, ...]
TIGHTENED = 20
"""Days that the stricter version keeps what nobody allowed; the first one keeps it 30."""


def draw(seed: int, *, days: int, people: int, disasters: int = 1) -> Script:  # noqa: C901, PLR0912 - a table of chances
    """Draw a script: mostly talks and deletions, sometimes flags and holds; crashes and restores times `disasters`."""
    chance = random.Random(seed)
    everybody = [f"p{n}" for n in range(people)]
    events: list[Event] = []
    names: list[str] = []
    holds: list[str] = []
    for day in range(days):
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            kind = chance.random()
            name = chance.choice(names) if names else ""
            if kind < 0.45 or not names:
                names.append(f"t{len(names)}")
                events.append(Talk(day, names[-1], chance.choice(everybody)))
            elif kind < 0.53:
                events.append(Talk(day, name, _owner(events, name)))
            elif kind < 0.68:
                events.append(Choose(day, chance.choice(everybody), chance.choice(("allow", "decline", "withdraw"))))
            elif kind < 0.80:
                events.append(Delete(day, name))
            elif kind < 0.83:
                events.append(Undelete(day, name))
            elif kind < 0.87:
                events.append(FlagIt(day, name))
            elif kind < 0.89:
                events.append(Overturn(day, name))
            elif kind < 0.95:
                holds.append(f"h{len(holds)}")
                target = chance.choice((name, name, chance.choice(everybody), ""))
                events.append(Place(day, holds[-1], target))
            elif holds:
                events.append(Release(day, chance.choice(holds)))
        if day == days // 2:
            events.append(Tighten(day))
        if chance.random() < 0.08 * disasters:
            events.append(Crash(day, chance.randrange(1, 30)))
        if chance.random() < 0.04 * disasters:
            events.append(BackUp(day))
        if chance.random() < 0.015 * disasters:
            events.append(Restore(day))
    return tuple(events)


def _owner(events: Sequence[Event], name: str) -> str:
    return next(event.person for event in events if isinstance(event, Talk) and event.name == name)


def shrunk(script: Script, fails: Callable[[Script], bool]) -> Script:
    """Take away whatever is not needed for the script to fail: halves first, then single events."""
    size = len(script) // 2
    while size:
        for cut in _cuts(script, size):
            if fails(cut):
                script = cut
                break
        else:
            size //= 2
        size = min(size, len(script) // 2) if size > 1 else size
    return script


def _cuts(script: Script, size: int) -> Iterator[Script]:
    for start in range(0, len(script), size):
        yield script[:start] + script[start + size :]


def written(script: Script) -> str:
    """Write a script as Python that can be put into a test."""
    return "(\n" + "".join(f"    {event!r},\n" for event in script) + ")"
