"""The workings of a cut: what came of each conversation, kept in the home between one number of a cut and the next.

People are spread over buckets by a keyed hash. A bucket is one file, replaced whole: the length of its first half
(eight bytes, little-endian), what is known of its conversations, and what is left of their rows, both as Arrow files.
So a cut that was killed goes on where it was, and a new number costs what changed since the last one. What is erased
leaves the workings as it leaves every other copy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from assent.domain.errors import AssentError
from assent.pipeline.folder import settle
from assent.pipeline.work import TALKS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

WORKINGS: Final = "workings"
"""The name of their folder, inside that of a series."""

KEPT: Final = pa.schema([*TALKS, ("subject", pa.string()), ("fingerprint", pa.string())])
"""TALKS with the person's own id, and the fingerprint of what a conversation was made from."""

_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="lz4")
_WORK: Final = b"work"
_LENGTH: Final = 8


class Bucket:
    """One bucket as it lies there: its rows are read when they are asked for."""

    def __init__(self, talks: pa.Table, path: Path, start: int) -> None:
        """Hold what is known of the conversations; their rows begin at `start` of the file `path`."""
        self.talks = talks
        self._path = path
        self._start = start

    def rows(self) -> pa.Table:
        """Read all rows."""
        with pa.ipc.open_file(pa.BufferReader(self._path.read_bytes()[self._start :])) as reader:
            return reader.read_all()


class Workings:
    """The buckets of one cut, for one work: what was made by another work counts as not there."""

    def __init__(self, folder: Path, work: str) -> None:
        """Keep them in `folder`; `work` names everything the rows depend on besides the conversations."""
        self._folder = folder
        self._work = work.encode()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def bucket(self, number: int) -> Bucket | None:
        """Read a bucket; None if there is none of this work."""
        path = self._path(number)
        try:
            found = _open(path)
        except FileNotFoundError:
            return None
        return found if found.talks.schema.metadata.get(_WORK) == self._work else None

    def replace(self, number: int, rows: pa.Table, talks: pa.Table) -> Bucket:
        """Write a bucket anew; it is on the disk when this returns."""
        _write(self._path(number), rows, talks, {_WORK: self._work})
        settle(self._folder)
        found = self.bucket(number)
        if found is None:
            raise AssentError("a bucket of the cut cannot be read back", "look at the disk, then cut again")
        return found

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:05}.bucket"


def forget(folder: Path, conversations: Collection[str]) -> int:
    """Write buckets anew without these conversations, whatever work they are of; returns how many were there."""
    gone, found = pa.array(sorted(conversations), pa.string()), 0
    for path in sorted(folder.glob("*.bucket")):
        bucket = _open(path)
        left = bucket.talks.filter(pc.invert(pc.is_in(bucket.talks["conversation"], gone)))
        if left.num_rows < bucket.talks.num_rows:
            rows = bucket.rows()
            stay = rows.filter(pc.invert(pc.is_in(rows["conversation"], gone)))
            _write(path, stay, left, bucket.talks.schema.metadata)
            found += bucket.talks.num_rows - left.num_rows
    if found:
        settle(folder)
    return found


def joined(pieces: Sequence[pa.Table | pa.RecordBatch], like: pa.Schema) -> pa.Table:
    """Put rows together that may lack columns of each other, sorted by conversation; rows of one keep their order."""
    tables = [piece if isinstance(piece, pa.Table) else pa.Table.from_batches([piece]) for piece in pieces]
    tables = [table for table in tables if table.num_rows] or [like.empty_table()]
    rows = pa.concat_tables(tables, promote_options="default")
    # stable
    return rows.take(pc.sort_indices(rows["conversation"]))


def _open(path: Path) -> Bucket:
    content = path.read_bytes()
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    with pa.ipc.open_file(pa.BufferReader(content[_LENGTH:start])) as reader:
        return Bucket(reader.read_all(), path, start)


def _write(path: Path, rows: pa.Table, talks: pa.Table, marks: Mapping[bytes, bytes]) -> None:
    first = _file(talks.replace_schema_metadata(marks))
    fresh = path.with_name(f".{path.name}.new")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(len(first).to_bytes(_LENGTH, "little"))
        file.write(first)
        file.write(_file(rows))
        file.flush()
        os.fsync(number)
    fresh.replace(path)


def _file(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table.combine_chunks())
    found: bytes = sink.getvalue().to_pybytes()
    return found
