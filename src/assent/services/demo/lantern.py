"""All of Lantern from one seed, and Lantern as it stood at an earlier instant."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Final

from assent.domain.instants import format_instant
from assent.services.demo import everyday
from assent.services.demo.calendar import Calendar, draw_calendar
from assent.services.demo.chance import Chance
from assent.services.demo.people import Person, draw_people
from assent.services.demo.talk import ANNOUNCED, as_private, draw_talk, set_down
from assent.services.demo.turns import Talk

_FLAGGED_TALKS: Final = 5
_LEAST_PRIVATE: Final = 3


@dataclass(frozen=True, slots=True)
class Lantern:
    """People, what they said (in order of person and beginning), and what happened."""

    people: tuple[Person, ...]
    talks: tuple[Talk, ...]
    calendar: Calendar


def generate(chance: Chance, people: int = 200) -> Lantern:
    """Draw Lantern. The same seed and number draw the same values. Raises `Invalid` below 60 people."""
    persons = draw_people(chance, people)
    talks = [draw_talk(chance, person) for person in persons for _ in range(person.talks)]
    talks += _flagged(chance, persons)
    talks = _some_private(talks)
    place = {person.id: at for at, person in enumerate(persons)}
    talks.sort(key=lambda talk: (place[talk.subject], talk.turns[0].at))
    return Lantern(persons, tuple(talks), draw_calendar(chance, persons, talks))


def _flagged(chance: Chance, persons: tuple[Person, ...]) -> list[Talk]:
    """Give a few adult consumers one talk each that will be flagged, in August to November."""
    able = [person for person in persons if person.asked]
    begins = [ANNOUNCED + timedelta(days=13 * number - 9, hours=11) for number in range(_FLAGGED_TALKS)]
    drafts = [everyday.flagged(chance, number) for number in range(_FLAGGED_TALKS)]
    plays = zip(chance.sample(able, _FLAGGED_TALKS), drafts, begins, strict=True)
    return [set_down(chance, person, draft, person.apps[0], at) for person, draft, at in plays]


def _some_private(talks: list[Talk]) -> list[Talk]:
    """Make sure that some talks are private, and one that sounds risky is not, however few people there are."""
    missing = _LEAST_PRIVATE - sum(talk.private for talk in talks)
    for at, talk in enumerate(talks):
        if missing > 0 and talk.kinds <= {"everyday", "reasoning"} and not talk.private:
            talks[at] = as_private(talk)
            missing -= 1
    return talks


def until(lantern: Lantern, at: datetime) -> Lantern:
    """Give Lantern as it stood at an instant: no turn, choice or event after it; ids stay the same."""
    talks = (replace(talk, turns=tuple(turn for turn in talk.turns if turn.at <= at)) for talk in lantern.talks)
    calendar = lantern.calendar
    known = {
        field.name: tuple(event for event in getattr(calendar, field.name) if event.at <= at)
        for field in fields(calendar)
    }
    known["flags"] = tuple(
        replace(flag, reversed_at=None) if flag.reversed_at is not None and flag.reversed_at > at else flag
        for flag in known["flags"]
    )
    return Lantern(lantern.people, tuple(talk for talk in talks if talk.turns), Calendar(**known))


def account_records(lantern: Lantern) -> list[dict[str, object]]:
    """List the accounts with the keys of `assent.domain.facts`; unknown ages are left out.

    `plan` is the plan that the talks were held under; a later move is the instant
    `moved_to_business_at`, a closed account `account_closed_at`.
    """
    shown = lantern.calendar.first_shown
    closed = {event.subject: event.at for event in lantern.calendar.closures}
    moved = {event.subject: event.at for event in lantern.calendar.moves}
    records: list[dict[str, object]] = []
    for person in lantern.people:
        record: dict[str, object] = {"subject": person.id, "plan": person.plan, "region": person.region}
        record |= {"age": person.age} if person.age is not None else {}
        record["signed_in"] = True
        for key, at in (
            ("acknowledged_at", shown.get(person.id)),
            ("account_closed_at", closed.get(person.id)),
            ("moved_to_business_at", moved.get(person.id)),
        ):
            record |= {key: format_instant(at)} if at is not None else {}
        records.append(record)
    return records


def event_records(lantern: Lantern) -> list[dict[str, object]]:
    """List what happened, oldest first: `at`, `event`, `subject` and what belongs to the event.

    Events: question (`did` says what became of it), deletion, closure, move, flag, flag reversed, hold, feedback. The
    `conversation` is named as an import names it.
    """
    calendar = lantern.calendar
    records = [_event(e.at, "question", e.subject, did=e.did, client=e.client) for e in calendar.showings]
    records += [_event(e.at, "deletion", e.subject, conversation=e.conversation) for e in calendar.deletions]
    records += [_event(e.at, "closure", e.subject) for e in calendar.closures]
    records += [_event(e.at, "move", e.subject, plan=e.plan) for e in calendar.moves]
    records += [_event(e.at, "hold", e.subject, case=e.case) for e in calendar.holds]
    for flag in calendar.flags:
        records.append(_event(flag.at, "flag", flag.subject, conversation=flag.conversation, finding=flag.finding))
        if flag.reversed_at is not None:
            records.append(_event(flag.reversed_at, "flag reversed", flag.subject, conversation=flag.conversation))
    records += [
        _event(e.at, "feedback", e.subject, conversation=e.conversation, turn=e.turn, rating=e.rating)
        for e in calendar.feedback
    ]
    return sorted(records, key=lambda record: str(record["at"]))


def _event(at: datetime, event: str, subject: str, **more: str) -> dict[str, object]:
    return {"at": format_instant(at), "event": event, "subject": subject, **more}
