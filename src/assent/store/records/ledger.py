"""Rows of the ledger: leaves with their salts, the head and what witnesses said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from assent.store.records.choices import Choice


@dataclass(frozen=True, slots=True)
class Staged:
    """A choice that is to enter the store and the ledger at once: `commitment` is over `salt` and its record."""

    choice: Choice
    salt: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of the log. `number` is its index from 0, `salt` None once it was erased.

    Without its salt a commitment says nothing about anybody, and its choice can no longer be proven.
    The receipt of an erasure has a leaf too: `erasure` names it, and `choice` is None.
    """

    number: int
    choice: str | None
    salt: bytes | None
    commitment: bytes
    erasure: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed state of the log: how many leaves it covers, the checkpoint as a signed note, and when."""

    size: int
    checkpoint: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Edge:
    """What growing the log starts from, read at one instant.

    `keys` is the note of the newest change of keys, `tiles` those that the leaves under the
    head begin and do not fill, by level and number.
    """

    head: Head | None
    keys: str | None
    tiles: Mapping[tuple[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's signature line under the checkpoint of one size."""

    size: int
    witness: str
    line: str
    added_at: datetime
