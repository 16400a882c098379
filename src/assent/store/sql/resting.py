"""The room of rest: parts that a standing choice keeps leave the reach of the clocks that would nominate them.

A part that was looked at and may stay moves, once, into a class that says what is permitted for it
for good (`classes.py`), and whose bounds count that. An act that may end it wakes its person
(`schema/resting.py`): what was resting is nominated, until it is back in the class that it came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select, text, update

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
                    _move(self._database, connection, movers.parts, number)
                    _note(connection, movers.people)
                    moved += len(movers.parts)
            return moved

    def wake(self, limit: int) -> int:
        first = f"{WOKEN} ORDER BY subject LIMIT {limit:d}"
        with self._database.writing() as connection:
            people = list(connection.scalars(text(first)))
            back: dict[int, list[int]] = {}
            for key, base in connection.execute(text(resting_parts(connection.dialect.name, first))):
                back.setdefault(base, []).append(key)
            for base, parts in back.items():
                _move(self._database, connection, parts, base)
            connection.execute(delete(resting).where(resting.c.subject.in_(people)))
            return len(people)


WOKEN = "SELECT subject FROM resting WHERE woken"
"""Asks for the people whose acts may have ended what was permitted."""


def resting_parts(kind: str, people: str) -> str:
    """Ask for `key` and `base` of the parts at rest of the people whom a query finds, as a kind of database reads it.

    PostgreSQL is left no choice: it does not know how few they are, and would rather join whole tables.
    """
    if kind == "sqlite":
        theirs = "CROSS JOIN conversation AS c CROSS JOIN part AS p CROSS JOIN retention_class AS r"
        joins = "WHERE c.subject = s.subject AND p.conversation = c.key AND r.id = p.retention_class"
    else:
        theirs = (
            "CROSS JOIN LATERAL (SELECT key FROM conversation WHERE subject = s.subject OFFSET 0) AS c"
            " CROSS JOIN LATERAL (SELECT key, retention_class FROM part WHERE conversation = c.key OFFSET 0) AS p"
        )
        joins = "JOIN retention_class AS r ON r.id = p.retention_class WHERE TRUE"
    return f"SELECT p.key AS key, r.base AS base FROM ({people}) AS s {theirs} {joins} AND r.base IS NOT NULL"


_BASES = select(retention_class.c.id, *COLUMNS).where(retention_class.c.base.is_(None))
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


def _move(database: Database, connection: Connection, parts: Iterable[int], number: int) -> None:
    among = database.among(connection, f"to_{number}", parts)
    connection.execute(update(part).where(among(part.c.key)).values(retention_class=number))


def _note(connection: Connection, people: Iterable[str]) -> None:
    for piece in pieces(people):
        known = set(connection.scalars(select(resting.c.subject).where(resting.c.subject.in_(piece))))
        if new := [{"subject": subject} for subject in piece if subject not in known]:
            connection.execute(insert(resting), new)
