"""The store in one SQLite file: `SqliteStore` keeps everything that `store.port` asks for.

`database.py` opens, locks and reads the file. The rooms are in `store/sql`: a new one is
registered in `store/sql/store.py`, once for SQLite and PostgreSQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.store.sql.store import SqlStore
from assent.store.sqlite.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from assent.store.port.contents import Contents


class SqliteStore(SqlStore):
    """The embedded default. Any number of threads and processes may use one file; one of them writes at a time."""

    @classmethod
    def open(cls, path: Path, contents: Contents, *, create: bool = False, busy_timeout_s: float = 30.0) -> SqliteStore:
        """Open the store in the file at `path`, made if `create` says so, at the newest step of its schema.

        Content lies in `contents`, which no other database uses: slots are numbered by this one.
        `busy_timeout_s` bounds the wait for another writer. Raises `NotFound` if there is no
        file, `Refused` if this SQLite cannot erase or the file was written by a newer assent.
        """
        return cls(Database(path, create=create, busy_timeout_s=busy_timeout_s), contents)


__all__ = ["SqliteStore"]
