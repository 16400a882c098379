"""What PostgreSQL keeps of rows that were erased, and how that goes: for connectors to systems that stand on it.

An UPDATE or DELETE leaves the old version of a row in the table's file, samples of its columns in `pg_statistic`, and
everything that was ever written in the write-ahead log, whose files are reused with their old content behind the
new. A `mark` taken inside the transaction that erases says from where on to look. `look` asks the server's own
files: a table is clean when its file is another one (VACUUM FULL, CLUSTER), statistics when none is older than the mark
and their table was rewritten since, the log when no page of any of its files was written before all that.

Backups, archived log files and replicas are the operator's, and no look from here reaches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, TypedDict

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from assent.connectors.port import Copy
from assent.domain.errors import Refused

LOCK_TIMEOUT_S: Final = 20
"""Seconds that maintenance waits for a table that another program uses."""

ROUNDS: Final = 4
"""How often the files of the log are gone through: those that a checkpoint reuses meanwhile come a second time."""

DEAD_ROWS: Final = "dead row versions"
STATISTICS: Final = "column statistics"
LOG: Final = "write-ahead log"

_DEAD_NOTE: Final = "they lie in the tables' files until VACUUM FULL: use --maintenance"
_STATISTICS_NOTE: Final = (
    "samples of columns may repeat them until the tables are analysed and pg_statistic is rewritten: use --maintenance "
    "as a superuser"
)
_LOG_NOTE: Final = "its files hold them until they are written anew: use --maintenance"
_LOG_UNSEEN: Final = "this role may not read its files: grant pg_monitor and pg_read_server_files, or set `log_files`"


class Mark(TypedDict):
    """Where to look from: written as JSON into a connector's own folder.

    `xid`: the transaction that erased; `files`: by table, the number of its file then; `statistics`: the number of
    the file of pg_statistic when no sample older than `xid` was left; `log`: the end of the log when tables and
    statistics were clean. None: not yet.
    """

    xid: str
    files: dict[str, int]
    statistics: int | None
    log: str | None


def mark(connection: Connection, tables: Sequence[str]) -> Mark:
    """Mark where an erasure stands, inside its transaction and after its last statement: no table is rewritten then."""
    xid = connection.execute(text("SELECT pg_current_xact_id()::xid::text")).scalar_one()
    return Mark(xid=xid, files=_files(connection, tables), statistics=None, log=None)


def look(connection: Connection, since: Mark, *, log_files: bool = True) -> tuple[list[Copy], Mark]:
    """Say what the server's files still hold of what was erased before a mark; the mark comes back moved on.

    `log_files` off leaves out what only a superuser may look at: the write-ahead log, and samples where they cannot
    be read. It is for servers where nobody is one.
    """
    now = Mark(**{**since, "files": since["files"].copy()})
    dead = _files(connection, list(since["files"])).items() & since["files"].items()
    readable = _may(connection, "has_table_privilege('pg_catalog.pg_statistic', 'SELECT')")
    samples = bool(dead) or not readable or _samples(connection, now)
    copies = [_state(DEAD_ROWS, _DEAD_NOTE, there=bool(dead))]
    if readable or log_files:
        copies.append(_state(STATISTICS, _STATISTICS_NOTE, there=samples))
    if log_files:
        if not (dead or samples) and now["log"] is None:
            now["log"] = connection.execute(text("SELECT pg_current_wal_insert_lsn()::text")).scalar_one()
        copies.append(_log(connection, now["log"]))
    return copies, now


def tidy(connection: Connection, tables: Sequence[str], marks: Sequence[Mark], *, log_files: bool = True) -> list[Mark]:
    """Rewrite tables and statistics, and let the log be written anew; marks come back moved on.

    `connection` is in AUTOCOMMIT. What its role may not do stays undone, and the next `look` says so. Raises `Refused`
    if another program uses a table for longer than `LOCK_TIMEOUT_S`, or reads what was erased.
    """
    if connection.execute(_READERS).scalar_one():
        raise Refused("another program is reading the database", "stop what is connected to it, then ask again")
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'"))
    there = list(_files(connection, tables))
    try:
        for table in there:
            connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {_quoted(table)}")
    except OperationalError as problem:
        if getattr(problem.orig, "sqlstate", "") == "55P03":
            raise Refused("another program uses the tables", "stop what is connected to it, then ask again") from None
        raise
    moved = [_still_dead(connection, one) for one in marks]
    if _may(connection, "has_table_privilege('pg_catalog.pg_statistic', 'DELETE')"):
        for one in moved:  # a table that is empty now keeps its old samples when it is analysed
            connection.execute(_DELETE_SAMPLES, {"xid": one["xid"], "tables": there})
        moved = [look(connection, one, log_files=False)[1] for one in moved]
        connection.exec_driver_sql("VACUUM FULL pg_catalog.pg_statistic")
    if log_files:
        moved = [look(connection, one)[1] for one in moved]
        _renew_log(connection, [one["log"] for one in moved if one["log"] is not None])
    return moved


def _still_dead(connection: Connection, one: Mark) -> Mark:
    """Go on counting a table as not clean whose dead rows were carried over for somebody who might still see them.

    ANALYZE counted them; nothing else does, and a role need not be allowed to see who reads.
    """
    carried = set(connection.execute(_DEAD, {"tables": list(one["files"])}).scalars())
    now = _files(connection, [table for table in one["files"] if table in carried])
    return Mark(xid=one["xid"], files={**one["files"], **now}, statistics=None, log=None) if now else one


# -- tables and statistics ------------------------------------------------------------------

_READERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"
)
_OLD_SAMPLES: Final = (
    "FROM pg_catalog.pg_statistic WHERE starelid = ANY(SELECT to_regclass(quote_ident(name))::oid"
    " FROM unnest(CAST(:tables AS text[])) name) AND age(xmin) >= age(CAST(:xid AS xid))"
)
_COUNT_SAMPLES: Final = text(f"SELECT count(*) {_OLD_SAMPLES}")
_DELETE_SAMPLES: Final = text(f"DELETE {_OLD_SAMPLES}")
_DEAD: Final = text(
    "SELECT relname FROM pg_stat_all_tables WHERE n_dead_tup > 0 AND relid = ANY("
    "SELECT to_regclass(quote_ident(name))::oid FROM unnest(CAST(:tables AS text[])) name)"
)
_FILES: Final = text(
    "SELECT name, pg_relation_filenode(to_regclass(quote_ident(name))) FROM unnest(CAST(:tables AS text[])) name"
    " WHERE to_regclass(quote_ident(name)) IS NOT NULL"
)


def _files(connection: Connection, tables: Sequence[str]) -> dict[str, int]:
    return {name: int(number) for name, number in connection.execute(_FILES, {"tables": list(tables)})}


def _state(kind: str, note: str, *, there: bool) -> Copy:
    return Copy(kind, "the database", "pending maintenance", note) if there else Copy(kind, "the database", "removed")


def _samples(connection: Connection, now: Mark) -> bool:
    """Tell whether samples that are older than the mark are left, and note when the live ones are gone."""
    if connection.execute(_COUNT_SAMPLES, {"xid": now["xid"], "tables": list(now["files"])}).scalar_one():
        return True
    file = int(connection.execute(text("SELECT pg_relation_filenode('pg_catalog.pg_statistic')")).scalar_one())
    if now["statistics"] is None:
        now["statistics"] = file
    return now["statistics"] == file


# -- the log ----------------------------------------------------------------------------------

# The head of each page: two bytes that are 0 where nothing was written, and from the ninth on where in the log it is.
_STALE: Final = text(
    "SELECT count(*) FROM pg_ls_waldir() file,"  # noqa: S608 - constants
    " LATERAL generate_series(0, file.size - 1, current_setting('wal_block_size')::bigint) page,"
    " LATERAL (SELECT pg_read_binary_file('pg_wal/' || file.name, page, 16, true) AS head) one"
    " WHERE file.name ~ '^[0-9A-F]{24}$' AND length(head) = 16 AND get_byte(head, 0) + get_byte(head, 1) > 0 AND ("
    + " + ".join(f"(get_byte(head, {8 + byte})::bigint << {8 * byte})" for byte in range(8))
    + ") < pg_wal_lsn_diff(CAST(:log AS pg_lsn), '0/0')"
)
_FILES_OF_THE_LOG: Final = text("SELECT count(*) FROM pg_ls_waldir()")
_NEXT_FILE: Final = text("SELECT pg_logical_emit_message(false, 'assent', ''), pg_switch_wal()")
_MAY_READ_LOG: Final = (
    "has_function_privilege('pg_ls_waldir()', 'EXECUTE') AND"
    " has_function_privilege('pg_read_binary_file(text,bigint,bigint,boolean)', 'EXECUTE')"
)


def _log(connection: Connection, since: str | None) -> Copy:
    place = "the server"
    if not _may(connection, _MAY_READ_LOG):
        return Copy(LOG, place, "pending maintenance", _LOG_UNSEEN)
    if since is None or connection.execute(_STALE, {"log": since}).scalar_one():
        return Copy(LOG, place, "pending maintenance", _LOG_NOTE)
    return Copy(LOG, place, "removed")


def _renew_log(connection: Connection, since: Sequence[str]) -> None:
    """Write every file of the log anew, as far as the role may: a switch fills up what is left of a file with zeros."""
    if not since or not _may(connection, _MAY_READ_LOG):
        return
    newest = connection.execute(text("SELECT max(l) FROM unnest(CAST(:log AS pg_lsn[])) l"), {"log": list(since)})
    log = str(newest.scalar_one())
    with suppress(DBAPIError):  # it may not switch or make checkpoints: the log goes on by itself
        for _ in range(ROUNDS):
            connection.exec_driver_sql("CHECKPOINT")
            if not connection.execute(_STALE, {"log": log}).scalar_one():
                return
            for _ in range(connection.execute(_FILES_OF_THE_LOG).scalar_one() + 1):
                connection.execute(_NEXT_FILE)


def _may(connection: Connection, question: str) -> bool:
    return bool(connection.execute(text(f"SELECT {question}")).scalar_one())


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""').replace("%", "%%") + '"'  # the driver reads a % as a placeholder


def engine_options() -> dict[str, Any]:
    """Return what an engine for another system's database is made with: a connection a use, none kept open."""
    return {"poolclass": NullPool, "connect_args": {"connect_timeout": 10}}
