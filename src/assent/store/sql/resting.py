"""The room of rest: parts that a standing choice keeps leave the reach of the clocks that would nominate them.

A part that was looked at and may stay moves, once, into a class that says what is permitted for it
for good (`classes.py`), and whose bounds count that. An act that may end it wakes its person
(`schema/resting.py`): what was resting is nominated, until it is back in the class that it came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select, update

from assent.domain.choices import Place
from assent.policy.standing import UNKNOWN, Lasting, lasting
from assent.store.records import RetentionClass
from assent.store.schema import conversation, part, resting, retention_class
from assent.store.sql.choosing import Choosing
from assent.store.sql.classes import COLUMNS, Categories, Classes
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from assent.policy.standing import Permitted
    from assent.store.sql.room import Database

_CLOCKS = ("created_at", "last_turn_at")
"""The clocks by which a policy may say when a part counts for a choice (`Policy.part_clock`)."""


class _Kind(NamedTuple):
    """What parts that move together share: the class they are in, and what is permitted for them."""

    base: int
    permitted: Permitted


class _Movers(NamedTuple):
    """Parts that move together, their people, and the newest allowance that this rests on."""

    parts: list[int]
    people: set[str]
    since: set[datetime]


class RestRoom(Room):
    """Laying to rest, and waking."""

    def rest(self, keys: Sequence[int], worth: Callable[[RetentionClass], bool]) -> int:
        with self._database.writing() as connection:
            classes, moved = Classes(connection), 0
            bases = {number: Categories(*rest) for number, *rest in connection.execute(_BASES)}
            for kind, movers in _movers(self._database, connection, keys).items():
                categories, since = bases[kind.base], max(movers.since, default=None)
                if worth(RetentionClass(kind.base, categories.facts(), kind.permitted, since)):
                    number = classes.resting(kind.base, categories, kind.permitted, since)
                    _move(connection, movers.parts, number)
                    _note(connection, movers.people)
                    moved += len(movers.parts)
            return moved

    def wake(self, limit: int) -> int:
        with self._database.writing() as connection:
            woken = select(resting.c.subject).where(resting.c.woken).order_by(resting.c.subject).limit(limit)
            people = list(connection.scalars(woken))
            theirs = select(conversation.c.key).where(conversation.c.subject.in_(people))
            for number, base in connection.execute(_MOVED).all() if people else ():
                change = update(part).where(part.c.conversation.in_(theirs), part.c.retention_class == number)
                connection.execute(change.values(retention_class=base))
            connection.execute(delete(resting).where(resting.c.subject.in_(people)))
            return len(people)


_BASES = select(retention_class.c.id, *COLUMNS).where(retention_class.c.base.is_(None))
_MOVED = select(retention_class.c.id, retention_class.c.base).where(retention_class.c.base.is_not(None))
_PARTS = (
    select(part.c.key, part.c.retention_class, conversation.c.subject, *(part.c[clock] for clock in _CLOCKS))
    .join_from(part, conversation)
    .join(retention_class, retention_class.c.id == part.c.retention_class)
    .where(retention_class.c.base.is_(None))
)


def _movers(database: Database, connection: Connection, keys: Sequence[int]) -> dict[_Kind, _Movers]:
    """Sort the parts that are not resting by what their people permit for good; those that permit nothing stay."""
    rows = connection.execute(_PARTS.where(database.among(connection, "looked_at", keys)(part.c.key))).all()
    said = _lasting(connection, {subject for _, _, subject, *_ in rows})
    found: dict[_Kind, _Movers] = {}
    for key, number, subject, *clocks in rows:
        last = said.get(subject)
        if last is None:
            continue
        kind = _Kind(number, last.of(dict(zip(_CLOCKS, clocks, strict=True))))
        if kind.permitted == UNKNOWN:
            continue
        movers = found.setdefault(kind, _Movers([], set(), set()))
        movers.parts.append(key)
        movers.people.update(() if subject is None else (subject,))
        movers.since.update(last.since[purpose] for purpose, _ in kind.permitted.pairs)
    return found


def _lasting(connection: Connection, subjects: set[str | None]) -> dict[str | None, Lasting]:
    """Say what lasts of everybody's acts; those are left out whose acts differ from place to place."""
    known = {subject for subject in subjects if subject is not None}
    choosing = Choosing(connection, known)
    found: dict[str | None, Lasting] = {None: lasting(())}
    for subject in known:
        if choosing.targets(subject) is None:
            found[subject] = lasting(choosing.at(subject, Place()))
    return found


def _move(connection: Connection, parts: Iterable[int], number: int) -> None:
    for piece in pieces(parts):
        connection.execute(update(part).where(part.c.key.in_(piece)).values(retention_class=number))


def _note(connection: Connection, people: Iterable[str]) -> None:
    for piece in pieces(people):
        known = set(connection.scalars(select(resting.c.subject).where(resting.c.subject.in_(piece))))
        if new := [{"subject": subject} for subject in piece if subject not in known]:
            connection.execute(insert(resting), new)
