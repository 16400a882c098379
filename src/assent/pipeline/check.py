"""Check a cut against its manifest: hash every file again, count every row again. Needs no store and no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field, field_validator

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, NotFound
from assent.pipeline.erased import ERASED_FILE, read_erased
from assent.pipeline.write import DATA, MANIFEST_FILE, file_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FORMAT: Final = 2
"""Version of the manifest's form (spec/manifest.md)."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the digest of the manifest as it lies there, and a sentence for each difference.

    `erased` rows left the cut since, for their parts were erased.
    """

    manifest: str
    name: str
    number: int
    differences: tuple[str, ...]
    erased: int = 0


class _File(BaseModel, strict=True):
    # a name that leads out of the folder would have other files read
    name: str = Field(pattern=r"^(data/)?[^/\x00]+$", min_length=1)
    sha256: str
    bytes: int
    rows: int | None = None

    @field_validator("name")
    @classmethod
    def _stays_here(cls, name: str) -> str:
        if name.removeprefix("data/") in {".", ".."}:
            raise ValueError("not a file")
        return name


class _Counts(BaseModel, strict=True):
    considered: int
    written: int
    excluded: dict[str, int]


class _Manifest(BaseModel, strict=True):
    assent_cut: int
    name: str
    number: int
    counts: _Counts
    files: list[_File]


def check(folder: Path) -> Checked:
    """Compare the files of a cut with its manifest.

    A manifest that was changed together with its files agrees with them: compare its digest
    with the one that was printed when the cut was written, or with the store's record.
    Raises `NotFound` where there is no manifest, `Invalid` where it cannot be read as one.
    """
    manifest, found = _manifest(folder)
    left = read_erased(folder)
    differences = [] if left is None or left[0] == found else [f"`{ERASED_FILE}` is about another manifest"]
    since = {} if left is None else {file.name: file for file in map(_File.model_validate, left[2])}
    for said in manifest.files:
        differences += _differences(folder, since.get(said.name, said))
    named = {MANIFEST_FILE, *(said.name for said in manifest.files), *([ERASED_FILE] if left else [])}
    there = (str(path.relative_to(folder)) for path in (*folder.iterdir(), *folder.glob("data/*")))
    strangers = sorted(name for name in there if name not in named and name != DATA)
    differences += [f"`{name}` is not in the manifest" for name in strangers]
    differences += _sums(manifest)
    if left is not None:
        differences += _sums_since(manifest, since, left[1])
    return Checked(found, manifest.name, manifest.number, tuple(differences), 0 if left is None else left[1])


def _manifest(folder: Path) -> tuple[_Manifest, str]:
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise NotFound(f"there is no `{MANIFEST_FILE}` in `{folder.name}`", "give the folder of a cut")
    content = path.read_bytes()
    try:
        table = json.loads(content)
        form = table.get("assent_cut") if isinstance(table, dict) else None
        if isinstance(form, int) and form != FORMAT:
            fix = f"use an assent that reads it; this one reads `{FORMAT}`"
            raise Invalid(f"this manifest has the form `{form}`", fix)
        return _Manifest.model_validate(table), digest_bytes(content)
    except (ValueError, RecursionError):  # of JSON and of its shape
        raise Invalid(f"`{MANIFEST_FILE}` is not the manifest of a cut", "write the cut again") from None


def _differences(folder: Path, said: _File) -> list[str]:
    path = folder / said.name
    if not path.is_file() or path.is_symlink():
        return [f"`{said.name}` is missing"]
    found = file_record(path)
    differences = []
    if found.bytes != said.bytes:
        differences.append(f"`{said.name}` has {found.bytes} bytes, the manifest says {said.bytes}")
    if found.sha256 != said.sha256:
        differences.append(f"`{said.name}` has another digest than the manifest says")
    if said.rows is not None:
        rows = _rows(path)
        if rows != said.rows:
            shown = "cannot be read" if rows is None else f"has {rows} rows"
            differences.append(f"`{said.name}` {shown}, the manifest says {said.rows} rows")
    return differences


def _rows(path: Path) -> int | None:
    """Count rows by reading them, not by believing a footer; None for a file that cannot be read."""
    if path.suffix != ".parquet":
        with path.open("rb") as file:
            return sum(1 for _ in file)
    try:
        with pq.ParquetFile(path) as file:
            counted: int = sum(batch.num_rows for batch in file.iter_batches(columns=file.schema_arrow.names[:1]))
            return counted
    except (pa.ArrowException, OSError):
        return None


def _sums_since(manifest: _Manifest, since: Mapping[str, _File], erased: int) -> list[str]:
    """Check that what left and what is here come to what was written."""
    rows = _parts(since.get(said.name, said) for said in manifest.files)
    if rows + erased != manifest.counts.written:
        return [f"`{ERASED_FILE}` counts {erased} rows gone, and {rows} of {manifest.counts.written} are here"]
    return []


def _sums(manifest: _Manifest) -> list[str]:
    """Every part that was considered is written or excluded, and every written part is a row."""
    counts, differences = manifest.counts, []
    if counts.considered != counts.written + sum(counts.excluded.values()):
        differences.append("the manifest's counts do not add up to the parts considered")
    rows = _parts(manifest.files)
    if rows != counts.written:
        differences.append(f"the manifest counts {counts.written} parts written and {rows} rows")
    return differences


def _parts(files: Iterable[_File]) -> int:
    return sum(said.rows or 0 for said in files if said.name.startswith(f"{DATA}/parts-"))
