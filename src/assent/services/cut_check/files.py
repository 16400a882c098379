"""The folder of a cut against its manifest: every byte named, nothing else there, and the rows in order."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from assent.domain.digests import digest_bytes
from assent.domain.errors import AssentError, Invalid, NotFound
from assent.domain.instants import parse_instant
from assent.ledger.merkle import EMPTY_ROOT, leaf_hash, node_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

MANIFEST: Final = "manifest.json"
ERASED: Final = "erased.json"
SHARDS: Final = ("parts.parquet", "data/parts-*.parquet")
COLUMNS: Final = (
    "part",
    "conversation",
    "person",
    "origin",
    "data",
    "marks",
    "created_at",
    "decision",
    "proof",
    "receipt",
    "policy",
)
"""Columns of a row that are checked: all but what was said, and where it stands."""

_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Named:
    """One file as the manifest names it."""

    name: str
    sha256: str
    bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class Folder:
    """A cut that lies in a folder: its manifest as data, that manifest's digest, and the files as they should be.

    `erased` rows left it since, and their files were written anew.
    """

    path: Path
    manifest: dict[str, Any]
    digest: str
    files: tuple[Named, ...]
    erased: int

    @property
    def form(self) -> int:
        """Return the version of the manifest's form."""
        return int(self.manifest["assent_cut"])

    @property
    def at(self) -> datetime:
        """Return the instant that counted."""
        return parse_instant(self.manifest["at"])

    @property
    def shards(self) -> list[Named]:
        """Return the files of rows, by name."""
        return [one for one in self.files if any(fnmatch(one.name, shard) for shard in SHARDS)]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Read what is checked of each row, shard after shard. A shard that cannot be read gives none."""
        for shard in self.shards:
            try:
                with pq.ParquetFile(self.path / shard.name) as file:
                    for batch in file.iter_batches(_ROWS, columns=list(COLUMNS)):
                        for row in batch.to_pylist():
                            # a column that is not there is one in which nothing was said
                            yield {name: row.get(name) for name in COLUMNS} | {"marks": row.get("marks") or []}
            except (pa.ArrowException, OSError, KeyError):
                continue  # `differences` names it

    def differences(self) -> Iterator[str]:
        """Say what is not as the manifest says, file by file."""
        here = {str(path.relative_to(self.path).as_posix()) for path in self.path.rglob("*") if not path.is_dir()}
        named = {one.name for one in self.files}
        for one in self.files:
            yield from _differences(self.path / one.name, one)
        if "merkle_root" in self.manifest and self.manifest["merkle_root"] != _root_of(self.files):
            yield "`manifest.json` names another root than that of its files"
        known = named | {MANIFEST} | ({ERASED} if self.erased else set())
        yield from (f"`{name}` is not in the manifest" for name in sorted(here - known))


def open_folder(path: Path) -> Folder:
    """Read the manifest of a cut, and what left it since. Raises `NotFound`, and `Invalid` for what is no manifest."""
    if not (path / MANIFEST).is_file():
        raise NotFound(f"there is no `{MANIFEST}` in `{path.name}`", "give the folder of a cut")
    content = (path / MANIFEST).read_bytes()
    try:
        manifest = json.loads(content)
        files = list(_named(manifest["files"]))
        sums = (manifest["counts"]["written"], manifest["counts"]["considered"], manifest["name"], manifest["number"])
        if not all(sums[2:]) or not all(isinstance(one, int) for one in sums[:2]) or int(manifest["assent_cut"]) < 1:
            raise Invalid("incomplete")
        parse_instant(manifest["at"])
        erased, since = _since(path, digest_bytes(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, AssentError):
        raise Invalid(f"`{MANIFEST}` is not the manifest of a cut", "write the cut again") from None
    newer = {one.name: one for one in since}
    return Folder(path, manifest, digest_bytes(content), tuple(newer.get(one.name, one) for one in files), erased)


def _named(files: Sequence[dict[str, Any]]) -> Iterator[Named]:
    for one in files:
        name = one["name"]
        pure = PurePosixPath(name)
        # a name that leads out of the folder would have other files read
        if pure.is_absolute() or ".." in pure.parts or "\x00" in name or str(pure) != name or name == ".":
            raise Invalid("a name leads out of the folder")
        yield Named(name, str(one["sha256"]), int(one["bytes"]), one.get("rows"))


def _root_of(files: Sequence[Named]) -> str:
    """Compute the root (RFC 6962 section 2.1) over the files of rows in the order of their names."""
    rows = sorted((one.name, one.sha256) for one in files if one.name.startswith("data/"))
    leaves = [leaf_hash(f"{name} {sha256}".encode()) for name, sha256 in rows]
    return _tree(leaves).hex() if leaves else EMPTY_ROOT.hex()


def _tree(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(_tree(leaves[:left]), _tree(leaves[left:]))


def _since(path: Path, digest: str) -> tuple[int, list[Named]]:
    """Read which rows were erased since, and the files without them. Another manifest's account counts for nothing."""
    file = path / ERASED
    if not file.is_file():
        return 0, []
    record = json.loads(file.read_bytes())
    if record["manifest"] != digest:
        return 0, []
    return sum(map(int, record["erasures"].values())), list(_named(record["files"]))


def _differences(path: Path, said: Named) -> Iterator[str]:
    if not path.is_file() or path.is_symlink():
        yield f"`{said.name}` is missing"
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != said.sha256 or path.stat().st_size != said.bytes:
        yield f"`{said.name}` has other bytes than the manifest says"
    if said.rows is not None and (counted := _count(path)) != said.rows:
        shown = "cannot be read" if counted is None else f"has {counted:,} rows"
        yield f"`{said.name}` {shown}, the manifest says {said.rows:,}"


def _count(path: Path) -> int | None:
    """Count rows by reading them, not by believing a footer; None for a file that cannot be read."""
    if path.suffix != ".parquet":
        with path.open("rb") as file:
            return sum(1 for _ in file)
    try:
        with pq.ParquetFile(path) as file:
            batches = file.iter_batches(columns=file.schema_arrow.names[:1])
            return sum(int(batch.num_rows) for batch in batches)
    except (pa.ArrowException, OSError):
        return None
