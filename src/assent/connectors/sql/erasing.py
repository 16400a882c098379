"""Erasing the rows of some conversations: in one transaction, what refers to others before these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import sqlalchemy as sa

from assent.connectors.sql.database import PORTION, matches, portions, refers
from assent.connectors.sql.schema import Rows, Schema
from assent.connectors.sql.tracing import Anchors, Trace, Words, trace
from assent.connectors.sql.values import said

PASSES: Final = 4
"""How often is looked again: triggers may copy what is deleted into another mapped table."""


def carry_out(connection: sa.Connection, schema: Schema, found: Trace, known: Anchors) -> None:
    """Erase what was found, then look again in the same transaction. What stays all the same is found by `verify`.

    Raises `AssentError` if a row that stays must point at one that goes.
    """
    for _ in range(PASSES):
        for rows in schema.going:
            _let_go(connection, rows, found)
        for rows in schema.going:
            if rows.do == "delete":
                _delete(connection, rows, found)
            elif rows.do == "blank":
                _blank(connection, rows, found)
        for rows in schema.going:
            _refuse_if_pointed_at(connection, rows, found)
        found = trace(connection, schema, found.ids, _joined(known, found.anchors))
        if not any(found.count(one, rows.name) for one in found.ids for rows in schema.going if rows.do != "look"):
            return


def _let_go(connection: sa.Connection, rows: Rows, found: Trace) -> None:
    """Empty columns that point at rows that go: the database would refuse, or delete rows that stay."""
    for pointer in (one for one in rows.pointers if one.emptied):
        going = found.anchors.get((rows.name, pointer.target), {})
        for condition in matches(pointer.columns, going, connection.dialect.name):
            emptied = sa.update(pointer.columns[0].table).values({column: sa.null() for column in pointer.emptied})
            connection.execute(emptied.where(condition))


def _refuse_if_pointed_at(connection: sa.Connection, rows: Rows, found: Trace) -> None:
    """Leave the whole erasure undone where a row that stays must point at one that went; a server says so itself."""
    for pointer in (one for one in rows.pointers if not one.emptied):
        gone = found.anchors.get((rows.name, pointer.target), {})
        for condition in matches(pointer.columns, gone, connection.dialect.name):
            if connection.execute(
                sa.select(sa.literal(1)).select_from(pointer.columns[0].table).where(condition)
            ).first():
                raise refers()


def _delete(connection: sa.Connection, rows: Rows, found: Trace) -> None:
    for keys in portions(found.wanted[rows.name], PORTION):
        going = keys if not rows.shared else _unused(connection, rows, keys)
        for condition in matches(rows.link, going, connection.dialect.name):
            connection.execute(sa.delete(rows.table).where(condition))


def _unused(connection: sa.Connection, rows: Rows, keys: Iterable[Words]) -> AbstractSet[Words]:
    """Return those of these shared rows that nobody uses; what goes does not use them any more by now."""
    unused = set(keys)
    for columns in rows.users:
        for condition in matches(columns, list(unused), connection.dialect.name):
            used = connection.execute(sa.select(*columns).where(condition).distinct())
            unused -= {words for row in used if (words := said(row)) is not None}
    return unused


def _blank(connection: sa.Connection, rows: Rows, found: Trace) -> None:
    emptied: Mapping[Any, Any] = {
        column: sa.null() if column.info["nullable"] else sa.literal("") for column in rows.blank
    }
    for condition in matches(rows.link, found.wanted[rows.name], connection.dialect.name):
        connection.execute(sa.update(rows.table).values(emptied).where(condition))


def _joined(known: Anchors, found: Anchors) -> Anchors:
    both = {group: {words: set(whose) for words, whose in keys.items()} for group, keys in known.items()}
    for group, keys in found.items():
        for words, whose in keys.items():
            both.setdefault(group, {}).setdefault(words, set()).update(whose)
    return both
