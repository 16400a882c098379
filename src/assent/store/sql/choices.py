"""The room of choices, flags and holds: what people, detectors and courts said."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, insert, or_, select, update

from assent.domain.choices import acts_on, reachable
from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.facts import HoldSpan
from assent.store.records import Choice, DeviceLink, Flag, Hold, Known, Listing, Page
from assent.store.schema import choice as choices
from assent.store.schema import conversation
from assent.store.schema import device_link as links
from assent.store.schema import flag as flags
from assent.store.schema import hold as holds
from assent.store.sql.accounts import known_accounts
from assent.store.sql.choosing import REFUSING_LAST, accounts_of, places
from assent.store.sql.paging import listing, values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

_SAID_IN = conversation.c.id
_FLAG = select(
    flags.c.id,
    conversation.c.id.label("conversation"),
    flags.c.at,
    flags.c.category,
    flags.c.flagged_by.label("by"),
    flags.c.reason,
    flags.c.reversed_at,
    flags.c.reviewed_at,
).join_from(flags, conversation)


_ORDERED: Final = select(choices).order_by(choices.c.at, REFUSING_LAST, choices.c.id)


def _flag(row: RowMapping) -> Flag:
    return Flag(**values_of(row))


def _hold(row: RowMapping) -> Hold:
    return Hold(**values_of(row))


def _choice(row: RowMapping) -> Choice:
    values = dict(values_of(row))
    return Choice(**values | {"options": tuple(json.loads(values["options"] or "[]"))})


def _row(choice: Choice) -> dict[str, Any]:
    return asdict(choice) | {"options": json.dumps(choice.options) if choice.options else ""}


class ChoiceRoom(Room):
    """Acts of subjects, append-only."""

    def add_choice(self, choice: Choice) -> None:
        with self._database.writing() as connection:
            found = connection.execute(select(choices).where(choices.c.id == choice.id)).mappings().one_or_none()
            if found is None:
                connection.execute(insert(choices).values(_row(choice)))
            elif _choice(found) != choice:
                raise _taken("choice", choice.id)

    def choice(self, choice: str) -> Choice | None:
        with self._database.reading() as connection:
            row = connection.execute(select(choices).where(choices.c.id == choice)).mappings().one_or_none()
        return None if row is None else _choice(row)

    def known_choices(self, ids: Collection[str]) -> set[str]:
        found: set[str] = set()
        with self._database.reading() as connection:
            for piece in pieces(ids):
                found.update(connection.scalars(select(choices.c.id).where(choices.c.id.in_(piece))))
        return found

    def choices(self, subject: str) -> Iterator[Choice]:
        query = select(choices).where(choices.c.subject == subject)
        return walk(self._database, query, (choices.c.at, REFUSING_LAST, choices.c.id), _choice)

    def newest_choices(self, subject: str, page: Page) -> Listing[Choice]:
        query = select(choices).where(choices.c.subject == subject)
        with self._database.reading() as connection:
            return listing(connection, query, (choices.c.at, choices.c.id), page, _choice)

    def known_of(self, subject: str) -> Known:
        return self.known_of_several([subject])[subject]

    def known_of_several(self, subjects: Collection[str]) -> dict[str, Known]:
        with self._database.reading() as connection:
            people = known_accounts(connection, subjects)
            query = select(links).where(links.c.device.in_(subjects))
            linked = {row["device"]: DeviceLink(**row) for row in connection.execute(query).mappings()}
            wanted = {*subjects, *(link.subject for link in linked.values())}
            said: dict[str, list[Choice]] = {subject: [] for subject in wanted}
            for row in connection.execute(_ORDERED.where(choices.c.subject.in_(wanted))).mappings():
                said[row["subject"]].append(_choice(row))
        return {
            one: Known(
                one,
                people.get(one),
                linked.get(one),
                tuple(said[one]),
                tuple(said[linked[one].subject]) if one in linked else (),
            )
            for one in subjects
        }

    def choices_for(self, conversation_id: str) -> list[Choice]:
        with self._database.reading() as connection:
            subject = connection.scalar(select(conversation.c.subject).where(conversation.c.id == conversation_id))
            if subject is None:
                return []
            place = places(connection, [conversation_id])[conversation_id]
            account = accounts_of(connection, [subject]).get(subject)
            own, of_account = _all_of(connection, subject), _all_of(connection, account)
        return acts_on(reachable(own, of_account), place)


class FlagRoom(Room):
    """Safety findings. What they come to stands in the row of the conversation."""

    def add_flag(self, flag: Flag) -> None:
        with self._database.writing() as connection:
            found = connection.execute(_FLAG.where(flags.c.id == flag.id)).mappings().one_or_none()
            if found is not None:
                if replace(_flag(found), reversed_at=flag.reversed_at, reviewed_at=flag.reviewed_at) != flag:
                    raise _taken("flag", flag.id)
                return
            key = connection.scalar(select(conversation.c.key).where(conversation.c.id == flag.conversation))
            if key is None:
                raise NotFound(f"there is no conversation `{flag.conversation}`", "it may have been erased")
            row = asdict(flag)
            row |= {"conversation": key, "flagged_by": row.pop("by")}
            connection.execute(insert(flags).values(row))
            _sum_up(connection, key)

    def reverse_flag(self, flag: str, at: datetime) -> None:
        with self._database.writing() as connection:
            key = _flagged(connection, flag)
            change = update(flags).where(flags.c.id == flag, flags.c.reversed_at.is_(None))
            connection.execute(change.values(reversed_at=at))
            _sum_up(connection, key)

    def review_flag(self, flag: str, at: datetime) -> None:
        with self._database.writing() as connection:
            key = _flagged(connection, flag)
            older = or_(flags.c.reviewed_at.is_(None), flags.c.reviewed_at < at)
            connection.execute(update(flags).where(flags.c.id == flag, older).values(reviewed_at=at))
            _sum_up(connection, key)

    def flags(self, page: Page, conversation: str | None = None) -> Listing[Flag]:
        query = _FLAG if conversation is None else _FLAG.where(_SAID_IN.in_([conversation]))
        with self._database.reading() as connection:
            return listing(connection, query, (flags.c.at, flags.c.id), page, _flag)


class HoldRoom(Room):
    """Legal holds. One writer at a time: a hold that is acknowledged stood before the next erasure began to read."""

    def place_hold(self, hold: Hold) -> None:
        with self._database.writing() as connection:
            found = _found_hold(connection, hold.id)
            if found is None:
                connection.execute(insert(holds).values(asdict(hold)))
            elif replace(found, released_at=hold.released_at, released_by=hold.released_by) != hold:
                raise _taken("hold", hold.id)

    def release_hold(self, hold: str, *, at: datetime, by: str) -> None:
        with self._database.writing() as connection:
            found = _found_hold(connection, hold)
            if found is None:
                raise NotFound(f"there is no hold `{hold}`", "list the holds to see their ids")
            if at < found.start:
                raise Invalid(f"hold `{hold}` starts after this release", "a hold is released after it was placed")
            if found.released_at is None:
                connection.execute(update(holds).where(holds.c.id == hold).values(released_at=at, released_by=by))

    def hold(self, hold: str) -> Hold | None:
        with self._database.reading() as connection:
            return _found_hold(connection, hold)

    def holds(self) -> Iterator[Hold]:
        return walk(self._database, select(holds), (holds.c.start, holds.c.id), _hold)


def _all_of(connection: Connection, subject: str | None) -> list[Choice]:
    query = select(choices).where(choices.c.subject == subject).order_by(choices.c.at, REFUSING_LAST, choices.c.id)
    return [] if subject is None else [_choice(row) for row in connection.execute(query).mappings()]


class Covering:
    """The holds that may cover some conversations."""

    def __init__(self, connection: Connection, conversations: Iterable[str], subjects: Iterable[str]) -> None:
        """Read the holds on everyone, on these conversations and on these subjects."""
        self._spans: dict[tuple[str, str | None], list[HoldSpan]] = {}
        self._read(connection, holds.c.scope == "everyone")
        for scope, targets in (("conversation", conversations), ("person", subjects)):
            for piece in pieces(targets):
                self._read(connection, and_(holds.c.scope == scope, holds.c.target.in_(piece)))

    def _read(self, connection: Connection, which: Any) -> None:
        query = select(holds.c.scope, holds.c.target, holds.c.start, holds.c.released_at).where(which)
        for scope, target, start, released_at in connection.execute(query):
            self._spans.setdefault((scope, target), []).append(HoldSpan(start, released_at))

    def of(self, conversation: str, subject: str | None) -> tuple[HoldSpan, ...]:
        """Return the spans of the holds that cover one conversation, by start."""
        if not self._spans:
            return ()
        spans = [
            *self._spans.get(("everyone", None), ()),
            *self._spans.get(("conversation", conversation), ()),
            *(self._spans.get(("person", subject), ()) if subject is not None else ()),
        ]
        return tuple(sorted(spans, key=lambda span: span.start))


def _taken(kind: str, name: str) -> Refused:
    return Refused(f"{kind} `{name}` is recorded with another meaning", "record it under an id of its own")


def _found_hold(connection: Connection, hold: str) -> Hold | None:
    row = connection.execute(select(holds).where(holds.c.id == hold)).mappings().one_or_none()
    return None if row is None else _hold(row)


def _flagged(connection: Connection, flag: str) -> int:
    key: int | None = connection.scalar(select(flags.c.conversation).where(flags.c.id == flag))
    if key is None:
        raise NotFound(f"there is no flag `{flag}`", "its conversation may have been erased")
    return key


def _sum_up(connection: Connection, key: int) -> None:
    query = select(flags.c.at, flags.c.reversed_at, flags.c.reviewed_at).where(flags.c.conversation == key)
    found = connection.execute(query.order_by(flags.c.at, flags.c.id)).all()
    standing = [flag for flag in found if flag.reversed_at is None]
    newest = (standing or found)[-1]
    connection.execute(
        update(conversation)
        .where(conversation.c.key == key)
        .values(
            flagged_at=newest.at,
            flag_reversed_at=newest.reversed_at,
            reviewed_at=max((f.reviewed_at for f in found if f.reviewed_at is not None), default=None),
        )
    )
