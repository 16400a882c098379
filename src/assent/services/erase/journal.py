"""The journal: what a restore must never undo, in files beside the database and in every backup.

One line of canonical JSON for each erasure and for each hold that was placed or released, in
files by day, readable by their owner alone. A line names the SHA-256 of the line before it,
so nothing can be taken out or changed unseen. It names conversations and parts, as tombstones
do, and never content. An entry is on the disk before the keys that it speaks of are destroyed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from assent.domain.digests import canonical
from assent.domain.errors import AssentError, Invalid, Refused
from assent.domain.instants import format_instant, from_micros, parse_instant, to_micros
from assent.store.records import Erasure, Hold, Stone
from assent.vault.disk import make_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from assent.store.records import Tombstone

BEGIN: Final = "0" * 64
"""What the first line of a journal names as the line before it."""

Kind = Literal["erasure", "hold placed", "hold released", "backup", "no choices"]
"""A `backup` is one that was taken: what lies behind it in the journal is what a restore from it does again.
`no choices` names leaves of the ledger that are about to be published and are receipts of erasures, cuts or runs: a
restore then knows that no choice is lost there.
"""

_SUFFIX: Final = ".jsonl"
_LOCK: Final = "lock"
_STRETCH: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the journal: the number of a line, from 1 without gap, and that line's SHA-256. 0 is the beginning."""

    number: int = 0
    chain: str = BEGIN


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `body` holds text, integers, null, lists and maps; `mark` is its place, once written."""

    kind: Kind
    at: datetime
    body: Mapping[str, Any]
    mark: Mark = Mark()


def erasure_entry(erasure: Erasure, tombstones: Iterable[Tombstone], slots: Sequence[int]) -> Entry:
    """Write down an erasure whole: its place in the chain, its tombstones in their order, the slots whose keys go.

    The sweep is left out: a restored store may have another of that number.
    """
    words: dict[str, int] = {}
    stones = [
        [
            stone.conversation,
            stone.part,
            to_micros(stone.erase_by),
            words.setdefault(stone.rule, len(words)),
            words.setdefault(stone.policy, len(words)),
        ]
        for stone in tombstones
    ]
    body = {
        "id": erasure.id,
        "kind": erasure.kind,
        "previous": erasure.previous.hex(),
        "root": erasure.root.hex(),
        "slots_digest": erasure.slots_digest.hex(),
        "chain": erasure.chain.hex(),
        "parts": erasure.parts,
        "salt": None if erasure.salt is None else erasure.salt.hex(),
        "words": list(words),
        "stones": stones,
        "slots": list(slots),
    }
    return Entry("erasure", erasure.at, body)


def erasure_of(entry: Entry) -> Erasure:
    """Read the erasure of its entry, as it was before its keys went."""
    body = entry.body
    return Erasure(
        id=body["id"],
        kind=body["kind"],
        sweep=None,
        at=entry.at,
        previous=bytes.fromhex(body["previous"]),
        root=bytes.fromhex(body["root"]),
        slots_digest=bytes.fromhex(body["slots_digest"]),
        chain=bytes.fromhex(body["chain"]),
        parts=body["parts"],
        salt=None if body["salt"] is None else bytes.fromhex(body["salt"]),
    )


def stones_of(entry: Entry) -> Iterator[Stone]:
    """Read the erased parts of an erasure's entry."""
    words = entry.body["words"]
    for conversation, part, erase_by, rule, policy in entry.body["stones"]:
        yield Stone(conversation, part, from_micros(erase_by), words[rule], words[policy])


def hold_entry(hold: Hold, *, at: datetime) -> Entry:
    """Write down the whole hold as it stands since `at`: placed, or released if it has a release."""
    kind: Kind = "hold placed" if hold.released_at is None else "hold released"
    return Entry(kind, at, {name: _plain(value) for name, value in asdict(hold).items()})


def hold_of(entry: Entry) -> Hold:
    """Read the hold of a hold's entry. Fields that this assent does not know are refused, never dropped."""
    instants = {field.name for field in fields(Hold) if "datetime" in str(field.type)}
    known = {field.name for field in fields(Hold)}
    if strange := set(entry.body) - known:
        raise Refused(f"a hold of the journal says `{min(strange)}`, which this assent does not know", "upgrade assent")
    values: dict[str, Any] = {
        name: parse_instant(value) if name in instants and value is not None else value
        for name, value in entry.body.items()
    }
    return Hold(**values)


def _plain(value: object) -> object:
    return format_instant(value) if isinstance(value, datetime) else value


class Journal:
    """The journal in one folder, for any number of processes."""

    def __init__(self, folder: Path) -> None:
        """Use this folder; it is made when the first entry is written."""
        self._folder = folder
        self._tail: tuple[str, int, Mark] | None = None

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self._folder

    def append(self, entries: Iterable[Entry]) -> Mark:
        """Write entries behind the last; they are on the disk when this returns. Returns the place of the last one.

        If the disk refuses, what was written of a day's entries is taken back.
        """
        make_folder(self._folder)
        with self._locked():
            name, size, mark = self._last()
            lines: list[bytes] = []
            for entry in entries:
                day = max(name, f"{entry.at:%Y-%m-%d}{_SUFFIX}")
                if day != name:
                    self._write(name, size, lines, mark)
                    name, size, lines = day, 0, []
                lines.append(_line(entry, mark))
                mark = Mark(mark.number + 1, _hash(lines[-1]))
            self._write(name, size, lines, mark)
            return mark

    def read(self, after: int = 0, *, since: date | None = None) -> Iterator[Entry]:
        """Read the entries behind number `after`, checking the chain from the first line that is kept.

        `since` leaves out the files of the days before: what happened on a day is in its file or in a later one.
        A last line that a crash cut short was never acknowledged and is left out. Raises
        `Refused` if a line was changed, taken out or put in.
        """
        mark: Mark | None = None
        first = "" if since is None else f"{since:%Y-%m-%d}{_SUFFIX}"
        for name in self._names():
            if name < first:
                continue
            with (self._folder / name).open("rb") as file:
                for line in file:
                    if not line.endswith(b"\n") and name == self._names()[-1]:
                        return
                    entry = _entry(line, mark, name)
                    mark = entry.mark
                    if mark.number > after:
                        yield entry

    def mark(self) -> Mark:
        """Return the place of the last entry."""
        if not self._folder.is_dir():
            return Mark()
        with self._locked():
            return self._last()[2]

    def days(self) -> list[str]:
        """Name its files, oldest first."""
        return self._names()

    def drop_before(self, day: date) -> list[str]:
        """Remove the files of days before `day`, except the last one: the chain goes on from there."""
        with self._locked():
            gone = [name for name in self._names()[:-1] if name < f"{day:%Y-%m-%d}{_SUFFIX}"]
            for name in gone:
                (self._folder / name).unlink()
            sync_folder(self._folder)
        return gone

    def _names(self) -> list[str]:
        return sorted(path.name for path in self._folder.glob(f"*{_SUFFIX}"))

    def _last(self) -> tuple[str, int, Mark]:
        """Find the end: the last file, its size up to its last whole line, and the mark of that line."""
        names = self._names()
        if not names:
            return "", 0, Mark()
        path = self._folder / names[-1]
        size = path.stat().st_size
        if self._tail is None or self._tail[:2] != (names[-1], size):
            self._tail = _end_of(path, size)
            if self._tail is None:  # a crash cut its first line short: the end is in the file before
                path.unlink()
                return self._last()
            if self._tail[1] < size:  # what is behind it may go to another file, and this would then be read as a line
                _cut(path, self._tail[1])
        return self._tail

    def _write(self, name: str, size: int, lines: Sequence[bytes], mark: Mark) -> None:
        """Write lines behind the first `size` bytes of a file; `mark` is the place of the last of them."""
        if not lines:
            return
        data = b"".join(lines)
        file = os.open(self._folder / name, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(file, size)
            written = 0
            while written < len(data):
                written += os.pwrite(file, data[written:], size + written)
            os.fsync(file)
        except OSError:
            self._tail = None
            os.ftruncate(file, size)
            raise
        finally:
            os.close(file)
        if size == 0:
            sync_folder(self._folder)
        self._tail = (name, size + len(data), mark)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        file = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def _cut(path: Path, size: int) -> None:
    """Take what a crash left behind the last whole line away, on the disk too."""
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def _line(entry: Entry, after: Mark) -> bytes:
    record = {
        "number": after.number + 1,
        "previous": after.chain,
        "kind": entry.kind,
        "at": format_instant(entry.at),
        "body": entry.body,
    }
    return canonical(record) + b"\n"


def _entry(line: bytes, after: Mark | None, name: str) -> Entry:
    try:
        record = json.loads(line)
        found = Mark(record["number"], _hash(line))
        if after is not None and (record["previous"], found.number) != (after.chain, after.number + 1):
            raise Refused(f"line `{found.number}` of the journal `{name}` does not follow the one before it", _ALTERED)
        return Entry(cast("Kind", record["kind"]), parse_instant(record["at"]), record["body"], found)
    except (ValueError, KeyError, TypeError, RecursionError, Invalid):
        number = 1 if after is None else after.number + 1
        raise Refused(f"line `{number}` of the journal `{name}` is none", _ALTERED) from None


_ALTERED: Final = "somebody or the disk changed it: take the copy from the newest backup, and find out who"


def _hash(line: bytes) -> str:
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def _end_of(path: Path, size: int) -> tuple[str, int, Mark] | None:
    """Find the last whole line of a file, reading from its end; None if there is none."""
    tail = b""
    with path.open("rb") as file:
        at = size
        while at:
            step = min(_STRETCH, at)
            at -= step
            file.seek(at)
            tail = file.read(step) + tail
            end = tail.rfind(b"\n") + 1
            begin = tail.rfind(b"\n", 0, end - 1) + 1
            if end and (begin or not at):
                line = tail[begin:end]
                try:
                    return path.name, at + end, Mark(json.loads(line)["number"], _hash(line))
                except (ValueError, KeyError, TypeError, RecursionError):
                    raise AssentError(f"the last line of the journal `{path.name}` is none", _ALTERED) from None
    return None
