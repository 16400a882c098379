"""Take a backup: tables and segments into one folder, what opens them into another that ends earlier."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assent.domain.digests import digest_bytes
from assent.domain.errors import AssentError, Refused
from assent.services.backup.frames import Written, write_frames
from assent.services.backup.manifest import Kept, KeyBackup, Manifest, read_manifest, write_manifest
from assent.services.backup.papers import keys_of, papers_of
from assent.services.backup.prune import KEY, PART, sweep_unfinished
from assent.services.erase.journal import Entry
from assent.store.records import Backup
from assent.vault.disk import create_whole, locked, make_folder, sync_folder
from assent.vault.mounts import examine
from assent.vault.segments import FolderSegments

if TYPE_CHECKING:
    from assent.services.erase.journal import Journal, Mark
    from assent.store.port import Backups
    from assent.vault.segments import Segments
    from assent.vault.slots import SlotStore

TABLES: Final = "tables"
SEGMENTS: Final = "segments"

_TRIES: Final = 5
_KEYS_AT_ONCE: Final = 50_000
_JOURNAL_AT_ONCE: Final = 1 << 20
_SEEN: Final = ("sealed", "conversation")


@dataclass(frozen=True, slots=True)
class Home:
    """What a backup is taken of. `papers`: settings and policies; only those inside `folder` are copied."""

    folder: Path
    store: Backups
    slots: SlotStore
    segments: Segments
    journal: Journal
    papers: tuple[Path, ...]
    key_backup: timedelta
    version: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was taken, and how many segments it shares with earlier ones or adds."""

    backup: Backup
    rows: int
    segments: int
    copied: int


def take_backup(
    home: Home,
    folder: Path,
    keys_folder: Path,
    *,
    name: str,
    new_key: Callable[[], bytes],
    now: datetime,
    on_step: Callable[[str], None],
) -> Taken:
    """Take a backup `name` of everything into `folder`, and of its keys into `keys_folder`, both made if need be.

    `new_key` draws 32 random bytes. Others read, write and erase meanwhile. Raises `Refused` if the
    folders lie in each other or in the home, or if what is erased in `keys_folder` would stay on its disk.
    """
    check_folders(home, folder, keys_folder)
    make_folder(folder / SEGMENTS)
    make_folder(keys_folder)
    with locked(keys_folder / "lock", alone=True):
        sweep_unfinished(folder, keys_folder)
        # first: what is erased from here on is in the journal behind this mark, whether the tables know it or not
        mark = home.journal.append([Entry("backup", now, {"id": name})])
        part = folder / f"{name}{PART}"
        copied: set[str] = set()
        for _ in range(_TRIES):
            make_folder(part / TABLES)
            key = new_key()
            on_step("tables")
            manifest, wanted = _tables(home, part, mark, name=name, key=key, now=now)
            on_step("segments")
            kept = _segments(home, folder, wanted, copied)
            if kept is not None:
                break
            shutil.rmtree(part)  # segments were compacted or removed under our hands: what the tables say is old
        else:
            raise AssentError("segments went faster than they could be copied", "try again while no sweep runs")
        whole = replace(manifest, segments=kept)
        sync_folder(part / TABLES)
        write_manifest(part, whole)
        expires = now + home.key_backup
        backup = Backup(name, now, str(folder), str(keys_folder), whole.digest, whole.mark.number, whole.slots, expires)
        # before the first key is written: no copy of keys that nobody knows of
        home.store.note_backup(backup)
        on_step("keys")
        _keys(home, folder, keys_folder / f"{name}{PART}", whole, key=key, expires=expires)
        part.rename(folder / name)
        sync_folder(folder)
        (keys_folder / f"{name}{PART}").rename(keys_folder / name)
        sync_folder(keys_folder)
    rows = sum(written.rows for written in whole.tables.values())
    return Taken(backup, rows, len(kept), len(copied))


def check_folders(home: Home, folder: Path, keys_folder: Path) -> None:
    """Raise `Refused` if these folders would defeat what they are for."""
    there, keys, inside = folder.resolve(), keys_folder.resolve(), home.folder.resolve()
    if there == keys or there.is_relative_to(keys) or keys.is_relative_to(there):
        fix = "keep keys on another disk or machine: together with the backup they open everything"
        raise Refused("the folder of the keys and the folder of the backup lie in each other", fix)
    for one in (there, keys):
        if one == inside or one.is_relative_to(inside):
            raise Refused(f"`{one.name}` lies in the home that is backed up", "name a folder outside of it")
    mount = examine(keys_folder)
    if mount.safe is False:
        raise Refused(f"keys cannot be destroyed on this mount ({mount.kind}): {mount.reason}", "use another disk")


def _tables(home: Home, part: Path, mark: Mark, *, name: str, key: bytes, now: datetime) -> tuple[Manifest, set[str]]:
    """Write every table as it is at one instant; returns the manifest so far, and the segments that the rows name."""
    seen = _Seen()
    with home.store.snapshot() as snapshot:
        written: dict[str, Written] = {}
        for table in snapshot.tables:
            rows = map(seen.look, snapshot.rows(table)) if table in _SEEN else snapshot.rows(table)
            written[table] = write_frames(part / TABLES / table, key, map(_piece, rows))
        numbers, step = snapshot.numbers(), snapshot.step
    manifest = Manifest(
        id=name,
        taken_at=now,
        version=home.version,
        step=step,
        mark=mark,
        tables=written,
        numbers=numbers,
        segments={},
        papers=write_frames(part / "papers", key, papers_of(home.folder, home.papers)),
        journal=write_frames(part / "journal", key, _journal(home.journal)),
        slots=seen.slots,
        leaves=written["leaf"].rows,
    )
    return manifest, seen.segments


class _Seen:
    """What the rows of a snapshot refer to outside the database."""

    def __init__(self) -> None:
        self.segments: set[str] = set()
        self.slots = 0

    def look(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Look at rows of the tables in `_SEEN` on their way."""
        if "segment" in batch.schema.names:
            self.segments.update(pc.unique(batch["segment"]).to_pylist())
        named = batch["slot" if "slot" in batch.schema.names else "heading_slot"]
        self.slots += batch.num_rows - named.null_count
        return batch


def _journal(journal: Journal) -> Iterator[tuple[bytes, int]]:
    for day in journal.days():
        with (journal.folder / day).open("rb") as file:
            while data := file.read(_JOURNAL_AT_ONCE):
                yield day.encode() + b"\n" + data, 1


def _piece(batch: pa.RecordBatch) -> tuple[bytes, int]:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_batches([batch]), buffer, compression="zstd")
    return buffer.getvalue(), batch.num_rows


def _segments(home: Home, folder: Path, wanted: Iterable[str], copied: set[str]) -> dict[str, Kept] | None:
    """Copy segments that the backup does not have yet; None if one is gone at the source.

    They lie under the digests of their bytes. The vault gives a name once, so a name that the
    backup before this one knew need not be read again. After a restore it must: the home that was
    lost may have given the same name to something else.
    """
    target = FolderSegments(folder / SEGMENTS)
    there = {name for name, _ in target.names()}
    sizes = dict(home.segments.names())
    known = _known(home, folder)
    kept: dict[str, Kept] = {}
    for name in sorted(wanted):
        before = known.get(name)
        if before is not None and before.digest in there and sizes.get(name) == before.size:
            kept[name] = before
            continue
        try:
            data = home.segments.read(name, 0, sizes[name])
        except (FileNotFoundError, KeyError):
            return None
        kept[name] = Kept(len(data), digest_bytes(data))
        if kept[name].digest not in there:
            target.put(kept[name].digest, data)
            there.add(kept[name].digest)
            copied.add(name)
    return kept


def _known(home: Home, folder: Path) -> Mapping[str, Kept]:
    """Read which segments the newest backup in this folder has, if it was taken of this very store."""
    since = home.store.restored_at()
    for backup in reversed(home.store.backups()):
        if backup.folder == str(folder) and (since is None or backup.taken_at >= since):
            with suppress(AssentError):
                return read_manifest(folder / backup.id).segments
    return {}


def _keys(home: Home, folder: Path, part: Path, manifest: Manifest, *, key: bytes, expires: datetime) -> None:
    """Write what opens the backup: its key, the keys of the vault under it, and the other keys of the home."""
    make_folder(part)
    last = manifest.numbers["sealed"]
    slots = write_frames(part / "slots", key, _live(home.slots, last))
    others = write_frames(part / "home", key, keys_of(home.folder))
    write_manifest(
        part, KeyBackup(manifest.id, manifest.taken_at, expires, str(folder), manifest.digest, slots, others)
    )
    create_whole(part / KEY, key)


def _live(slots: SlotStore, last: int) -> Iterator[tuple[bytes, int]]:
    after = 0
    while found := slots.live(after, _KEYS_AT_ONCE):
        after = found[-1]
        there = slots.read([slot for slot in found if slot <= last])
        yield b"".join(slot.to_bytes(8, "big") + key for slot, key in sorted(there.items())), len(there)
