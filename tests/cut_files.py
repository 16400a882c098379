"""Reading a cut in tests: rows and lines of all its shards, and every file in it."""

import json
from pathlib import Path

import pyarrow.parquet as pq


def rows_of(folder: Path) -> list[dict]:
    """The rows of all shards, conversations in the order of their names."""
    rows = [row for path in sorted(folder.glob("data/parts-*.parquet")) for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda row: row["conversation"])


def lines_of(folder: Path, form: str = "messages") -> list[dict]:
    """The lines of all shards of a form, in the order of their ids."""
    files = sorted(folder.glob(f"data/{form}-*.jsonl"))
    return sorted(
        (json.loads(line) for path in files for line in path.read_bytes().splitlines()), key=lambda one: one["id"]
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file by its name inside the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
