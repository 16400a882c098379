"""The room of the replay: what the journal says happened after a backup happens again, in a store made from it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from assent.domain.errors import Refused
from assent.domain.instants import to_micros
from assent.ledger.erasure import Link, Tree, chain_of, ground_of, leaf_record, pack
from assent.ledger.merkle import EMPTY_ROOT
from assent.store.schema import account as accounts
from assent.store.schema import choice as choices
from assent.store.schema import conversation, leaf, part, sealed, tombstone
from assent.store.schema import erasure as erasures
from assent.store.schema import hold as holds
from assent.store.sql.burying import Grounds, home_of
from assent.store.sql.deciding import Found, Parts
from assent.store.sql.erasure import enter
from assent.store.sql.holds import open_matter
from assent.store.sql.ledger import count_leaves, stage
from assent.store.sql.room import Room, pieces
from assent.store.sql.sweeps import delete_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select

    from assent.store.records import Erasure, Hold, Staged, Stone

_FOUND: Final[Select[Any]] = (
    select(
        part.c.key,
        conversation.c.key,
        conversation.c.heading_slot,
        sealed.c.slot,
        conversation.c.id,
        part.c.id,
        conversation.c.subject,
    )
    .join_from(part, conversation)
    .outerjoin(sealed, sealed.c.part == part.c.key)
)
"""The fields of `Found`, in order."""


class ReplayRoom(Room):
    """What is done again."""

    def replay_erasure(self, erasure: Erasure, stones: Sequence[Stone], slots: Sequence[int]) -> int:
        packed = pack(slots)
        link = _checked(erasure, stones, packed)
        with self._database.writing(replaying=True) as connection:
            known = connection.scalar(select(erasures.c.chain).where(erasures.c.id == erasure.id))
            if known == erasure.chain:
                return 0
            newest = connection.scalar(select(erasures.c.id).order_by(erasures.c.id.desc()).limit(1)) or 0
            if erasure.id <= newest:
                fix = "name the journal of the home that was backed up"
                raise Refused(f"erasure `{erasure.id}` of the journal is not the one that is here", fix)
            enter(connection, link, packed, salt=erasure.salt)
            gone = _named(connection, stones)
            rows = _tombstones(connection, erasure.id, stones, {one.conversation: one.subject for one in gone})
            self._database.insert_rows(connection, tombstone, rows)
            delete_parts(self._database, connection, Parts.of(gone))
            # texts that others took the place of: the others are lost with the time since the backup
            under = self._database.among(connection, "replaced", slots)(sealed.c.slot)
            others = map(Found._make, connection.execute(_FOUND.where(under)))
            delete_parts(self._database, connection, Parts.of(others))
            for piece in pieces(slots):
                named = conversation.c.heading_slot.in_(piece)
                connection.execute(update(conversation).where(named).values(heading=None, heading_slot=None))
            if slots:  # numbers that were given after the backup are never given again
                self._database.give_keys(connection, sealed, max(slots))
        return len(gone)

    def replay_hold(self, hold: Hold) -> None:
        with self._database.writing(replaying=True) as connection:
            if connection.scalar(select(holds.c.id).where(holds.c.id == hold.id)) is None:
                open_matter(connection, hold)
                connection.execute(insert(holds).values(asdict(hold)))
            elif hold.released_at is not None:
                standing = (holds.c.id == hold.id) & holds.c.released_at.is_(None)
                released = {"released_at": hold.released_at, "released_by": hold.released_by}
                connection.execute(update(holds).where(standing).values(released))

    def people(self, after: str, limit: int) -> list[str]:
        found: set[str] = set()
        with self._database.reading() as connection:
            for column in (accounts.c.subject, choices.c.subject, conversation.c.subject):
                query = select(column).distinct().where(column > after).order_by(column).limit(limit)
                found.update(connection.scalars(query))
        return sorted(found)[:limit]

    def replay_choices(self, entries: Sequence[Staged]) -> None:
        with self._database.writing(replaying=True) as connection:
            stage(self._database, connection, entries)

    def continue_ledger(self, first: int, commitments: Sequence[bytes]) -> None:
        with self._database.writing(replaying=True) as connection:
            if first != count_leaves(connection):
                raise Refused(f"leaf `{first}` is not the next one here", "begin the restore anew, in an empty home")
            bare = dict.fromkeys(column.name for column in leaf.columns)
            for piece in pieces(enumerate(commitments, first)):
                rows = [{**bare, "number": number, "commitment": entry} for number, entry in piece]
                connection.execute(insert(leaf), rows)


def _checked(erasure: Erasure, stones: Sequence[Stone], packed: bytes) -> Link:
    """Return what the erasure puts into the chain. Raises `Refused` if it is not what its own hashes say."""
    digest = hashlib.sha256(packed).digest()
    hashes = (erasure.root, digest, erasure.previous)
    link = Link(erasure.id, erasure.kind, erasure.at, erasure.parts, *hashes)
    root = EMPTY_ROOT if erasure.salt is None else Tree(erasure.salt, _records(stones)).root
    if chain_of(link) != erasure.chain or root != erasure.root or len(stones) != erasure.parts:
        fix = "take the copy of the journal from the newest backup, and find out who changed this one"
        raise Refused(f"erasure `{erasure.id}` of the journal is not what its hashes say", fix)
    return link


def _records(stones: Sequence[Stone]) -> list[bytes]:
    grounds = {(one.rule, one.policy): ground_of(one.rule, one.policy) for one in stones}
    return [
        leaf_record(one.conversation, one.part, to_micros(one.erase_by), grounds[one.rule, one.policy])
        for one in stones
    ]


def _named(connection: Connection, stones: Sequence[Stone]) -> list[Found]:
    """Find the parts that stones name, as far as they are here."""
    wanted = {(stone.conversation, stone.part) for stone in stones}
    found: list[Found] = []
    for names in pieces(dict.fromkeys(stone.conversation for stone in stones)):
        rows = connection.execute(_FOUND.where(conversation.c.id.in_(names)))
        found += [one for one in map(Found._make, rows) if (one.conversation, one.part) in wanted]
    return found


def _tombstones(
    connection: Connection, erasure: int, stones: Sequence[Stone], subjects: dict[str, str | None]
) -> list[tuple[object, ...]]:
    """Write tombstones in the order of the columns in schema/erasure.py (held by a test)."""
    grounds = Grounds(connection)
    return [
        (
            home_of(one.conversation),
            to_micros(one.erase_by),
            erasure,
            number,
            grounds.of(one.rule, one.policy)[0],
            one.conversation,
            one.part,
            subjects.get(one.conversation),
        )
        for number, one in enumerate(stones)
    ]
