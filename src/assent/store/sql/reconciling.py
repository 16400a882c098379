"""The room of reconciling: where content should lie, read without trusting whoever put it there."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, func, insert, or_, select, union_all

from assent.domain.contents import Sealed
from assent.store.records import Tracer
from assent.store.schema import account, candidate, conversation, flag, part, sealed, tombstone
from assent.store.schema import tracer as tracers
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ROWS: Final = 50_000


class ReconcileRoom(Room):
    """What an independent look at the store needs."""

    def places(self, after: int, limit: int) -> list[Sealed]:
        query = select(sealed.c.slot, sealed.c.segment, sealed.c.position, sealed.c.length)
        query = query.where(sealed.c.slot > after).order_by(sealed.c.slot).limit(limit)
        with self._database.reading() as connection:
            return [Sealed(*row) for row in connection.execute(query)]

    def slots(self) -> Iterator[Sequence[int]]:
        headings = select(conversation.c.heading_slot).where(conversation.c.heading_slot.is_not(None))
        both = union_all(select(sealed.c.slot), headings).subquery()
        query = select(both.c.slot).order_by(both.c.slot)
        with (
            self._database.reading() as connection,
            closing(self._database.stream(connection, query, _ROWS)) as stretches,
        ):
            for stretch in stretches:
                yield [slot for (slot,) in stretch]

    def last_slot(self) -> int:
        # under the writers' lock: PostgreSQL moves a sequence before the rows that it numbers are there
        with self._database.writing(replaying=True) as connection:
            return self._database.next_key(connection, sealed) - 1

    def live_segments(self) -> dict[str, int]:
        query = select(sealed.c.segment, func.count()).group_by(sealed.c.segment)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def unsealed(self, limit: int) -> tuple[int, list[str]]:
        bare = part.join(conversation).outerjoin(sealed, sealed.c.part == part.c.key)
        missing = sealed.c.slot.is_(None)
        count = select(func.count()).select_from(bare).where(missing)
        names = select(conversation.c.id).select_from(bare).where(missing).distinct().order_by(conversation.c.id)
        with self._database.reading() as connection:
            return connection.scalar(count) or 0, list(connection.scalars(names.limit(limit)))

    def parentless(self) -> dict[str, int]:
        children = (
            (part, part.c.conversation, conversation.c.key),
            (flag, flag.c.conversation, conversation.c.key),
            (candidate, candidate.c.conversation, conversation.c.key),
            (sealed, sealed.c.part, part.c.key),
        )
        with self._database.reading() as connection:
            counts = {
                child.name: connection.scalar(
                    select(func.count()).select_from(child).where(~exists().where(key == column))
                )
                for child, column, key in children
            }
        return {name: count for name, count in counts.items() if count}

    def stale_clocks(self) -> int:
        stale = [
            truth.is_not(None) & (copy.is_(None) | (copy > truth))
            for copy, truth in (
                (part.c.last_turn_at, conversation.c.last_turn_at),
                (part.c.deleted_at, conversation.c.deleted_at),
                (part.c.account_closed_at, account.c.closed_at),
                (part.c.moved_to_business_at, account.c.moved_to_business_at),
            )
        ]
        both = part.join(conversation).outerjoin(account, account.c.subject == conversation.c.subject)
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(both).where(or_(*stale))) or 0

    def revived(self, limit: int) -> list[str]:
        here = conversation.c.id == tombstone.c.conversation
        query = (
            select(conversation.c.id)
            .join_from(conversation, part)
            .join(tombstone, here & (part.c.id == tombstone.c.part))
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query.distinct().order_by(conversation.c.id).limit(limit)))

    def files(self) -> list[Path] | None:
        return self._database.files()

    def plant(self, planted: Sequence[Tracer]) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(tracers), [asdict(one) for one in planted])

    def tracers(self) -> list[Tracer]:
        with self._database.reading() as connection:
            rows = connection.execute(select(tracers).order_by(tracers.c.planted_at, tracers.c.conversation)).mappings()
            return [Tracer(**row) for row in rows]
