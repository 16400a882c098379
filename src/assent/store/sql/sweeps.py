"""The room of sweeps: what carries a plan out, batch by batch.

`intend` is the only place in the code base that deletes what people said. What it decides, and
on what, is read in the transaction that deletes, under the writers' lock.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from sqlalchemy import case, delete, exists, func, insert, select, update

from assent.domain.choices import TITLED
from assent.domain.errors import AssentError, NotFound, Refused
from assent.ledger.erasure import Tree, pack
from assent.store.records import DUE, Intent, Listing, Page, Sweep
from assent.store.schema import candidate, content, conversation, flag, part, retention_class, sealed, tombstone
from assent.store.schema import plan as plans
from assent.store.schema import plan_item as plan_items
from assent.store.schema import sweep as sweeps
from assent.store.sql.burying import Doomed, Grounds
from assent.store.sql.deciding import Parts, read_batch
from assent.store.sql.erasure import record
from assent.store.sql.leases import require_lease
from assent.store.sql.paging import listing, values_of
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from assent.store.records import DueBatch, Lease, Redecide
    from assent.store.sql.room import Database


AT_ONCE: Final = 10_000
"""Items of a plan that are read at once."""


class SweepRoom(Room):
    """The way out."""

    def begin_sweep(self, plan: str, started_at: datetime) -> Sweep:
        with self._database.writing() as connection:
            if connection.scalar(select(plans.c.digest).where(plans.c.digest == plan)) is None:
                raise NotFound(f"there is no plan `{plan}`", "make a plan first, and look at it")
            query = select(sweeps.c.id).where(sweeps.c.plan == plan, sweeps.c.finished_at.is_(None))
            number = connection.scalar(query)
            if number is None:
                row = {"plan": plan, "started_at": started_at}
                number = connection.scalars(insert(sweeps).values(row).returning(sweeps.c.id)).one()
            return _found(connection, number)

    def intend(
        self,
        sweep: int,
        decide: Redecide,
        keys: Sequence[int],
        *,
        at: datetime,
        salt: bytes,
        lease: Lease | None = None,
        budget: int | None = None,
    ) -> Intent:
        wanted = sorted(set(keys))
        with self._database.writing() as connection:
            if lease is not None:
                require_lease(connection, lease)
            run = _found(connection, sweep)
            if run.finished_at is not None:
                raise Refused(f"sweep `{sweep}` is finished", "make a new plan for what became due since")
            _require_planned(self._database, connection, run.plan, wanted)
            batch = read_batch(self._database, connection, wanted)
            doomed = _doomed(batch.parts, decide(batch.facts)) if batch.parts.keys else Doomed(Parts(), (), ())
            erased = len(doomed.ends)
            if budget is not None and erased > budget:
                raise Refused(f"`{erased}` of these parts are due and `{budget}` may go", "wait, or have more approved")
            number = None
            if erased:
                grounds = Grounds(connection)
                tree = Tree(salt, doomed.records(grounds))
                packed = pack(delete_parts(self._database, connection, doomed.parts))
                number = record(connection, "swept", packed, at=at, sweep=sweep, tree=(tree.root, erased, salt))
                self._database.insert_rows(connection, tombstone, doomed.stones(grounds, number))
            _count(connection, run, batch.parts, doomed, wanted)
        found = len(batch.parts.keys)
        return Intent(number, erased, found - erased, len(wanted) - found)

    def finish_sweep(self, sweep: int, finished_at: datetime) -> Sweep:
        with self._database.writing() as connection:
            _found(connection, sweep)
            unfinished = (sweeps.c.id == sweep) & sweeps.c.finished_at.is_(None)
            connection.execute(update(sweeps).where(unfinished).values(finished_at=finished_at))
            return _found(connection, sweep)

    def sweep(self, sweep: int) -> Sweep | None:
        with self._database.reading() as connection:
            row = connection.execute(select(sweeps).where(sweeps.c.id == sweep)).mappings().one_or_none()
        return None if row is None else _sweep(row)

    def sweeps(self, page: Page) -> Listing[Sweep]:
        with self._database.reading() as connection:
            return listing(connection, select(sweeps), (sweeps.c.id,), page, _sweep)

    def checkpoint(self) -> bool:
        return self._database.checkpoint()


def _sweep(row: RowMapping) -> Sweep:
    return Sweep(**values_of(row))


def _found(connection: Connection, sweep: int) -> Sweep:
    row = connection.execute(select(sweeps).where(sweeps.c.id == sweep)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no sweep `{sweep}`", "begin one for a plan")
    return _sweep(row)


def _require_planned(database: Database, connection: Connection, plan: str, keys: Sequence[int]) -> None:
    """Raise `Refused` if the plan does not name one of these parts: what it names between the first and the last."""
    strange = set(keys)
    if keys:
        named = select(plan_items.c.part).where(plan_items.c.plan == plan, plan_items.c.part.between(keys[0], keys[-1]))
        with closing(database.stream(connection, named, AT_ONCE)) as stretches:
            for rows in stretches:
                strange.difference_update(key for (key,) in rows)
    if strange:
        raise Refused(
            f"plan `{plan}` does not name `{len(strange)}` of these parts", "erase only what a plan has shown"
        )


def _count(connection: Connection, run: Sweep, found: Parts, doomed: Doomed, wanted: Sequence[int]) -> None:
    gone = set(doomed.parts.keys)
    # parts behind `after` were counted before the sweep was interrupted
    kept_now = sum(key > run.after for key in found.keys if key not in gone)
    connection.execute(
        update(sweeps)
        .where(sweeps.c.id == run.id)
        .values(
            erased=sweeps.c.erased + len(gone),
            kept=sweeps.c.kept + kept_now,
            after=max(run.after, *wanted) if wanted else run.after,
        )
    )


def _doomed(found: Parts, due: DueBatch) -> Doomed:
    """Put what is due to what was read. Raises `AssentError` for an answer about another part, or about one twice."""
    columns = due.cast(DUE)
    keys, rules, policies = (columns[name].to_pylist() for name in ("part", "rule", "policy"))
    ends = columns["erase_by"].cast(pa.int64()).to_pylist()
    if keys != found.keys:
        places = {key: place for place, key in enumerate(found.keys)}
        found = found.only([place for key in keys if (place := places.pop(key, None)) is not None])
    if len(found.keys) != len(keys) or None in ends:
        raise AssentError("a decision is about a part that nobody asked for, or has no end", "report this")
    return Doomed(found, ends, list(zip(rules, policies, strict=True)))


def delete_parts(database: Database, connection: Connection, gone: Parts) -> list[int]:
    """Delete parts and what says something about them: places, flags, titles, digests. Returns the slots to destroy."""
    going = database.among(connection, "gone", gone.keys)
    if connection.scalar(select(exists().select_from(content))):
        connection.execute(delete(content).where(going(content.c.part)))
    connection.execute(delete(sealed).where(going(sealed.c.part)))
    if connection.execute(delete(part).where(going(part.c.key))).rowcount != len(gone.keys):
        raise AssentError("parts went away under the lock of writers", "report this")
    headings = dict(zip(gone.homes, gone.headings, strict=True))
    left = _empty(database, connection, list(headings))
    untitled = _thin(connection, left)
    ended = [slot for home, slot in headings.items() if slot is not None and (home not in left or home in untitled)]
    return [slot for slot in gone.slots if slot is not None] + ended


def _empty(database: Database, connection: Connection, homes: Sequence[int]) -> set[int]:
    """Delete the conversations among these that have no part any more; returns those that have."""
    these = database.among(connection, "homes", homes)
    alone = ~exists().where(part.c.conversation == conversation.c.key)
    emptied = select(conversation.c.key).where(these(conversation.c.key), alone)
    if connection.scalar(select(exists().select_from(candidate))):  # every flag has one
        connection.execute(delete(flag).where(flag.c.conversation.in_(emptied)))
        connection.execute(delete(candidate).where(candidate.c.conversation.in_(emptied)))
    if connection.execute(delete(conversation).where(these(conversation.c.key), alone)).rowcount == len(homes):
        return set()
    return set(connection.scalars(select(conversation.c.key).where(these(conversation.c.key))))


def _thin(connection: Connection, left: Collection[int]) -> set[int]:
    """Take from conversations that stay what could repeat what went; returns those that lost their title."""
    untitled: set[int] = set()
    for homes in pieces(left):
        titled = func.max(case((retention_class.c.data.in_(TITLED), 1), else_=0))
        query = select(part.c.conversation).join_from(part, retention_class)
        query = query.where(part.c.conversation.in_(homes)).group_by(part.c.conversation).having(titled == 0)
        wordless = list(connection.scalars(query))
        change = update(conversation)
        connection.execute(change.where(conversation.c.key.in_(homes)).values(digest=None))
        bare = {"title": "", "project": "", "heading": None, "heading_slot": None}
        connection.execute(change.where(conversation.c.key.in_(wordless)).values(bare))
        untitled.update(wordless)
    return untitled
