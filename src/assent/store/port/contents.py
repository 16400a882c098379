"""What a store asks of whoever seals its content; `assent.vault` is the one that does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from assent.domain.contents import Piece, Sealed


class Contents(Protocol):
    """Sealed content outside the database, each text under a key of its own in a numbered slot.

    The numbers are the store's: it gives each once, so that a destroyed key is never looked for
    under a number that means another text. A caller that failed before it recorded what it had
    sealed gives the same numbers to other texts; what was there under them is then no longer read.
    """

    def keep(self, pieces: Sequence[Piece], *, day: date) -> list[Sealed]:
        """Seal texts into segments of this day and of their lanes; durable with their keys when it returns."""
        ...

    def read(self, places: Sequence[Sealed]) -> dict[int, str]:
        """Read texts by slot; those whose key was destroyed are left out. Raises `NotFound` for a missing segment."""
        ...

    def seal_inline(self, texts: Sequence[tuple[int, str]]) -> list[bytes]:
        """Seal short texts (slot, text) that the caller keeps itself; their keys are durable when it returns."""
        ...

    def open_inline(self, sealed: Sequence[tuple[int, bytes]]) -> dict[int, str]:
        """Open what `seal_inline` gave, by slot; those whose key was destroyed are left out."""
        ...

    def destroy(self, slots: Sequence[int]) -> None:
        """Destroy keys for ever; returns when that is durable. A key that is gone already is none to miss."""
        ...
