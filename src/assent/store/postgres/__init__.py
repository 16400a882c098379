"""The store in a PostgreSQL database: `PostgresStore` keeps everything that `store.port` asks for.

`server.py` reaches the server and looks whether it will do; `database.py` reads and writes.
The rooms are in `store/sql`, the same ones that SQLite has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import Refused
from assent.store.sql.store import SqlStore

if TYPE_CHECKING:
    from assent.store.port.contents import Contents
    from assent.store.postgres.database import Database


class PostgresStore(SqlStore):
    """The server. Any number of threads, processes and machines may use one database; one of them writes at a time."""

    @classmethod
    def open(cls, url: str, contents: Contents, *, create: bool = False, lock_timeout_s: float = 30.0) -> PostgresStore:
        """Open the store in the database at `url` (postgresql://...), at the newest step of its schema.

        Content lies in `contents`, which no other database uses: slots are numbered by this one.
        `create` makes the tables, and the database if the server has none of that name.
        `lock_timeout_s` bounds the wait for another writer. Raises `NotFound` if there is no
        store, `Invalid` if `url` is none, `Refused` if psycopg is not installed, the server
        will not do, or the database was written by a newer assent.
        """
        return cls(cls.database(url, create=create, lock_timeout_s=lock_timeout_s), contents)

    @staticmethod
    def database(url: str, *, create: bool = False, lock_timeout_s: float = 30.0) -> Database:
        """Open the database of such a store alone, as `open` does, for who has its contents only afterwards."""
        try:
            from assent.store.postgres.database import Database  # noqa: PLC0415 - psycopg is an extra
        except ImportError:
            fix = "install it: pip install 'assent[postgres]'"
            raise Refused("a PostgreSQL store needs psycopg, which is not installed", fix) from None
        return Database(url, create=create, lock_timeout_s=lock_timeout_s)


__all__ = ["PostgresStore"]
