"""Chroma's own file in the data folder: chunks of files and memories, their index, and a queue that keeps their text.

While the server runs it is only read: the server holds its index in memory, and rows that are changed behind its
back come back. With the server stopped, rows go, and so does the folder of each index.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import struct
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from assent.connectors.open_webui.database import BATCH, BUSY_S, refuse_if_locked
from assent.connectors.open_webui.gathering import UUID
from assent.domain.errors import AssentError

_PLACE: Final = "vector_db/chroma.sqlite3"
_FOLDER: Final = re.compile(UUID)
_HEADER: Final = struct.Struct("<i6QiI3QdQ")
"""The header of hnswlib's index: version, offset, room for vectors, how many there are, bytes of each, and more."""
_LENGTH_BYTES: Final = 4
_NOWHERE: Final = "persistent://default/default/00000000-0000-0000-0000-000000000000"
"""A topic that no collection has. The newest row of the queue is emptied and not deleted: numbers go on behind it,
and one that is smaller than a collection has seen would be taken for done."""


class Chroma:
    """The vector store of one installation, if it is Chroma's file."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "vector_db"
        self.file = data / _PLACE

    @property
    def there(self) -> bool:
        """The product keeps its vectors here."""
        return self.file.is_file()

    def collections(self, names: Collection[str]) -> dict[str, str]:
        """Give the ids of those collections that are there, by name."""
        with self._open() as database:
            return dict(_in(database, "SELECT name, id FROM collections WHERE name IN", names))

    def chunks(self, collections: Collection[str]) -> set[str]:
        """Return which of these collections (by id) hold text or vectors for readers."""
        query = (
            "SELECT DISTINCT collection FROM segments s JOIN embeddings e ON e.segment_id = s.id WHERE collection IN"
        )
        with self._open() as database:
            return {row[0] for row in _in(database, query, collections)}

    def vectors(self, ids: Collection[str]) -> set[str]:
        """Return which of these vectors (of memories) are there for readers."""
        with self._open() as database:
            return {row[0] for row in _in(database, "SELECT embedding_id FROM embeddings WHERE embedding_id IN", ids)}

    def shells(self, collections: Collection[str]) -> set[str]:
        """Return which of these collections are there, empty ones too: their index may still hold vectors."""
        with self._open() as database:
            return {row[0] for row in _in(database, "SELECT id FROM collections WHERE id IN", collections)}

    def queued(self, collections: Collection[str], vectors: Collection[str]) -> set[str]:
        """Return for which of these collections and vectors the queue still holds something."""
        topics = {f"persistent://default/default/{name}": name for name in collections}
        with self._open() as database:
            rows = _in(database, "SELECT DISTINCT topic FROM embeddings_queue WHERE topic IN", topics)
            found = {topics[row[0]] for row in rows}
            query = "SELECT DISTINCT id FROM embeddings_queue WHERE id IN"
            return found | {row[0] for row in _in(database, query, vectors)}

    def indexed(self, vectors: Collection[str]) -> set[str]:
        """Return which of these vectors an index on disk still holds, beside others that are kept."""
        if not vectors or not self.there:
            return set()
        wanted = {name.encode() for name in vectors}
        found: set[bytes] = set()
        for path in self.folder.glob("*/index_metadata.pickle"):
            content = path.read_bytes()
            found |= {name for name in wanted if name in content}
        return {name.decode() for name in found}

    def refuse_if_open(self) -> None:
        """Raise `Refused` while a program has the file open."""
        if self.there:
            refuse_if_locked(self.file)

    # -- with the server stopped --------------------------------------------------------------

    def erase(self, collections: Collection[str], vectors: Collection[str]) -> None:
        """Take out whole collections (by id) and single vectors, and what belongs to nothing any more.

        The caller has seen that the server is stopped. What was deleted is still in free pages: `tidy` follows.
        """
        with self._open() as database, database:
            segments = [row[0] for row in _in(database, "SELECT id FROM segments WHERE collection IN", collections)]
            rows = [row[0] for row in _in(database, "SELECT id FROM embeddings WHERE segment_id IN", segments)]
            rows += [row[0] for row in _in(database, "SELECT id FROM embeddings WHERE embedding_id IN", vectors)]
            for table, column, ids in (
                ("embedding_fulltext_search", "rowid", rows),
                ("embedding_metadata", "id", rows),
                ("embedding_metadata_array", "id", rows),
                ("embeddings", "id", rows),
                ("max_seq_id", "segment_id", segments),
                ("segment_metadata", "segment_id", segments),
                ("segments", "id", segments),
                ("collection_metadata", "collection_id", collections),
                ("collections", "id", collections),
            ):
                _delete(database, table, column, ids)
            self._purge_queue(database, vectors)
        for name in segments:
            if _FOLDER.fullmatch(name):
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def tidy(self) -> None:
        """Write the file anew, without free pages and without words that the index of words remembers.

        The indexes that stay lose what lies behind their last vector: that is memory of the server as it was when the
        index was written, and any text may be in it (seen with Chroma 1.5.9).
        """
        for header in self.folder.glob("*/header.bin"):
            _empty_behind(header)
        with self._open() as database:
            database.execute("INSERT INTO embedding_fulltext_search (embedding_fulltext_search) VALUES ('optimize')")
            database.commit()
            database.isolation_level = None
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @staticmethod
    def _purge_queue(database: sqlite3.Connection, vectors: Collection[str]) -> None:
        """Empty the queue of what is asked for, and of every collection that is not there any more."""
        gone = "WHERE substr(topic, -36) NOT IN (SELECT id FROM collections)"
        newest = database.execute("SELECT max(seq_id) FROM embeddings_queue").fetchone()[0]
        going = [row[0] for row in database.execute(f"SELECT seq_id FROM embeddings_queue {gone}")]  # noqa: S608
        going += [row[0] for row in _in(database, "SELECT seq_id FROM embeddings_queue WHERE id IN", vectors)]
        if newest in going:
            database.execute(
                "UPDATE embeddings_queue SET topic = ?, id = '', operation = 3, vector = NULL, encoding = NULL, "
                "metadata = NULL WHERE seq_id = ?",
                (_NOWHERE, newest),
            )
        _delete(database, "embeddings_queue", "seq_id", [one for one in going if one != newest])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        address = f"{self.file.absolute().as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=BUSY_S)) as database:
                database.execute("PRAGMA secure_delete = ON")
                yield database
        except sqlite3.Error as problem:
            fix = "look at `vector_db/chroma.sqlite3`, and who may read it"
            raise AssentError(f"the vector store cannot be used ({type(problem).__name__})", fix) from None


def _empty_behind(header: Path) -> None:
    """Write zeros behind the last vector of an index of hnswlib; one of another form is left alone."""
    told = header.read_bytes()
    if len(told) != _HEADER.size:
        return
    _, _, room, count, size, *_ = _HEADER.unpack(told)
    for name, each in (("data_level0.bin", size), ("length.bin", _LENGTH_BYTES)):
        path = header.with_name(name)
        if path.is_file() and count <= room and path.stat().st_size == room * each:
            with path.open("r+b") as file:
                file.seek(count * each)
                file.write(bytes((room - count) * each))
                os.fsync(file.fileno())


def _in(database: sqlite3.Connection, query: str, ids: Iterable[Any]) -> Iterator[Any]:
    for batch in _portions(ids):
        yield from database.execute(f"{query} ({', '.join('?' * len(batch))})", batch).fetchall()


def _delete(database: sqlite3.Connection, table: str, column: str, ids: Iterable[Any]) -> None:
    for batch in _portions(ids):
        marks = ", ".join("?" * len(batch))
        database.execute(f'DELETE FROM "{table}" WHERE {column} IN ({marks})', batch)  # noqa: S608 - words of this file


def _portions(ids: Iterable[Any]) -> Iterator[list[Any]]:
    known = list(ids)
    for start in range(0, len(known), BATCH):
        yield known[start : start + BATCH]
