"""Many ids in one bound value: a parameter each costs as much as a row, and makes another statement for each count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ARRAY, Text, any_, bindparam, cast, column, text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

# bound as it is: SQLAlchemy would look at each element
_ARRAY: Final = cast(bindparam("ids", type_=Text), ARRAY(Text))
_ROWS: Final = text("SELECT value FROM json_each(:ids)").columns(column("id", Text))


def by_ids(query: Select[Any], named: ColumnElement[str]) -> dict[str, Select[Any]]:
    """Narrow a query to the rows whose column `named` is one of a list of ids, for each kind of database."""
    return {"postgresql": query.where(named == any_(_ARRAY)), "sqlite": query.where(named.in_(_ROWS))}


def rows_by_ids(connection: Connection, queries: Mapping[str, Select[Any]], ids: Collection[str]) -> Sequence[Row[Any]]:
    """Read what a query that `by_ids` made finds for these ids."""
    kind, listed = connection.dialect.name, list(ids)
    return connection.execute(queries[kind], {"ids": listed if kind == "postgresql" else json.dumps(listed)}).all()
