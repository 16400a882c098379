"""The file: how it is opened, read and written.

Write-ahead log, so that people read while a sweep writes; `synchronous=FULL`, so that an
answer given is on the disk; `secure_delete=ON`, because an ordinary DELETE leaves the bytes
in the file (`fast` does too, for rows of ordinary size). There is one writer at a time:
every write begins with BEGIN IMMEDIATE, so what it has read stays true until it commits.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Connection, column, create_engine, delete, event, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from assent.domain.errors import AssentError, NotFound, Refused
from assent.store.migrate import NEWEST, migrate, step_of
from assent.store.restoring import MARK, refuse_writing
from assent.store.sqlite.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Engine, Executable, Table

    from assent.store.sql.driven import Cursor
    from assent.store.sql.room import Among, Stretches

CONNECTIONS: Final = 32
"""Connections that stay open once they were needed, one a thread that is at work."""

_PRAGMAS: Final = {
    "journal_mode": ("WAL", "wal"),
    "secure_delete": ("ON", 1),
    "foreign_keys": ("ON", 1),
    # REPLACE deletes without a word otherwise, past the triggers that refuse it
    "recursive_triggers": ("ON", 1),
    "synchronous": ("FULL", 2),
}
"""What every connection sets, and what it must then read back."""

_SPEED: Final = {
    "cache_size": -65_536,  # KiB
    "wal_autocheckpoint": 8_192,  # pages: 32 MiB of log before its pages are moved, each once
}
"""What makes bulk work about twice as fast, in bounded memory."""

_RESTORE: Final = "check the path, or bring the home back from a backup: assent restore"

_WRITES: Final = {"assent_writes": True}
_NONE: Final[Mapping[str, object]] = {}


class Database:
    """One SQLite file and its connections, for any number of threads."""

    def __init__(self, path: Path, *, create: bool, busy_timeout_s: float = 30.0) -> None:
        """Open the file at the newest step of its schema.

        `busy_timeout_s` bounds the wait for another writer. Raises `NotFound` if there is no
        file and `create` is false, `Refused` if this SQLite cannot erase or the file is newer
        than this assent, `AssentError` if the file is none of ours, and then leaves it as it is.
        """
        if not path.exists():
            if not create or not path.parent.is_dir():
                raise NotFound(f"there is no store at `{path}`", "check the path and its folder, or create one")
            # content will lie in it: nobody else on the machine may read it
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._busy_timeout_s = busy_timeout_s
        self._turns = Turns(path, busy_timeout_s)
        self.engine = self._engine(path)
        try:
            if not create:
                _check_ours(path, busy_timeout_s)
            with self.reading() as connection:
                stands = step_of(connection)
            if stands != NEWEST:
                with self.writing(replaying=True) as connection:
                    migrate(connection)
        except (DatabaseError, sqlite3.DatabaseError) as problem:
            self.engine.dispose()
            raise AssentError(f"`{path}` cannot be opened as a store: {_said(problem)}", _RESTORE) from None
        except BaseException:
            self.engine.dispose()
            raise

    def _engine(self, path: Path) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            # rows stream to the threads of the set evaluator
            connect_args={"check_same_thread": False, "timeout": self._busy_timeout_s},
            # opening one takes several times as long as a query, and what is beyond these is opened anew each time
            pool_size=CONNECTIONS,
            # an error must not quote what was to be stored
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read at one instant: what others write meanwhile is not seen."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """Read by one statement, without a transaction around it."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, may_be_lost: bool = False, replaying: bool = False) -> Iterator[Connection]:
        """Write alone, all or nothing."""
        try:
            options = {**_WRITES, "assent_waits_for_disk": not may_be_lost}
            with self.engine.connect().execution_options(**options) as connection, self._begun(connection):
                if not replaying and (taken_at := _driver(connection).execute(MARK).fetchone()[0]) is not None:
                    raise refuse_writing(taken_at)
                yield connection
        except OperationalError as problem:
            if "locked" in _said(problem):
                message = f"another process wrote for longer than {self._busy_timeout_s:g} s"
                raise AssentError(message, "try again when it is done") from None
            message = f"the store could not be written: {_said(problem)}"
            raise AssentError(message, "nothing was changed; see to the disk and do the same again") from problem

    @contextmanager
    def _begun(self, connection: Connection) -> Iterator[None]:
        """Begin to write when it is this writer's turn."""
        with self._turns.first() as ours:
            if not ours:
                message = f"others wrote for longer than {self._busy_timeout_s:g} s"
                raise AssentError(message, "try again when they are done")
            transaction = connection.begin()
        with transaction:
            yield

    def next_key(self, connection: Connection, table: Table) -> int:
        """Return the first number that no row has; where keys are never given twice, that none ever had."""
        if table.dialect_options["sqlite"]["autoincrement"]:
            given = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).scalar()
        else:
            given = connection.scalar(select(func.max(*table.primary_key)))
        return (given or 0) + 1

    def give_keys(self, connection: Connection, table: Table, last: int) -> None:
        """Move the number that SQLite remembers of an AUTOINCREMENT table."""
        known = connection.exec_driver_sql(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table.name)
        )
        if known.rowcount == 0:
            connection.exec_driver_sql("INSERT INTO sqlite_sequence VALUES (?, ?)", (table.name, last))

    def run(self, connection: Connection, statement: str, values: Mapping[str, object]) -> Cursor:
        """Say one statement straight to the driver."""
        return _run(connection, statement, values)

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows of all columns with the driver's own executemany: three times as fast as dictionaries in Core."""
        if rows:
            connection.exec_driver_sql(_insert(table), list(rows))

    def stream(self, connection: Connection, query: Executable, rows: int) -> Stretches:
        """Read a query in stretches, straight from the driver: numbers stay numbers until Arrow has them."""
        cursor = connection.execute(query).cursor
        while cursor is not None and (stretch := cursor.fetchmany(rows)):
            yield stretch

    def beside(
        self, connection: Connection, name: str, columns: Sequence[str], rows: Sequence[tuple[int | None, ...]]
    ) -> tuple[str, Mapping[str, object]]:
        """Lay numbers into a temporary table with an index on its first column."""
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.{name}")
        key, *others = columns
        named = ", ".join([f"{key} INTEGER PRIMARY KEY", *(f"{other} INTEGER" for other in others)])
        connection.exec_driver_sql(f"CREATE TABLE temp.{name} ({named})")
        if rows:
            places = ", ".join("?" * len(columns))
            connection.exec_driver_sql(f"INSERT INTO temp.{name} VALUES ({places})", list(rows))  # noqa: S608 - ours
        return "", {}

    def among(self, connection: Connection, name: str, keys: Iterable[int]) -> Among:
        """Lay keys into a temporary table, which is read in their order."""
        self.beside(connection, name, ("key",), [(key,) for key in keys])
        query = text(f"SELECT key FROM temp.{name}").columns(column("key"))  # noqa: S608 - ours
        return lambda which: which.in_(query)

    def count_anew(self, *tables: Table) -> None:
        """Do nothing: without counts it takes the index that fits the question best, which ours are made for."""

    def shorten_log(self) -> None:
        """Move what the log holds into the file, as far as nobody is in the way, and hold up no writer."""
        with self.engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def checkpoint(self) -> bool:
        """Move the log into the file and cut it to nothing; False if somebody still reads from it."""
        with self.engine.connect() as connection:
            raw = connection.connection.cursor()
            busy: int = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return busy == 0

    def log_mark(self) -> str:
        """Name nothing: `checkpoint` cut the log to nothing."""
        return ""

    def log_passed(self, mark: str) -> bool:
        """Agree to no mark at all, which is the only one there is."""
        return not mark

    def rewrite(self, table: Table) -> None:
        """Do nothing: `secure_delete` overwrote what was deleted or changed."""

    def empty(self, table: Table) -> None:
        """Delete every row; `secure_delete` overwrites it."""
        with self.writing() as connection:
            connection.execute(delete(table))

    def files(self) -> list[Path] | None:
        """Name the file, and its log and index where there are any."""
        file = Path(str(self.engine.url.database))
        return [path for end in ("", "-wal", "-shm") if (path := file.with_name(file.name + end)).exists()]

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@cache
def _insert(table: Table) -> str:
    return str(insert(table).compile(dialect=sqlite.dialect(), column_keys=table.columns.keys()))


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _said(problem: DatabaseError | sqlite3.DatabaseError) -> str:
    return str(problem.orig if isinstance(problem, DatabaseError) else problem)


def _check_ours(path: Path, busy_timeout_s: float) -> None:
    """Raise `AssentError` for a file without a store in it.

    Made into a store, it would know nothing of what was erased and withdrawn, and let it back in.
    """
    if path.stat().st_size == 0:
        # not even opened: SQLite throws away the log beside an empty file, and what it holds with it
        raise AssentError(f"`{path}` is empty and holds no store", _RESTORE)
    # without `_prepare`, which changes how a file is written
    address = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, timeout=busy_timeout_s, uri=True, isolation_level=None)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
        if not (names and connection.execute("SELECT version_num FROM alembic_version").fetchall()):
            raise AssentError(f"`{path}` is a database without a store in it", _RESTORE)


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # `_begin` says BEGIN, not the driver
    for name, (value, expected) in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name}={value}").fetchall()
        found = connection.execute(f"PRAGMA {name}").fetchone()
        if found is None or found[0] != expected:
            raise Refused(
                f"this SQLite does not accept `{name}={value}`",
                "use a SQLite that does, and a local disk: without it erasure would not be true",
            )

    for name, number in _SPEED.items():
        connection.execute(f"PRAGMA {name}={number}")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("assent_writes"):
        _run(connection, "BEGIN")
        return
    # the connection is shared: it remembers what the last writer said
    level = "FULL" if options["assent_waits_for_disk"] else "NORMAL"
    if connection.info.get("synchronous", "FULL") != level:
        _run(connection, f"PRAGMA synchronous={level}")
        connection.info["synchronous"] = level
    _run(connection, "BEGIN IMMEDIATE")


def _run(connection: Connection, statement: str, values: Mapping[str, object] = _NONE) -> sqlite3.Cursor:
    """Say one statement to the driver; its errors come as those that pass through SQLAlchemy."""
    try:
        return _driver(connection).execute(statement, values)
    except sqlite3.Error as problem:
        raise DBAPIError.instance(statement, None, problem, sqlite3.Error, hide_parameters=True) from None
