"""Statements that many people wait for, written down once and said straight to the driver.

Core takes several times as long to say a statement as a database needs for a few rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import Boolean, ClauseElement, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from assent.domain.instants import from_micros
from assent.store.schema import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Dialect

    from assent.store.sql.room import Database

_DIALECTS: Final[Mapping[str, Dialect]] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": psycopg.dialect(),  # type: ignore[no-untyped-call]
}


class Cursor(Protocol):
    """What the drivers of both databases answer."""

    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> Sequence[Sequence[Any]]: ...


class Driven:
    """One statement, as the driver of each kind of database takes it. Values are bound as they are."""

    def __init__(self, statement: ClauseElement | Mapping[str, ClauseElement]) -> None:
        """Write it down; where the kinds of databases do not say it alike, there is one for each."""
        kinds = dict.fromkeys(_DIALECTS, statement) if isinstance(statement, ClauseElement) else statement
        self._said: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for kind, one in kinds.items():
            written = one.compile(dialect=_DIALECTS[kind], compile_kwargs={"render_postcompile": True})
            self._said[kind] = str(written), written.params
        query = kinds["sqlite"]
        columns = query.selected_columns if isinstance(query, Select) else ()
        self._read = [(n, read) for n, column in enumerate(columns) if (read := _reading(column.type)) is not None]

    def run(self, database: Database, connection: Connection, values: Mapping[str, object]) -> Cursor:
        """Say it, and return what the driver answers."""
        text, constants = self._said[connection.dialect.name]
        return database.run(connection, text, {**constants, **values})

    def rows(self, database: Database, connection: Connection, values: Mapping[str, object]) -> list[list[Any]]:
        """Read what it finds: of each row the values of the columns that it selects, in order."""
        found = [list(row) for row in self.run(database, connection, values).fetchall()]
        for row in found:
            for n, read in self._read:
                if row[n] is not None:
                    row[n] = read(row[n])
        return found


def _reading(kind: object) -> Callable[[Any], Any] | None:
    """Return what makes of the driver's value what the rest of the program knows; None where they are the same."""
    return from_micros if isinstance(kind, Instant) else bool if isinstance(kind, Boolean) else None
