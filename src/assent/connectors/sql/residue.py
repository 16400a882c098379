"""What a database keeps of rows that were deleted, how it is seen, and how it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

from assent.connectors import postgresql
from assent.connectors.port import Copy
from assent.connectors.sql.database import LOCK_S, BusyError, Database
from assent.domain.errors import Refused

State = Mapping[str, Any]
"""Where to look from, as JSON has it."""


class Residue(Protocol):
    """How one kind of database lets go."""

    reach: str

    def mark(self, connection: sa.Connection) -> State:
        """Mark where an erasure stands: inside its transaction, behind its last statement."""
        ...

    def look(self, connection: sa.Connection, state: State) -> tuple[list[Copy], State]:
        """Say what is left of what was erased before the mark; the mark comes back moved on."""
        ...

    def tidy(self, database: Database, states: Sequence[State]) -> list[State]:
        """Let it go. Raises `Refused` while another program is in the way."""
        ...


def residue_of(dialect: str, tables: Sequence[str], *, log_files: bool) -> Residue:
    """Return what is known of this kind of database."""
    if dialect == "sqlite":
        return Sqlite()
    return Postgres(tables, log_files=log_files) if dialect == "postgresql" else MariaDb(tables)


# -- SQLite -----------------------------------------------------------------------------------

_IN_USE: Final = "stop the programs that use the database, then ask again"


class Sqlite:
    """Free pages, slack in pages, indexes of texts, the write-ahead log: gone when the file was packed."""

    reach = "not reached: copies of the file that somebody made"
    kind: Final = "free pages and log"
    place: Final = "the database file"
    note: Final = "they may hold it until the file is packed: use --maintenance with the programs stopped"

    def mark(self, connection: sa.Connection) -> State:  # noqa: ARG002 - PostgreSQL asks
        return {"packed": False}

    def look(self, connection: sa.Connection, state: State) -> tuple[list[Copy], State]:  # noqa: ARG002 - as above
        gone = bool(state["packed"])
        return [
            Copy(self.kind, self.place, "removed" if gone else "pending maintenance", "" if gone else self.note)
        ], state

    def tidy(self, database: Database, states: Sequence[State]) -> list[State]:
        try:
            with database.alone() as connection:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
                for table in _indexes(connection):
                    # deleted words stay in the segments of an index until these are merged
                    connection.execute(sa.insert(table).values(["optimize"]))
                connection.exec_driver_sql("VACUUM")
                busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").first()
                free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        except BusyError:
            raise Refused("a program uses the database", _IN_USE) from None
        if (busy is not None and busy[0]) or free or _log_bytes(database):
            raise Refused("a program still reads an older state of the database", _IN_USE)
        return [{"packed": True} for _ in states]


def _indexes(connection: sa.Connection) -> list[sa.TableClause]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND lower(sql) GLOB 'create virtual table*using fts[345]*'"
    )
    names = [quoted_name(name, quote=True) for name in connection.exec_driver_sql(query).scalars()]
    return [sa.table(name, sa.column(name)) for name in names]


def _log_bytes(database: Database) -> int:
    """Look at the disk itself for what a write-ahead log or a journal still holds."""
    assert database.file is not None  # noqa: S101 - it is SQLite
    beside = [database.file.with_name(f"{database.file.name}{ending}") for ending in ("-wal", "-journal")]
    return sum(one.stat().st_size for one in beside if one.exists())


# -- PostgreSQL -------------------------------------------------------------------------------


_LEAVES: Final = sa.text(
    "SELECT DISTINCT relname FROM pg_class, unnest(CAST(:tables AS text[])) name,"
    " LATERAL to_regclass(quote_ident(name)) root"
    " WHERE relkind = 'r' AND (oid = root OR oid IN (SELECT relid FROM pg_partition_tree(root)))"
)


class Postgres:
    """Dead row versions, samples of columns, the write-ahead log (`connectors/postgresql.py`)."""

    def __init__(self, tables: Sequence[str], *, log_files: bool) -> None:
        self._tables = tables
        self._log_files = log_files
        log = "" if log_files else "the write-ahead log, "
        self.reach = f"not reached: {log}archived logs, replicas, backups"

    def mark(self, connection: sa.Connection) -> State:
        return cast("State", postgresql.mark(connection, self._leaves(connection)))

    def look(self, connection: sa.Connection, state: State) -> tuple[list[Copy], State]:
        copies, moved = postgresql.look(connection, cast("postgresql.Mark", state), log_files=self._log_files)
        return copies, cast("State", moved)

    def tidy(self, database: Database, states: Sequence[State]) -> list[State]:
        marks = cast("Sequence[postgresql.Mark]", states)
        with database.alone() as connection:
            quote = connection.dialect.identifier_preparer.quote_identifier
            leaves = self._leaves(connection)
            for table in set(self._tables) - set(leaves):  # its samples are of all its parts
                connection.exec_driver_sql(f"ANALYZE {quote(table)}")
            return cast("list[State]", postgresql.tidy(connection, leaves, marks, log_files=self._log_files))

    def _leaves(self, connection: sa.Connection) -> list[str]:
        """Return the tables that have files: of one that is cut into parts, its parts."""
        return list(connection.execute(_LEAVES, {"tables": list(self._tables)}).scalars())


# -- MariaDB ----------------------------------------------------------------------------------


class MariaDb:
    """Pages of a table keep deleted rows until it is written anew.

    Undo and redo logs are written over in time and nobody can look into them from outside, nor into the binary log:
    they are out of reach, and said to be.
    """

    reach = "not reached: undo, redo and binary logs, the doublewrite buffer, replicas, backups"
    kind: Final = "pages of tables"
    place: Final = "the database"
    note: Final = "they hold deleted rows until OPTIMIZE TABLE: use --maintenance"
    shared_note: Final = "tables lie in one file for all (innodb_file_per_table is off), which keeps what was deleted"

    def __init__(self, tables: Sequence[str]) -> None:
        self._tables = tables

    def mark(self, connection: sa.Connection) -> State:  # noqa: ARG002 - PostgreSQL asks
        return {"rewritten": False}

    def look(self, connection: sa.Connection, state: State) -> tuple[list[Copy], State]:
        if state["rewritten"]:
            return [Copy(self.kind, self.place, "removed")], state
        own_files = connection.exec_driver_sql("SELECT @@GLOBAL.innodb_file_per_table").scalar_one()
        note = self.note if own_files else self.shared_note
        return [Copy(self.kind, self.place, "pending maintenance", note)], state

    def tidy(self, database: Database, states: Sequence[State]) -> list[State]:
        with database.alone() as connection:
            if not connection.exec_driver_sql("SELECT @@GLOBAL.innodb_file_per_table").scalar_one():
                return list(states)
            connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_S}, innodb_lock_wait_timeout = {LOCK_S}")
            quote = connection.dialect.identifier_preparer.quote_identifier
            try:
                for table in self._tables:
                    said = connection.exec_driver_sql(f"OPTIMIZE TABLE {quote(table)}").all()
                    if any(row[2].lower() == "error" for row in said):
                        raise Refused("a table cannot be written anew", "stop the programs that use it, then ask again")
            except BusyError:
                raise Refused("a program uses the tables", _IN_USE) from None
        return [{"rewritten": True} for _ in states]
