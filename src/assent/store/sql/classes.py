"""Retention classes: the categorical facts of parts, and what their people permit for good; each combination once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import insert, or_, select, update

from assent.domain.digests import canonical
from assent.domain.facts import Facts
from assent.policy.standing import UNKNOWN, Permitted
from assent.store.schema import conversation, part, retention_class

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Column, ColumnElement, Connection

    from assent.store.records import Account


class Categories(NamedTuple):
    """The categorical facts, in the order of the columns."""

    plan: str | None = None
    region: str | None = None
    age: int | None = None
    signed_in: bool | None = None
    role: str | None = None
    surface: str | None = None
    mode: str | None = None
    data: str | None = None
    origin: str | None = None

    def of(self, account: Account | None) -> Categories:
        """Take what is known about the person; a plan that is known already stays."""
        if account is None:
            return self
        return self._replace(
            plan=account.plan if self.plan is None else self.plan,
            region=account.region,
            age=account.age,
            signed_in=account.signed_in,
            role=account.role,
        )

    def facts(self) -> Facts:
        """Return them as facts of no part."""
        return Facts(part="", **self._asdict())


COLUMNS: Final = tuple(retention_class.c[name] for name in Categories._fields)


class Classes:
    """Gives the number of a combination, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Know nothing yet: what another transaction learned may have been rolled back."""
        self._connection = connection
        self._known: dict[Categories, int] = {}

    def id_of(self, categories: Categories) -> int:
        """Find or make the class."""
        known = self._known.get(categories)
        if known is None:
            known = self._known[categories] = self._kept(list(categories), categories._asdict())
        return known

    def resting(self, base: int, categories: Categories, permitted: Permitted, since: datetime | None) -> int:
        """Find or make the class of those parts of the class `base` for which this is permitted since an allowance."""
        permits = _words(permitted)
        number = self._kept([*categories, permits], {**categories._asdict(), "permits": permits, "base": base})
        if since is not None:
            newer = retention_class.c.since.is_(None) | (retention_class.c.since < since)
            change = update(retention_class).where(retention_class.c.id == number, newer)
            self._connection.execute(change.values(since=since))
        return number

    def _kept(self, shared: Sequence[object], row: Mapping[str, object]) -> int:
        facts = canonical(shared).decode()
        found = self._connection.scalar(select(retention_class.c.id).where(retention_class.c.facts == facts))
        if found is None:
            made = insert(retention_class).values(facts=facts, **row)
            found = self._connection.scalar(made.returning(retention_class.c.id))
        return int(found)


def _words(permitted: Permitted) -> str:
    return canonical([sorted(permitted.pairs), permitted.unrefused]).decode()


def permitted_in(words: str) -> Permitted:
    """Read what a class permits; of one into which parts come nothing is known."""
    if not words:
        return UNKNOWN
    pairs, unrefused = json.loads(words)
    return Permitted(frozenset((purpose, clock) for purpose, clock in pairs), unrefused)


def follow_account(connection: Connection, account: Account) -> None:
    """Bring the stored parts of a person up to what is now known about the account."""
    theirs = select(conversation.c.key).where(conversation.c.subject == account.subject)
    if account.plan is not None:
        connection.execute(
            update(conversation)
            .where(conversation.c.subject == account.subject, conversation.c.plan.is_(None))
            .values(plan=account.plan)
        )
    for clock, instant in (
        (part.c.account_closed_at, account.closed_at),
        (part.c.moved_to_business_at, account.moved_to_business_at),
    ):
        connection.execute(
            update(part)
            .where(part.c.conversation.in_(theirs), clock.is_distinct_from(instant))
            .values({clock.name: instant})
        )
    used = (
        select(retention_class.c.id, *COLUMNS)
        .where(retention_class.c.id.in_(select(part.c.retention_class).where(part.c.conversation.in_(theirs))))
        .order_by(retention_class.c.id)
    )
    classes = Classes(connection)
    for old, *values in connection.execute(used).all():
        before = Categories(*values)
        after = before.of(account)
        if after != before:  # `of` leaves its own result as it is, so no class is both left and entered
            new = classes.id_of(after)
            connection.execute(
                update(part)
                .where(part.c.retention_class == old, part.c.conversation.in_(theirs))
                .values(retention_class=new)
            )


def without_plan(connection: Connection, names: Sequence[str], known: Collection[str]) -> list[int]:
    """List the keys of those of these conversations that have parts under no plan of `known`."""
    query = (
        select(part.c.conversation)
        .join_from(part, retention_class)
        .join(conversation)
        .where(conversation.c.id.in_(names), _no_plan_of(known, retention_class.c.plan))
        .distinct()
    )
    return list(connection.scalars(query.order_by(part.c.conversation)))


def correct_plan(connection: Connection, keys: Sequence[int], plan: str, known: Collection[str]) -> None:
    """Put the parts of these conversations that are under no plan of `known` under `plan`; the others stay."""
    connection.execute(
        update(conversation)
        .where(conversation.c.key.in_(keys), _no_plan_of(known, conversation.c.plan))
        .values(plan=plan)
    )
    used = (
        select(retention_class.c.id, *COLUMNS)
        .where(
            retention_class.c.id.in_(select(part.c.retention_class).where(part.c.conversation.in_(keys))),
            _no_plan_of(known, retention_class.c.plan),
        )
        .order_by(retention_class.c.id)
    )
    classes = Classes(connection)
    for old, *values in connection.execute(used).all():
        new = classes.id_of(Categories(*values)._replace(plan=plan))
        connection.execute(
            update(part).where(part.c.retention_class == old, part.c.conversation.in_(keys)).values(retention_class=new)
        )


def _no_plan_of(known: Collection[str], column: Column[str]) -> ColumnElement[bool]:
    return or_(column.is_(None), column.not_in(known))
