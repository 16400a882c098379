"""What the store and the vault say to each other about sealed content: numbers and places, never keys."""

from __future__ import annotations

from typing import NamedTuple


class Piece(NamedTuple):
    """One part's text on its way into the vault.

    `slot`: number of the key that will seal it, given by the database and never given twice. `lane`: a short slug
    (`a-z`, `0-9`, `-`); content that is kept for a short time takes another lane than content kept for years, so that
    segments die whole. `text`: what was said.
    """

    slot: int
    lane: str
    text: str


class Sealed(NamedTuple):
    """Where a sealed record lies: `length` bytes from byte `position` of a segment, under the key of a slot."""

    slot: int
    segment: str
    position: int
    length: int
