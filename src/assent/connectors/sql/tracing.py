"""Finding every row that belongs to conversations, table by table, from the conversation's id down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

from assent.connectors.sql.database import matches
from assent.connectors.sql.schema import Rows, Schema
from assent.connectors.sql.values import is_text, said

Words: TypeAlias = tuple[str, ...]
"""A key, written as words."""

Group: TypeAlias = tuple[str, tuple[str, ...]]
"""Columns of a table that others are found by."""

Anchors: TypeAlias = dict[Group, dict[Words, set[str]]]
"""Keys that others are found by, and whose conversations' they are."""


@dataclass(slots=True)
class Trace:
    """What there is of some conversations: keys by which rows are found, and how many rows there are of whom."""

    ids: frozenset[str]
    wanted: dict[str, dict[Words, set[str]]] = field(default_factory=dict)
    anchors: Anchors = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    files: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, conversation: str, name: str) -> int:
        return self.counts.get(conversation, {}).get(name, 0)


def trace(
    connection: sa.Connection,
    schema: Schema,
    ids: Iterable[str],
    known: Anchors | None = None,
    *,
    together: bool = True,
) -> Trace:
    """Find the rows of conversations; `known` are keys of rows that may be gone, by which others are still found.

    A shared row belongs to a conversation if nothing uses it but this one; `together`, nothing but all of these.
    """
    found = Trace(frozenset(ids))
    for group, keys in (known or {}).items():
        found.anchors[group] = {words: set(whose) for words, whose in keys.items()}
    shared: list[tuple[Rows, dict[Words, set[str]]]] = []
    for rows in schema.rows:
        if rows.parent is None or _holds_the_id(rows.parent, rows.parent_columns):
            found.wanted[rows.name] = {(one,): {one} for one in found.ids}
        else:
            found.wanted[rows.name] = found.anchors.get((rows.parent.name, rows.parent_columns), {})
        there = _rows(connection, rows, found)
        if rows.shared:
            shared.append((rows, there))
    for rows, there in shared:
        spared = _spared(connection, schema, rows, there, found, together=together)
        for words, whose in there.items():
            for one in whose - spared.get(words, set()):
                _add(found.counts, one, rows.name)
    return found


def _holds_the_id(parent: Rows, columns: tuple[str, ...]) -> bool:
    """Tell whether these columns of a table are the conversation's id: who refers to them is found without its row."""
    return parent.parent is None and tuple(one.name for one in parent.link) == columns


def _rows(connection: sa.Connection, rows: Rows, found: Trace) -> dict[Words, set[str]]:
    """Look at one table, and count; of a shared one only say which rows there are."""
    wanted, groups = found.wanted[rows.name], sorted(rows.gives)
    known = {group: set(found.anchors.get((rows.name, group), ())) for group in groups}
    columns = [*rows.link, *(rows.table.c[name] for group in groups for name in group), _filed(rows), _says(rows)]
    there: dict[Words, set[str]] = {}
    for condition in matches(rows.link, wanted, connection.dialect.name):
        asked = sa.select(*(column.label(f"c{number}") for number, column in enumerate(columns))).select_from(
            rows.table
        )
        for row in connection.execute(asked.where(condition)):
            words = said(row[: len(rows.link)])
            whose = wanted.get(words) if words is not None else None
            if words is None or not whose:
                continue  # the database takes it for equal, and it is another one
            there.setdefault(words, set()).update(whose)
            for one in whose:
                if row[-1] and not rows.shared:
                    _add(found.counts, one, rows.name)
                if row[-2]:
                    _add(found.files, one, rows.name)
            for group, key in _given(groups, row[len(rows.link) :]):
                found.anchors.setdefault((rows.name, group), {}).setdefault(key, set()).update(whose)
                known[group].discard(key)
    for group, keys in known.items():
        _forget_given_again(connection, rows, group, keys, found)
    return there


def _forget_given_again(
    connection: sa.Connection, rows: Rows, group: tuple[str, ...], keys: AbstractSet[Words], found: Trace
) -> None:
    """Let go of remembered keys that another row has by now: databases give numbers of rows that went once more."""
    columns = tuple(rows.table.c[name] for name in group)
    for condition in matches(columns, keys, connection.dialect.name):
        asked = sa.select(*(column.label(f"c{number}") for number, column in enumerate(columns))).where(condition)
        for row in connection.execute(asked):
            if (words := said(row)) is not None:
                found.anchors[rows.name, group].pop(words, None)


def _given(groups: Sequence[tuple[str, ...]], values: Sequence[Any]) -> Iterator[tuple[tuple[str, ...], Words]]:
    """Read the keys of a row by which others are found."""
    at = 0
    for group in groups:
        if (words := said(values[at : at + len(group)])) is not None:
            yield group, words
        at += len(group)


def _filed(rows: Rows) -> sa.ColumnElement[Any]:
    return sa.literal(0) if rows.files is None else sa.case((rows.files.is_not(None), 1), else_=0)


def _says(rows: Rows) -> sa.ColumnElement[Any]:
    """Tell whether a row still holds what it is erased for."""
    if rows.do != "blank":
        return sa.literal(int(rows.do != "keep"))
    return sa.case((sa.or_(*(_filled(column) for column in rows.blank)), 1), else_=0)


def _filled(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    filled = column.is_not(None)
    return sa.and_(filled, column != "") if is_text(column.info["type"]) else filled


def _add(counts: dict[str, dict[str, int]], conversation: str, name: str) -> None:
    of_one = counts.setdefault(conversation, {})
    of_one[name] = of_one.get(name, 0) + 1


# -- shared rows ------------------------------------------------------------------------------


def _spared(
    connection: sa.Connection,
    schema: Schema,
    rows: Rows,
    there: Mapping[Words, AbstractSet[str]],
    found: Trace,
    *,
    together: bool,
) -> dict[Words, set[str]]:
    """Return shared rows that somebody else uses, with the conversations that they do not belong to therefore."""
    spared: dict[Words, set[str]] = {}
    for words, users in _users(connection, schema, rows, there, found):
        for one in there[words]:
            if not users or users - (found.ids if together else {one}):
                spared.setdefault(words, set()).add(one)
    return spared


def _users(
    connection: sa.Connection, schema: Schema, rows: Rows, there: Mapping[Words, AbstractSet[str]], found: Trace
) -> Iterator[tuple[Words, AbstractSet[str]]]:
    """Say of every row that uses a shared one whose it is; nobody's of those that were asked for: an empty set."""
    by_name = {one.name: one for one in schema.rows}
    for columns in rows.users:
        user = by_name.get(str(columns[0].table.name))
        link = user.link if user is not None else ()
        for condition in matches(columns, there, connection.dialect.name):
            asked = [column.label(f"c{number}") for number, column in enumerate((*columns, *link))]
            for row in connection.execute(sa.select(*asked).select_from(columns[0].table).where(condition)):
                words, owner = said(row[: len(columns)]), said(row[len(columns) :])
                if words is not None and words in there:
                    known = found.wanted[user.name] if user is not None else {}
                    yield words, known.get(owner, set()) if owner else set()
