"""The files of a cut depend on their rows only, and each is accounted for."""

from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rows_of_parts import row

from assent.pipeline import write
from assent.pipeline.write import EXCLUDED, PARTS, LinesFile, file_record, put_bytes, rows_file, schema_record


def write_parts(path: Path, rows: list[dict], group: int) -> None:
    """Write rows, `group` of them at a time."""
    with rows_file(path, PARTS) as file:
        for start in range(0, len(rows), group):
            file.add(rows[start : start + group])
    assert file.rows == len(rows)


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    rows = [row(f"text {n}", marks=["reasoning"] * (n % 2)) for n in range(5)]
    write_parts(tmp_path / "a.parquet", rows, 2)
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.to_pylist() == rows
    assert table.schema == PARTS


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [row(f"text {n}") for n in range(100)]
    write_parts(tmp_path / "a.parquet", rows, 10)
    write_parts(tmp_path / "b.parquet", rows, 7)
    with rows_file(tmp_path / "c.parquet", PARTS) as file:
        file.write(pa.Table.from_pylist(rows, schema=PARTS))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "c.parquet").read_bytes()
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_row_groups_are_full_but_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "ROW_GROUP_ROWS", 6)
    write_parts(tmp_path / "a.parquet", [row("x") for _ in range(14)], 3)
    groups = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [6, 6, 2]


def test_the_footer_repeats_no_content(tmp_path: Path) -> None:
    write_parts(tmp_path / "a.parquet", [row("a secret thing")], 1)
    column = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    by_name = {column.column(n).path_in_schema: column.column(n) for n in range(column.num_columns)}
    assert not by_name["text"].is_stats_set
    assert by_name["conversation"].is_stats_set


def test_an_empty_file_still_has_its_columns(tmp_path: Path) -> None:
    with rows_file(tmp_path / "a.parquet", EXCLUDED):
        pass
    assert pq.read_table(tmp_path / "a.parquet").schema == EXCLUDED


def test_a_file_is_named_by_its_digest_size_and_rows(tmp_path: Path) -> None:
    file = LinesFile(tmp_path / "a.jsonl")
    file.add([b"one", b"two"])
    file.close()
    assert file_record(tmp_path / "a.jsonl", file.rows).to_record() == {
        "name": "a.jsonl",
        "sha256": sha256(b"one\ntwo\n").hexdigest(),
        "bytes": 8,
        "rows": 2,
    }
    put_bytes(tmp_path / "b.md", b"text")
    assert "rows" not in file_record(tmp_path / "b.md").to_record()


def test_a_schema_is_written_in_words() -> None:
    assert schema_record(EXCLUDED) == [
        {"name": "part", "type": "string", "nullable": True},
        {"name": "reason", "type": "string", "nullable": False},
    ]
