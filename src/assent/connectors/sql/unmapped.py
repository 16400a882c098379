"""Tables that a mapping may have forgotten: whoever maps conversations should not have to know every copy by heart.

A table is suspicious if it refers to a mapped one, has a column that leads to conversations in the mapped ones, is an
index of texts, or is named after a mapped one and has its columns. It has to be mapped then, if only with `keep`.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

import sqlalchemy as sa

from assent.connectors.sql.facts import Facts
from assent.connectors.sql.mapping import Mapping

_ANYBODYS: Final = frozenset({"id", "rowid", "uuid", "key", "name", "user_id"})
"""Columns that many tables have, whatever they lead to."""

_SHOWN: Final = 4

_TEXT_INDEXES: Final = sa.text(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"
)


def overlooked(
    connection: sa.Connection, facts: Facts, mapping: Mapping, known: AbstractSet[str]
) -> tuple[str, str] | None:
    """Say which tables may hold copies and are mapped nowhere, with the fix; None if there is none."""
    named = known | {one.table for one in mapping.copies}
    found = list(dict.fromkeys(_suspicious(connection, facts, mapping, named)))
    if not found:
        return None
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (
        f"may hold copies, and the mapping does not say: {'; '.join(found[:_SHOWN])}{more}",
        'add each under `[[copies]]`; one that holds nothing that anybody said with `do = "keep"`',
    )


def _suspicious(connection: sa.Connection, facts: Facts, mapping: Mapping, named: AbstractSet[str]) -> Iterator[str]:
    erased = {mapping.conversations.table, *(one.table for one in mapping.messages)}
    erased |= {one.table for one in mapping.copies if one.do != "keep" and not one.shared}
    indexes = set(connection.execute(_TEXT_INDEXES).scalars()) if facts.dialect == "sqlite" else set()
    parts = tuple(f"{name}_" for name in indexes)  # the tables that an index of texts is made of
    leading = _leading(mapping) - _ANYBODYS
    for name in sorted(facts.tables.keys() - named):
        if name.startswith(parts) and name not in indexes:
            continue
        targets = {key.target for key in facts.keys if key.table == name} & erased
        columns = {str(column.name) for column in facts.tables[name].c}
        if targets:
            yield f"`{name}` refers to `{min(targets)}`"
        elif name in indexes:
            yield f"`{name}` is an index of texts"
        elif leads := columns & leading:
            yield f"`{name}` has a column `{min(leads)}`"
        elif like := _named_after(name, columns, mapping):
            yield f"`{name}` looks like `{like}`"
    if facts.dialect == "postgresql":
        for name in sorted(set(sa.inspect(connection).get_materialized_view_names()) - named):
            yield f"`{name}` keeps what a query found"


def _leading(mapping: Mapping) -> set[str]:
    """Return the names of columns that lead to conversations or what belongs to them."""
    entries = [*mapping.messages, *(one for one in mapping.copies if not one.shared)]
    found = {one.conversation for one in entries} | {column for one in entries for column in one.on}
    return found - {""}


def _named_after(name: str, columns: AbstractSet[str], mapping: Mapping) -> str:
    for one in mapping.messages:
        if one.table in name and one.content in columns:
            return one.table
    return ""
