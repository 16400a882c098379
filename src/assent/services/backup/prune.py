"""The end of backups: what is still there and until when, read from the folders themselves; and destroying it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.errors import AssentError
from assent.services.backup.manifest import KEYS, read_keys, read_manifest
from assent.vault.disk import locked, sync_folder, zero_and_remove
from assent.vault.segments import FolderSegments

if TYPE_CHECKING:
    from assent.services.backup.manifest import KeyBackup
    from assent.services.erase.journal import Journal
    from assent.store.port import Backups
    from assent.store.records import Backup

KEY: Final = "key"
PART: Final = ".part"
"""Ending of a backup that is being taken. One that a crash left is destroyed by the next."""

SEGMENTS: Final = "segments"

State = Literal["there", "expired", "gone", "not reachable"]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One backup and what its folder of keys shows now.

    `expired`: the keys are there though their time is over. `not reachable`: the folder that
    held them is not there, so nobody can tell.
    """

    backup: Backup
    state: State

    @property
    def reaches(self) -> bool:
        """Tell whether these keys may still open what is erased today."""
        return self.state != "gone"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning destroyed: backups of keys, segments of backups that no backup names any more."""

    keys: tuple[str, ...]
    segments: int


def look(store: Backups, *, now: datetime) -> list[Shelf]:
    """Look at every backup of this store, oldest first."""
    return [Shelf(backup, _state(backup, now)) for backup in store.backups()]


def horizon(shelves: list[Shelf], *, now: datetime) -> datetime:
    """Return when the last copy of a key that is destroyed now is gone from every backup."""
    return max([now, *(shelf.backup.keys_expire_at for shelf in shelves if shelf.reaches)])


def _state(backup: Backup, now: datetime) -> State:
    if backup.keys_gone_at is not None:
        return "gone"
    folder = Path(backup.keys_folder)
    if not folder.is_dir():
        return "not reachable"
    if not any((folder / f"{backup.id}{end}" / KEY).exists() for end in ("", PART)):
        return "gone"
    return "expired" if backup.keys_expire_at <= now else "there"


def prune(store: Backups, journal: Journal, *, now: datetime, key_backup: timedelta) -> Pruned:
    """Destroy every backup of keys whose time is over, in all folders this store knows, and what only they opened.

    A folder that is not reachable is left: `look` goes on naming it. Backups of keys in these
    folders that the store does not know, as after a restore, end as well. The journal loses the
    days that no backup needs any more; `key_backup` is how long backups of keys are kept.
    """
    gone: list[str] = []
    segments = 0
    for folder in sorted({Path(backup.keys_folder) for backup in store.backups()}):
        if folder.is_dir():
            with locked(folder / "lock", alone=True):
                for keys in _expired(folder, now):
                    destroy_keys(folder / keys.id)
                    segments += _remove(Path(keys.folder), keys.id)
                    gone.append(keys.id)
    for shelf in look(store, now=now):
        if shelf.state == "gone" and shelf.backup.keys_gone_at is None and shelf.backup.keys_expire_at <= now:
            store.key_backup_gone(shelf.backup.id, now)
    live = [shelf.backup.taken_at for shelf in look(store, now=now) if shelf.reaches]
    if journal.days():
        journal.drop_before(min([now - key_backup, *live]).date())
    return Pruned(tuple(gone), segments)


def key_backups(folder: Path) -> list[KeyBackup]:
    """Read every whole backup of keys in a folder, oldest first."""
    return sorted(
        (read_keys(path.parent) for path in folder.glob(f"*/{KEYS}") if path.parent.suffix != PART),
        key=lambda keys: keys.taken_at,
    )


def _expired(folder: Path, now: datetime) -> list[KeyBackup]:
    return [keys for keys in key_backups(folder) if keys.expires_at <= now]


def destroy_keys(folder: Path) -> None:
    """Zero a backup of keys, its key first, and remove it; what it opened is noise from then on."""
    zero_and_remove(folder / KEY)
    for path in sorted(folder.iterdir()):
        zero_and_remove(path)
    folder.rmdir()
    sync_folder(folder.parent)


def sweep_unfinished(folder: Path, keys_folder: Path) -> None:
    """Destroy what backups that were cut short left behind. The caller holds the lock of the folder of keys."""
    for part in keys_folder.glob(f"*{PART}"):
        destroy_keys(part)
    for part in folder.glob(f"*{PART}"):
        shutil.rmtree(part)


def _remove(folder: Path, name: str) -> int:
    """Remove a backup that nothing opens any more, and the segments that no other one names."""
    if not folder.is_dir():
        return 0
    shutil.rmtree(folder / name, ignore_errors=True)
    named: set[str] = set()
    for other in folder.glob("*/manifest.json"):
        try:
            named |= {kept.digest for kept in read_manifest(other.parent).segments.values()}
        except AssentError:
            return 0  # one that cannot be read may need any of them
    kept = FolderSegments(folder / SEGMENTS)
    unnamed = [segment for segment, _ in kept.names() if segment not in named]
    for segment in unnamed:
        kept.remove(segment)
    return len(unnamed)
