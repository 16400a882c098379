"""What is known of cuts: which were taken, and who was in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cut:
    """A frozen, numbered selection for `purpose`, decided at the instant `decided_at`.

    `manifest` is the digest of its manifest, `directory` where its files lie, `retired_at` when
    they were taken away for good. Purpose and instant are None for cuts from before they were kept.
    """

    name: str
    number: int
    manifest: str
    created_at: datetime
    directory: str
    purpose: str | None = None
    decided_at: datetime | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CutRow:
    """One row of a cut: which part of which conversation of whom. `part` is the id inside the conversation."""

    conversation: str
    part: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class CutLeaf:
    """What the ledger says of a cut: the number of the leaf, and the record that it commits to."""

    leaf: int
    record: str
