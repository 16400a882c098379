"""Delta Lake: the log in `_delta_log`, data files, deletion vectors and the change data feed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import parquet

from assent.connectors.files.parquet_rows import count_ids
from assent.connectors.files.rows import NoColumnError
from assent.connectors.lake.looking import unlink
from assent.connectors.lake.tables import Held
from assent.domain.errors import AssentError, Invalid, NotFound
from assent.domain.instants import format_instant

LOG: Final = "_delta_log"
CHANGES: Final = "_change_data"

_FILES: Final = ("delta.deletedFileRetentionDuration", timedelta(days=7))
_ENTRIES: Final = ("delta.logRetentionDuration", timedelta(days=30))
"""Properties of a table, and what holds where they are not set (the protocol's defaults)."""
_INTERVAL: Final = re.compile(
    r"(?:interval\s+)?(\d+)\s+(week|day|hour|minute|second|millisecond|microsecond)s?", re.IGNORECASE
)
_VERSION: Final = re.compile(r"(\d{20})\.(?:.*\.)?(?:json|parquet|crc)")
_AT_ONCE: Final = 500


class Delta:
    """A Delta table in a folder, opened at its newest version."""

    def __init__(self, root: Path, id_column: str, now_ns: Callable[[], int]) -> None:
        """Open it. Raises `NotFound` if there is none, `AssentError` if the library cannot read it."""
        self.root = root
        self._now_ns = now_ns
        self._id = id_column
        self._table = self._opened()
        self._fields = {one["name"]: one for one in json.loads(self._table.schema().to_json())["fields"]}
        if id_column not in self._fields:
            raise Invalid(f"the table has no column `{id_column}`", "name the column of ids with `id`")

    @property
    def changed(self) -> tuple[str, int]:
        log = self.root / LOG / f"{self._table.version():020}.json"
        times = [log.stat().st_mtime_ns] if log.exists() else []
        return f"{self._table.metadata().id}@{self._table.version()}", max(times, default=0)

    def batches(self, columns: Collection[str], ids: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        there = [name for name in columns if name in self._fields]
        for some in [None] if ids is None else _portions(sorted(ids)):
            predicate = None if some is None else self._predicate(some)
            if predicate != "":
                yield from pa.RecordBatchReader.from_stream(self._table.scan(there, predicate))

    def count(self, file: parquet.ParquetFile, path: str, ids: Collection[str]) -> Mapping[str, int]:
        physical = self._fields[self._id]["metadata"].get("delta.columnMapping.physicalName", self._id)
        for name in (physical, self._id):
            if name in file.schema_arrow.names:
                return count_ids(file, name, ids)
        for part in path.split("/")[:-1]:  # a column by which the table is partitioned stands in the path only
            key, _, value = part.partition("=")
            if unquote(key) in (physical, self._id):
                return dict.fromkeys({unquote(value)} & set(ids), file.metadata.num_rows)
        raise NoColumnError

    def held(self) -> Mapping[str, Held]:
        retention = self._duration(*_FILES)
        found = {}
        for path, at in self._removed().items():
            found[path] = Held("older data file", f"vacuum may remove it from {_instant(at + retention)} on")
        for file in (self.root / CHANGES).rglob("*.parquet"):
            since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            found[_relative(self.root, file)] = Held("change data", f"goes from {_instant(since + retention)} on")
        root = str(self.root.resolve())
        for uri in self._table.file_uris():
            path = uri.removeprefix("file://").removeprefix(root).lstrip("/")
            found[path] = Held("data file")
        return found

    def statistics(self) -> Iterator[tuple[str, Collection[str]]]:
        for file in self._log_files():
            paths = {path for path, bounds in _added(file) if self._says_text(bounds)}
            if paths:
                yield _relative(self.root, file), paths

    def delete(self, ids: Collection[str]) -> None:
        if self._table.metadata().configuration.get("delta.appendOnly", "").lower() == "true":
            raise AssentError("the table permits no deletion", "set its property `delta.appendOnly` to false")
        for some in _portions(sorted(ids)):
            if predicate := self._predicate(some):
                try:
                    self._table.delete(predicate)
                except DeltaError as problem:
                    raise AssentError(f"the table could not be changed ({_kind(problem)})", "try again") from None

    def let_go(self, files: Collection[str], *, at_once: bool) -> None:
        try:
            if at_once:
                self._table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
            else:
                self._table.vacuum(dry_run=False)
            self._table.create_checkpoint()
            self._table.cleanup_metadata()
        except DeltaError as problem:
            raise AssentError(f"the table could not be vacuumed ({_kind(problem)})", "try again") from None
        held = self.held()
        cutoff = self._now_ns() - int(self._duration(*_FILES).total_seconds() * 1e9)
        for path in files:
            known = held.get(path)
            if known is not None and known.kind in ("data file", "older data file"):
                continue
            file = self.root / path
            if file.exists() and (at_once or file.stat().st_mtime_ns < cutoff):
                unlink(self.root, path)
        if at_once:
            self._cut_log(files)

    # -- the log --------------------------------------------------------------------------

    def until(self, statistics: str) -> str:
        """Say when a file of the log goes."""
        file = self.root / statistics
        since = datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.exists() else None
        at = "" if since is None else f" from {_instant(since + self._duration(*_ENTRIES))} on"
        return f"bounds of columns may hold beginnings of its texts; the log is cut there{at}"

    def _cut_log(self, files: Collection[str]) -> None:
        """Cut the log before the newest checkpoint, up to where it last tells of these files: never with a hole."""
        checkpoints = [_version(file) for file in self._log_files() if ".checkpoint." in file.name]
        telling = [_version(self.root / path) for path, paths in self.statistics() if not set(files).isdisjoint(paths)]
        newest = max(checkpoints, default=-1)
        last = max((number for number in telling if number < newest), default=-1)
        for file in sorted((self.root / LOG).iterdir()):
            if _VERSION.fullmatch(file.name) and _version(file) <= last:
                unlink(self.root, _relative(self.root, file))

    def _log_files(self) -> Iterator[Path]:
        log = self.root / LOG
        for file in sorted([*log.iterdir(), *(log / "_sidecars").glob("*.parquet")]):
            if file.suffix in (".json", ".parquet", ".crc") and not file.name.startswith("."):
                yield file

    def _removed(self) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for file in self._log_files():
            for path, at in _removed_in(file):
                found[path] = max(found.get(path, at), at)
        return found

    def _says_text(self, bounds: Any) -> bool:
        """Tell whether bounds are texts of a column other than that of ids."""
        if isinstance(bounds, dict):
            return any(self._says_text(value) for name, value in bounds.items() if name != self._id)
        return isinstance(bounds, str)

    # -- asking the library ---------------------------------------------------------------

    def _opened(self) -> DeltaTable:
        if not self.root.is_dir():
            raise NotFound("there is no table where its connector file says", "check `path` in the file")
        try:
            return DeltaTable(self.root)
        except TableNotFoundError:
            raise NotFound("the folder holds no Delta table", "check `path` in the file") from None
        except DeltaError as problem:
            raise AssentError(f"the table cannot be opened ({_kind(problem)})", "look at its log") from None

    def _predicate(self, ids: Collection[str]) -> str:
        """Write a condition on ids; "" if none of them can be a value of the column."""
        kind = self._fields[self._id]["type"]
        if kind == "string":
            values = ["'{}'".format(name.replace("'", "''")) for name in ids]
        elif kind in ("long", "integer", "short", "byte"):
            values = [name for name in ids if re.fullmatch(r"-?(?:0|[1-9]\d{0,18})", name)]
        else:
            raise Invalid("the column of ids holds neither text nor whole numbers", "name another with `id`")
        column = self._id.replace('"', '""')
        return f'"{column}" IN ({", ".join(values)})' if values else ""

    def _duration(self, name: str, default: timedelta) -> timedelta:
        said = self._table.metadata().configuration.get(name, "")
        found = _INTERVAL.fullmatch(said.strip())
        return timedelta(**{f"{found[2].lower()}s": int(found[1])}) if found else default


def _added(file: Path) -> Iterator[tuple[str, Any]]:
    """Read which data files a file of the log adds or removes, and their bounds."""
    adds: Iterable[dict[str, Any]]
    if file.suffix == ".parquet":
        adds = chain(_column(file, "add"), _column(file, "remove"))
    else:  # a checksum names all files of its version
        keys = ("add", "remove")
        adds = chain.from_iterable(
            (*(line[key] for key in keys if line.get(key)), *(line.get("allFiles") or ())) for line in _lines(file)
        )
    for add in adds:
        yield unquote(add["path"]), _bounds(add.get("stats"))
        yield unquote(add["path"]), add.get("stats_parsed")


def _removed_in(file: Path) -> Iterator[tuple[str, datetime]]:
    if file.suffix == ".parquet":
        removes = list(_column(file, "remove"))
    else:
        removes = [one for line in _lines(file) if (one := line.get("remove")) is not None]
    for one in removes:
        yield unquote(one["path"]), datetime.fromtimestamp((one.get("deletionTimestamp") or 0) / 1000, UTC)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as stream:
        for line in stream:
            yield json.loads(line)


def _column(file: Path, name: str) -> Iterator[dict[str, Any]]:
    with parquet.ParquetFile(file) as table:
        if name in table.schema_arrow.names:
            for batch in table.iter_batches(1_000, columns=[name]):
                yield from (one for one in batch.column(0).to_pylist() if one is not None and one.get("path"))


def _bounds(stats: str | None) -> Any:
    said = json.loads(stats) if stats else {}
    return {f"{key}": said[key] for key in ("minValues", "maxValues") if said.get(key)}


def _portions(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _version(file: Path) -> int:
    found = _VERSION.fullmatch(file.name)
    return int(found[1]) if found else -1


def _relative(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _kind(problem: Exception) -> str:
    return type(problem).__name__


def _instant(at: datetime) -> str:
    return format_instant(at.replace(microsecond=0))
