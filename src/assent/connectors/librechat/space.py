"""What deleted rows leave in MongoDB's files: freed blocks, and the entries of the replication log.

Nobody but the server can look into them. It says how many bytes of a collection's file are free to be used again,
which file that is, and how far back its replication log reaches. Only where it says that nothing is left, nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from assent.connectors.librechat.memory import Erased
from assent.connectors.librechat.mongo import Base
from assent.connectors.port import Copy
from assent.domain.instants import format_instant

_BLOCKS: Final = "block-manager"
_FREE: Final = "file bytes available for reuse"
_RIGHTS: Final = "the server does not say: give the account the role `clusterMonitor`"
_COMPACT: Final = "freed blocks of the collections: `--maintenance` has them compacted"
_REBUILD: Final = "{free:,} bytes are free after all: restore from a new `mongodump`, or sync the member anew"


class Space:
    """What one server says of its files, asked once each."""

    def __init__(self, client: MongoClient[dict[str, Any]], base: Base) -> None:
        self._client = client
        self._base = base
        self._free: dict[str, int | None] = {}
        self._files: dict[str, str] = {}
        self._log: list[datetime | None] = []

    def now(self) -> datetime | None:
        """Return the server's own time, which its replication log is written by; None if it does not say."""
        try:
            at = self._base.command("hello").get("localTime")
        except PyMongoError:
            return None
        return at if isinstance(at, datetime) else None

    def file_of(self, collection: str) -> str:
        """Return the identity of a collection's file; empty where the server does not say."""
        if collection not in self._files:
            try:
                said = self._base.command("listCollections", filter={"name": collection})
            except PyMongoError:
                said = {}
            rows = said.get("cursor", {}).get("firstBatch", ())
            self._files[collection] = next((str(row.get("info", {}).get("uuid", "")) for row in rows), "")
        return self._files[collection]

    def compact(self, collections: Iterable[str]) -> None:
        """Have the server give freed blocks back; what it did, `copies` says."""
        for name in collections:
            try:
                self._base.command("compact", name, force=True)
            except OperationFailure:  # a server without it, or without the right: the bytes stay pending
                continue
        self._free.clear()

    def copies(self, erased: Erased, *, compacted: bool) -> Iterator[Copy]:
        """Say what is left in files of a conversation that was erased."""
        old = [(name, file) for name, file in erased.files if not file or self.file_of(name) == file]
        free = [self._free_in(name) for name, _ in old]
        if None in free:
            yield Copy("freed blocks", "files of MongoDB", "not reachable", _RIGHTS)
        elif some := sum(number or 0 for number in free):
            note = _REBUILD.format(free=some) if compacted else _COMPACT
            yield Copy("freed blocks", "files of MongoDB", "pending maintenance", note)
        else:
            yield Copy("freed blocks", "files of MongoDB", "removed")
        yield from self._in_log(erased.at)

    def _in_log(self, at: datetime) -> Iterator[Copy]:
        if not self._log:
            self._log.append(self._log_begins())
        begins = self._log[0]
        if begins is None:
            return
        if begins > at:
            yield Copy("entries", "replication log", "removed")
        else:
            note = f"it reaches back to {format_instant(begins)}, and rolls on by itself"
            yield Copy("entries", "replication log", "pending maintenance", note)

    def _log_begins(self) -> datetime | None:
        """Return when the oldest entry was written; None without a log. One that may not be read begins long ago."""
        try:
            first = next(iter(self._client["local"]["oplog.rs"].find({}, {"ts": 1}).limit(1)), None)
        except OperationFailure:
            return datetime(1970, 1, 1, tzinfo=UTC)
        return None if first is None else first["ts"].as_datetime()

    def _free_in(self, collection: str) -> int | None:
        if collection not in self._free:
            try:
                said = self._base.command("collStats", collection)
                self._free[collection] = int(said["wiredTiger"][_BLOCKS][_FREE]) if said.get("wiredTiger") else None
            except (PyMongoError, KeyError, TypeError, ValueError):
                self._free[collection] = None
        return self._free[collection]
