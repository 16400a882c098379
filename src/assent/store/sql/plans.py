"""The room of plans: what a sweep would do, written down before it does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from assent.domain.digests import canonical
from assent.domain.errors import NotFound
from assent.domain.instants import to_micros
from assent.store.records import Listing, Page, Plan, PlanItem
from assent.store.schema import plan as plans
from assent.store.schema import plan_item as plan_items
from assent.store.schema import policy as policies
from assent.store.sql.paging import listing
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import RowMapping

_ITEM = select(plan_items.c.part, plan_items.c.erase_by, plan_items.c.rule, plan_items.c.decision)


class PlanRoom(Room):
    """Plans and their items."""

    def save_plan(self, plan: Plan, items: Iterable[PlanItem]) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(plans.c.digest).where(plans.c.digest == plan.digest)) is not None:
                return
            known = set(connection.scalars(select(policies.c.digest).where(policies.c.digest.in_(plan.policies))))
            for missing in sorted(set(plan.policies) - known):
                raise NotFound(f"policy `{missing}` of this plan is not in the store", "add the policy first")
            row = {
                "digest": plan.digest,
                "policies": canonical(list(plan.policies)).decode(),
                "counts": canonical(dict(plan.counts)).decode(),
                "at": plan.at,
                "created_at": plan.created_at,
            }
            connection.execute(insert(plans).values(row))
            for piece in pieces(items):
                rows = [(plan.digest, i.part, to_micros(i.erase_by), i.rule, i.decision) for i in piece]
                self._database.insert_rows(connection, plan_items, rows)

    def plan(self, digest: str) -> Plan | None:
        with self._database.reading() as connection:
            row = connection.execute(select(plans).where(plans.c.digest == digest)).mappings().one_or_none()
        return None if row is None else _plan(row)

    def plans(self, page: Page) -> Listing[Plan]:
        with self._database.reading() as connection:
            return listing(connection, select(plans), (plans.c.created_at, plans.c.digest), page, _plan)

    def plan_items(self, digest: str, after: int, limit: int) -> list[PlanItem]:
        query = _ITEM.where(plan_items.c.plan == digest, plan_items.c.part > after)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(plan_items.c.part).limit(limit))
            return [PlanItem(*row) for row in rows]

    def plan_keys(self, digest: str, after: int, limit: int) -> list[int]:
        query = select(plan_items.c.part).where(plan_items.c.plan == digest, plan_items.c.part > after)
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(plan_items.c.part).limit(limit)))


def _plan(row: RowMapping) -> Plan:
    counts = json.loads(row["counts"])
    return Plan(row["digest"], tuple(json.loads(row["policies"])), row["at"], counts, row["created_at"])
