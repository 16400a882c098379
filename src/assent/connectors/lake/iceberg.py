"""Iceberg: snapshots, manifests with bounds, branches and tags, delete files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

import pyarrow as pa
from pyarrow import parquet
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.expressions import BooleanExpression, In
from pyiceberg.manifest import DataFileContent, ManifestEntry, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.types import BinaryType, IntegerType, LongType, StringType

from assent.connectors.files.parquet_rows import count_ids
from assent.connectors.files.rows import NoColumnError
from assent.connectors.lake.looking import unlink
from assent.connectors.lake.tables import Held
from assent.domain.errors import AssentError, Invalid, NotFound
from assent.domain.instants import format_instant

_MAX_AGE: Final = ("history.expire.max-snapshot-age-ms", timedelta(days=5))
_LEAST: Final = ("history.expire.min-snapshots-to-keep", 1)
"""Properties of a table, and what holds where they are not set (the specification's defaults)."""
_METADATA: Final = "metadata"
_ORPHAN_AGE: Final = timedelta(days=3)
"""A file that no snapshot knows may belong to a commit that is still being made, until it is so old."""
_FIELD_ID: Final = b"PARQUET:field_id"
_MAIN: Final = "main"


class Iceberg:
    """An Iceberg table whose files lie in a folder, opened at its newest version."""

    def __init__(self, catalog: Mapping[str, str], name: str, id_column: str, now_ns: Callable[[], int]) -> None:
        """Open it. Raises `NotFound` if there is none, `AssentError` if its catalog cannot be reached."""
        self._now_ns = now_ns
        self._read: dict[str, frozenset[str]] = {}
        self._table = _opened(catalog, name)
        self.root = _path(self._table.location())
        if not self.root.is_dir():
            raise NotFound("the folder of the table is not there", "mount it, or connect where it is")
        found = next((one for one in self._table.schema().fields if one.name == id_column), None)
        if found is None:
            raise Invalid(f"the table has no column `{id_column}`", "name the column of ids with `id`")
        self._id = found

    @property
    def changed(self) -> tuple[str, int]:
        current = self._table.current_snapshot()
        return (str(current.snapshot_id), current.timestamp_ms * 10**6) if current else ("", 0)

    def batches(self, columns: Collection[str], ids: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        there = tuple(name for name in columns if name in self._table.schema().as_arrow().names)
        if ids is None:
            scan = self._table.scan(selected_fields=there)
        elif values := self._values(ids):
            scan = self._table.scan(self._one_of(values), selected_fields=there)
        else:
            return
        try:
            yield from scan.to_arrow_batch_reader()
        except (ValueError, NotImplementedError):
            fix = "rewrite its data files by an engine that does"
            raise AssentError("the table has delete files that pyiceberg does not read", fix) from None

    def count(self, file: parquet.ParquetFile, path: str, ids: Collection[str]) -> Mapping[str, int]:  # noqa: ARG002
        for column in file.schema_arrow:  # a renamed column keeps its number
            if (column.metadata or {}).get(_FIELD_ID) == str(self._id.field_id).encode():
                return count_ids(file, column.name, ids)
        if self._id.name in file.schema_arrow.names:
            return count_ids(file, self._id.name, ids)
        raise NoColumnError

    def held(self) -> Mapping[str, Held]:
        found: dict[str, Held] = {}
        current = self._table.current_snapshot()
        for snapshot in sorted(self._table.snapshots(), key=lambda one: one.timestamp_ms):
            until = self._kept_until(snapshot)
            for path in self._files_of(snapshot):
                found[path] = Held("older data file", until)
        for path in self._files_of(current) if current else ():
            found[path] = Held("data file")
        return found

    def statistics(self) -> Iterator[tuple[str, Collection[str]]]:
        for file in sorted((self.root / _METADATA).glob("*.avro")):
            if file.name.startswith("snap-"):  # a list of manifests has bounds of partitions only
                continue
            paths = {_relative(self.root, one.data_file.file_path) for one in self._entries(file) if self._text(one)}
            if paths:
                yield file.relative_to(self.root).as_posix(), paths

    def until(self, statistics: str) -> str:
        for snapshot in self._table.snapshots():
            if any(_relative(self.root, one.manifest_path) == statistics for one in self._manifests(snapshot)):
                return f"bounds of columns may hold beginnings of its texts; {self._kept_until(snapshot)}"
        return "bounds of columns may hold beginnings of its texts; no snapshot knows it any more"

    def delete(self, ids: Collection[str]) -> None:
        values = self._values(ids)
        if not values:
            return
        with warnings.catch_warnings(), _committing():
            # pyiceberg tells every time that it rewrites files where the table asks for delete files
            warnings.simplefilter("ignore")
            self._table.delete(self._one_of(values))
        current = self._table.current_snapshot()
        if current and any(one.deleted_files_count for one in self._manifests(current)):
            # the commit that deletes files repeats their bounds; the next one leaves them out
            with _committing():
                self._table.append(self._table.schema().as_arrow().empty_table())

    def let_go(self, files: Collection[str], *, at_once: bool) -> None:
        known = self._known()
        self._expire(at_once=at_once)
        gone = known - self._known()
        for path in gone:  # files that no snapshot needs since now
            unlink(self.root, path)
        left = {path for path, paths in self.statistics() if not set(files).isdisjoint(paths)}
        cutoff = self._now_ns() - int(_ORPHAN_AGE.total_seconds() * 1e9)
        for path in (set(files) | left) - self._known():
            file = self.root / path
            if file.exists() and (at_once or file.stat().st_mtime_ns < cutoff):
                unlink(self.root, path)

    # -- snapshots ------------------------------------------------------------------------

    def _expire(self, *, at_once: bool) -> None:
        """Expire what the table's own rules no longer keep; `at_once` everything but the heads of branches and tags."""
        heads = {ref.snapshot_id for ref in self._table.metadata.refs.values()}
        newest = sorted(self._table.snapshots(), key=lambda one: one.timestamp_ms, reverse=True)
        kept = set() if at_once else {one.snapshot_id for one in newest[: self._least]}
        cutoff = self._now_ns() // 10**6 - self._max_age // timedelta(milliseconds=1)
        going = [
            one.snapshot_id
            for one in newest
            if one.snapshot_id not in heads | kept and (at_once or one.timestamp_ms < cutoff)
        ]
        if going:
            with _committing():
                self._table.maintenance.expire_snapshots().by_ids(going).commit()
            self._table.refresh()

    def _kept_until(self, snapshot: Snapshot) -> str:
        for name, ref in sorted(self._table.metadata.refs.items()):
            if ref.snapshot_id == snapshot.snapshot_id and name != _MAIN:
                return f"the {ref.snapshot_ref_type.value} `{name}` keeps it until it is dropped"
        at = datetime.fromtimestamp(snapshot.timestamp_ms // 1000, UTC) + self._max_age
        more = f", when {self._least} newer ones are there" if self._least > 1 else ""
        return f"its snapshot may expire from {format_instant(at)} on{more}"

    @property
    def _max_age(self) -> timedelta:
        said = self._table.properties.get(_MAX_AGE[0], "")
        return timedelta(milliseconds=int(said)) if said.isdecimal() else _MAX_AGE[1]

    @property
    def _least(self) -> int:
        said = self._table.properties.get(_LEAST[0], "")
        return int(said) if said.isdecimal() else _LEAST[1]

    def _known(self) -> set[str]:
        """Every file that some snapshot needs."""
        found: set[str] = set()
        for snapshot in self._table.snapshots():
            found.add(_relative(self.root, snapshot.manifest_list))
            found.update(_relative(self.root, one.manifest_path) for one in self._manifests(snapshot))
            found.update(self._files_of(snapshot))
        return found

    # -- manifests ------------------------------------------------------------------------

    def _manifests(self, snapshot: Snapshot) -> list[ManifestFile]:
        return snapshot.manifests(self._table.io)

    def _files_of(self, snapshot: Snapshot) -> set[str]:
        return {path for manifest in self._manifests(snapshot) for path in self._files_in(manifest)}

    def _files_in(self, manifest: ManifestFile) -> frozenset[str]:
        """Name the files of a manifest; it never changes, and many snapshots have it."""
        if manifest.manifest_path not in self._read:
            entries = manifest.fetch_manifest_entry(self._table.io)
            files = frozenset(_relative(self.root, entry.data_file.file_path) for entry in entries)
            self._read[manifest.manifest_path] = files
        return self._read[manifest.manifest_path]

    def _entries(self, manifest: Path) -> list[ManifestEntry]:
        """Read a manifest that may belong to no snapshot any more, with what it says to be deleted."""
        made = ManifestFile.from_args(
            manifest_path=str(manifest),
            manifest_length=manifest.stat().st_size,
            partition_spec_id=0,
            added_snapshot_id=0,
        )
        try:
            return made.fetch_manifest_entry(self._table.io, discard_deleted=False)
        except FileNotFoundError:
            return []

    def _text(self, entry: ManifestEntry) -> bool:
        """Tell whether an entry holds bounds of texts or bytes other than ids."""
        file = entry.data_file
        if file.content != DataFileContent.DATA:
            return False
        bounds = {**(file.lower_bounds or {}), **(file.upper_bounds or {})}
        return any(number != self._id.field_id and _is_text(self._table, number) for number in bounds)

    def _one_of(self, values: Collection[Any]) -> BooleanExpression:
        return In(self._id.name, values)  # type: ignore[call-arg,arg-type] # its own signature is not the typed one

    def _values(self, ids: Collection[str]) -> list[Any]:
        """Turn ids into values of the column; one that can be none of them is left out."""
        kind = self._id.field_type
        if isinstance(kind, StringType):
            return sorted(ids)
        if isinstance(kind, IntegerType | LongType):
            top = kind.max
            return [int(name) for name in sorted(ids) if _is_number(name) and -top <= int(name) <= top]
        raise Invalid("the column of ids holds neither text nor whole numbers", "name another with `id`")


def _opened(catalog: Mapping[str, str], name: str) -> Table:
    try:
        return load_catalog(**catalog).load_table(name)
    except NoSuchTableError:
        raise NotFound("the catalog has no such table", "check `table` in the connector's file") from None
    except (OSError, AssentError):
        raise
    except Exception as problem:  # noqa: BLE001 - catalogs raise what their drivers raise
        raise AssentError(f"the catalog cannot be asked ({type(problem).__name__})", "check `catalog_file`") from None


@contextmanager
def _committing() -> Iterator[None]:
    try:
        yield
    except (CommitFailedException, NotImplementedError) as problem:  # somebody else was first, or delete files
        said = "pyiceberg cannot do it" if isinstance(problem, NotImplementedError) else "it changed meanwhile"
        raise AssentError(f"the table could not be changed: {said}", "try again, or see what it asks for") from None


def _is_text(table: Table, number: int) -> bool:
    try:
        return isinstance(table.schema().find_type(number), StringType | BinaryType)
    except ValueError:  # a column that was dropped
        return True


def _is_number(name: str) -> bool:
    return name.isascii() and name.removeprefix("-").isdigit() and str(int(name)) == name


def _path(location: str) -> Path:
    parsed = urlparse(location)
    if parsed.scheme not in ("", "file"):
        raise Invalid(f"the table lies at `{parsed.scheme}://`", "only tables in a folder of this machine are reached")
    return Path(unquote(parsed.path)) if parsed.scheme else Path(location)


def _relative(root: Path, location: str) -> str:
    path = _path(location)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
