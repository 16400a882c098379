"""The room of erasure: the chain of intents, what derived stores answer, and the receipt that comes last.

What an intent decides and deletes is in `sweeps.py`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, insert, select, update

from assent.domain.errors import NotFound, Refused
from assent.domain.instants import from_micros
from assent.ledger.erasure import FIRST, Link, chain_of, pack, unpack
from assent.ledger.merkle import EMPTY_ROOT
from assent.store.records import DerivedStore, Erasure, Obligation, StoreState, Tombstone
from assent.store.schema import derived_store as derived_stores
from assent.store.schema import erasure as erasures
from assent.store.schema import ground, leaf, tombstone
from assent.store.schema import obligation as obligations
from assent.store.sql.burying import stones_of
from assent.store.sql.ledger import count_leaves
from assent.store.sql.paging import listing, plain, values_of
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping, Select

    from assent.domain.copies import CopyState
    from assent.store.records import ErasureKind, Listing, Page, StagedReceipt

_NEWEST: Final = select(erasures.c.id, erasures.c.chain).order_by(erasures.c.id.desc()).limit(1)
_ERASURE: Final = select(*(column for column in erasures.columns if column.name != "slots"))
_STONE: Final[Select[Any]] = (
    select(
        tombstone.c.erasure,
        tombstone.c.number,
        tombstone.c.part,
        tombstone.c.conversation,
        tombstone.c.subject,
        erasures.c.at.label("erased_at"),
        tombstone.c.erase_by,
        ground.c.rule,
        ground.c.policy,
        erasures.c.sweep,
    )
    .join_from(tombstone, erasures, erasures.c.id == tombstone.c.erasure)
    .join(ground, ground.c.id == tombstone.c.ground)
)
# all of one erasure at once: what its tombstones share is read once, and instants as the numbers that they are
_SHARED: Final = select(erasures.c.at, erasures.c.sweep)
_GROUNDS: Final = select(ground.c.id, ground.c.rule, ground.c.policy)
_BARE: Final[Select[Any]] = select(
    tombstone.c.number,
    tombstone.c.part,
    tombstone.c.conversation,
    tombstone.c.subject,
    plain(tombstone.c.erase_by),
    tombstone.c.ground,
)


class ErasureRoom(Room):
    """What follows an intent, until every copy is gone and a receipt says so."""

    def open_erasures(self, after: int, limit: int) -> list[Erasure]:
        query = _ERASURE.where(erasures.c.finished_at.is_(None), erasures.c.id > after)
        return self._erasures(query.order_by(erasures.c.id).limit(limit))

    def chained(self, after: int, limit: int) -> list[Erasure]:
        query = _ERASURE.where(erasures.c.kind != "before", erasures.c.id > after)
        return self._erasures(query.order_by(erasures.c.id).limit(limit))

    def _erasures(self, query: Select[Any]) -> list[Erasure]:
        with self._database.reading() as connection:
            return [_erasure(row) for row in connection.execute(query).mappings()]

    def erasure(self, erasure: int) -> Erasure | None:
        found = self._erasures(_ERASURE.where(erasures.c.id == erasure))
        return found[0] if found else None

    def erasures(self, page: Page, conversation: str | None = None) -> Listing[Erasure]:
        query = _ERASURE
        if conversation is not None:
            query = query.where(erasures.c.id.in_(select(tombstone.c.erasure).where(stones_of([conversation]))))
        with self._database.reading() as connection:
            return listing(connection, query, (erasures.c.id,), page, _erasure)

    def slots_of(self, erasure: int) -> list[int]:
        with self._database.reading() as connection:
            return unpack(connection.scalar(select(erasures.c.slots).where(erasures.c.id == erasure)) or b"")

    def tombstones_of(self, erasure: int) -> Iterator[Tombstone]:
        query = _BARE.where(tombstone.c.erasure == erasure).order_by(tombstone.c.number)
        with self._database.reading() as connection:
            shared = connection.execute(_SHARED.where(erasures.c.id == erasure)).one_or_none()
            grounds = {number: (rule, policy) for number, rule, policy in connection.execute(_GROUNDS)}
            rows = connection.execute(query).all()
        if shared is None:
            return iter(())
        at, sweep = shared
        ends = {end: from_micros(end) for *_, end, _ in rows}
        return (
            Tombstone(erasure, number, part, conversation, subject, at, ends[end], *grounds[why], sweep)
            for number, part, conversation, subject, end, why in rows
        )

    def tombstones(
        self, page: Page, *, conversation: str | None = None, subject: str | None = None, sweep: int | None = None
    ) -> Listing[Tombstone]:
        query = _STONE
        if conversation is not None:
            query = query.where(stones_of([conversation]))
        if subject is not None:
            query = query.where(tombstone.c.subject == subject)
        if sweep is not None:
            query = query.where(erasures.c.sweep == sweep)
        with self._database.reading() as connection:
            return listing(connection, query, (-tombstone.c.erasure, -tombstone.c.number), page, _stone)

    def keys_destroyed(self, erasure: int, at: datetime) -> None:
        with self._database.writing() as connection:
            if _needed(connection, erasure).keys_destroyed_at is None:
                connection.execute(update(erasures).where(erasures.c.id == erasure).values(keys_destroyed_at=at))

    def register(self, store: DerivedStore) -> None:
        with self._database.writing() as connection:
            which = derived_stores.c.name == store.name
            kind = connection.scalar(select(derived_stores.c.kind).where(which))
            if kind is None:
                values = {name: getattr(store, name) for name in ("name", "kind", "registered_at", "settings")}
                connection.execute(insert(derived_stores).values(values))
            elif kind != store.kind:
                raise Refused(f"derived store `{store.name}` is of kind `{kind}`", "register it under another name")
            else:
                change = update(derived_stores).where(which)
                connection.execute(change.values(settings=store.settings, retired_at=None))

    def retire(self, name: str, at: datetime) -> None:
        with self._database.writing() as connection:
            which = derived_stores.c.name == name
            if connection.scalar(select(derived_stores.c.kind).where(which)) is None:
                raise NotFound(f"there is no derived store `{name}`", "list them to see their names")
            asked = which & derived_stores.c.retired_at.is_(None)
            connection.execute(update(derived_stores).where(asked).values(retired_at=at))

    def derived_stores(self) -> list[DerivedStore]:
        with self._database.reading() as connection:
            rows = connection.execute(select(derived_stores).order_by(derived_stores.c.name)).mappings()
            return [DerivedStore(**row) for row in rows]

    def obligations(self, erasure: int) -> list[Obligation]:
        query = select(obligations).where(obligations.c.erasure == erasure).order_by(obligations.c.store)
        with self._database.reading() as connection:
            return [Obligation(**row) for row in connection.execute(query).mappings()]

    def open_obligations(self) -> dict[str, int]:
        owed = select(obligations.c.store, func.count()).where(obligations.c.state != "removed")
        with self._database.reading() as connection:
            return {store: count for store, count in connection.execute(owed.group_by(obligations.c.store))}  # noqa: C416 - rows are no pairs

    def store_states(self) -> list[StoreState]:
        names = (obligations.c.store, obligations.c.state)
        newest = func.max(obligations.c.settled_at).label("settled_at")
        query = select(*names, func.count().label("erasures"), newest).group_by(*names).order_by(*names)
        with self._database.reading() as connection:
            return [StoreState(**row) for row in connection.execute(query).mappings()]

    def overdue_obligations(
        self, before: datetime, limit: int = 1_000, *, store: str | None = None
    ) -> list[Obligation]:
        query = select(obligations).join_from(obligations, erasures)
        query = query.where(obligations.c.state != "removed", erasures.c.at < before)
        if store is not None:
            query = query.where(obligations.c.store == store)
        query = query.order_by(obligations.c.erasure, obligations.c.store).limit(limit)
        with self._database.reading() as connection:
            return [Obligation(**row) for row in connection.execute(query).mappings()]

    def settle(self, erasure: int, store: str, state: CopyState, at: datetime, note: str = "") -> None:
        which = and_(obligations.c.erasure == erasure, obligations.c.store == store)
        with self._database.writing() as connection:
            before = connection.scalar(select(obligations.c.state).where(which))
            if before is None:
                raise NotFound(f"`{store}` owes nothing to erasure `{erasure}`", "look at what the erasure asks for")
            if before != "removed":
                connection.execute(update(obligations).where(which).values(state=state, settled_at=at, note=note))

    def finish(self, erasure: int, leaf: StagedReceipt, at: datetime) -> None:
        with self._database.writing() as connection:
            found = _needed(connection, erasure)
            if found.finished_at is not None:
                return
            if found.keys_destroyed_at is None:
                raise Refused(f"keys of erasure `{erasure}` may still be there", "destroy them first")
            silent = select(func.min(obligations.c.store)).where(obligations.c.erasure == erasure)
            store = connection.scalar(silent.where(obligations.c.state == "present"))
            if store is not None:
                raise Refused(f"`{store}` has not answered to erasure `{erasure}`", "the receipt comes last")
            _stage(connection, erasure, leaf)
            change = update(erasures).where(erasures.c.id == erasure)
            connection.execute(change.values(finished_at=at, receipt=leaf.record, slots=None))


def intend_replaced(connection: Connection, slots: Iterable[int], *, at: datetime) -> int | None:
    """Record, in the caller's writing transaction, that these slots hold texts that others took the place of.

    Their keys go as those of any erasure. Returns the number of the erasure, None without slots.
    """
    packed = pack(slots)
    return record(connection, "replaced", packed, at=at) if packed else None


def record(
    connection: Connection,
    kind: ErasureKind,
    packed: bytes,
    *,
    at: datetime,
    sweep: int | None = None,
    tree: tuple[bytes, int, bytes] | None = None,
) -> int:
    """Chain an erasure to the newest one, with one obligation for every derived store; returns its number.

    `tree` is (root, leaves, salt) of its tombstones.
    """
    newest = connection.execute(_NEWEST).one_or_none()
    number, previous = (1, FIRST) if newest is None else (newest.id + 1, newest.chain or FIRST)
    root, parts, salt = tree or (EMPTY_ROOT, 0, None)
    link = Link(number, kind, at, parts, root, hashlib.sha256(packed).digest(), previous)
    enter(connection, link, packed, salt=salt, sweep=sweep)
    return number


def enter(connection: Connection, link: Link, packed: bytes, *, salt: bytes | None, sweep: int | None = None) -> None:
    """Write an erasure at its place in the chain, with one obligation for every derived store."""
    number = link.id
    connection.execute(
        insert(erasures).values(
            id=number,
            kind=link.kind,
            sweep=sweep,
            at=link.at,
            previous=link.previous,
            root=link.root,
            slots_digest=link.slots,
            chain=chain_of(link),
            parts=link.parts,
            salt=salt,
            slots=packed,
        )
    )
    asked = connection.scalars(select(derived_stores.c.name).where(derived_stores.c.retired_at.is_(None))).all()
    if asked:
        owed = [{"erasure": number, "store": name, "state": "present", "note": ""} for name in asked]
        connection.execute(insert(obligations), owed)


def _stage(connection: Connection, erasure: int, receipt: StagedReceipt) -> None:
    row = {"number": count_leaves(connection), "choice": None, "erasure": erasure}
    connection.execute(insert(leaf).values(row | {"salt": receipt.salt, "commitment": receipt.commitment}))


def _needed(connection: Connection, erasure: int) -> Erasure:
    row = connection.execute(_ERASURE.where(erasures.c.id == erasure)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no erasure `{erasure}`", "list the erasures to see their numbers")
    return _erasure(row)


def _erasure(row: RowMapping) -> Erasure:
    return Erasure(**values_of(row))


def _stone(row: RowMapping) -> Tombstone:
    return Tombstone(**values_of(row))
