"""The files of a cut: Parquet and JSON lines with fixed settings, and the account of each (spec/manifest.md, files).

Nothing here depends on how the rows came in: the same rows in the same order give the same
bytes, whatever the size of the batches they arrived in.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

EXCLUDED_FILE: Final = "excluded.parquet"
MANIFEST_FILE: Final = "manifest.json"
DATA: Final = "data"
"""The folder of the shards, inside that of the cut."""

PARTS: Final = pa.schema(
    [
        pa.field("part", pa.string(), nullable=False),
        pa.field("conversation", pa.string(), nullable=False),
        pa.field("person", pa.string()),
        pa.field("turn", pa.string(), nullable=False),
        pa.field("ordinal", pa.int32(), nullable=False),
        pa.field("speaker", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("surface", pa.string()),
        pa.field("marks", pa.list_(pa.string()), nullable=False),
        pa.field("tool", pa.string()),
        pa.field("created_at", pa.timestamp("us", tz="UTC")),
        pa.field("text", pa.string(), nullable=False),
        pa.field("decision", pa.string(), nullable=False),
        pa.field("proof", pa.string(), nullable=False),
        pa.field("receipt", pa.string(), nullable=False),
        pa.field("policy", pa.string(), nullable=False),
    ]
)
"""Columns of parts (spec/manifest.md, parts), before blocks add theirs; rows of a conversation stand together."""

EXCLUDED: Final = pa.schema([pa.field("part", pa.string()), pa.field("reason", pa.string(), nullable=False)])
"""Columns of `excluded.parquet`: names and reasons, never content. `part` is null for one that went meanwhile."""

_PARQUET: Final[dict[str, Any]] = {
    "version": "2.6",
    "compression": "zstd",
    "compression_level": 3,
    "data_page_version": "1.0",
}
_REPEATING: Final = (
    "conversation",
    "person",
    "turn",
    "speaker",
    "origin",
    "data",
    "surface",
    "tool",
    "language",
    "skill",
    "subskill",
    "proof",
    "receipt",
    "policy",
)
"""Columns worth a dictionary: their values come again in the next rows."""
_SUMMED: Final = ("conversation", "person")
"""Columns whose smallest and largest value stand in the footer; of the others that would repeat pieces of content."""

ROW_GROUP_ROWS: Final = 10_000
"""A row group has so many rows; only the last one of a file has less."""

SETTINGS: Final[dict[str, Any]] = {
    "arrow": pa.__version__,
    "compression": "zstd",
    "compression_level": 3,
    "parquet": "2.6",
    "row_group_rows": ROW_GROUP_ROWS,
}
"""What the bytes of the files depend on besides the rows, for the manifest."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a cut as the manifest names it. `rows` is None for a file that has none."""

    name: str
    sha256: str
    bytes: int
    rows: int | None = None

    def to_record(self) -> dict[str, object]:
        """Write the JSON object of the manifest."""
        record: dict[str, object] = {"name": self.name, "sha256": self.sha256, "bytes": self.bytes}
        return record if self.rows is None else {**record, "rows": self.rows}


class RowsFile:
    """A Parquet file that is being written. `rows` counts them."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        """Write to an open writer; `rows_file` is the usual way in."""
        self._writer = writer
        self._schema = schema
        self._waiting: list[dict[str, Any]] = []
        self.rows = 0

    def write(self, rows: pa.Table) -> None:
        """Write rows, in groups that depend on nothing but the rows."""
        self._writer.write_table(rows.combine_chunks(), row_group_size=ROW_GROUP_ROWS)
        self.rows += rows.num_rows

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take rows, and write a group whenever there are enough."""
        for row in rows:
            self._waiting.append(row)
            if len(self._waiting) == ROW_GROUP_ROWS:
                self.flush()

    def flush(self) -> None:
        """Write what was taken, a full group or not."""
        if self._waiting:
            self.write(pa.Table.from_pylist(self._waiting, schema=self._schema))
            self._waiting = []


@contextmanager
def rows_file(path: Path, schema: pa.Schema) -> Iterator[RowsFile]:
    """Open a Parquet file for rows of `schema`; it is on the disk when the block ends."""
    repeating = [name for name in schema.names if name in _REPEATING] or schema.names[-1:]
    summed = [name for name in schema.names if name in _SUMMED]
    with pq.ParquetWriter(path, schema, use_dictionary=repeating, write_statistics=summed, **_PARQUET) as writer:
        file = RowsFile(writer, schema)
        yield file
        file.flush()
    _settle(path)


class LinesFile:
    """A file of lines. `rows` counts them."""

    def __init__(self, path: Path) -> None:
        """Begin an empty file at `path`."""
        self._path = path
        self._file = path.open("wb")
        self.rows = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Append lines; each is ended with a line feed."""
        for line in lines:
            self._file.write(line + b"\n")
            self.rows += 1

    def close(self) -> None:
        """Put everything on the disk."""
        self._file.close()
        _settle(self._path)


def put_bytes(path: Path, content: bytes) -> None:
    """Write a whole file; it is on the disk when this returns."""
    path.write_bytes(content)
    _settle(path)


def file_record(path: Path, rows: int | None = None) -> FileRecord:
    """Read a file's size and digest back from the disk."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(path.name, found, path.stat().st_size, rows)


def schema_record(schema: pa.Schema) -> list[dict[str, object]]:
    """Write a schema for the manifest, in words that need no Arrow: name, type, whether it may be null."""
    return [{"name": field.name, "type": str(field.type), "nullable": field.nullable} for field in schema]


def _settle(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
