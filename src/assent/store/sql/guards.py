"""The room of guards: rounds, the clock they went by, and the limits that count."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from assent.domain.digests import canonical
from assent.store.records import Listing, Page, Round, Safeguard
from assent.store.schema import clock
from assent.store.schema import round_ as rounds
from assent.store.schema import safeguard as limits
from assent.store.schema import sweep as sweeps
from assent.store.sql.paging import listing, values_of
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping, Select


class GuardRoom(Room):
    """What was seen of earlier rounds, and the limits that count."""

    def add_round(self, done: Round) -> int:
        row = {name: value for name, value in asdict(done).items() if name != "id"}
        row["policies"] = _text(done.policies)
        with self._database.writing() as connection:
            number: int = connection.scalars(insert(rounds).values(row).returning(rounds.c.id)).one()
            return number

    def rounds(self, page: Page) -> Listing[Round]:
        with self._database.reading() as connection:
            return listing(connection, select(rounds), (rounds.c.id,), page, _round)

    def last_round(self) -> Round | None:
        return self._first(select(rounds).order_by(rounds.c.id.desc()))

    def settled_round(self, by: datetime) -> Round | None:
        known = select(rounds).where(rounds.c.policies != "")
        return self._first(known.where(rounds.c.ended_at <= by).order_by(rounds.c.id.desc())) or self._first(
            known.where(rounds.c.stage.in_(("idle", "canary", "whole"))).order_by(rounds.c.id)
        )

    def last_round_under_others(self, policies: Sequence[str]) -> Round | None:
        others = rounds.c.policies.not_in(("", _text(policies)))
        return self._first(select(rounds).where(others).order_by(rounds.c.id.desc()))

    def _first(self, query: Select[Any]) -> Round | None:
        with self._database.reading() as connection:
            row = connection.execute(query.limit(1)).mappings().one_or_none()
        return None if row is None else _round(row)

    def clock_seen(self) -> datetime | None:
        with self._database.reading() as connection:
            return connection.scalar(select(clock.c.seen_at))

    def see_clock(self, at: datetime) -> None:
        with self._database.writing() as connection:
            if not connection.execute(update(clock).values(seen_at=at)).rowcount:
                connection.execute(insert(clock).values(id=1, seen_at=at))

    def safeguards(self) -> Mapping[str, Safeguard]:
        with self._database.reading() as connection:
            return {row["name"]: Safeguard(**row) for row in connection.execute(select(limits)).mappings()}

    def put_safeguards(self, safeguards: Sequence[Safeguard]) -> None:
        if not safeguards:
            return
        with self._database.writing() as connection:
            connection.execute(delete(limits).where(limits.c.name.in_([one.name for one in safeguards])))
            connection.execute(insert(limits), [asdict(one) for one in safeguards])

    def erased_by_sweeps(self, since: datetime) -> list[tuple[datetime, int]]:
        query = select(sweeps.c.started_at, sweeps.c.erased).where(sweeps.c.started_at >= since, sweeps.c.erased > 0)
        with self._database.reading() as connection:
            return [(row.started_at, row.erased) for row in connection.execute(query)]


def _round(row: RowMapping) -> Round:
    values = values_of(row)
    return Round(**{**values, "policies": tuple(json.loads(values["policies"] or "[]"))})


def _text(policies: Sequence[str]) -> str:
    return canonical(list(policies)).decode() if policies else ""
