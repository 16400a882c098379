"""Contracts of backing up, coming back, and watching that what should be gone is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from assent.domain.contents import Sealed
from assent.store.records import Backup, Erasure, Hold, Restore, Staged, Stone, Tracer


class Snapshot(Protocol):
    """Every table as it is at one instant, in a form that every database can take."""

    step: str
    """The step of the schema."""

    tables: tuple[str, ...]
    """Names of tables, each behind those that it refers to."""

    def rows(self, table: str) -> Iterator[pa.RecordBatch]:
        """Read a table in the order of its key. Instants are microseconds since 1970."""
        ...

    def numbers(self) -> dict[str, int]:
        """Read the last number that was given, of tables whose numbers are never given twice."""
        ...


class Backups(Protocol):
    """Copies of the store, and the way back from one."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Read the whole store at one instant; others go on writing."""
        ...

    def begin_restore(self, restore: Restore) -> None:
        """Mark an empty store as one that comes back: from now on only the replay writes.

        The same restore again does nothing. Raises `Refused` if the store holds anything.
        """
        ...

    def load(self, snapshot: Mapping[str, Iterable[pa.RecordBatch]], numbers: Mapping[str, int]) -> None:
        """Take in every table of a snapshot, in one transaction. Raises `Refused` if the store holds anything."""
        ...

    def loaded(self) -> bool:
        """Tell whether the store holds anything but the mark of its restore."""
        ...

    def restoring(self) -> Restore | None:
        """Read the restore that is not finished; None in every other store."""
        ...

    def restored_at(self) -> datetime | None:
        """Say when the newest restore of this store was finished; None if it never was restored."""
        ...

    def replay_erasure(self, erasure: Erasure, stones: Sequence[Stone], slots: Sequence[int]) -> int:
        """Carry out an erasure of the journal here: tombstones, rows, obligations, and its place in the chain.

        Returns how many parts were here. One that is here already does nothing. It is then open,
        as if it had just been intended. Raises `Refused` if it does not follow the last one here.
        """
        ...

    def replay_hold(self, hold: Hold) -> None:
        """Take over a hold as the journal has it: placed if it is not here, released if it is there."""
        ...

    def people(self, after: str, limit: int) -> list[str]:
        """Name, in order of code points, everybody behind `after` who has an account, a choice or a conversation."""
        ...

    def replay_choices(self, entries: Sequence[Staged]) -> None:
        """Append choices with their leaves, which the next checkpoint signs; those that are here stay as they are."""
        ...

    def continue_ledger(self, first: int, commitments: Sequence[bytes]) -> None:
        """Take over leaves whose choices are lost; `first` is the number of the first of them.

        Raises `Refused` if that is not the next number here.
        """
        ...

    def replayed(self, journal: int) -> None:
        """Note the last entry of the journal that is carried out here."""
        ...

    def finish_restore(
        self,
        at: datetime,
        *,
        backups: Sequence[Backup] = (),
        lost_by: str | None = None,
        lost_reason: str | None = None,
    ) -> None:
        """Take the mark away: everybody may write again. Notes backups that the rows do not know."""
        ...

    def note_backup(self, backup: Backup) -> None:
        """Remember a backup; the same again does nothing."""
        ...

    def key_backup_gone(self, backup: str, at: datetime) -> None:
        """Note that the keys of a backup are destroyed; the first instant counts. Raises `NotFound`."""
        ...

    def backups(self) -> list[Backup]:
        """Read all backups of this store, oldest first."""
        ...


class Reconciling(Protocol):
    """What an independent look at the store needs."""

    def places(self, after: int, limit: int) -> list[Sealed]:
        """Read where content lies: up to `limit` slots of parts above `after`, ascending."""
        ...

    def slots(self) -> Iterator[Sequence[int]]:
        """Read every slot that a part or a heading is sealed under, ascending, at one instant, in stretches."""
        ...

    def last_slot(self) -> int:
        """Return the last slot that was given; no writer is about to give a lower one to anything."""
        ...

    def live_segments(self) -> dict[str, int]:
        """Count by segment the records that a part still refers to."""
        ...

    def unsealed(self, limit: int) -> tuple[int, list[str]]:
        """Count parts without a place in the vault, and name up to `limit` of their conversations."""
        ...

    def parentless(self) -> dict[str, int]:
        """Count by table the rows whose part or conversation is gone; PostgreSQL has no foreign key that forbids it."""
        ...

    def stale_clocks(self) -> int:
        """Count parts whose copy of a clock is later than the clock that decides, or missing."""
        ...

    def revived(self, limit: int) -> list[str]:
        """Name conversations of up to `limit` parts that have a tombstone and are here all the same."""
        ...

    def files(self) -> list[Path] | None:
        """Name the files and folders in which this database lies; None if that cannot be seen from here."""
        ...

    def plant(self, tracers: Sequence[Tracer]) -> None:
        """Remember tracers, before their conversations are taken in."""
        ...

    def tracers(self) -> list[Tracer]:
        """Read all tracers, oldest first."""
        ...
