"""Parquet: which row is whose, and a copy of a file without some of them.

The copy keeps schema, metadata, encodings, compression and row groups; a row group whose rows all go, goes too.
Statistics, dictionaries and page indexes are made anew from what is kept. One row group is in memory at a time, which
is what every reader of the file needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from assent.connectors.files.rows import NoColumnError, Row, Shape, name_of

_BATCH_ROWS: Final = 256
_ID_ROWS: Final = 64 << 10
_DICTIONARY: Final = frozenset(("RLE_DICTIONARY", "PLAIN_DICTIONARY"))
_CHOSEN: Final = frozenset(("BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"))


def rows(stream: IO[bytes], shape: Shape, wanted: Collection[str] | None = None) -> Iterator[tuple[int, Row]]:
    """Read rows, those of `wanted` or all, with the number of each from 1."""
    with _opened(stream) as file:
        names = _present(file.schema_arrow, shape)
        number = 0
        for batch in file.iter_batches(_BATCH_ROWS, columns=names, use_threads=False):
            mask = None if wanted is None else _mask(pa.Table.from_batches([batch]), shape.id, wanted)
            if mask is None or pc.any(mask).as_py():
                for at, row in enumerate(plain(batch), 1):
                    if mask is None or mask[at - 1].as_py():
                        yield number + at, row
            number += batch.num_rows


def found(stream: IO[bytes], shape: Shape, wanted: Collection[str]) -> Counter[str]:
    """Count the rows of conversations; reads the ids only."""
    with _opened(stream) as file:
        return count_ids(file, shape.id, wanted)


def count_ids(file: parquet.ParquetFile, path: str, wanted: Collection[str]) -> Counter[str]:
    """Count the rows of ids in an open file. Raises `NoColumnError` if it has no such column."""
    if not has(file.schema_arrow, path):
        raise NoColumnError
    counts: Counter[str] = Counter()
    for batch in file.iter_batches(_ID_ROWS, columns=[path], use_threads=False):
        ids = _ids(pa.Table.from_batches([batch]), path)
        there = ids.filter(pc.is_in(ids, value_set=_texts(wanted)))
        counts.update(there.to_pylist())
    return counts


def rewriter(shape: Shape, wanted: Collection[str]) -> Callable[[IO[bytes], IO[bytes]], int]:
    """Make what copies a file without the rows of some conversations and returns how many those were."""

    def copy(source: IO[bytes], target: IO[bytes]) -> int:
        left_out = 0
        with _opened(source) as old, parquet.ParquetWriter(target, old.schema_arrow, **_as_before(old)) as new:
            for number in range(old.num_row_groups):
                group = old.read_row_group(number, use_threads=False)
                kept = _kept(group, pc.invert(_mask(group, shape.id, wanted)))
                left_out += group.num_rows - kept.num_rows
                if kept.num_rows:
                    new.write_table(kept, row_group_size=kept.num_rows)
        return left_out

    return copy


def _kept(group: pa.Table, mask: pa.BooleanArray) -> pa.Table:
    try:
        return group.filter(mask)
    except pa.ArrowNotImplementedError:  # views of text, which cannot be filtered but cut
        ends = [-1, *(at for at, stays in enumerate(mask.to_pylist()) if not stays), group.num_rows]
        return pa.concat_tables(group.slice(start + 1, end - start - 1) for start, end in pairwise(ends))


def has(schema: pa.Schema, path: str) -> bool:
    """Tell whether a schema has a column, or a field of a struct, of this path."""
    if path in schema.names:
        return True
    first, *rest = path.split(".")
    if first not in schema.names:
        return False
    kind = schema.field(first).type
    for name in rest:
        if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return False
        kind = kind.field(name).type
    return True


def _opened(stream: IO[bytes]) -> Any:
    stream.seek(0)
    return parquet.ParquetFile(pa.PythonFile(stream, mode="r"), pre_buffer=False)


def _present(schema: pa.Schema, shape: Shape) -> Sequence[str]:
    """Name the columns that anything is read from, whole ones: a field of a struct comes with its struct."""
    tops = (path if path in schema.names else path.partition(".")[0] for path in shape.columns)
    return [name for name in dict.fromkeys(tops) if name in schema.names]


def _ids(table: pa.Table, path: str) -> pa.Array:
    """Return a column of ids as text; null where there is none."""
    column = table[path] if path in table.column_names else _field(table, path)
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        return array.cast(pa.string())
    return pa.array([name_of(value) or None for value in array.to_pylist()], pa.string())


def _field(table: pa.Table, path: str) -> pa.ChunkedArray:
    first, *rest = path.split(".")
    return pc.struct_field(table[first], rest)


def _mask(table: pa.Table, path: str, wanted: Collection[str]) -> pa.BooleanArray:
    return pc.is_in(_ids(table, path), value_set=_texts(wanted))


def _texts(wanted: Collection[str]) -> pa.Array:
    """Write ids as a table can hold them: half a character pair is in none."""
    return pa.array([name for name in wanted if name.isascii() or _is_unicode(name)], pa.string())


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def plain(batch: pa.RecordBatch) -> list[Row]:
    """Make rows of Python's own values; its times end at microseconds."""
    for at, column in enumerate(batch.schema):
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            rough = pa.timestamp("us", column.type.tz)
            batch = batch.set_column(at, column.with_type(rough), batch.column(at).cast(rough, safe=False))
    made: list[Row] = batch.to_pylist()
    return made


def _as_before(file: parquet.ParquetFile) -> dict[str, Any]:
    """Say how the file was written, as far as it tells."""
    about = file.metadata
    if not about.num_row_groups or not about.num_columns:
        return {}
    group = about.row_group(0)
    columns = [group.column(at) for at in range(group.num_columns)]
    paths = [column.path_in_schema for column in columns]
    encoded = {column.path_in_schema: frozenset(column.encodings) for column in columns}
    dictionary = [path for path in paths if encoded[path] & _DICTIONARY]
    chosen = {path: min(own) for path in paths if path not in dictionary and (own := encoded[path] & _CHOSEN)}
    return {
        "version": about.format_version,
        "compression": {column.path_in_schema: _codec(column.compression) for column in columns},
        "use_dictionary": dictionary or False,
        "column_encoding": chosen or None,
        "write_statistics": [column.path_in_schema for column in columns if column.is_stats_set] or False,
        "write_page_index": any(column.has_column_index for column in columns),
        "sorting_columns": group.sorting_columns or None,
        "store_schema": b"ARROW:schema" in (about.metadata or {}),
        "use_deprecated_int96_timestamps": any(column.physical_type == "INT96" for column in columns),
        "use_compliant_nested_type": not any(".list.item" in path for path in paths),
    }


def _codec(name: str) -> str:
    return "NONE" if name == "UNCOMPRESSED" else name
