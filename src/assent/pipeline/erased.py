"""Rows leave a cut that was written before (spec/manifest.md, erased rows)."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import AssentError, Invalid
from assent.pipeline.folder import settle
from assent.pipeline.messages import MessageCounts, lines
from assent.pipeline.write import (
    MANIFEST_FILE,
    MESSAGES_FILE,
    PARTS,
    PARTS_FILE,
    LinesFile,
    file_record,
    put_bytes,
    rows_file,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from assent.pipeline.write import RowsFile

ERASED_FILE: Final = "erased.json"
"""Beside the manifest: which erasures took rows out, how many each, and what the files are since."""

FORMAT: Final = 1

_READ_ROWS: Final = 5_000


def erase_rows(folder: Path, parts: Collection[str], erasures: Mapping[int, int]) -> None:
    """Write the files of a cut anew without the rows of these parts (`<conversation>#<part>`).

    `erasures` says for each erasure how many rows of this cut it takes. Every file is whole at
    every moment; a crash leaves a folder that a second call with the same arguments completes.
    The manifest stays as it was printed. Raises `AssentError` for a folder that is no cut.
    """
    manifest = folder / MANIFEST_FILE
    new = {name: folder / f".{name}.new" for name in (PARTS_FILE, MESSAGES_FILE)}
    try:
        said = manifest.read_bytes()
        rows = _without(folder / PARTS_FILE, parts, new)
    except (FileNotFoundError, pa.ArrowException):
        raise AssentError("the folder is no cut that can be read", "write it again, or remove it") from None
    taken = {**_taken(folder), **{str(number): count for number, count in erasures.items()}}
    files = [file_record(new[name], rows[name]).to_record() | {"name": name} for name in sorted(new)]
    record = {"assent_cut_erased": FORMAT, "manifest": digest_bytes(said), "erasures": taken, "files": files}
    put_bytes(folder / f".{ERASED_FILE}.new", canonical(record))
    (folder / f".{ERASED_FILE}.new").replace(folder / ERASED_FILE)
    for name, written in new.items():
        written.replace(folder / name)
    settle(folder)


def read_erased(folder: Path) -> tuple[str, int, list[dict[str, Any]]] | None:
    """Read what left a cut: digest of its manifest, rows that left, records of its files since; None if nothing did.

    Raises `Invalid` for a file that says it otherwise.
    """
    try:
        record = json.loads((folder / ERASED_FILE).read_bytes())
        found = record["manifest"], sum(record["erasures"].values()), list(record["files"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        record, found = {}, None
    if found is None or record.get("assent_cut_erased") != FORMAT:
        raise Invalid(f"`{ERASED_FILE}` is not what it should be", "sweep again, which writes it anew")
    return found


def _taken(folder: Path) -> dict[str, int]:
    try:
        taken: dict[str, int] = json.loads((folder / ERASED_FILE).read_bytes())["erasures"]
    except (FileNotFoundError, ValueError, KeyError):
        return {}
    return taken


def _without(path: Path, parts: Collection[str], new: Mapping[str, Path]) -> dict[str, int]:
    """Write both data files without these parts, conversation by conversation; returns their rows."""
    messages = LinesFile(new[MESSAGES_FILE])
    counts = MessageCounts()
    try:
        with pq.ParquetFile(path) as file, rows_file(new[PARTS_FILE], PARTS) as kept:
            for batch in _groups(file, parts, kept):
                messages.add(lines(batch, counts))
    finally:
        messages.close()
    return {PARTS_FILE: kept.rows, MESSAGES_FILE: messages.rows}


def _groups(file: pq.ParquetFile, parts: Collection[str], kept: RowsFile) -> Iterator[pa.RecordBatch]:
    rows = (row for batch in file.iter_batches(_READ_ROWS) for row in batch.to_pylist())
    for _, conversation in groupby(rows, key=lambda row: row["conversation"]):
        kept.add(row for row in conversation if row["part"] not in parts)
        if (batch := kept.end_group()) is not None:
            yield batch
    if (rest := kept.flush()) is not None:
        yield rest
