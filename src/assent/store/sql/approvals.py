"""The room of approvals: asked for by one person, agreed to by another, used once."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.people import plain_name
from assent.store.records import Approval
from assent.store.schema import approval as approvals
from assent.store.sql.paging import listing, values_of
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from assent.store.records import ApprovalAct, Listing, Page


class ApprovalRoom(Room):
    """What takes two people."""

    def ask_approval(self, approval: Approval) -> None:
        if not plain_name(approval.asked_by):
            raise Invalid("a request needs somebody who asks", "name the person")
        with self._database.writing() as connection:
            found = _found(connection, approval.id)
            if found is None:
                fresh = replace(approval, approved_by=None, approved_at=None, used_at=None)
                connection.execute(insert(approvals).values(asdict(fresh)))
            elif replace(found, approved_by=None, approved_at=None, used_at=None) != approval:
                raise Refused(f"approval `{approval.id}` is about something else", "ask under an id of its own")

    def approve(self, approval: str, *, by: str, at: datetime) -> Approval:
        if not plain_name(by):
            raise Invalid("an approval needs somebody who gives it", "name the person")
        with self._database.writing() as connection:
            found = _found(connection, approval)
            if found is None:
                raise NotFound(f"there is no request `{approval}`", "list the requests with `assent approve list`")
            if plain_name(found.asked_by) == plain_name(by):
                raise Refused("whoever asked cannot approve it too", "let a second person approve it")
            if found.approved_by is not None:
                if plain_name(found.approved_by) != plain_name(by):
                    raise Refused(f"`{approval}` was approved by somebody else", "nothing is left to do here")
                return found
            if at >= found.valid_until:
                raise Refused(f"the time to approve `{approval}` is over", "ask again")
            connection.execute(
                update(approvals).where(approvals.c.id == approval).values(approved_by=by, approved_at=at)
            )
            return replace(found, approved_by=by, approved_at=at)

    def use_approval(self, act: ApprovalAct, target: str, *, at: datetime) -> Approval | None:
        usable = (
            select(approvals)
            .where(approvals.c.act == act, approvals.c.target == target)
            .where(approvals.c.approved_at.is_not(None), approvals.c.used_at.is_(None), approvals.c.valid_until > at)
            .order_by(approvals.c.approved_at, approvals.c.id)
            .limit(1)
        )
        with self._database.writing() as connection:
            row = connection.execute(usable).mappings().one_or_none()
            if row is None:
                return None
            connection.execute(update(approvals).where(approvals.c.id == row["id"]).values(used_at=at))
            return replace(_approval(row), used_at=at)

    def approval(self, approval: str) -> Approval | None:
        with self._database.reading() as connection:
            return _found(connection, approval)

    def approvals(self, page: Page, *, act: ApprovalAct | None = None, target: str | None = None) -> Listing[Approval]:
        query = select(approvals)
        if act is not None:
            query = query.where(approvals.c.act == act)
        if target is not None:
            query = query.where(approvals.c.target == target)
        with self._database.reading() as connection:
            return listing(connection, query, (approvals.c.asked_at, approvals.c.id), page, _approval)


def _found(connection: Connection, name: str) -> Approval | None:
    row = connection.execute(select(approvals).where(approvals.c.id == name)).mappings().one_or_none()
    return None if row is None else _approval(row)


def _approval(row: RowMapping) -> Approval:
    return Approval(**values_of(row))
