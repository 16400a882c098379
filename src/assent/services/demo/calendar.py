"""What happened at Lantern and when: the campaign of autumn 2025, the answers to it, and everything beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from assent.domain.conversation import Surface
from assent.domain.digests import digest_bytes
from assent.domain.facts import Act
from assent.services.demo.chance import Chance, instant_between
from assent.services.demo.people import Answer, Person, Plan
from assent.services.demo.talk import ANNOUNCED, DEADLINE, END
from assent.services.demo.turns import Talk

OPENS: Final = datetime(2025, 9, 1, tzinfo=UTC)
"""From here on people see the notice, each on a day of September."""
ALL_ASKED: Final = datetime(2025, 9, 27, tzinfo=UTC)
HOLD_FROM: Final = datetime(2025, 10, 20, 9, tzinfo=UTC)
"""When a court order reaches one person's conversations."""

PURPOSE: Final = "training"
NOTICE: Final = (
    "May Lantern use your chats and coding sessions to train its models? If you allow it, conversations that you "
    "begin or continue from then on are kept up to five years. If you decline, nothing is used for training and "
    "conversations are kept up to thirty days. You can change your answer at any time in Settings, Privacy. "
    "Please answer by 8 October 2025."
)
NOTICE_DIGEST: Final = digest_bytes(NOTICE.encode())
"""Choices quote the notice that was shown by this digest."""

_FLAGS_REVERSED: Final = 1
_DELETIONS_SHARE: Final = 0.03
_CLOSURES: Final = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """The notice was shown to a subject for the first time."""

    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """One act of a subject, as `assent choose` takes it."""

    subject: str
    act: Act
    at: datetime
    surface: Surface = "chat"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A subject deleted one conversation."""

    subject: str
    conversation: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """A subject closed the account."""

    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A subject's account moved to a business plan."""

    subject: str
    plan: Plan
    at: datetime


@dataclass(frozen=True, slots=True)
class Flag:
    """A safety finding on a conversation; `reversed_at` when an appeal took it back."""

    subject: str
    conversation: str
    at: datetime
    finding: str
    reversed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal order not to erase anything of one subject."""

    subject: str
    at: datetime
    case: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """A thumb for one answer, sent to Lantern."""

    subject: str
    conversation: str
    turn: str
    rating: Literal["up", "down"]
    at: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """Everything that happened, each kind in order of time."""

    asked: tuple[Asked, ...]
    choices: tuple[Choice, ...]
    deletions: tuple[Deletion, ...]
    closures: tuple[Closure, ...]
    moves: tuple[Move, ...]
    flags: tuple[Flag, ...]
    holds: tuple[Hold, ...]
    feedback: tuple[Feedback, ...]


def draw_calendar(chance: Chance, people: Sequence[Person], talks: Sequence[Talk]) -> Calendar:
    """Draw the calendar that fits these people and what they said."""
    own: dict[str, list[Talk]] = defaultdict(list)
    for talk in talks:
        own[talk.subject].append(talk)
    asked = tuple(Asked(person.id, _daytime(chance, OPENS, ALL_ASKED)) for person in people if person.asked)
    shown = {event.subject: event.at for event in asked}
    choices = [choice for person in people if person.asked for choice in _choices(chance, person, shown[person.id])]
    moved = next(person for person in people if person.plan == "pro" and person.answer == "allow early")
    held = max((person for person in people if person.answer == "decline"), key=lambda person: len(own[person.id]))
    closing = _closing(people, own, {moved.id, held.id})
    flags = _flags(chance, talks)
    deletions = _deletions(chance, talks, own[held.id], {flag.conversation for flag in flags})
    return Calendar(
        asked=tuple(sorted(asked, key=lambda event: event.at)),
        choices=tuple(sorted(choices, key=lambda event: event.at)),
        deletions=tuple(sorted(deletions, key=lambda event: event.at)),
        closures=tuple(sorted(closing, key=lambda event: event.at)),
        moves=(Move(moved.id, "team", datetime(2025, 11, 3, 10, tzinfo=UTC)),),
        flags=tuple(sorted(flags, key=lambda event: event.at)),
        holds=(Hold(held.id, HOLD_FROM, "LAN-2025-017"),),
        feedback=tuple(sorted(_feedback(talks), key=lambda event: event.at)),
    )


def _daytime(chance: Chance, start: datetime, end: datetime) -> datetime:
    day = instant_between(chance, start, end).replace(minute=0, second=0, hour=0)
    return day + timedelta(seconds=chance.randrange(7 * 3600, 23 * 3600))


def _choices(chance: Chance, person: Person, shown: datetime) -> list[Choice]:
    """Play one way of answering; `defer` is pressed at least a day after the time before."""
    soon = shown + timedelta(seconds=chance.randrange(5, 4 * 86_400))
    late = instant_between(chance, datetime(2025, 10, 1, tzinfo=UTC), DEADLINE)
    defers = [
        shown + timedelta(days=2 * number, seconds=chance.randrange(5, 600)) for number in range(chance.randrange(1, 4))
    ]
    withdrawn = instant_between(chance, DEADLINE + timedelta(days=2), datetime(2025, 11, 5, tzinfo=UTC))
    again = instant_between(chance, withdrawn + timedelta(days=4), END - timedelta(days=5))
    acts: dict[Answer, list[tuple[Act, datetime]]] = {
        "allow early": [("allow", soon)],
        "allow late": [("allow", late)],
        "decline": [("decline", soon)],
        "defer then allow": [*(("defer", at) for at in defers), ("allow", late)],
        "defer and never answer": [("defer", at) for at in defers],
        "never answer": [],
        "allow then withdraw": [("allow", soon), ("withdraw", withdrawn)],
        "allow, withdraw, allow again": [("allow", soon), ("withdraw", withdrawn), ("allow", again)],
        "not asked": [],
    }
    surface: Surface = "coding" if "claude-code" in person.apps and chance.random() < 0.3 else "chat"
    return [Choice(person.id, act, at, surface) for act, at in acts[person.answer]]


def _flags(chance: Chance, talks: Sequence[Talk]) -> list[Flag]:
    """Flag what breaks the terms within hours, and one harmless talk, which an appeal frees again."""
    flags = [
        Flag(talk.subject, talk.conversation, talk.turns[-1].at + timedelta(minutes=chance.randrange(2, 600)), "misuse")
        for talk in talks
        if "flagged" in talk.kinds
    ]
    harmless = [
        talk for talk in talks if "sounds risky" in talk.kinds and not talk.private and talk.turns[-1].at > ANNOUNCED
    ]
    for talk in harmless[:_FLAGS_REVERSED]:
        at = talk.turns[-1].at + timedelta(hours=3)
        flags.append(
            Flag(talk.subject, talk.conversation, at, "violence", min(at + timedelta(days=6), END - timedelta(hours=1)))
        )
    return flags


def _deletions(chance: Chance, talks: Sequence[Talk], held: Sequence[Talk], spared: set[str]) -> list[Deletion]:
    """Delete some talks after their last turn, and one of the held person's while the hold stands."""
    kept = {held[0].conversation, *spared}
    deletions = [
        Deletion(
            talk.subject, talk.conversation, instant_between(chance, talk.turns[-1].at + timedelta(minutes=1), END)
        )
        for talk in talks
        if talk.conversation not in kept and chance.random() < _DELETIONS_SHARE
    ]
    at = max(HOLD_FROM + timedelta(days=5), held[0].turns[-1].at + timedelta(hours=1))
    return [*deletions, Deletion(held[0].subject, held[0].conversation, min(at, END - timedelta(minutes=1)))]


def _closing(people: Sequence[Person], own: dict[str, list[Talk]], spared: set[str]) -> list[Closure]:
    """Close the accounts of those who fell silent first, a day after their last turn or in mid October."""
    last = {person.id: max(talk.turns[-1].at for talk in own[person.id]) for person in people if person.asked}
    quiet = sorted((subject for subject in last if subject not in spared), key=last.__getitem__)
    earliest = datetime(2025, 10, 15, 12, tzinfo=UTC)
    return [
        Closure(subject, max(earliest + timedelta(days=9 * number), last[subject] + timedelta(days=1)))
        for number, subject in enumerate(quiet[:_CLOSURES])
    ]


def _feedback(talks: Sequence[Talk]) -> list[Feedback]:
    return [
        Feedback(talk.subject, talk.conversation, turn.id, turn.thumb, turn.at + timedelta(seconds=40))
        for talk in talks
        for turn in talk.turns
        if turn.thumb
    ]
