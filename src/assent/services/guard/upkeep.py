"""Upkeep: what must happen from time to time for an erasure to stay true, whether or not something is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from assent.services.backup.prune import prune

if TYPE_CHECKING:
    from datetime import datetime

    from assent.services.backup.prune import Pruned
    from assent.services.erase.journal import Journal
    from assent.settings import Settings
    from assent.store.port import Backups


class Rotating(Protocol):
    """What of a vault is asked here."""

    @property
    def since(self) -> datetime:
        """When the epoch came into force."""
        ...

    def rotate(self) -> object:
        """Begin a new epoch and destroy the old one."""
        ...


@dataclass(frozen=True, slots=True)
class Upkept:
    """What upkeep did: backups of keys that ended, and whether a new epoch began."""

    pruned: Pruned
    rotated: bool


def upkeep(store: Backups, journal: Journal, vault: Rotating, settings: Settings, *, now: datetime) -> Upkept:
    """Destroy backups of keys whose time is over, and begin a new epoch if the present one has lasted `epoch_days`.

    Residues of destroyed keys, in journals of file systems and in snapshots, live no longer than
    their epoch (spec/erasure.md).
    """
    pruned = prune(store, journal, now=now, key_backup=timedelta(days=settings.key_backup_days))
    rotated = now - vault.since >= timedelta(days=settings.epoch_days)
    if rotated:
        vault.rotate()
    return Upkept(pruned, rotated)
