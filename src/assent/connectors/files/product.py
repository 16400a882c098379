"""Files of rows as a product: list, read, find every copy, erase, look again, watch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from assent.connectors.files.listing import merged, said
from assent.connectors.files.looking import Seen, look, rewriter, rows, why
from assent.connectors.files.memory import Memory
from assent.connectors.files.rows import Row, Shape
from assent.connectors.files.storage import ROWS, UPLOAD, DamagedError, Entry, Key, Storage
from assent.connectors.files.watching import forget, watch
from assent.connectors.formats.port import Malformed, Record
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.table import Secret, Table
from assent.domain.copies import CopyState
from assent.domain.errors import Invalid, Place, Refused
from assent.domain.instants import format_instant

SUMMARY: Final = "a folder or an S3 bucket of JSON lines (also .gz, .zst) or Parquet files, row by row"

_IN_USE: Final = "in use: a program has the file open; end it and ask again"
_UNREAD_LINE: Final = "the line cannot be read and says the id: look at it by hand"
_UNDER: Final = "an older version, which goes whole"
_UPLOAD: Final = "cannot be looked into; one that began more than {hours} hours ago is aborted, this one from {since}"
_ABANDONED: Final = "cannot be looked into; began at {since}, and is aborted"


class Settings(Table):
    """The keys of the file of a folder or bucket."""

    path: Path | None = Field(None, description="the folder; or give a bucket")
    bucket: str = Field("", pattern=r"^$|^s3://[^/]+(/.*)?$", description="the bucket, as s3://name/prefix")
    endpoint: str = Field("", description="address of the object store, where it is not Amazon's")
    region: str = Field("", description="region of the bucket")
    key_file: Path | None = Field(
        None, description="a file with the access key's id and its secret on two lines; without it boto3 looks for them"
    )
    replicas: bool = Field(
        default=False, description="replicas of the bucket are connected too, or erased by other means"
    )
    upload_hours: Annotated[int, Field(ge=1)] = Field(
        24, description="an unfinished upload that began so many hours ago is aborted"
    )
    pattern: str = Field(
        "", description="which files, as `chats/**/*.jsonl.gz`; without it .jsonl, .ndjson (.gz, .zst) and .parquet"
    )
    gone: Literal["deleted", "ignored"] = Field(
        "deleted",
        description="what `watch` makes of a conversation without a row left: its person deleted it, or nothing",
    )
    format: str = Field(
        "files", pattern=r"^[a-z0-9][a-z0-9-]*$", description="what stands before `:` in the names of its conversations"
    )
    rows: Literal["conversation", "turn"] = Field("conversation", description="what a row holds")
    id: str = Field(
        "conversation_id", min_length=1, description="key (or column) of the conversation's id; a.b for b inside a"
    )
    owner: str = Field("owner", description="key of the person's id")
    plan: str = Field("", description="key of the person's plan")
    created_at: str = Field("created_at", description="key of when the conversation, or the turn, was made")
    messages: str = Field("messages", description="key of the list of messages, where a row is a conversation")
    role: str = Field("role", description="key of who speaks, in a message or in a row that is a turn")
    content: str = Field("content", description="key of what was said, in a message or in a row that is a turn")
    turn_at: str = Field("created_at", description="key of the time of a turn, in a message or in a row that is a turn")


def connect(settings: Settings, secret: Secret) -> Files:
    """Connect a folder or a bucket. Raises `Invalid` if it is neither or both, or the key's file is not two lines."""
    if (settings.path is None) == (not settings.bucket):
        raise Invalid("neither `path` nor `bucket` is given, or both are", "say one place where the files are")
    if settings.path is not None:
        from assent.connectors.files.folder import Folder  # noqa: PLC0415 - each place loads what it needs itself

        return Files(settings, Folder(settings.path, settings.pattern))
    from assent.connectors.files import bucket  # noqa: PLC0415 - as above

    keys = secret(settings.key_file).split() if settings.key_file else []
    if len(keys) not in (0, 2):
        raise Invalid("`key_file` does not hold two words", "write the key's id and its secret on two lines")
    client = bucket.client(settings.endpoint, settings.region, keys)
    place = bucket.Bucket(client, settings.bucket, settings.pattern, settings.folder, replicas=settings.replicas)
    return Files(settings, place)


@dataclass(slots=True)
class _Look:
    """What one look at all files found of the conversations that were asked for."""

    wanted: Sequence[str]
    seen: list[Seen] = field(default_factory=list)

    def of(self, name: str) -> list[Seen]:
        return [one for one in self.seen if one.rows[name] or name in one.unread]


class Files:
    """One folder or bucket."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self.name = settings.name
        self.format = settings.format
        self._settings = settings
        self._storage = storage
        self._shape = Shape.of(settings)
        self._memory = Memory(settings.folder)

    @property
    def reach(self) -> str:
        if self._settings.path is not None:
            return (
                "rows in data files and in hidden or temporary copies beside them; not files of other names, not what "
                "links lead to, not snapshots of the disk"
            )
        return (
            "rows in objects, older versions that hold one (whole), delete markers over nothing; not objects of other "
            "names, not what Object Lock or a legal hold keeps, not replicas, not uploads that still go on"
        )

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        self._memory.make()
        for one in merged(self._said(), self._settings.folder):
            turned = one.last_turn_at if isinstance(one, Listed) else None
            if since is None or turned is None or turned >= since:
                yield one

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        wanted = {name for name in ids if name}
        if not wanted:
            return
        found: dict[str, list[Row]] = {}
        for entry in self._current():
            try:
                for _, row in self._rows(entry, wanted):
                    if not isinstance(row, str):
                        found.setdefault(self._shape.id_of(row), []).append(row)
            except DamagedError as problem:
                yield Malformed(Place(entry.place), str(problem))
        for name, own in found.items():
            try:
                yield self._shape.conversation(self.format, name, own)
            except Invalid as problem:
                yield Malformed(Place(self.name), problem.message, len(own))

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._told(self._look(ids), {}, {})

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        self._storage.clear()
        before = self._look(ids)
        holding = [one for one in before.seen if one.rows]
        busy = self._storage.in_use([one.entry for one in holding])
        if busy and maintenance:
            raise Refused("a program has files of this place open", "end it, then ask again")
        there = {
            name: [(copy.kind, copy.place) for copy in copies if copy.state == "present"]
            for name, copies in self._told(before, {}, {}).items()
        }
        self._memory.note_erased(there)
        problems = dict.fromkeys((one.entry.key for one in holding if one.entry.path in busy), _IN_USE)
        # what readers see goes first: rewriting it leaves an older version, which its bucket then lets go
        for one in sorted(holding, key=lambda one: not one.entry.readers_see):
            if one.entry.key not in problems and (problem := self._take_out(one)):
                problems[one.entry.key] = problem
        self._abort_uploads(before.seen)
        answers = self._told(self._look(ids), self._memory.erased(ids), problems)
        forget(self._memory, answers)
        return answers

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._told(self._look(ids), self._memory.erased(ids), {})

    def watch(self, cursor: str = "") -> Iterator[Change]:
        gone = self._settings.gone == "deleted"
        for change in watch(self._memory, self._current(), self._rows, self._shape.id_of, cursor):
            if gone or change.kind != "deleted":
                yield change

    # -- looking --------------------------------------------------------------------------

    def _current(self) -> Iterator[Entry]:
        return (one for one in self._storage.entries() if one.kind == ROWS and one.readers_see)

    def _look(self, ids: Sequence[str]) -> _Look:
        found = _Look(list(dict.fromkeys(ids)))
        wanted = frozenset(name for name in found.wanted if name)
        if found.wanted:
            found.seen = list(look(self._storage, self._shape, wanted))
        return found

    def _told(
        self,
        found: _Look,
        before: Mapping[str, Sequence[tuple[str, str]]],
        problems: Mapping[Key, str],
    ) -> dict[str, Sequence[Copy]]:
        """Say what is there of each conversation, and that what was there before is not."""
        unread = [
            Copy("file", one.entry.place, "not reachable", one.problem)
            for one in found.seen
            if one.problem and one.entry.kind != UPLOAD
        ]
        uploads = [one.entry for one in found.seen if one.entry.kind == UPLOAD]
        locked = {one.entry.key: self._storage.locked(one.entry) for one in found.seen if one.rows and not one.problem}
        elsewhere = self._storage.elsewhere() if found.wanted else ()
        answers: dict[str, Sequence[Copy]] = {}
        for name in found.wanted:
            copies = [copy for one in found.of(name) for copy in self._copies(one, name, locked, problems)]
            known = [place for kind, place in before.get(name, ())]
            if copies or known:
                copies += self._uploads(uploads, {copy.place for copy in copies} | set(known))
                copies += elsewhere
            copies += unread
            named = {(copy.kind, copy.place) for copy in copies}
            copies += [Copy(*place, "removed") for place in before.get(name, ()) if place not in named]
            answers[name] = copies
        return answers

    @staticmethod
    def _copies(seen: Seen, name: str, locked: Mapping[Key, str], problems: Mapping[Key, str]) -> Iterator[Copy]:
        entry = seen.entry
        if name in seen.unread:
            yield Copy("unreadable line", f"{entry.place}:{seen.unread[name]}", "not reachable", _UNREAD_LINE)
        if count := seen.rows[name]:
            note = f"{count:,} rows" if count > 1 else ""
            if problem := problems.get(entry.key):
                yield Copy(entry.kind, entry.place, "not reachable", problem)
            elif why_locked := locked.get(entry.key):
                state: CopyState = "not reachable" if entry.readers_see else "pending maintenance"
                yield Copy(entry.kind, entry.place, state, why_locked)
            else:
                yield Copy(entry.kind, entry.place, "present", note if entry.readers_see else _UNDER)

    def _uploads(self, uploads: Sequence[Entry], places: Collection[str]) -> Iterator[Copy]:
        hours = self._settings.upload_hours
        for one in uploads:
            since = _instant(one.changed_ns)
            if self._given_up(one):
                note = _ABANDONED.format(since=since)
                yield Copy(one.kind, one.place, "present", note)
            elif one.place in places:
                note = _UPLOAD.format(hours=hours, since=_instant(one.changed_ns + hours * 3600 * 10**9))
                yield Copy(one.kind, one.place, "pending maintenance", note)

    # -- erasing --------------------------------------------------------------------------

    def _take_out(self, seen: Seen) -> str:
        """Take the rows that were found out of a file; returns why that could not be done."""
        try:
            if not seen.entry.readers_see:
                if not self._storage.locked(seen.entry):
                    self._storage.remove(seen.entry)
                return ""
            copy, grows = rewriter(self._storage, self._shape, seen.entry, frozenset(seen.rows))
            self._storage.rewrite(seen.entry, copy, grows=grows)
        except FileNotFoundError:
            return ""
        except Exception as problem:  # noqa: BLE001 - pyarrow, zlib and zstd raise their own; the file is as it was
            return why(problem)
        return ""

    def _abort_uploads(self, seen: Sequence[Seen]) -> None:
        for one in seen:
            if one.entry.kind == UPLOAD and self._given_up(one.entry):
                try:
                    self._storage.remove(one.entry)
                except OSError:  # not permitted, or gone: the next look says which
                    continue

    def _given_up(self, upload: Entry) -> bool:
        return upload.changed_ns <= self._memory.now_ns() - self._settings.upload_hours * 3600 * 10**9

    def _said(self) -> Iterator[Listed | Unlisted]:
        for entry in self._current():
            if entry.problem:
                yield Unlisted(Place(entry.place), entry.problem)
                continue
            try:
                yield from said(self._rows(entry), entry.place, self._shape)
            except DamagedError as problem:
                yield Unlisted(Place(entry.place), str(problem))

    def _rows(self, entry: Entry, wanted: Collection[str] | None = None) -> Iterator[tuple[int, Row | str]]:
        """Read a file; one that is gone since it was listed has no rows."""
        if entry.size and not entry.problem:
            with suppress(FileNotFoundError):
                yield from rows(self._storage, self._shape, entry, wanted)


def _instant(ns: int) -> str:
    return format_instant(datetime.fromtimestamp(ns // 10**9, UTC))
