"""The room of training: runs, what they left out, and what they made."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, func, insert, select, update

from assent.domain.errors import NotFound, Refused
from assent.store.records import NEXT_STATES, Run, RunLeaf, StillIn, Weights
from assent.store.schema import conversation, part
from assent.store.schema import cut as cuts
from assent.store.schema import cut_member as members
from assent.store.schema import leaf as leaves
from assent.store.schema import run as runs
from assent.store.schema import run_leaf as run_leaves
from assent.store.schema import run_without as withouts
from assent.store.schema import weights as made_weights
from assent.store.sql.cuts import in_number
from assent.store.sql.ledger import count_leaves
from assent.store.sql.paging import listing, values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping

    from assent.store.records import Claim, Listing, Page, RunStart, RunState, StagedReceipt

_RUN: Final = select(*(runs.c[name] for name in Run.__dataclass_fields__))
_WEIGHTS: Final = select(*(made_weights.c[name] for name in Weights.__dataclass_fields__))


def _run(row: RowMapping) -> Run:
    return Run(**values_of(row))


def _made(row: RowMapping) -> Weights:
    return Weights(**values_of(row))


class RunRoom(Room):
    """Training runs."""

    def plan_run(self, run: Run, without: Collection[str] = (), leaf: StagedReceipt | None = None) -> None:
        with self._database.writing() as connection:
            known = connection.execute(_RUN.where(runs.c.id == run.id)).mappings().one_or_none()
            if known is not None:
                if (known["config"], known["manifest"]) == (run.config, run.manifest):
                    return
                raise Refused(f"there is another run `{run.id}`", "give the run another id")
            cut = select(cuts.c.manifest).where(cuts.c.name == run.cut, cuts.c.number == run.number)
            if connection.scalar(cut) != run.manifest:
                raise NotFound(f"there is no such cut `{run.cut}` number `{run.number}`", "list them: assent cut show")
            if run.parent is not None and connection.scalar(select(runs.c.id).where(runs.c.id == run.parent)) is None:
                raise NotFound(f"there is no run `{run.parent}`", "list them: assent train list")
            connection.execute(insert(runs).values(asdict(run)))
            _leave_out(connection, run.id, without)
            _stage(connection, run.id, leaf)

    def start_run(
        self, run: str, start: RunStart, gone: Collection[str] = (), leaf: StagedReceipt | None = None
    ) -> None:
        said = {name: value for name, value in asdict(start).items() if name != "at"}
        with self._database.writing() as connection:
            _require_next(_found(connection, run), "started")
            values = {"state": "started", "started_at": start.at, **said}
            connection.execute(update(runs).where(runs.c.id == run).values(values))
            known = set(connection.scalars(select(withouts.c.conversation).where(withouts.c.run == run)))
            _leave_out(connection, run, set(gone) - known)
            _stage(connection, run, leaf)

    def end_run(
        self,
        run: str,
        state: RunState,
        at: datetime,
        *,
        reason: str = "",
        gate: str = "",
        made: Weights | None = None,
        leaf: StagedReceipt | None = None,
    ) -> None:
        with self._database.writing() as connection:
            known = _found(connection, run)
            if known.state == state:
                return
            _require_next(known, state)
            values: dict[str, Any] = {"state": state, "ended_at": at, "reason": reason}
            if gate and known.started_at is None:
                values["gate"] = gate
            connection.execute(update(runs).where(runs.c.id == run).values(values))
            if made is not None:
                connection.execute(insert(made_weights).values(asdict(made)))
            _stage(connection, run, leaf)

    def run(self, run: str) -> Run | None:
        with self._database.reading() as connection:
            row = connection.execute(_RUN.where(runs.c.id == run)).mappings().one_or_none()
            return None if row is None else _run(row)

    def runs(self, page: Page) -> Listing[Run]:
        with self._database.reading() as connection:
            return listing(connection, _RUN, (runs.c.planned_at, runs.c.id), page, _run)

    def runs_of(self, cut: str, number: int) -> list[Run]:
        return self._runs(runs.c.cut == cut, runs.c.number == number, order=runs.c.planned_at)

    def runs_with(self, conversation: str) -> list[Run]:
        return self._used(members.c.conversation == conversation)

    def runs_with_person(self, subject: str) -> list[Run]:
        return self._used(members.c.subject == subject)

    def _used(self, which: ColumnElement[bool]) -> list[Run]:
        left = exists().where(withouts.c.run == runs.c.id, withouts.c.conversation == members.c.conversation)
        used = ~left.correlate(runs, members)
        inside = exists().where(members.c.name == runs.c.cut, in_number(runs.c.number), which, used).correlate(runs)
        return self._runs(runs.c.started_at.is_not(None), inside, order=runs.c.started_at)

    def _runs(self, *which: ColumnElement[bool], order: ColumnElement[Any]) -> list[Run]:
        with self._database.reading() as connection:
            found = connection.execute(_RUN.where(*which).order_by(order, runs.c.id)).mappings()
            return [_run(row) for row in found]

    def left_out(self, run: str) -> Iterator[str]:
        query = select(withouts.c.conversation).where(withouts.c.run == run)
        return walk(self._database, query, (withouts.c.conversation,), lambda row: str(row["conversation"]))

    def runs_from(self, base: str) -> list[Run]:
        return self._runs(runs.c.started_at.is_not(None), runs.c.base == base, order=runs.c.started_at)

    def still_in(self, cut: str, number: int) -> Iterator[StillIn]:
        kept = conversation.join(part, part.c.conversation == conversation.c.key)
        query = (
            select(
                members.c.conversation,
                func.min(members.c.subject).label("subject"),
                func.count(part.c.key).label("rows"),
            )
            .select_from(
                members.outerjoin(kept, (conversation.c.id == members.c.conversation) & (part.c.id == members.c.part))
            )
            .where(members.c.name == cut, in_number(number))
            .group_by(members.c.conversation)
        )
        return walk(self._database, query, (members.c.conversation,), lambda row: StillIn(**values_of(row)))

    def weights_of(self, run: str) -> Weights | None:
        with self._database.reading() as connection:
            row = connection.execute(_WEIGHTS.where(made_weights.c.run == run)).mappings().one_or_none()
            return None if row is None else _made(row)

    def weights_with(self, digest: str) -> list[Weights]:
        with self._database.reading() as connection:
            query = _WEIGHTS.where(made_weights.c.digest == digest).order_by(made_weights.c.made_at)
            return [_made(row) for row in connection.execute(query).mappings()]

    def change_weights(
        self,
        run: str,
        *,
        claim: Claim | None = None,
        evaluation: str | None = None,
        superseded_by: str | None = None,
        retired_at: datetime | None = None,
        leaf: StagedReceipt | None = None,
    ) -> None:
        said = {"claim": claim, "evaluation": evaluation, "superseded_by": superseded_by}
        values: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        with self._database.writing() as connection:
            row = connection.execute(_WEIGHTS.where(made_weights.c.run == run)).mappings().one_or_none()
            if row is None:
                raise NotFound(f"run `{run}` has made no weights", "list the runs: assent train list")
            if retired_at is not None and row["retired_at"] is None:
                values["retired_at"] = retired_at
            if values:
                connection.execute(update(made_weights).where(made_weights.c.run == run).values(values))
            _stage(connection, run, leaf)

    def run_record(self, leaf: int) -> str | None:
        with self._database.reading() as connection:
            return connection.scalar(select(run_leaves.c.record).where(run_leaves.c.leaf == leaf))

    def run_leaves(self, run: str) -> list[RunLeaf]:
        query = select(run_leaves.c.leaf, run_leaves.c.record).where(run_leaves.c.run == run)
        with self._database.reading() as connection:
            return [RunLeaf(*row) for row in connection.execute(query.order_by(run_leaves.c.leaf))]


def _found(connection: Connection, run: str) -> Run:
    row = connection.execute(_RUN.where(runs.c.id == run).with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no run `{run}`", "list them: assent train list")
    return _run(row)


def _require_next(run: Run, state: RunState) -> None:
    if state not in NEXT_STATES[run.state]:
        raise Refused(f"run `{run.id}` is {run.state}, so it cannot be {state}", f"see: assent train show {run.id}")


def _leave_out(connection: Connection, run: str, conversations: Collection[str]) -> None:
    for piece in pieces(sorted(conversations)):
        connection.execute(insert(withouts), [{"run": run, "conversation": one} for one in piece])


def _stage(connection: Connection, run: str, leaf: StagedReceipt | None) -> None:
    """Give the ledger its leaf, which the next checkpoint signs."""
    if leaf is None:
        return
    number = count_leaves(connection)
    row = {"number": number, "choice": None, "salt": leaf.salt, "commitment": leaf.commitment}
    connection.execute(insert(leaves).values(row))
    connection.execute(insert(run_leaves).values(leaf=number, run=run, record=leaf.record))
