"""Parquet files are written anew as they were, without some rows."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.conformance.connectors.files_worlds import ParquetWorld

from assent.connectors.port import Listed, Unlisted, state_of

SCHEMA = pa.schema(
    [
        pa.field("conversation_id", pa.string(), metadata={"why": "names it"}),
        ("n", pa.int32()),
        ("at", pa.timestamp("ns", "Europe/Paris")),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("big", pa.large_string()),
        ("nested", pa.struct([("a", pa.list_(pa.float32())), ("b", pa.map_(pa.string(), pa.decimal128(9, 2)))])),
        ("blob", pa.binary(4)),
    ],
    metadata={"made by": "a pipeline", "pandas": "{}"},
)


def table(rows: int) -> pa.Table:
    made = [
        {
            "conversation_id": None if number % 10 == 9 else f"c{number % 7}",
            "n": None if number % 5 == 0 else number,
            "at": datetime(2026, 1, 5, 10, 0, number % 60, 123456, UTC),
            "kind": f"k{number % 3}",
            "big": f"text {number} " * 3,
            "nested": None if number % 4 == 0 else {"a": [1.5, None], "b": [("x", None)]},
            "blob": number.to_bytes(4, "big"),
        }
        for number in range(rows)
    ]
    return pa.Table.from_pylist(made, SCHEMA)


WRITTEN: dict[str, dict[str, Any]] = {
    "as most do": {"row_group_size": 20},
    "zstd, with pages indexed": {"row_group_size": 33, "compression": "zstd", "write_page_index": True},
    "each column its own way": {
        "row_group_size": 50,
        "compression": {"n": "gzip", "big": "none"},
        "use_dictionary": ["kind"],
        "column_encoding": {"n": "DELTA_BINARY_PACKED", "big": "DELTA_BYTE_ARRAY"},
        "write_statistics": ["n"],
        "store_schema": False,
    },
    "the first version": {"version": "1.0", "use_compliant_nested_type": False},
    "sorted": {"sorting_columns": [parquet.SortingColumn(1)]},
}


@pytest.mark.parametrize("how", WRITTEN.values(), ids=list(WRITTEN))
def test_what_is_kept_is_as_it_was(tmp_path: Path, how: dict[str, Any]) -> None:
    world = ParquetWorld(tmp_path)
    file = world.root / "a.parquet"
    parquet.write_table(table(100), file, **how)
    before, rows = parquet.ParquetFile(file), parquet.read_table(file)
    assert state_of(world.product().erase(["c3"])["c3"]) == "removed"
    after, left = parquet.ParquetFile(file), parquet.read_table(file)
    kept = rows.filter(pa.compute.fill_null(pa.compute.not_equal(rows["conversation_id"], "c3"), fill_value=True))
    assert kept.num_rows < rows.num_rows
    assert left.equals(kept, check_metadata=True)
    assert left.schema.equals(rows.schema, check_metadata=True)
    assert _how(after) == _how(before)
    per_group = [_rows_without(before.read_row_group(number)) for number in range(before.num_row_groups)]
    assert [after.metadata.row_group(number).num_rows for number in range(after.num_row_groups)] == per_group
    assert b"c3" not in file.read_bytes()


def _rows_without(group: pa.Table) -> int:
    return sum(name != "c3" for name in group["conversation_id"].to_pylist())


def _how(file: parquet.ParquetFile) -> object:
    group = file.metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    return (
        file.metadata.format_version,
        {name: value for name, value in (file.metadata.metadata or {}).items() if name != b"ARROW:schema"},
        b"ARROW:schema" in (file.metadata.metadata or {}),
        group.sorting_columns,
        [
            (one.path_in_schema, one.compression, set(one.encodings), one.is_stats_set, one.has_column_index)
            for one in columns
        ],
    )


def test_a_row_group_whose_rows_all_go_goes_too(tmp_path: Path) -> None:
    world = ParquetWorld(tmp_path)
    for path, ids in (("a", ["x"] * 3 + ["y"] * 3), ("b", ["x"] * 6)):
        parquet.write_table(pa.table({"conversation_id": ids}), world.root / f"{path}.parquet", row_group_size=3)
    assert state_of(world.product().erase(["x"])["x"]) == "removed"
    left = [parquet.ParquetFile(world.root / f"{path}.parquet") for path in "ab"]
    assert [(file.num_row_groups, file.metadata.num_rows) for file in left] == [(1, 3), (0, 0)]
    assert left[1].schema_arrow.names == ["conversation_id"]


IDS: dict[str, tuple[pa.Array, str]] = {
    "whole numbers": (pa.array([7, 70, None], pa.int64()), "7"),
    "UUIDs": (pa.array([UUID(int=1).bytes, UUID(int=2).bytes], pa.uuid()), str(UUID(int=1))),
    "words of a dictionary": (pa.array(["7", "70", "7"]).dictionary_encode(), "7"),
    "views": (pa.array(["7", "70"], pa.string_view()), "7"),
    "letters outside of ASCII": (pa.array(["🦊\n'", "70"]), "🦊\n'"),
}


@pytest.mark.parametrize(("ids", "gone"), IDS.values(), ids=list(IDS))
def test_ids_of_every_kind_are_found(tmp_path: Path, ids: pa.Array, gone: str) -> None:
    world = ParquetWorld(tmp_path)
    parquet.write_table(pa.table({"conversation_id": ids, "n": range(len(ids))}), world.root / "a.parquet")
    rows = parquet.read_table(world.root / "a.parquet")
    assert state_of(world.product().copies([gone])[gone]) == "present"
    assert state_of(world.product().erase([gone, "\ud800", "70.0"])[gone]) == "removed"
    left = parquet.read_table(world.root / "a.parquet")
    assert left.schema.equals(rows.schema, check_metadata=True)
    assert left.to_pylist() == [row for row in rows.to_pylist() if str(row["conversation_id"]) != gone]
    assert 0 < left.num_rows < rows.num_rows


def test_an_id_inside_a_struct_is_found(tmp_path: Path) -> None:
    world = ParquetWorld(tmp_path, id="about.id")
    rows = pa.table({"about": [{"id": "x", "a.b": 1}, None, {"id": "y", "a.b": 2}], "messages": [[], [], []]})
    parquet.write_table(rows, world.root / "a.parquet")
    assert [one.id for one in world.product().list() if isinstance(one, Listed)] == ["x", "y"]
    assert state_of(world.product().erase(["x"])["x"]) == "removed"
    assert parquet.read_table(world.root / "a.parquet").equals(rows.slice(1))


def test_a_file_without_a_column_of_ids_is_named_and_never_called_empty(tmp_path: Path) -> None:
    world = ParquetWorld(tmp_path)
    parquet.write_table(pa.table({"n": [1]}), world.root / "a.parquet")
    (copy,) = world.product().copies(["x"])["x"]
    assert (copy.state, "no column of ids" in copy.note) == ("not reachable", True)
    (said,) = world.product().list()
    assert isinstance(said, Unlisted)


@pytest.mark.parametrize("at", [10, 200, -30, -6])
def test_a_table_with_changed_bytes_is_left_as_it_is(tmp_path: Path, at: int) -> None:
    world = ParquetWorld(tmp_path)
    made = io.BytesIO()
    parquet.write_table(table(100), made, compression="snappy", use_dictionary=False)
    content = bytearray(made.getvalue())
    content[at : at + 4] = bytes(255 - one for one in content[at : at + 4])
    world.write("a.parquet", bytes(content))
    answer = world.product().erase(["c3"])["c3"]
    if state_of(answer) == "removed":  # the change is in a value or nowhere that anybody reads
        assert b"c3" not in (world.root / "a.parquet").read_bytes()
    else:
        assert state_of(answer) == "not reachable"
        assert (world.root / "a.parquet").read_bytes() == content
