"""Rows leave a cut that was written before (spec/manifest.md, erased rows)."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import AssentError, Invalid
from assent.pipeline.folder import settle
from assent.pipeline.outputs.layout import PARTS, Shard, shards
from assent.pipeline.shards import write_form
from assent.pipeline.write import DATA, MANIFEST_FILE, put_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

ERASED_FILE: Final = "erased.json"
"""Beside the manifest: which erasures took rows out, how many each, and what the files are since."""

FORMAT: Final = 1

_NEW: Final = ".new"


def erase_rows(folder: Path, parts: Collection[str], erasures: Mapping[int, int]) -> None:
    """Write the files of a cut anew without the rows of these parts (`<conversation>#<part>`).

    `erasures` says for each erasure how many rows of this cut it takes. Every file is whole at
    every moment; a crash leaves a folder that a second call with the same arguments completes.
    The manifest stays as it was printed, and files without such rows as they are. Raises
    `AssentError` for a folder that is no cut.
    """
    gone = pa.array(sorted(parts), pa.string())
    for left_over in (folder / DATA).glob(f".*{_NEW}"):
        left_over.unlink()
    try:
        said = (folder / MANIFEST_FILE).read_bytes()
        before = _record(folder)
        files = {str(file["name"]): file for file in before.get("files", ())}
        for together in _shards(json.loads(said)):
            files.update(_without(folder, together, gone))
    except (FileNotFoundError, ValueError, KeyError, pa.ArrowException):
        raise AssentError("the folder is no cut that can be read", "write it again, or remove it") from None
    taken = {**before.get("erasures", {}), **{str(number): count for number, count in erasures.items()}}
    record = {
        "assent_cut_erased": FORMAT,
        "manifest": digest_bytes(said),
        "erasures": taken,
        "files": [files[name] for name in sorted(files)],
    }
    put_bytes(folder / f".{ERASED_FILE}{_NEW}", canonical(record))
    (folder / f".{ERASED_FILE}{_NEW}").replace(folder / ERASED_FILE)
    for fresh in sorted((folder / DATA).glob(f".*{_NEW}")):
        fresh.replace(fresh.with_name(fresh.name[1 : -len(_NEW)]))
    settle(folder / DATA)
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
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        record, found = {}, None
    if found is None or record.get("assent_cut_erased") != FORMAT:
        raise Invalid(f"`{ERASED_FILE}` is not what it should be", "sweep again, which writes it anew")
    return found


def _record(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / ERASED_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _shards(manifest: Mapping[str, Any]) -> Iterator[list[Shard]]:
    """Put the forms of the same rows together, parts first."""

    def place(shard: Shard) -> tuple[str, str]:
        return shard.split, shard.name.partition(f"{DATA}/{shard.form}-")[2].partition(".")[0]

    for _, together in groupby(sorted(shards(manifest), key=lambda one: (place(one), one.form != PARTS)), key=place):
        yield list(together)


def _without(folder: Path, together: list[Shard], gone: pa.Array) -> dict[str, dict[str, Any]]:
    """Write all forms of some rows beside the old ones, without what is gone; nothing where nothing is."""
    with pq.ParquetFile(folder / together[0].name) as file:
        rows = file.read()
    stay = rows.filter(pc.invert(pc.is_in(rows["part"], gone)))
    if stay.num_rows == rows.num_rows:
        return {}
    found = {}
    for shard in together:
        path = folder / shard.name
        found[shard.name] = write_form(shard.form, stay, path.with_name(f".{path.name}{_NEW}")) | {"name": shard.name}
    return found
