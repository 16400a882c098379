"""A backup and its keys, opened: everything in it can be read, and nothing is believed that was not sealed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow.parquet as pq

from assent.domain.digests import digest_bytes
from assent.domain.errors import NotFound, Refused
from assent.domain.instants import format_instant
from assent.services.backup.frames import KEY_BYTES, read_frames
from assent.services.backup.manifest import KeyBackup, Manifest, read_keys, read_manifest
from assent.services.backup.prune import KEY, SEGMENTS, key_backups
from assent.services.backup.take import TABLES
from assent.vault.disk import make_folder
from assent.vault.segments import FolderSegments

if TYPE_CHECKING:
    import pyarrow as pa

_SLOT: Final = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """One backup (`folder`, with its `manifest`) and the backup of its keys (`keys_folder`, `keys`)."""

    folder: Path
    manifest: Manifest
    keys_folder: Path
    keys: KeyBackup
    key: bytes

    def table(self, name: str) -> Iterator[pa.RecordBatch]:
        """Read a table."""
        for piece in read_frames(self._at(f"{TABLES}/{name}"), self.key, self.manifest.tables[name].frames):
            yield from pq.read_table(io.BytesIO(piece)).to_batches()

    def papers(self) -> Iterator[bytes]:
        """Read settings and policies, packed."""
        return read_frames(self._at("papers"), self.key, self.manifest.papers.frames)

    def home_keys(self) -> Iterator[bytes]:
        """Read the keys of the home that are not of the vault, packed."""
        return read_frames(self.keys_folder / self.keys.id / "home", self.key, self.keys.home.frames)

    def journal(self) -> Iterator[bytes]:
        """Read the journal as it was when the backup was taken: in each piece the day, a line's end, and its bytes."""
        return read_frames(self._at("journal"), self.key, self.manifest.journal.frames)

    def journal_into(self, folder: Path) -> None:
        """Write that journal into an empty folder."""
        make_folder(folder)
        for piece in self.journal():
            day, _, data = piece.partition(b"\n")
            with (folder / day.decode()).open("ab") as file:
                file.write(data)

    def slots(self) -> Iterator[tuple[int, bytes]]:
        """Read the keys of the vault by slot, ascending."""
        step = _SLOT + KEY_BYTES
        for piece in read_frames(self.keys_folder / self.keys.id / "slots", self.key, self.keys.slots.frames):
            for at in range(0, len(piece), step):
                yield int.from_bytes(piece[at : at + _SLOT], "big"), piece[at + _SLOT : at + step]

    def segment(self, name: str) -> bytes:
        """Read a segment. Raises `Refused` if it is not the one that was copied."""
        kept = self.manifest.segments[name]
        try:
            data = FolderSegments(self.folder / SEGMENTS).read(kept.digest, 0, kept.size + 1)
        except FileNotFoundError:
            data = b""
        if digest_bytes(data) != kept.digest:
            raise Refused(f"segment `{name}` of the backup is missing or damaged", "take another backup")
        return data

    def _at(self, name: str) -> Path:
        return self.folder / self.manifest.id / name


def open_backup(folder: Path, keys_folder: Path, named: str = "", *, now: datetime) -> Opened:
    """Open the newest backup in a folder that has keys, or the one whose name begins with `named`.

    Raises `NotFound` if there is none, `Refused` if its keys are expired or belong to another.
    """
    there = [keys for keys in key_backups(keys_folder) if keys.id.startswith(named)]
    if not there:
        what = f"no keys of a backup `{named}`" if named else "no backup of keys"
        fix = "name the folder that `assent backup --keys` wrote to; keys that were pruned are gone for ever"
        raise NotFound(f"there is {what} in `{keys_folder.name}`", fix)
    keys = there[-1]
    if keys.expires_at <= now:
        fix = "take a younger one; run `assent backup prune`, for this one should be gone"
        raise Refused(f"the keys of backup `{keys.id}` ended at `{format_instant(keys.expires_at)}`", fix)
    manifest = read_manifest(folder / keys.id)
    if manifest.digest != keys.manifest:
        raise Refused(f"the keys of `{keys.id}` are not of the backup of that name here", "name the folders that fit")
    key = (keys_folder / keys.id / KEY).read_bytes()
    return Opened(folder, manifest, keys_folder, read_keys(keys_folder / keys.id), key)


def check(opened: Opened) -> int:
    """Read everything of a backup as a restore would, writing nothing; returns how many rows.

    Raises `Refused` at the first thing that is damaged.
    """
    rows: int = sum(batch.num_rows for name in opened.manifest.tables for batch in opened.table(name))
    for packed in (opened.papers(), opened.journal(), opened.home_keys(), opened.slots()):
        for _ in packed:
            pass
    for name in opened.manifest.segments:
        opened.segment(name)
    return rows
