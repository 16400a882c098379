"""Sealing: content of one transaction leaves for the vault, and the database keeps where it lies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete

from assent.domain.contents import Piece
from assent.store.schema import sealed
from assent.store.sql.room import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import Connection

    from assent.store.port.contents import Contents
    from assent.store.sql.room import Database


def lane_of(mode: str, data: str) -> str:
    """Name the lane of a part: what ends at different times shares no segment, so that most segments die whole.

    The mode decides whether a chat may be kept for weeks or years, the data class whether it
    is content, a score or a rating (spec/policy.md, clocks).
    """
    return f"{mode}-{data}"


class Sealer:
    """Gives slots and seals what stands under them, everything of one transaction at once."""

    def __init__(self, database: Database, connection: Connection, contents: Contents) -> None:
        """Seal for the writer that holds this connection."""
        self._database = database
        self._connection = connection
        self._contents = contents
        self._next = database.next_key(connection, sealed)
        self._pieces: list[Piece] = []
        self._parts: list[int] = []
        self._headings: list[tuple[int, str]] = []
        self._rows: list[tuple[object, ...]] = []

    def part(self, key: int, lane: str, body: str) -> None:
        """Seal the text of a part."""
        self._pieces.append(Piece(self._slot(), lane, body))
        self._parts.append(key)

    def heading(self, title: str) -> int:
        """Seal what stands above a conversation; returns its slot."""
        slot = self._slot()
        self._headings.append((slot, json.dumps({"title": title}, ensure_ascii=False)))
        return slot

    def seal(self, *, day: date) -> dict[int, bytes]:
        """Make everything durable outside the database; returns sealed headings by slot, for their rows."""
        if self._pieces:
            placed = self._contents.keep(self._pieces, day=day)
            part_of = dict(zip((piece.slot for piece in self._pieces), self._parts, strict=True))
            # in the order of the columns in schema/kept.py, held by a test
            self._rows = [(at.slot, part_of[at.slot], at.segment, at.position, at.length) for at in placed]
        slots = [slot for slot, _ in self._headings]
        return dict(zip(slots, self._contents.seal_inline(self._headings), strict=True)) if slots else {}

    def write(self) -> None:
        """Record where the parts lie; their rows are there. To be called last, and once."""
        self._database.insert_rows(self._connection, sealed, self._rows)
        if self._headings:  # without a row of their own: the database could not know that their numbers are given
            self._database.give_keys(self._connection, sealed, self._next - 1)

    def _slot(self) -> int:
        self._next += 1
        return self._next - 1


def forget(connection: Connection, slots: Iterable[int]) -> None:
    """Drop the rows of slots whose parts were sealed anew."""
    for piece in pieces(slots):
        connection.execute(delete(sealed).where(sealed.c.slot.in_(piece)))


def titles(contents: Contents, headings: Iterable[tuple[int | None, bytes | None]]) -> dict[int, str]:
    """Open headings (slot, sealed) and return the titles by slot; a heading whose key is gone is left out."""
    there = [(slot, body) for slot, body in headings if slot is not None and body is not None]
    return {slot: json.loads(said)["title"] for slot, said in contents.open_inline(there).items()} if there else {}
