"""The product's own database, SQLite or PostgreSQL: how it is opened, and asked in portions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from assent.connectors import postgresql
from assent.domain.errors import AssentError, Invalid, NotFound, Refused

BATCH: Final = 500
"""Ids in one statement: older builds of SQLite take 999."""
FETCH_ROWS: Final = 1_000
BUSY_S: Final = 30
"""How long to wait for the product's own writing."""
_STOP: Final = "stop Open WebUI and whatever else uses its database, then ask again"


class Database:
    """The database of one installation: a SQLite file, or an address of PostgreSQL."""

    def __init__(self, where: Path | str) -> None:
        self.file = where if isinstance(where, Path) else None
        self._engine = _engine(where)

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """Give a connection in one transaction. Raises `NotFound` and `AssentError` if it cannot be used."""
        with self._guarded("used", "look at its file or address, and who may read it") as engine, engine.begin() as one:
            yield one

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Give a connection outside any transaction, for statements that refuse to be in one."""
        with self._guarded("tidied", "stop whatever uses it") as engine, engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def refuse_if_open(self) -> None:
        """Raise `Refused` while anybody else has a connection to it."""
        if self.file is not None:
            refuse_if_locked(self.file)
            return
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with self.open() as connection:
            if connection.execute(text(f"{others} AND backend_type = 'client backend'")).scalar():
                raise Refused("somebody is connected to the database of Open WebUI", _STOP)

    @contextmanager
    def _guarded(self, how: str, fix: str) -> Iterator[Engine]:
        if self.file is not None and not self.file.is_file():
            raise NotFound("the database of Open WebUI is not where the connector's file says", "check `data_dir`")
        try:
            yield self._engine
        except SQLAlchemyError as problem:
            reason = type(getattr(problem, "orig", None) or problem).__name__
            raise AssentError(f"the database of Open WebUI cannot be {how} ({reason})", fix) from None


def refuse_if_locked(file: Path) -> None:
    """Raise `Refused` while a program has a SQLite file open.

    Takes the lock that nobody gets while another connection is open: a server that only waits holds one, too.
    """
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        raise Refused(f"a program has `{file.name}` open", _STOP) from None
    finally:
        connection.close()


def _engine(where: Path | str) -> Engine:
    if isinstance(where, str):
        try:
            return create_engine(_with_driver(where), **postgresql.engine_options())
        except (SQLAlchemyError, ValueError):
            # it may hold a password: it is not quoted
            raise Invalid("the file of the database holds no address", "write `postgresql://...` into it") from None

    def connect() -> sqlite3.Connection:
        # `rw`: a folder that is not there is an error, never a new and empty database.
        connection = sqlite3.connect(f"{where.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S)
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _with_driver(address: str) -> str:
    """Name the driver that assent has; Open WebUI is given `postgresql://` or `postgres://`."""
    scheme, separator, rest = address.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in ("postgres", "postgresql") else address


def batches(ids: Sequence[str]) -> Iterator[list[str]]:
    """Cut ids into the portions of one statement."""
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch


def rows_of(connection: Connection, statement: str, ids: Sequence[str]) -> Iterator[Any]:
    """Run a statement with `:ids` for each portion of ids."""
    prepared = text(statement).bindparams(bindparam("ids", expanding=True))
    for batch in batches(ids):
        yield from connection.execute(prepared, {"ids": batch})


def all_rows(connection: Connection, statement: str, values: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """Stream the rows of a statement; memory holds some hundred of them."""
    yield from connection.execute(text(statement), dict(values or {}), execution_options={"yield_per": FETCH_ROWS})


def delete(connection: Connection, table: str, column: str, ids: Sequence[str], more: str = "") -> None:
    """Delete the rows of a table whose column is one of the ids. Table and column are words of this package."""
    statement = text(f'DELETE FROM "{table}" WHERE {column} IN :ids {more}')  # noqa: S608
    for batch in batches(ids):
        connection.execute(statement.bindparams(bindparam("ids", expanding=True)), {"ids": batch})


def tables(connection: Connection) -> set[str]:
    """Name the tables that are there: an older 0.12 has fewer."""
    return set(inspect(connection).get_table_names())
