"""Tables of a lake as a product: list, read, find every copy, erase, look again, watch."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from assent.connectors.files.listing import merged, said
from assent.connectors.files.memory import Memory
from assent.connectors.files.rows import Row, Shape
from assent.connectors.files.storage import ROWS, Entry, shown
from assent.connectors.files.watching import forget, watch
from assent.connectors.formats.port import Malformed, Record
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.table import Secret, Table
from assent.domain.copies import CopyState
from assent.domain.errors import Invalid, Place

if TYPE_CHECKING:
    from assent.connectors.lake.looking import Look
    from assent.connectors.lake.tables import Held
    from assent.connectors.lake.tables import Table as LakeTable

SUMMARY: Final = "a Delta Lake or Iceberg table in a folder, its older versions included"

STATISTICS: Final = "statistics"

_MASKED: Final = "hidden from readers, and in the file until it is written anew (OPTIMIZE, REORG or rewrite_data_files)"
_ORPHAN: Final = "no version knows the file; it goes when it is older than the table's retention"
_OUTSIDE: Final = "lies outside of the table's folder, where nothing is looked at"
_NOW: Final = "; at once with --maintenance and `vacuum_now`"


class Settings(Table):
    """The keys of the file of a table."""

    layout: Literal["delta", "iceberg"] = Field(description="what kind of table it is")
    path: Path | None = Field(None, description="the folder of a Delta table")
    catalog_file: Path | None = Field(
        None, description="a TOML file with the properties of the Iceberg catalog (type, uri, warehouse, ...)"
    )
    catalog: str = Field("default", description="what the Iceberg catalog is called in its own tables")
    table: str = Field("", description="the Iceberg table, as namespace.name")
    vacuum_now: bool = Field(
        default=False,
        description="maintenance removes older versions at once: no program may be reading or writing the table then",
    )
    gone: Literal["deleted", "ignored"] = Field(
        "deleted",
        description="what `watch` makes of a conversation without a row left: its person deleted it, or nothing",
    )
    format: str = Field(
        "lake", pattern=r"^[a-z0-9][a-z0-9-]*$", description="what stands before `:` in the names of its conversations"
    )
    rows: Literal["conversation", "turn"] = Field("conversation", description="what a row holds")
    id: str = Field(
        "conversation_id", min_length=1, description="column of the conversation's id: text or whole numbers"
    )
    owner: str = Field("owner", description="column of the person's id")
    plan: str = Field("", description="column of the person's plan")
    created_at: str = Field("created_at", description="column of when the conversation, or the turn, was made")
    messages: str = Field("messages", description="column of the list of messages, where a row is a conversation")
    role: str = Field("role", description="key of who speaks, in a message or in a row that is a turn")
    content: str = Field("content", description="key of what was said, in a message or in a row that is a turn")
    turn_at: str = Field("created_at", description="key of the time of a turn, in a message or in a row that is a turn")


def connect(settings: Settings, secret: Secret) -> Lake:
    """Connect a table. Raises `Invalid` if it is not said where it is."""
    if settings.layout == "delta":
        if settings.path is None:
            raise Invalid("`path` is missing", "name the folder of the Delta table")
        return Lake(settings, {})
    if settings.catalog_file is None or not settings.table:
        raise Invalid("`catalog_file` or `table` is missing", "name the catalog's file and the table in it")
    try:
        catalog = tomllib.loads(secret(settings.catalog_file))
    except (tomllib.TOMLDecodeError, RecursionError):
        raise Invalid("`catalog_file` is not TOML", 'write lines like `uri = "sqlite:////srv/catalog.db"`') from None
    return Lake(settings, {**{key: str(value) for key, value in catalog.items()}, "name": settings.catalog})


@dataclass(frozen=True, slots=True)
class _Found:
    """One look at a table: its data files, what each is to it, which files hold statistics of which, who is seen."""

    look: Look
    held: Mapping[str, Held]
    statistics: Sequence[tuple[str, Collection[str], str]]
    visible: Collection[str]

    def rows_of(self, name: str) -> list[str]:
        return [path for path, counts in self.look.rows.items() if counts.get(name)]


class Lake:
    """One table."""

    def __init__(self, settings: Settings, catalog: Mapping[str, str]) -> None:
        self.name = settings.name
        self.format = settings.format
        self.reach = (
            "rows in every data file under the table, older versions, change data and statistics in its metadata; not "
            "copies of the table elsewhere, not versions that an object store keeps of its files"
        )
        self._settings = settings
        self._catalog = catalog
        self._shape = Shape.of(settings)
        self._memory = Memory(settings.folder)

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        table = self._table()
        self._memory.make()
        for one in merged(said(enumerate(self._rows(table), 1), "table", self._shape), self._settings.folder):
            turned = one.last_turn_at if isinstance(one, Listed) else None
            if since is None or turned is None or turned >= since:
                yield one

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        wanted = {name for name in ids if name}
        if not wanted:
            return
        found: dict[str, list[Row]] = {}
        for row in self._rows(self._table(), wanted):
            if (name := self._shape.id_of(row)) in wanted:
                found.setdefault(name, []).append(row)
        for name, own in found.items():
            try:
                yield self._shape.conversation(self.format, name, own)
            except Invalid as problem:
                yield Malformed(Place(self.name), problem.message, len(own))

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._told(ids, {})

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        wanted = {name for name in ids if name}
        if not wanted:
            return {name: [] for name in ids}
        table = self._table()
        known = self._memory.erased(wanted)
        found = self._found(table, wanted, known)
        there = {name: list(self._copies(found, name, known.get(name, ()))) for name in wanted}
        self._memory.note_erased({name: [(one.kind, one.place) for one in own] for name, own in there.items()})
        if found.visible:
            table.delete(found.visible)
        if any(there.values()):
            files = {path for name in wanted for path in self._files(found, name, known.get(name, ()))}
            self._table().let_go(files, at_once=maintenance and self._settings.vacuum_now)
        answers = self._told(ids, self._memory.erased(wanted))
        forget(self._memory, answers)
        return answers

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._told(ids, self._memory.erased(ids))

    def watch(self, cursor: str = "") -> Iterator[Change]:
        table = self._table()
        tag, changed_ns = table.changed
        whole = Entry("table", ROWS, 1, changed_ns, tag)

        def of_table(_entry: Entry) -> Iterator[tuple[int, Row]]:
            return enumerate(self._rows(table), 1)

        gone = self._settings.gone == "deleted"
        for change in watch(self._memory, [whole], of_table, self._shape.id_of, cursor):
            if gone or change.kind != "deleted":
                yield change

    # -- looking --------------------------------------------------------------------------

    def _table(self) -> LakeTable:
        """Open the table as it is now; what it needs is loaded here, so that others need not have it."""
        if self._settings.layout == "delta":
            from assent.connectors.lake.delta import Delta  # noqa: PLC0415 - as said

            assert self._settings.path is not None  # noqa: S101 - `connect` looked
            return Delta(self._settings.path, self._settings.id, self._memory.now_ns)
        from assent.connectors.lake.iceberg import Iceberg  # noqa: PLC0415 - as said

        return Iceberg(self._catalog, self._settings.table, self._settings.id, self._memory.now_ns)

    def _rows(self, table: LakeTable, ids: Collection[str] | None = None) -> Iterator[Row]:
        from assent.connectors.files.parquet_rows import plain  # noqa: PLC0415 - as said

        for batch in table.batches(self._shape.columns, ids):
            yield from plain(batch)

    def _found(
        self, table: LakeTable, wanted: Collection[str], before: Mapping[str, Sequence[tuple[str, str]]]
    ) -> _Found:
        from assent.connectors.lake.looking import look  # noqa: PLC0415 - as said

        looked = look(table, wanted)
        files = set(looked.rows) | {place for places in before.values() for _, place in places}
        statistics = [
            (path, paths, table.until(path)) for path, paths in table.statistics() if not files.isdisjoint(paths)
        ]
        visible = {self._shape.id_of(row) for row in self._rows(table, wanted)} if looked.rows else set()
        held = table.held()
        outside = (path for path in held if path.startswith("/") or "://" in path)
        looked.problems.update(dict.fromkeys(outside, _OUTSIDE))
        return _Found(looked, held, statistics, visible & set(wanted))

    @staticmethod
    def _files(found: _Found, name: str, before: Sequence[tuple[str, str]]) -> set[str]:
        """Name the data files that hold, or held, rows of a conversation."""
        return {*found.rows_of(name), *(place for kind, place in before if kind != STATISTICS)}

    def _told(self, ids: Sequence[str], before: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Sequence[Copy]]:
        wanted = {name for name in ids if name}
        if not wanted:
            return {name: [] for name in ids}
        found = self._found(self._table(), wanted, before)
        unread = [Copy("file", shown(path), "not reachable", why) for path, why in sorted(found.look.problems.items())]
        answers: dict[str, Sequence[Copy]] = {}
        for name in ids:
            if name not in wanted:
                answers[name] = []
                continue
            known = before.get(name, ())
            copies = [*self._copies(found, name, known), *unread]
            named = {copy.place for copy in copies}
            copies += [Copy(*place, "removed") for place in known if place[1] not in named]
            answers[name] = copies
        return answers

    def _copies(self, found: _Found, name: str, before: Sequence[tuple[str, str]]) -> Iterator[Copy]:
        seen = name in found.visible
        state: CopyState = "present" if seen else "pending maintenance"
        for path in found.rows_of(name):
            held = found.held.get(path)
            if held is not None and held.kind == "data file":
                yield Copy(held.kind, path, state, "" if seen else _MASKED)
            elif held is not None:
                yield Copy(held.kind, path, state, held.until + _NOW)
            else:
                yield Copy("orphan data file", path, state, _ORPHAN + _NOW)
        files = self._files(found, name, before)
        for path, paths, until in found.statistics:
            if not files.isdisjoint(paths):
                yield Copy(STATISTICS, path, state, until + _NOW)
