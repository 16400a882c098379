"""Check a cut against its manifest: hash every file again, count every row again. Needs no store and no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, NotFound
from assent.pipeline.write import MANIFEST_FILE, file_record

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = 1
"""Version of the manifest's form (spec/manifest.md)."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the digest of the manifest as it lies there, and a sentence for each difference."""

    manifest: str
    name: str
    number: int
    differences: tuple[str, ...]


def check(folder: Path) -> Checked:
    """Compare the files of a cut with its manifest.

    A manifest that was changed together with its files agrees with them: compare its digest
    with the one that was printed when the cut was written, or with the store's record.
    Raises `NotFound` where there is no manifest, `Invalid` where it cannot be read as one.
    """
    manifest, found = _manifest(folder)
    files = {str(file["name"]): file for file in manifest["files"]}
    differences = []
    for name, said in files.items():
        differences += _differences(folder / name, said)
    strangers = sorted(path.name for path in folder.iterdir() if path.name not in {*files, MANIFEST_FILE})
    differences += [f"`{name}` is not in the manifest" for name in strangers]
    differences += _sums(manifest["counts"], files)
    return Checked(found, str(manifest["name"]), int(manifest["number"]), tuple(differences))


def _manifest(folder: Path) -> tuple[dict[str, Any], str]:
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise NotFound(f"there is no `{MANIFEST_FILE}` in `{folder.name}`", "give the folder of a cut")
    content = path.read_bytes()
    broken = Invalid(f"`{MANIFEST_FILE}` is not a manifest of a cut", "write the cut again")
    try:
        manifest = json.loads(content)
        form = manifest["assent_cut"]
        names = [file["name"] for file in manifest["files"]]
        complete = {"name", "number", "counts"} <= manifest.keys()
    except (ValueError, KeyError, TypeError):
        raise broken from None
    if form != FORMAT:
        raise Invalid(f"this manifest has the form `{form}`", f"use an assent that reads it; this one reads `{FORMAT}`")
    if not complete or any(not isinstance(name, str) or name in {"", ".", ".."} or "/" in name for name in names):
        raise broken
    return manifest, digest_bytes(content)


def _differences(path: Path, said: dict[str, Any]) -> list[str]:
    if not path.is_file() or path.is_symlink():
        return [f"`{path.name}` is missing"]
    found = file_record(path)
    differences = []
    if found.bytes != said.get("bytes"):
        differences.append(f"`{path.name}` has {found.bytes} bytes, the manifest says {said.get('bytes')}")
    if found.sha256 != said.get("sha256"):
        differences.append(f"`{path.name}` has another digest than the manifest says")
    if "rows" in said:
        rows = _rows(path)
        if rows != said["rows"]:
            shown = "cannot be read" if rows is None else f"has {rows} rows"
            differences.append(f"`{path.name}` {shown}, the manifest says {said['rows']} rows")
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


def _sums(counts: dict[str, Any], files: dict[str, dict[str, Any]]) -> list[str]:
    """Every part that was considered is written or excluded, and every written part is a row."""
    differences = []
    if counts.get("considered") != counts.get("written", 0) + sum(counts.get("excluded", {}).values()):
        differences.append("the manifest's counts do not add up to the parts considered")
    rows = files.get("parts.parquet", {}).get("rows")
    if rows != counts.get("written"):
        differences.append(f"the manifest counts {counts.get('written')} parts written and {rows} rows")
    return differences
