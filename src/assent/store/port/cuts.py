"""Contracts of cuts: which were taken, who was in them, and what the ledger says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from assent.store.records import Cut, CutLeaf, CutRow, Listing, Page, StagedReceipt


class Cuts(Protocol):
    """Which selections were taken, and who was in them; kept after the content is gone."""

    def record_cut(
        self, cut: Cut, joined: Iterable[CutRow], left: Iterable[CutRow] = (), leaf: StagedReceipt | None = None
    ) -> None:
        """Keep a cut and who is in it, in one transaction, with its leaf. The same cut again does nothing.

        Whoever was in the cut of this name with the number before is in this one too, but for
        those who `left`; `joined` are the others. So it costs what changed. Raises `Refused` if name and
        number are taken by another manifest, or the number is not the next one.
        """
        ...

    def retire_cut(self, name: str, number: int, at: datetime, leaf: StagedReceipt | None = None) -> None:
        """Record that the files of a cut were taken away, with its leaf in the ledger. The first instant counts.

        Raises `NotFound` where there is no such cut.
        """
        ...

    def cuts(self, page: Page) -> Listing[Cut]:
        """List cuts, newest first."""
        ...

    def cuts_named(self, name: str) -> list[Cut]:
        """List the cuts of one name by their numbers."""
        ...

    def members(self, name: str, number: int) -> Iterator[CutRow]:
        """Read who is in a cut, in the order of conversations and parts, page by page."""
        ...

    def count_members(self, name: str, number: int) -> int:
        """Count the rows of a cut as it was written."""
        ...

    def member_keys(self, name: str, number: int) -> pa.RecordBatchReader:
        """Read the keys (`part`) of those rows of a cut that are still kept."""
        ...

    def cuts_with(self, conversation: str) -> list[Cut]:
        """List the cuts that hold parts of a conversation, oldest first."""
        ...

    def cuts_with_person(self, subject: str) -> list[Cut]:
        """List the cuts that hold parts of a person, oldest first."""
        ...

    def cut_record(self, leaf: int) -> str | None:
        """Read what a leaf of the ledger says of a cut; None if it is about none."""
        ...

    def cut_leaves(self, name: str, number: int) -> list[CutLeaf]:
        """Read what the ledger says of a cut, in the order of the leaves: that it was made, that it was retired."""
        ...
