"""The room of sweeps. `erase` is the only place in the code base that deletes content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, func, insert, select, update

from assent.domain.choices import TITLED
from assent.domain.errors import NotFound, Refused
from assent.store.records import Erased, Listing, Page, Sweep, Tombstone
from assent.store.schema import content, conversation, flag, part, retention_class
from assent.store.schema import plan as plans
from assent.store.schema import plan_item as plan_items
from assent.store.schema import sweep as sweeps
from assent.store.schema import tombstone as tombstones
from assent.store.sql.paging import listing, values_of
from assent.store.sql.reading import PartFacts, read_facts
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from assent.domain.decision import Decision
    from assent.domain.facts import Facts


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

    def erase(
        self, sweep: int, redecide: Callable[[Facts], Decision], keys: Sequence[int], *, erased_at: datetime
    ) -> Erased:
        with self._database.writing() as connection:
            run = _found(connection, sweep)
            if run.finished_at is not None:
                raise Refused(f"sweep `{sweep}` is finished", "make a new plan for what became due since")
            planned = _planned(connection, run.plan, keys)
            due: list[tuple[PartFacts, Decision]] = []
            kept: list[int] = []
            for piece in pieces(planned):
                for found in read_facts(connection, part.c.key.in_(piece)):
                    decision = redecide(found.facts)
                    if decision.due():
                        due.append((found, decision))
                    else:
                        kept.append(found.key)
            _bury(connection, [_tombstone(run, *pair, planned, erased_at) for pair in due])
            _erase(connection, [found for found, _ in due])
            # parts behind `after` were counted before the sweep was interrupted
            kept_now = sum(key > run.after for key in kept)
            connection.execute(
                update(sweeps)
                .where(sweeps.c.id == sweep)
                .values(
                    erased=sweeps.c.erased + len(due),
                    kept=sweeps.c.kept + kept_now,
                    after=max(run.after, *planned) if planned else run.after,
                )
            )
        return Erased(len(due), len(kept), len(planned) - len(due) - len(kept))

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

    def tombstones(
        self, page: Page, *, conversation: str | None = None, subject: str | None = None, sweep: int | None = None
    ) -> Listing[Tombstone]:
        query = select(tombstones)
        for column, value in (
            (tombstones.c.conversation, conversation),
            (tombstones.c.subject, subject),
            (tombstones.c.sweep, sweep),
        ):
            if value is not None:
                query = query.where(column == value)
        with self._database.reading() as connection:
            return listing(connection, query, (-tombstones.c.id,), page, _stone)

    def checkpoint(self) -> bool:
        return self._database.checkpoint()


def _sweep(row: RowMapping) -> Sweep:
    return Sweep(**values_of(row))


def _stone(row: RowMapping) -> Tombstone:
    return Tombstone(**values_of(row))


def _found(connection: Connection, sweep: int) -> Sweep:
    row = connection.execute(select(sweeps).where(sweeps.c.id == sweep)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no sweep `{sweep}`", "begin one for a plan")
    return _sweep(row)


def _planned(connection: Connection, plan: str, keys: Sequence[int]) -> dict[int, tuple[datetime, str]]:
    """Read what the plan says about these parts. Raises `Refused` if it does not name one of them."""
    wanted = set(keys)
    planned: dict[int, tuple[datetime, str]] = {}
    for piece in pieces(wanted):
        query = select(plan_items.c.part, plan_items.c.erase_by, plan_items.c.rule)
        for key, erase_by, rule in connection.execute(
            query.where(plan_items.c.plan == plan, plan_items.c.part.in_(piece))
        ):
            planned[key] = (erase_by, rule)
    if strange := len(wanted) - len(planned):
        raise Refused(f"plan `{plan}` does not name `{strange}` of these parts", "erase only what a plan has shown")
    return planned


def _tombstone(
    run: Sweep,
    found: PartFacts,
    decision: Decision,
    planned: dict[int, tuple[datetime, str]],
    erased_at: datetime,
) -> dict[str, object]:
    erase_by, rule = planned[found.key]
    return {
        "part": found.id,
        "conversation": found.facts.conversation,
        "subject": found.facts.subject,
        "erased_at": erased_at,
        "erase_by": decision.erase_by,
        # the plan's rule, unless something happened since that gives another end
        "rule": rule if erase_by == decision.erase_by else _deciding(decision),
        "policy": decision.digest,
        "sweep": run.id,
    }


def _deciding(decision: Decision) -> str:
    for kind in ("cap", "exception", "grant"):
        for reason in decision.reasons:
            if reason.kind == kind:
                return reason.rule
    return "none"


def _bury(connection: Connection, stones: list[dict[str, object]]) -> None:
    for piece in pieces(stones):
        connection.execute(insert(tombstones), piece)


def _erase(connection: Connection, parts: list[PartFacts]) -> None:
    """Delete content, parts, and what said something about them: titles, flags, digests."""
    for piece in pieces(found.key for found in parts):
        connection.execute(delete(content).where(content.c.part.in_(piece)))
        connection.execute(delete(part).where(part.c.key.in_(piece)))
    for homes in pieces({found.home for found in parts}):
        titled = func.max(case((retention_class.c.data.in_(TITLED), 1), else_=0))
        query = select(part.c.conversation, titled).join_from(part, retention_class)
        query = query.where(part.c.conversation.in_(homes)).group_by(part.c.conversation)
        left = {home: bool(has_words) for home, has_words in connection.execute(query)}
        emptied = [home for home in homes if home not in left]
        connection.execute(delete(flag).where(flag.c.conversation.in_(emptied)))
        connection.execute(delete(conversation).where(conversation.c.key.in_(emptied)))
        connection.execute(update(conversation).where(conversation.c.key.in_(list(left))).values(digest=None))
        untitled = [home for home, has_words in left.items() if not has_words]
        connection.execute(update(conversation).where(conversation.c.key.in_(untitled)).values(title="", project=""))
