"""The room of accounts."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, update

from assent.domain.errors import NotFound
from assent.store.records import Account
from assent.store.schema import account as accounts
from assent.store.schema import conversation
from assent.store.sql.classes import follow_account
from assent.store.sql.holds import Reach
from assent.store.sql.listed import by_ids, rows_by_ids
from assent.store.sql.paging import values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from assent.store.sql.room import Database

_COLUMNS: Final = accounts.columns.keys()
_NAMED: Final = by_ids(select(accounts), accounts.c.subject)
_STICKY = ("acknowledged_at", "closed_at", "moved_to_business_at", "opened_at")


class AccountRoom(Room):
    """What is known about people."""

    def put_accounts(self, items: Iterable[Account]) -> None:
        with self._database.writing() as connection:
            for piece in pieces(items):
                _put(self._database, connection, {item.subject: item for item in piece})

    def account(self, subject: str) -> Account | None:
        with self._database.reading() as connection:
            return known_accounts(self._database, connection, [subject]).get(subject)

    def accounts(self) -> Iterator[Account]:
        return walk(self._database, select(accounts), (accounts.c.subject,), _account)

    def close_account(self, subject: str, at: datetime) -> None:
        with self._database.writing() as connection:
            known = known_accounts(self._database, connection, [subject]).get(subject)
            if known is None:
                raise NotFound("there is no account for this subject", "record the account first")
            if known.closed_at is None:
                _put(self._database, connection, {subject: replace(known, closed_at=at)})


def known_accounts(database: Database, connection: Connection, subjects: Iterable[str]) -> dict[str, Account]:
    """Read the accounts of these subjects, as far as there are any."""
    found: dict[str, Account] = {}
    for piece in pieces(subjects):
        rows = rows_by_ids(database, connection, _NAMED, piece)
        found |= {known.subject: known for known in (Account(**dict(zip(_COLUMNS, row, strict=True))) for row in rows)}
    return found


def _account(row: RowMapping) -> Account:
    return Account(**values_of(row))


def _put(database: Database, connection: Connection, items: dict[str, Account]) -> None:
    before = known_accounts(database, connection, items)
    new, changed = [], []
    for subject, item in items.items():
        old = before.get(subject)
        if old is None:
            new.append(item)
            continue
        kept = {name: getattr(old, name) for name in _STICKY if getattr(item, name) is None}
        merged = replace(item, **kept)
        if merged != old:
            changed.append(merged)
    if new:
        connection.execute(insert(accounts), [asdict(item) for item in new])
    # what is held by organisation or region stays held when these change
    if moved := [item.subject for item in changed if _held_by(item) != _held_by(before[item.subject])]:
        Reach(connection).people(moved)
    for item in changed:
        connection.execute(update(accounts).where(accounts.c.subject == item.subject).values(asdict(item)))
    touched = {item.subject: item for item in (*new, *changed)}
    for piece in pieces(touched):
        query = select(conversation.c.subject).where(conversation.c.subject.in_(piece)).distinct()
        for subject in connection.scalars(query).all():
            follow_account(connection, touched[subject])


def _held_by(item: Account) -> tuple[str | None, str | None]:
    return item.organisation, item.region
