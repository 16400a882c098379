"""Contracts of the ledger: what is staged, what is signed, and what a choice can be proven with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from assent.store.records import Choice, Cosignature, Edge, Head, Leaf, Staged


class Ledger(Protocol):
    """The append-only log. Its leaves are staged first and come under a checkpoint by `swap`."""

    def stage(self, entries: Sequence[Staged]) -> list[Leaf]:
        """Append choices and their leaves, numbered without a gap; all of them or none, one leaf each, in order.

        A choice that is there with the same meaning keeps its leaf, and its new salt is
        forgotten; one that was recorded without a leaf gets one. Raises `Refused` if an id is
        taken by another meaning.
        """
        ...

    def staged(self) -> int:
        """Count the leaves, those under a checkpoint and those that wait for one."""
        ...

    def commitments(self, first: int, limit: int) -> list[bytes]:
        """Read up to `limit` commitments from leaf `first` on, in order."""
        ...

    def leaves(self, first: int, limit: int) -> list[tuple[Choice | None, Leaf]]:
        """Read up to `limit` leaves from leaf `first` on, in order, each with its choice if that is kept."""
        ...

    def logged(self, choice: str) -> tuple[Choice, Leaf] | None:
        """Read a choice with its leaf; None if there is no such choice or it has no leaf."""
        ...

    def unlogged(self, limit: int) -> list[Choice]:
        """Read up to `limit` choices that have no leaf yet, by id."""
        ...

    def receipt_leaf(self, erasure: int) -> Leaf | None:
        """Read the leaf of an erasure's receipt; None before it has one."""
        ...

    def erase_salts(self, choices: Iterable[str]) -> int:
        """Erase the salts of these choices for good, and count those that were there."""
        ...

    def head(self) -> Head | None:
        """Read the newest signed state; None before the first."""
        ...

    def edge(self) -> Edge:
        """Read what growing the log starts from."""
        ...

    def swap(
        self, before: Head | None, after: Head, tiles: Mapping[tuple[int, int], bytes], keys: str | None = None
    ) -> bool:
        """Put a new head and its tiles in the place of `before`; False, and nothing changes, if that is not the head.

        Tiles are named by level and number, and hold all hashes there are. `keys` is the note
        of the change of keys that comes with this head. Without `keys` the power failing may
        undo it, alone among all writes: the leaves it covers stay, so it can be made again.
        """
        ...

    def tile(self, level: int, number: int) -> bytes | None:
        """Read the hashes of a tile, as many as there are; None if there is none."""
        ...

    def key_changes(self) -> list[str]:
        """Read the notes of all changes of keys, oldest first."""
        ...

    def add_cosignature(self, cosignature: Cosignature) -> None:
        """Record what a witness signed; a later signature of the same witness over the same size takes its place."""
        ...

    def cosignatures(self, size: int) -> list[Cosignature]:
        """Read the witnesses' signatures under the checkpoint of one size, by witness."""
        ...

    def cosigned(self, at_least: int) -> int | None:
        """Find the newest size of `at_least` leaves or more that a witness signed."""
        ...
