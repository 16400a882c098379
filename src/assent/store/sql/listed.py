"""Many ids in one bound value: a parameter each costs as much as a row, and makes another statement for each count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ARRAY, Text, any_, bindparam, cast, column, func, select, text, true

from assent.store.sql.driven import Driven

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table

    from assent.store.sql.room import Database

# bound as it is: SQLAlchemy would look at each element
_IDS: Final = bindparam("ids", None, Text, required=False)
_ARRAY: Final = cast(_IDS, ARRAY(Text))
_ROWS: Final = text("SELECT value AS id FROM json_each(:ids)").bindparams(_IDS).columns(column("id", Text))

LISTED: Final[Mapping[str, FromClause]] = {
    "postgresql": func.unnest(_ARRAY).table_valued(column("id", Text)).render_derived("listed"),
    "sqlite": _ROWS.subquery("listed"),
}
"""The ids themselves, in a column `id`, for each kind of database."""


def joined(kind: str, before: FromClause, table: Table, wanted: ColumnElement[bool]) -> tuple[FromClause, FromClause]:
    """Join to each row what its index finds of a table, if anything; returns the table as it is joined, and the join.

    PostgreSQL is left no choice: it knows a table as it was when it last counted, and of one that has grown since it
    would rather read the whole than ask an index fifty times.
    """
    if kind == "sqlite":
        return table, before.outerjoin(table, wanted)
    found = select(table).where(wanted).offset(0).lateral(table.name)
    return found, before.outerjoin(found, true())


def by_ids(query: Select[Any], named: ColumnElement[str]) -> Driven:
    """Narrow a query to the rows whose column `named` is one of a list of ids."""
    return Driven({"postgresql": query.where(named == any_(_ARRAY)), "sqlite": query.where(named.in_(_ROWS))})


def rows_by_ids(database: Database, connection: Connection, query: Driven, ids: Collection[str]) -> list[list[Any]]:
    """Read what a query finds that names `ids`."""
    listed = list(ids)
    bound = listed if connection.dialect.name == "postgresql" else json.dumps(listed)
    return query.rows(database, connection, {"ids": bound})
