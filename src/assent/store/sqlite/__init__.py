"""The store in one SQLite file: `SqliteStore` keeps everything that `store.port` asks for.

One room a concern; `database.py` opens, locks and reads the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.store.sqlite.accounts import AccountRoom
from assent.store.sqlite.choices import ChoiceRoom, FlagRoom, HoldRoom
from assent.store.sqlite.columns import ColumnRoom
from assent.store.sqlite.conversations import ConversationRoom
from assent.store.sqlite.cuts import CountRoom, CutRoom, ImportRoom, PolicyRoom
from assent.store.sqlite.database import Database
from assent.store.sqlite.intake import IntakeRoom
from assent.store.sqlite.plans import PlanRoom
from assent.store.sqlite.sweeps import SweepRoom

if TYPE_CHECKING:
    from pathlib import Path


class SqliteStore(
    AccountRoom,
    IntakeRoom,
    ImportRoom,
    ChoiceRoom,
    FlagRoom,
    HoldRoom,
    ConversationRoom,
    ColumnRoom,
    PolicyRoom,
    PlanRoom,
    SweepRoom,
    CutRoom,
    CountRoom,
):
    """The embedded default. Any number of threads and processes may use one file; one of them writes at a time."""

    def __init__(self, database: Database) -> None:
        """Keep everything in this database; `open` is the usual way in."""
        self._database = database

    @classmethod
    def open(cls, path: Path, *, create: bool = False, busy_timeout_s: float = 30.0) -> SqliteStore:
        """Open the store in the file at `path`, made if `create` says so, at the newest step of its schema.

        `busy_timeout_s` bounds the wait for another writer. Raises `NotFound` if there is no
        file, `Refused` if this SQLite cannot erase or the file was written by a newer assent.
        """
        return cls(Database(path, create=create, busy_timeout_s=busy_timeout_s))

    def close(self) -> None:
        self._database.close()


__all__ = ["SqliteStore"]
