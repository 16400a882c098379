"""Backups, restores and tracers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup of this store and the backup of its keys, which ends earlier.

    `manifest` is the digest of its manifest, `journal` the number of the last entry of the journal
    before it, `slots` how many keys were copied. `keys_gone_at`: when its keys were destroyed.
    """

    id: str
    taken_at: datetime
    folder: str
    keys_folder: str
    manifest: str
    journal: int
    slots: int
    keys_expire_at: datetime
    keys_gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """This store came back from a backup that was taken at `taken_at`.

    `journal` is the last entry of the journal that was replayed. Until `finished_at` nothing but
    the replay may write. `lost_by` answers for a restore whose journal was lost, and says why.
    """

    backup: str
    taken_at: datetime
    started_at: datetime
    journal: int
    finished_at: datetime | None = None
    lost_by: str | None = None
    lost_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Tracer:
    """A made-up conversation that is kept and erased like any other. Its markers are made from `seed` (32 bytes)."""

    conversation: str
    seed: bytes
    planted_at: datetime


@dataclass(frozen=True, slots=True)
class Stone:
    """An erased part as the journal names it, in the order of its erasure's leaves.

    Its subject is left out, for a journal is harder to correct than a row.
    """

    conversation: str
    part: str
    erase_by: datetime
    rule: str
    policy: str
