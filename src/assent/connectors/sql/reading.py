"""Listing and reading conversations of somebody's database: in pages, so that no lock and no memory grows with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from assent.connectors.formats.chats import NO_MESSAGES, dated
from assent.connectors.formats.messages import Reader
from assent.connectors.formats.port import Malformed, Record, Skipped
from assent.connectors.port import Listed, Unlisted
from assent.connectors.sql.database import Database, exactly, letters, matches
from assent.connectors.sql.mapping import Speaks
from assent.connectors.sql.schema import Schema, Spoken
from assent.connectors.sql.values import moment, spoken
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid, Place
from assent.domain.instants import EARLIEST

PAGE: Final = 1_000
"""Conversations that are listed at once."""

_ROLES: Final[dict[Speaks, str]] = {"person": "user", "model": "assistant", "system": "system", "tool": "tool"}
_PERSON: Final = frozenset({"user", "human", "prompter"})
"""The usual names of the person (`formats/messages.py`)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of conversations, as far as it is listed."""

    listed: Listed
    title: str
    updated: str


def rows_of(database: Database, schema: Schema) -> Iterator[list[Row | Unlisted]]:
    """List all conversations in pages, in the order of their ids; each once."""
    own = schema.table.c[schema.conversations.id]
    spelled = exactly(own, database.dialect)
    asked = _asked(schema, database.dialect).where(own.is_not(None))
    # where the database may take different ids for equal, their spelling tells which comes first
    asked = asked.order_by(own) if schema.single else asked.order_by(own, spelled)
    page = asked.limit(PAGE)
    while True:
        empty = False
        with database.reading() as connection:
            found = connection.execute(page).all()
            rows = list(
                _dated(connection, schema, list({spoken(row[0]): row for row in reversed(found)}.values())[::-1])
            )
            if len(found) < PAGE:
                empty = connection.execute(sa.select(own).where(own.is_(None)).limit(1)).first() is not None
        yield [*rows, *([Unlisted(_place(schema), "a conversation has no id")] if empty else [])]
        if len(found) < PAGE:
            return
        last = found[-1][0]
        behind = own > last
        if not schema.single:
            same = spelled > letters(own.info["type"], spoken(last), last, database.dialect)
            behind = sa.and_(own >= last, sa.or_(behind, same))
        page = asked.where(behind).limit(PAGE)


def some_rows(connection: sa.Connection, schema: Schema, ids: Sequence[str]) -> dict[str, Row]:
    """Read the rows of some conversations."""
    own = (schema.table.c[schema.conversations.id],)
    keys = [(one,) for one in ids]
    wanted = set(ids)
    found = [
        row
        for condition in matches(own, keys, connection.dialect.name)
        for row in connection.execute(_asked(schema, connection.dialect.name).where(condition))
        if spoken(row[0]) in wanted
    ]
    return {row.listed.id: row for row in _dated(connection, schema, found)}


def read(connection: sa.Connection, schema: Schema, ids: Sequence[str], format_name: str) -> Iterator[Record]:
    """Read conversations; one that is not there is left out."""
    rows = some_rows(connection, schema, ids)
    said: dict[str, list[_Message]] = {name: [] for name in rows}
    for column, table in enumerate(schema.spoken):
        for name, row in _messages(connection, table, list(rows)):
            number = sum(1 for one in said[name] if one.column == column)
            said[name].append(_Message(table, column, number, moment(row[3], table.entry.times), row))
    for name, row in rows.items():
        yield _record(schema, row, said[name], f"{format_name}:{name}", format_name)


@dataclass(frozen=True, slots=True)
class _Message:
    """One of what was said: the `number`th of its conversation in the `column`th table of messages."""

    table: Spoken
    column: int
    number: int
    at: datetime | None
    row: Any


# -- conversations ----------------------------------------------------------------------------


def _asked(schema: Schema, dialect: str) -> sa.Select[Any]:
    said = schema.conversations
    own = schema.table.c[said.id]
    names = (said.owner, said.plan, said.project, said.title, said.created_at, said.updated_at)
    columns: list[sa.ColumnElement[Any]] = [
        column if (column := schema.column(name)) is not None else sa.null() for name in names
    ]
    if not schema.single:  # several rows each: the greatest of what each says, and the earliest time
        columns = [sa.func.max(sa.cast(column, sa.Text)) for column in columns[:-2]] + [
            sa.func.min(columns[-2]),
            sa.func.max(columns[-1]),
        ]
    named = (column.label(f"c{number}") for number, column in enumerate(columns))
    asked = sa.select(own, *named).select_from(schema.source)
    return asked if schema.single else asked.group_by(own, exactly(own, dialect))


def _dated(connection: sa.Connection, schema: Schema, found: Sequence[Any]) -> Iterator[Row]:
    """Add to rows of conversations when their persons spoke last."""
    said = schema.conversations
    turns = _last_turns(connection, schema, [spoken(row[0]) for row in found])
    for row in found:
        name = spoken(row[0])
        owner, plan, project, title = (None if value in (None, "") else spoken(value) for value in row[1:5])
        created = moment(row[5], said.times)
        listed = Listed(name, owner, created, turns.get(name), plan or "", project or "")
        yield Row(listed, title or "", "" if row[6] is None else spoken(row[6]))


def _last_turns(connection: sa.Connection, schema: Schema, ids: Sequence[str]) -> dict[str, datetime]:
    newest: dict[str, datetime] = {}
    for table in schema.spoken:
        entry = table.entry
        if not entry.created_at or (entry.says not in (None, "person")):
            continue
        role = table.table.c[entry.role] if entry.role else sa.null()
        columns = [table.conversation, role, table.table.c[entry.created_at]]
        asked = sa.select(*(column.label(f"c{number}") for number, column in enumerate(columns))).select_from(
            table.source
        )
        for condition in matches((table.conversation,), [(one,) for one in ids], connection.dialect.name):
            for name, says, at in connection.execute(asked.where(condition)):
                if entry.role and not _is_person(entry.roles, says):
                    continue
                if (time := moment(at, entry.times)) is not None:
                    key = spoken(name)
                    newest[key] = max(time, newest.get(key, time))
    return newest


def _is_person(roles: dict[str, Speaks], says: object) -> bool:
    known = roles.get(str(says))
    return known == "person" if known is not None else str(says).strip().lower() in _PERSON


# -- messages ---------------------------------------------------------------------------------


def _messages(connection: sa.Connection, table: Spoken, ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Read messages of some conversations, as (conversation, (id, role, content, time, name))."""
    entry, own = table.entry, table.table.c
    columns: list[sa.ColumnElement[Any]] = [table.conversation, own[entry.id]]
    columns += [own[name] if name else sa.null() for name in (entry.role, entry.content, entry.created_at, entry.name)]
    asked = sa.select(*(column.label(f"c{number}") for number, column in enumerate(columns))).select_from(table.source)
    wanted = set(ids)
    for condition in matches((table.conversation,), [(one,) for one in ids], connection.dialect.name):
        for row in connection.execute(asked.where(condition).order_by(own[entry.id])):
            if (name := spoken(row[0])) in wanted:
                yield name, row[1:]


def _record(schema: Schema, row: Row, said: Sequence[_Message], name: str, format_name: str) -> Record:
    parts: list[Part] = []
    try:
        for message in sorted(said, key=_order):
            parts.extend(_parts(message, several=len(schema.spoken) > 1))
    except Invalid as problem:
        return Malformed(_place(schema), f"a message: {problem.message}")
    if not parts:
        return Skipped(_place(schema), NO_MESSAGES)
    one = row.listed
    found = Conversation(
        name, format_name, tuple(parts), one.owner, row.title, created_at=one.created_at, project=one.project
    )
    return dated(found)


def _order(message: _Message) -> tuple[datetime, int, int]:
    """By time; what has none, or the same, as it stands in its table, and the prompt before its answer."""
    return (message.at or EARLIEST, message.number, message.column)


def _parts(message: _Message, *, several: bool) -> list[Part]:
    entry = message.table.entry
    number, role, content, _, name = message.row
    says = entry.says or entry.roles.get(str(role))
    turn = f"{entry.table}/{spoken(number)}/{entry.content}" if several else spoken(number)
    raw = {"role": _ROLES[says] if says else str(role), "content": _content(content), "name": name}
    return [] if raw["content"] in (None, "") else Reader(time=message.at).message(raw, turn, {})


def _content(value: object) -> object:
    """Read content: text, or blocks as JSON, of the database's own type or as text."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, str) and value.lstrip().startswith('[{"'):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(value)
    if isinstance(value, dict):
        return [value]
    return value


def _place(schema: Schema) -> Place:
    return Place(f"table {schema.table.name}")
