"""Contract of erasure: from the intent, which alone decides, to the receipt, which comes last (spec/erasure.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from assent.domain.copies import CopyState
from assent.store.records import (
    DerivedStore,
    Erasure,
    Intent,
    Lease,
    Listing,
    Obligation,
    Page,
    Redecide,
    StagedReceipt,
    StoreState,
    Tombstone,
)


class Erasures(Protocol):
    """The only way out: every deletion of content in the code base goes through `intend`."""

    def intend(
        self,
        sweep: int,
        decide: Redecide,
        keys: Sequence[int],
        *,
        at: datetime,
        salt: bytes,
        lease: Lease | None = None,
        budget: int | None = None,
    ) -> Intent:
        """Decide these parts of the sweep's plan again and erase those that are still due.

        One transaction under the lock that placing a hold takes: the lease is checked, facts are
        read anew, `decide` is asked once, and for what is due tombstones are written, rows
        deleted, and the erasure with one obligation for every derived store recorded, chained to
        the one before. What the erasure names is gone for every reader from then on; keys and
        copies go afterwards, and `open_erasures` tells which still have to. With its last part a
        conversation goes, with its last part of text, voice, image or file its title.

        A part that is no longer due is kept, one that is gone already counts as gone. Give keys
        in the order of `plan_items`: a sweep that was stopped goes on behind the greatest key it
        was given. `salt` is 32 fresh random bytes. Nothing at all happens if `decide` raises, and
        on `Refused`: the lease is lost, more than `budget` parts are due, the plan does not name
        a part, the sweep is finished. Raises `NotFound` for an unknown sweep.
        """
        ...

    def open_erasures(self, after: int, limit: int) -> list[Erasure]:
        """Read up to `limit` erasures above the number `after` (0: from the start) that have no receipt yet."""
        ...

    def erasure(self, erasure: int) -> Erasure | None: ...

    def erasures(self, page: Page, conversation: str | None = None) -> Listing[Erasure]:
        """List erasures, newest first: all of them, or those with tombstones of one conversation."""
        ...

    def chained(self, after: int, limit: int) -> list[Erasure]:
        """Read up to `limit` erasures above the number `after` in the order of their chain."""
        ...

    def slots_of(self, erasure: int) -> list[int]:
        """Read the slots whose keys an erasure destroys, ascending; empty once there is a receipt."""
        ...

    def tombstones_of(self, erasure: int) -> Iterator[Tombstone]:
        """Read the tombstones of an erasure in the order of its leaves."""
        ...

    def tombstones(
        self, page: Page, *, conversation: str | None = None, subject: str | None = None, sweep: int | None = None
    ) -> Listing[Tombstone]:
        """List tombstones in the order of erasure, of all, one conversation, one subject or one sweep."""
        ...

    def keys_destroyed(self, erasure: int, at: datetime) -> None:
        """Record that no key of this erasure is left anywhere; the first instant counts. Raises `NotFound`."""
        ...

    def register(self, store: DerivedStore) -> None:
        """Have every erasure from now on wait for this derived store.

        The same store again does nothing, a retired one comes back. Raises `Refused` if the name
        is taken by another kind.
        """
        ...

    def retire(self, name: str, at: datetime) -> None:
        """Ask this derived store no more from now on; what it owes stays owed. Raises `NotFound`."""
        ...

    def derived_stores(self) -> list[DerivedStore]:
        """Read every derived store, retired ones too, by name."""
        ...

    def obligations(self, erasure: int) -> list[Obligation]:
        """Read what every derived store answered to an erasure, by name."""
        ...

    def open_obligations(self) -> dict[str, int]:
        """Count by derived store the erasures that it has not removed yet."""
        ...

    def store_states(self) -> list[StoreState]:
        """Count what derived stores answered, by name and state."""
        ...

    def overdue_obligations(
        self, before: datetime, limit: int = 1_000, *, store: str | None = None
    ) -> list[Obligation]:
        """Read up to `limit` obligations of erasures before an instant that are not removed, oldest first.

        With `store` those of this derived store.
        """
        ...

    def settle(self, erasure: int, store: str, state: CopyState, at: datetime, note: str = "") -> None:
        """Record what a derived store answered. `removed` is final. Raises `NotFound` if it owes nothing there."""
        ...

    def finish(self, erasure: int, leaf: StagedReceipt, at: datetime) -> None:
        """Stage the receipt in the ledger and drop the slots, in one transaction; the first receipt counts.

        Raises `Refused` while a key may be there or a derived store has given no answer, `NotFound`.
        """
        ...
