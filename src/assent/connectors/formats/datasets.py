"""Rows of a data set, whatever its files are: JSON lines, a JSON array, gzip of either, parquet.

The record is the row. A folder is read file by file, in the order of names, as published
sets are split into numbered files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from assent.connectors.formats.fields import existing, place_file
from assent.connectors.formats.jsonl import opened, read_objects
from assent.connectors.formats.messages import Identities
from assent.connectors.formats.port import Malformed, Record, Skipped, Source
from assent.connectors.formats.sniffing import HEAD_BYTES, head, some_files
from assent.connectors.formats.streams import json_array
from assent.domain.conversation import Conversation
from assent.domain.errors import Invalid, Place

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS: Final = 256
"""Rows of a parquet file held in memory at once."""

SUFFIXES: Final = (".jsonl", ".json", ".parquet", ".jsonl.gz", ".json.gz")
_PARQUET_MAGIC: Final = b"PAR1"
_KEY: Final = re.compile(r'"(\w{1,40})"\s*:')
_KEYS_WITHIN: Final = 2_000

Row = tuple[Place, dict[str, object]]
Build = Callable[[dict[str, object], Identities], Conversation | None]


def read_rows(source: Source, name: str, build: Build) -> Iterator[Record]:
    """Turn every row into a conversation; `build` gives None for content that was met before."""
    identities = Identities(name)
    for row in rows(source):
        if isinstance(row, Malformed | Skipped):
            yield row
            continue
        place, value = row
        try:
            built = build(value, identities)
        except Invalid as error:
            yield Malformed(place, error.message)
            continue
        yield Skipped(place, "duplicate of an earlier record") if built is None else _checked(built, place)


def _checked(built: Conversation, place: Place) -> Record:
    return built if built.parts else Skipped(place, "conversation without content")


def rows(source: Source) -> Iterator[Row | Malformed | Skipped]:
    """Yield the rows of a file, or of the data files below a folder."""
    path = existing(source.path)
    if path.is_file():
        yield from _file_rows(path, path.name, source.on_bytes)
        return
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        name = place_file(path, file)
        if file.name.endswith(SUFFIXES):
            yield from _file_rows(file, name, source.on_bytes)


def _file_rows(path: Path, file: str, on_bytes: Callable[[int], None]) -> Iterator[Row | Malformed]:
    start = head(path)
    if start[:4] == _PARQUET_MAGIC:
        yield from _parquet_rows(path, file, on_bytes)
    elif _is_one_document(path, start):
        with opened(path, on_bytes) as stream:
            for number, value in json_array(stream, file, lambda _count: None):
                yield value if isinstance(value, Malformed) else _element(file, number, value)
    else:
        for line in read_objects(path, file, on_bytes):
            yield line if isinstance(line, Malformed) else (Place(file, line[0]), line[1])


def _is_one_document(path: Path, start: bytes) -> bool:
    """Tell an array, or one object over many lines, from JSON lines; many sets name lines `.json`."""
    if start.lstrip()[:1] == b"[":
        return True
    if not path.name.endswith((".json", ".json.gz")):
        return False
    try:
        orjson.loads(start.lstrip().split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        return start.lstrip()[:1] == b"{"
    return False


def _element(file: str, number: int, value: object) -> Row | Malformed:
    place = Place(file, number)
    return (place, value) if isinstance(value, dict) else Malformed(place, "the element is not an object")


def _parquet_rows(path: Path, file: str, on_bytes: Callable[[int], None]) -> Iterator[Row | Malformed]:
    """Read a table in bounded batches; what is lost in a damaged file is counted from its own row number."""
    import pyarrow as pa  # noqa: PLC0415 - loading it takes longer than reading most JSON files
    from pyarrow import parquet  # noqa: PLC0415 - as above

    size = path.stat().st_size
    done = told = 0
    try:
        table = parquet.ParquetFile(path, pre_buffer=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # a name of a column may be no text
        on_bytes(size)
        yield Malformed(Place(file), "the file is not a readable parquet file")
        return
    with table:
        total = table.metadata.num_rows
        try:
            for batch in table.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                for row in _batch_rows(batch):
                    done += 1
                    place = Place(file, done)
                    yield (place, row) if row is not None else Malformed(place, "a value is not readable")
                told, before = size * done // max(total, 1), told
                on_bytes(told - before)
        except (pa.ArrowException, OSError):
            yield Malformed(Place(file, done + 1), "the table is damaged from this row on", max(total - done, 1))
    on_bytes(size - told)


def _batch_rows(batch: pa.RecordBatch) -> list[dict[str, object] | None]:
    """Read a batch's rows; None for one with text that is not UTF-8 or a time that Python cannot hold."""
    import pyarrow as pa  # noqa: PLC0415 - loaded by the caller already

    for at, column in enumerate(batch.schema):
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            rough = pa.timestamp("us", column.type.tz)  # Python's times end at microseconds
            batch = batch.set_column(at, column.with_type(rough), batch.column(at).cast(rough, safe=False))
    try:
        return list(batch.to_pylist())
    except (ValueError, OverflowError):
        return [_batch_row(batch.slice(at, 1)) for at in range(batch.num_rows)]


def _batch_row(batch: pa.RecordBatch) -> dict[str, object] | None:
    try:
        row: dict[str, object] = batch.to_pylist()[0]
    except (ValueError, OverflowError):
        return None
    return row


def row_keys(path: Path) -> Iterator[frozenset[str]]:
    """Yield the keys of the first rows, for guessing a format; nothing for what is no data set."""
    for file in some_files(path, *SUFFIXES):
        start = head(file)
        if start[:4] == _PARQUET_MAGIC:
            yield from _parquet_columns(file)
            continue
        text = start.decode("utf-8", "ignore").lstrip().removeprefix("[").lstrip()
        try:
            value, _ = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            if len(start) == HEAD_BYTES:  # the first row is longer than what was read: go by its first keys
                yield frozenset(_KEY.findall(text[:_KEYS_WITHIN]))
            continue
        if isinstance(value, dict):
            yield frozenset(value)


def _parquet_columns(path: Path) -> Iterator[frozenset[str]]:
    import pyarrow as pa  # noqa: PLC0415 - loading it takes longer than reading most JSON files
    from pyarrow import parquet  # noqa: PLC0415 - as above

    try:
        yield frozenset(parquet.read_schema(path).names)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return
