"""The database: how it is opened, read and written.

Readers get a snapshot (REPEATABLE READ, READ ONLY) and wait for nobody. Writers take one lock,
the same for the whole store, and hold it until they commit: what a writer has read stays true,
because nobody else writes. That is what SQLite promises with BEGIN IMMEDIATE, so the rooms need
no second way to think: a hold that is acknowledged was there before the next erasure began to
read, and numbers that are given under the lock have no gap. The lock is advisory and belongs to
the transaction; it ends with the connection of a writer that dies.

Under the lock every statement sees what was committed before it (READ COMMITTED). A snapshot
of the whole transaction would be older than the lock that it waited for.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import psycopg
from psycopg import sql
from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, text
from sqlalchemy import cast as cast_to
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from assent.domain.errors import AssentError, NotFound
from assent.store.migrate import NEWEST, migrate, step_of
from assent.store.postgres.problems import explained, wrapped
from assent.store.postgres.server import (
    CONNECTIONS,
    address_of,
    engine_of,
    examine,
    lacks,
    make_database,
    shown,
    unreachable,
)
from assent.store.restoring import MARK, refuse_writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Executable, Table

    from assent.store.sql.driven import Cursor
    from assent.store.sql.room import Among, Stretches

STATEMENT_TIMEOUT_S: Final = 600
"""How long one statement may take; the longest is a person with a million parts whose account changes."""

MIGRATION_TIMEOUT_S: Final = 4 * 3600
"""How long one statement of a step of the schema may take: an index over every part."""

IDLE_WRITER_S: Final = 300
"""How long a writer may think between two statements before it loses its turn: to decide on a batch takes seconds."""

_LOCK: Final = 0x617373656E74  # "assent"
"""The advisory lock of writers, one a database."""

_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

# beginning and taking a turn are one way there and back
_FIRST_TURN: Final = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT"
    f" set_config('idle_in_transaction_session_timeout', '{IDLE_WRITER_S}s', true), pg_advisory_xact_lock({_LOCK})"
)
# The mark is read as of before the lock was taken: `begin_restore` commits it before the first row comes in.
_TURN: Final = f"{_FIRST_TURN}, ({MARK})"
_HASTY_TURN: Final = f"{_FIRST_TURN}, set_config('synchronous_commit', 'off', true), ({MARK})"
"""For a write that may be lost: its commit does not wait for the disk."""


class Database:
    """One PostgreSQL database and its connections, for any number of threads."""

    def __init__(self, address: str, *, create: bool, lock_timeout_s: float = 30.0) -> None:
        """Open the database at the newest step of its schema; see `PostgresStore.open`."""
        url = address_of(address)
        self._lock_timeout_s = lock_timeout_s
        self.engine = engine_of(
            url,
            {
                "lock_timeout": f"{lock_timeout_s * 1000:.0f}ms",
                "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
                # every row is read: plan for the last one, not for the first
                "cursor_tuple_fraction": "1",
                # a plan that is kept was made for tables as small as they were then
                "plan_cache_mode": "force_custom_plan",
            },
        )
        try:
            self._reach(create=create)
            self._bring_up(create=create)
        except BaseException:
            self.engine.dispose()
            raise

    def _reach(self, *, create: bool) -> None:
        url = self.engine.url
        try:
            self.engine.connect().close()
        except DBAPIError as problem:
            if not lacks(url):
                raise unreachable(url, problem.orig) from None
            if not create:
                raise NotFound(f"there is no database `{shown(url)}`", "check the name, or create it") from None
            make_database(url)

    def _bring_up(self, *, create: bool) -> None:
        url = self.engine.url
        with self.reading() as connection:
            examine(connection, url)
            stands = step_of(connection)
        if stands is None and not create:
            raise NotFound(f"there is no store in `{shown(url)}`", "make one: assent init FOLDER --database URL")
        if stands != NEWEST:
            with self.writing(replaying=True) as connection:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{MIGRATION_TIMEOUT_S}s'")
                migrate(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read at one instant: what others write meanwhile is not seen."""
        with self._explaining(), self.engine.connect() as connection, connection.begin():
            _say(connection, _READ)
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """Read by one statement, without a transaction around it: one way there and back instead of three."""
        with self._explaining(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, may_be_lost: bool = False, replaying: bool = False) -> Iterator[Connection]:
        """Write alone, all or nothing."""
        with self._explaining(), self.engine.connect() as connection, connection.begin():
            taken = _say(connection, _FIRST_TURN if replaying else _HASTY_TURN if may_be_lost else _TURN)
            taken.nextset()
            [[*_, taken_at]] = taken.fetchall()
            if not replaying and taken_at is not None:
                raise refuse_writing(taken_at)
            yield connection

    @contextmanager
    def _maintaining(self) -> Iterator[Connection]:
        """Give a connection for what takes as long as tables are large, and stands outside transactions."""
        with self._explaining(), self.engine.connect() as connection:
            connection.exec_driver_sql(f"SET statement_timeout = '{MIGRATION_TIMEOUT_S}s'")
            yield connection
            connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'")

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout:
            message = f"all {CONNECTIONS} connections to PostgreSQL are in use"
            raise AssentError(message, "try again, or let fewer threads work at once") from None
        except DBAPIError as problem:
            told = explained(problem, self._lock_timeout_s, STATEMENT_TIMEOUT_S)
            if told is None:
                raise
            raise told from None

    def next_key(self, connection: Connection, table: Table) -> int:
        """Return the number after the last one that the table's sequence gave."""
        query = text("SELECT coalesce(pg_sequence_last_value(CAST(:name AS regclass)), 0) + 1")
        return int(connection.execute(query, {"name": _sequence(table)}).scalar_one())

    def give_keys(self, connection: Connection, table: Table, last: int) -> None:
        """Move the table's sequence behind `last`, never back."""
        query = text(
            "SELECT setval(CAST(:name AS regclass),"
            " greatest(:last, coalesce(pg_sequence_last_value(CAST(:name AS regclass)), 0)))"
        )
        connection.execute(query, {"name": _sequence(table), "last": last})

    def run(self, connection: Connection, statement: str, values: Mapping[str, object]) -> Cursor:
        """Say one statement straight to the driver."""
        return _say(connection, statement, values)

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows of all columns by COPY, and move the table's sequence behind their keys."""
        if not rows:
            return
        try:
            with _driver(connection).cursor() as cursor, cursor.copy(_copy(table)) as stream:
                for row in rows:
                    stream.write_row(row)
        except psycopg.Error as problem:
            raise wrapped(problem) from None
        key = table.autoincrement_column
        if key is not None:
            place = table.columns.keys().index(key.name)
            last = max(row[place] for row in rows)  # type: ignore[type-var]
            query = text("SELECT setval(CAST(:name AS regclass), :last)")
            connection.execute(query, {"name": _sequence(table), "last": last})

    def stream(self, connection: Connection, query: Executable, rows: int) -> Stretches:
        """Read a query in stretches through a cursor of the server: neither side holds more than one of them."""
        with connection.execute(query, execution_options={"yield_per": rows}) as result:
            yield from result.partitions()

    def beside(
        self,
        connection: Connection,
        name: str,
        columns: Sequence[str],
        rows: Sequence[tuple[int | None, ...]],
    ) -> tuple[str, Mapping[str, object]]:
        """Lay numbers beside the tables as bound arrays: a reader may not make a table, not even a temporary one."""
        # it guesses that a third of a table is below any number that it does not know, and reads the table instead
        connection.execute(_IN_ORDER)
        arrays = list(zip(*rows, strict=True)) or [()] * len(columns)
        values = {f"{name}_{column}": _array(array) for column, array in zip(columns, arrays, strict=True)}
        bound = ", ".join(f"CAST(:{key} AS bigint[])" for key in values)
        laid = f"SELECT * FROM unnest({bound}) AS n({', '.join(columns)})"  # noqa: S608 - names of ours
        return f"WITH {name} AS MATERIALIZED ({laid}) ", values

    def among(self, connection: Connection, name: str, keys: Iterable[int]) -> Among:
        """Bind keys as one array: a scan of an index goes through it in order, looking at each page once."""
        connection.execute(_IN_ORDER)
        array = cast_to(bindparam(name, _array(keys), Text), ARRAY(BigInteger))
        return lambda which: which == any_(array)

    def count_anew(self, *tables: Table) -> None:
        """Sample the tables (ANALYZE): until then a plan may read and sort everything that a person has."""
        with self._maintaining() as connection:
            connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")

    def shorten_log(self) -> None:
        """Do nothing: the server does so by itself."""

    def checkpoint(self) -> bool:
        """Give back the room of deleted rows (VACUUM); False if an old snapshot still sees some of them."""
        with self._maintaining() as connection:
            connection.exec_driver_sql(f"VACUUM {', '.join(_EMPTIED)}")
            left = connection.execute(_DEAD, {"names": list(_EMPTIED)}).scalar_one()
        return int(left) == 0

    def log_mark(self) -> str:
        """Name the place in the write-ahead log at which each of its present files has been written over or removed.

        A file that is recycled keeps its bytes until its turn comes. Who may not list the files
        (`pg_monitor`) takes the most that the settings allow.
        """
        with self.reading() as connection:
            listed = connection.execute(_MAY_LIST_LOG).scalar_one()
            return str(connection.execute(_MARK_LISTED if listed else _MARK_ALLOWED).scalar_one())

    def log_passed(self, mark: str) -> bool:
        """Tell whether the newest checkpoint of the server begins behind a mark."""
        with self.reading() as connection:
            return bool(connection.execute(_PASSED, {"mark": mark}).scalar_one())

    def rewrite(self, table: Table) -> None:
        """Copy the rows into new files and remove the old ones (VACUUM FULL); nobody reads the table meanwhile."""
        with self._maintaining() as connection:
            connection.exec_driver_sql(f"VACUUM FULL {table.name}")

    def empty(self, table: Table) -> None:
        """Remove the rows with the files that hold them (TRUNCATE)."""
        with self.writing() as connection:
            connection.exec_driver_sql(f"TRUNCATE {table.name}")

    def files(self) -> list[Path] | None:
        """Name the server's folder, if the server says where it is and it can be read from here."""
        with self.reading() as connection:
            said = connection.scalar(text("SELECT setting FROM pg_settings WHERE name = 'data_directory'"))
        folder = Path(said) if said else None
        return [folder] if folder is not None and folder.is_dir() and os.access(folder, os.R_OK) else None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


_IN_ORDER: Final = text(
    "SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'])"
    " AS name"
)
"""Leaves the planner loops over indexes, for this transaction."""

_EMPTIED: Final = ("sealed", "part", "flag", "candidate", "conversation", "leaf")
"""The tables that an erasure takes rows or, of leaves, salts from."""

_DEAD: Final = text(
    "SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_all_tables WHERE relid IN ("
    "SELECT unnest(ARRAY[oid, reltoastrelid]) FROM pg_class WHERE oid = ANY (CAST(:names AS regclass[])))"
)


_MAY_LIST_LOG: Final = text("SELECT has_function_privilege('pg_ls_waldir()', 'execute')")
_MARK_LISTED: Final = text("SELECT pg_current_wal_insert_lsn() + (SELECT sum(size) FROM pg_ls_waldir())")
_MARK_ALLOWED: Final = text(
    "SELECT pg_current_wal_insert_lsn() + (pg_size_bytes(current_setting('max_wal_size'))"
    " + pg_size_bytes(current_setting('wal_keep_size')))::numeric"
)

_PASSED: Final = text("SELECT redo_lsn >= CAST(:mark AS pg_lsn) FROM pg_control_checkpoint()")


@cache
def _copy(table: Table) -> bytes:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns.keys()))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns).as_bytes()


def _array(numbers: Iterable[int | None]) -> str:
    """Write an array as PostgreSQL reads it: the driver takes ten times as long for a list."""
    return f"{{{','.join('NULL' if number is None else str(number) for number in numbers)}}}"


def _sequence(table: Table) -> str:
    return f"{table.name}_{table.autoincrement_column.name}_seq"  # type: ignore[union-attr]


def _say(
    connection: Connection, statement: str, values: Mapping[str, object] | None = None
) -> psycopg.Cursor[tuple[Any, ...]]:
    """Say a statement, or without values several at once, whose answers are sets of one cursor."""
    try:
        return _driver(connection).execute(statement, values)
    except psycopg.Error as problem:
        raise wrapped(problem) from None


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)
