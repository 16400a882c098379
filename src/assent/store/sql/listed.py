"""Many ids in one bound value: a parameter each costs as much as a row, and makes another statement for each count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ARRAY, Text, any_, bindparam, cast, column, text

from assent.store.sql.driven import Driven

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection, Select

    from assent.store.sql.room import Database

# bound as it is: SQLAlchemy would look at each element
_IDS: Final = bindparam("ids", None, Text, required=False)
_ARRAY: Final = cast(_IDS, ARRAY(Text))
_ROWS: Final = text("SELECT value FROM json_each(:ids)").bindparams(_IDS).columns(column("id", Text))


def among_ids(named: ColumnElement[str]) -> dict[str, ColumnElement[bool]]:
    """Say that a column is one of a list of ids, for each kind of database."""
    return {"postgresql": named == any_(_ARRAY), "sqlite": named.in_(_ROWS)}


def by_ids(query: Select[Any], named: ColumnElement[str]) -> Driven:
    """Narrow a query to the rows whose column `named` is one of a list of ids."""
    return Driven({kind: query.where(wanted) for kind, wanted in among_ids(named).items()})


def rows_by_ids(database: Database, connection: Connection, query: Driven, ids: Collection[str]) -> list[list[Any]]:
    """Read what a query finds that says `among_ids`."""
    listed = list(ids)
    bound = listed if connection.dialect.name == "postgresql" else json.dumps(listed)
    return query.rows(database, connection, {"ids": bound})
