"""Tombstones: how they are written, and how what is buried is found."""

from __future__ import annotations

import hashlib
from itertools import count, repeat
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select

from assent.ledger.erasure import ground_of, leaf_record
from assent.store.schema import ground, tombstone
from assent.store.sql.room import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from assent.store.sql.deciding import Parts


class Grounds:
    """Numbers the reasons why parts are erased, each once."""

    def __init__(self, connection: Connection) -> None:
        """Know nothing yet: what another transaction numbered may have been rolled back."""
        self._connection = connection
        self._known: dict[tuple[str, str], tuple[int, str]] = {}

    def of(self, rule: str, policy: str) -> tuple[int, str]:
        """Return the number of a ground, and how the records of leaves end that have it."""
        known = self._known.get((rule, policy))
        if known is None:
            known = self._known[rule, policy] = (self._number(rule, policy), ground_of(rule, policy))
        return known

    def _number(self, rule: str, policy: str) -> int:
        query = select(ground.c.id).where(ground.c.rule == rule, ground.c.policy == policy)
        found = self._connection.scalar(query)
        if found is None:
            found = (self._connection.scalar(select(func.max(ground.c.id))) or 0) + 1
            self._connection.execute(insert(ground).values(id=found, rule=rule, policy=policy))
        return int(found)


class Doomed(NamedTuple):
    """Parts that go, why, and until when they had to be gone (microseconds since 1970), in the order of leaves."""

    parts: Parts
    ends: Sequence[int]
    whys: Sequence[tuple[str, str]]

    def records(self, grounds: Grounds) -> list[bytes]:
        """Write what their leaves say."""
        tails = (grounds.of(*why)[1] for why in self.whys)
        return list(map(leaf_record, self.parts.conversations, self.parts.parts, self.ends, tails))

    def stones(self, grounds: Grounds, erasure: int) -> list[tuple[object, ...]]:
        """Return their tombstones, with the columns of schema/erasure.py in order (held by a test)."""
        names = self.parts.conversations
        homes = {name: home_of(name) for name in set(names)}
        return list(
            zip(
                (homes[name] for name in names),
                self.ends,
                repeat(erasure),
                count(),
                (grounds.of(*why)[0] for why in self.whys),
                names,
                self.parts.parts,
                self.parts.subjects,
                strict=False,
            )
        )


def home_of(conversation: str) -> int:
    """Return the number by which the tombstones of a conversation are found (schema/erasure.py)."""
    return int.from_bytes(hashlib.sha256(conversation.encode()).digest()[:8], "big", signed=True)


def stones_of(conversations: Iterable[str]) -> ColumnElement[bool]:
    """Say which tombstones are of these conversations; the caller bounds them."""
    names = list(conversations)
    return tombstone.c.home.in_([home_of(name) for name in names]) & tombstone.c.conversation.in_(names)


def buried_conversations(connection: Connection, conversations: Iterable[str]) -> set[str]:
    """Return those of these conversations of which something was erased."""
    found: set[str] = set()
    for piece in pieces(conversations):
        found.update(connection.scalars(select(tombstone.c.conversation).where(stones_of(piece)).distinct()))
    return found


def buried_parts(connection: Connection, conversation: str) -> set[str]:
    """Return the ids of the parts of a conversation that were erased."""
    return set(connection.scalars(select(tombstone.c.part).where(stones_of([conversation]))))
