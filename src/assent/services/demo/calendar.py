"""What happened at Lantern and when: the campaign of autumn 2025, the answers to it, and everything beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from assent.domain.facts import ACTS, Act
from assent.services.demo.chance import Chance, instant_between
from assent.services.demo.people import Answer, Person, Plan
from assent.services.demo.talk import ANNOUNCED, DEADLINE, END
from assent.services.demo.turns import Talk

OPENS: Final = datetime(2025, 9, 1, tzinfo=UTC)
"""From here on people see the notice, each on a day of September."""
ALL_ASKED: Final = datetime(2025, 9, 24, tzinfo=UTC)
LATE: Final = datetime(2025, 10, 2, tzinfo=UTC)
"""From here on the late ones answer."""
HOLD_FROM: Final = datetime(2025, 10, 20, 9, tzinfo=UTC)
"""When a court order reaches one person's conversations."""

SPOKEN: Final = ("en", "de", "fr", "es", "ar")
"""The languages of Lantern's notice; everybody else reads it in English."""

_HESITANT_SHARE: Final = 0.4
_FLAGS_REVERSED: Final = 1
_DELETIONS_SHARE: Final = 0.03
_CLOSURES: Final = 3


Did = Act | Literal["closed", "timed out"]
"""What became of a question on a screen: an act, or none."""


@dataclass(frozen=True, slots=True)
class Showing:
    """The question stood before a subject from `shown_at` to `at`, and what became of it.

    `surface` is where it was drawn, `client` the simulated device. It was asked by the campaign, or
    the subject looked for it in the settings.
    """

    subject: str
    shown_at: datetime
    at: datetime
    did: Did
    surface: Literal["html", "terminal"]
    client: str
    locale: str
    place: Literal["campaign", "settings"] = "campaign"


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

    showings: tuple[Showing, ...]
    deletions: tuple[Deletion, ...]
    closures: tuple[Closure, ...]
    moves: tuple[Move, ...]
    flags: tuple[Flag, ...]
    holds: tuple[Hold, ...]
    feedback: tuple[Feedback, ...]

    @property
    def acts(self) -> tuple[Showing, ...]:
        """The showings that ended in an act of the subject."""
        return tuple(showing for showing in self.showings if showing.did in ACTS)

    @property
    def first_shown(self) -> dict[str, datetime]:
        """When each subject saw the question for the first time."""
        return {showing.subject: showing.shown_at for showing in reversed(self.showings)}


def draw_calendar(chance: Chance, people: Sequence[Person], talks: Sequence[Talk]) -> Calendar:
    """Draw the calendar that fits these people and what they said."""
    own: dict[str, list[Talk]] = defaultdict(list)
    for talk in talks:
        own[talk.subject].append(talk)
    showings = [showing for person in people if person.asked for showing in _showings(chance, person)]
    moved = next(person for person in people if person.plan == "pro" and person.answer == "allow early")
    held = max((person for person in people if person.answer == "decline"), key=lambda person: len(own[person.id]))
    closing = _closing(people, own, {moved.id, held.id})
    flags = _flags(chance, talks)
    deletions = _deletions(chance, talks, own[held.id], {flag.conversation for flag in flags})
    return Calendar(
        showings=tuple(sorted(showings, key=lambda event: event.at)),
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


def _showings(chance: Chance, person: Person) -> list[Showing]:
    """Play one way of answering. Whoever does nothing is asked again two days later, four times at most."""
    first = _daytime(chance, OPENS, ALL_ASKED)
    days = [first + timedelta(days=2 * number) for number in range(4)]
    late = instant_between(chance, LATE, DEADLINE - timedelta(hours=1))
    withdrawn = instant_between(chance, DEADLINE + timedelta(days=2), datetime(2025, 11, 5, tzinfo=UTC))
    again = instant_between(chance, withdrawn + timedelta(days=4), END - timedelta(days=5))
    defers: list[tuple[datetime, Did]] = [(at, "defer") for at in days[: chance.randrange(1, 4)]]
    opened: list[tuple[datetime, Did]] = [(at, _left(chance)) for at in days[: chance.randrange(2, 5)]]
    hesitant = opened[:1] if chance.random() < _HESITANT_SHARE else []
    soon = days[len(hesitant)]
    plays: dict[Answer, list[tuple[datetime, Did]]] = {
        "allow early": [*hesitant, (soon, "allow")],
        "allow late": [*opened[:1], (late, "allow")],
        "decline": [*hesitant, (soon, "decline")],
        "defer then allow": [*defers, (late, "allow")],
        "defer and never answer": [*defers, (days[len(defers)], _left(chance))],
        "never answer": opened,
        "allow then withdraw": [*hesitant, (soon, "allow"), (withdrawn, "withdraw")],
        "allow, withdraw, allow again": [*hesitant, (soon, "allow"), (withdrawn, "withdraw"), (again, "allow")],
        "not asked": [],
    }
    coder = "claude-code" in person.apps and chance.random() < 0.3
    surface: Literal["html", "terminal"] = "terminal" if coder else "html"
    device = "terminal" if coder else "phone" if chance.random() < 0.55 else "desktop"
    locale = person.language if person.language in SPOKEN else "en"
    return [
        Showing(
            person.id,
            shown_at,
            shown_at + timedelta(seconds=600 if did == "timed out" else chance.randrange(6, 90)),
            did,
            surface,
            f"simulated {device}",
            locale,
            "settings" if shown_at > DEADLINE else "campaign",
        )
        for shown_at, did in plays[person.answer]
    ]


def _left(chance: Chance) -> Did:
    return "closed" if chance.random() < 0.7 else "timed out"


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
