"""Somebody else's database: how it is opened and asked in portions, and what its errors mean.

Identifiers are quoted and values bound by SQLAlchemy. Nothing that the database says of an error is passed on: it
quotes values.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, product
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from assent.connectors.sql.values import meant
from assent.domain.errors import AssentError, Invalid, NotFound

T = TypeVar("T")

PORTION: Final = 400
"""Keys in one statement: older builds of SQLite take 999 values, and a key is compared twice."""

CONNECT_S: Final = 10
LOCK_S: Final = 10
"""Seconds to wait for a row or a table that the product has locked: it comes first, and we ask again."""

_DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mariadb": "mysql+pymysql",
    "mysql": "mysql+pymysql",
}
_LOCKED: Final = frozenset({"55P03", "40P01", "40001", 1205, 1213, "SQLITE_BUSY", "SQLITE_LOCKED"})


class Database:
    """One database: a SQLite file, or a server's."""

    def __init__(self, where: Path | sa.URL, schema: str = "") -> None:
        self.file = where if isinstance(where, Path) else None
        self._engine = _engine(where, schema)
        self.dialect = self._engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection in one transaction. Raises `NotFound` or `AssentError` if it cannot be used."""
        with self._guarded(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, enforced: bool = True) -> Iterator[sa.Connection]:
        """Give a connection whose transaction is committed at the end, or undone as a whole.

        `enforced` off leaves foreign keys to us, where that can be: SQLite looks through a whole table for each
        row that goes if a column that refers to it has no index.
        """
        with self._guarded(), self._engine.connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
                connection.exec_driver_sql(f"PRAGMA foreign_keys = {'ON' if enforced else 'OFF'}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            elif self.dialect == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_S}s'")
                connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
            else:
                connection.exec_driver_sql(
                    f"SET SESSION innodb_lock_wait_timeout = {LOCK_S}, lock_wait_timeout = {LOCK_S}"
                )
            yield connection
            connection.commit()

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """Give a connection outside any transaction, for statements that refuse to be in one."""
        with self._guarded(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        if self.file is not None and not self.file.is_file():
            raise NotFound("there is no database file where the connector's file says", "check `file`")
        try:
            yield
        except SQLAlchemyError as problem:
            raise _said(problem) from None


def address(text: str, password: str) -> sa.URL:
    """Read the address of a server. Raises `Invalid` if it is none, or holds a password."""
    fix = "write it as `postgresql://NAME@HOST/DATABASE` or `mariadb://NAME@HOST/DATABASE`"
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise Invalid("`database` is no address of a database", fix) from None
    if url.password is not None:
        raise Invalid("`database` holds a password", "put it into a file, and name that in `password_file`")
    if url.drivername not in _DRIVERS:
        raise Invalid(f"`{url.drivername}` is no kind of database that is known here", f"{fix}; for SQLite give `file`")
    url = url.set(drivername=_DRIVERS[url.drivername])
    return url.set(password=password) if password else url


def matches(
    columns: Sequence[sa.Column[Any]], keys: Iterable[tuple[str, ...]], dialect: str
) -> Iterator[sa.ColumnElement[bool]]:
    """Compare columns with keys, a portion at a time: to the letter, whatever the database takes for equal."""
    kinds = [column.info["type"] for column in columns]
    bound = [
        (words, values)
        for words in keys
        for values in product(*(meant(kind, word, dialect) for kind, word in zip(kinds, words, strict=True)))
    ]
    exact = [exactly(column, dialect) for column in columns]
    for some in portions(bound, PORTION):
        spelled = [tuple(letters(*one, dialect) for one in zip(kinds, *pair, strict=True)) for pair in some]
        yield sa.and_(_among(columns, [values for _, values in some]), _among(exact, spelled))


def portions(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of at most so many."""
    waiting = iter(values)
    while some := list(islice(waiting, size)):
        yield some


def _among(columns: Sequence[sa.ColumnElement[Any]], values: Sequence[tuple[Any, ...]]) -> sa.ColumnElement[bool]:
    if len(columns) == 1:
        return columns[0].in_([value for (value,) in values])
    return sa.tuple_(*columns).in_(values)


def exactly(column: sa.Column[Any], dialect: str) -> sa.ColumnElement[Any]:
    """Return a column as it is spelled: case, accents and spaces at the end tell keys apart."""
    kind = column.info["type"]
    if dialect == "sqlite":
        spelled = sa.cast(column, sa.Text).collate("BINARY")
        return sa.case((sa.func.typeof(column) == "blob", sa.func.lower(sa.func.hex(column))), else_=spelled)
    if not isinstance(kind, sa.String) or isinstance(kind, sa.CHAR):
        return column
    if dialect == "postgresql":
        return sa.cast(column, sa.Text).collate("C")
    return sa.cast(sa.cast(column, mysql.CHAR(charset="utf8mb4")), sa.LargeBinary)


def letters(kind: sa.types.TypeEngine[Any], words: str, value: Any, dialect: str) -> Any:
    """Return a value as `exactly` spells it."""
    if dialect == "sqlite":
        return words
    if dialect == "postgresql" or not isinstance(kind, sa.String) or isinstance(kind, sa.CHAR):
        return value
    return words.encode()


# -- opening ----------------------------------------------------------------------------------


def _engine(where: Path | sa.URL, schema: str) -> sa.Engine:
    if isinstance(where, Path):
        file = f"{where.absolute().as_uri()}?mode=rw"  # a file that is not there must not be made

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(file, uri=True, timeout=LOCK_S, isolation_level=None)

        return sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)
    options: dict[str, Any] = {"connect_timeout": CONNECT_S}
    if schema and where.get_backend_name() == "postgresql":
        name = schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\ ")
        options["options"] = f'-csearch_path="{name}"'
    try:
        return sa.create_engine(where, connect_args=options, poolclass=NullPool)
    except ModuleNotFoundError as problem:
        raise AssentError(
            f"connecting to this database needs `{problem.name}`, which is not installed",
            "install assent with the extra `postgres` or `mysql`",
        ) from None


# -- what errors mean -------------------------------------------------------------------------


class BusyError(AssentError):
    """Another program holds what was asked for."""


def refers() -> AssentError:
    """Make the error for a row that cannot go."""
    fix = "map the table that refers to it (`[[copies]]`), or let its column be empty"
    return AssentError("the database keeps a row, because one that stays refers to it", fix)


def _said(problem: SQLAlchemyError) -> AssentError:
    origin = getattr(problem, "orig", None)
    code = _code(origin)
    if code in _LOCKED:
        return BusyError("another program holds rows or tables of the database", "ask again, or stop it")
    if isinstance(problem, IntegrityError):
        return refers()
    where = f"{type(origin or problem).__name__}{f' {code}' if code else ''}"
    if isinstance(problem, DBAPIError) and isinstance(problem, (sa.exc.OperationalError, sa.exc.InterfaceError)):
        return AssentError(f"the database does not answer ({where})", "look whether it runs, and who may read it")
    return AssentError(f"the database refuses ({where})", "look at what the connector's account may do")


def _code(origin: Any) -> Any:
    state = getattr(origin, "sqlstate", None) or getattr(origin, "sqlite_errorname", None)
    arguments = getattr(origin, "args", ())
    return state or (arguments[0] if arguments and isinstance(arguments[0], int) else "")
