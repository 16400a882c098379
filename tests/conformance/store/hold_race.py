"""A race of holds against erasure: whoever was told that a hold stands must find what it covered.

Sweepers erase everything that is due in small batches while placers place holds of every scope
on the same data. A placer looks at what its hold covers when it is acknowledged; when all is
over, every conversation that one of them saw must still be there with its key. A way of erasing
that loses one of them is wrong, as the two naive ways here are. Sweepers and placers in threads
of one process meet on purpose: a sweeper waits for a hold before its next batch, and half of the
holds are on what the sweepers come to next.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select, select, true
from tests.conformance.store.samples import DAY, POLICY_FILE, T0, by_sets, day, erase, part, policy, talk
from tests.conformance.store.sweep_child import open_at

from assent.domain.digests import digest
from assent.policy.decide import decide
from assent.store.records import DUE, Account, DueBatch, FactColumnsBatch, Hold, Plan, PlanItem, PolicyText, Redecide
from assent.store.schema import account, conversation, sealed
from assent.store.schema import part as parts
from assent.store.sql.room import Database
from assent.store.sql.store import SqlStore

NOW = day(60)
PATIENCE_S = 600
"""How long everybody waits for everybody, on a machine that has much else to do."""

Open = Callable[[], SqlStore]
Start = threading.Barrier  # or one of processes, which speaks alike
Erase = Callable[[SqlStore, int, Sequence[int], Redecide], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a race: holds acknowledged, those of them violated, conversations lost, conversations erased."""

    acknowledged: int = 0
    violated: int = 0
    lost: int = 0
    erased: int = 0
    kept: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass
class Race:
    """One store full of data that is due, sweepers and placers of holds on it, and what the placers saw."""

    open_one: Open
    seed: int
    way: Erase
    people: int = 60
    talks: int = 2
    placers: int = 3
    sweepers: int = 2
    holds: int = 60
    batch: int = 8
    elsewhere: tuple[Path | str, Path] | None = None
    seen: list[set[str]] = field(default_factory=list)
    dealt_with: int = 0
    placed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    problems: list[Exception] = field(default_factory=list)

    def run(self, name: str) -> Outcome:
        """Fill the store anew under a name, let everybody loose at once, and count."""
        with closing(self.open_one()) as store:
            plan = self._fill(store, name)
            before = alive(store, name)
            self._everybody(plan, name)
            after = alive(store, name)
            missing = [seen - after for seen in self.seen]
            lost = set().union(*missing)
            for hold in store.holds():  # the others are about this round's data alone
                if hold.scope in WIDE and hold.released_at is None:
                    store.release_hold(hold.id, at=NOW, by="judge")
            return Outcome(len(self.seen), sum(map(bool, missing)), len(lost), len(before) - len(after), len(after))

    def _everybody(self, plan: str, name: str) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        start: Start = context.Barrier(self.placers + self.sweepers)
        racers: list[threading.Thread | multiprocessing.context.ForkServerProcess] = [
            threading.Thread(target=self._place, args=(n, name, start)) for n in range(self.placers)
        ]
        for number in range(self.sweepers):
            if self.elsewhere is None:
                racers.append(threading.Thread(target=self._sweep, args=(plan, start)))
            else:
                given = (*self.elsewhere, plan, self.batch, bool(number), start)
                racers.append(context.Process(target=sweep_elsewhere, args=given, daemon=True))
        for one in racers:
            one.start()
        for one in racers:
            one.join(timeout=3 * PATIENCE_S)
        stuck = [one for one in racers if one.is_alive()]
        processes = [one for one in racers if not isinstance(one, threading.Thread)]
        for process in processes:
            process.kill()
        if self.problems:
            raise self.problems[0]
        assert stuck == []
        assert [process.exitcode for process in processes] == [0] * len(processes)

    def _fill(self, store: SqlStore, name: str) -> str:
        store.put_accounts(
            [Account(f"{name}-p{n}", "free", organisation=f"{name}-o{n % 5}") for n in range(self.people)]
        )
        made = [
            talk(f"{name}-c{n}", [part("a")], subject=f"{name}-p{n % self.people}", project=f"{name}-j{n % 7}")
            for n in range(self.people * self.talks)
        ]
        store.intake(made, plan=None, recorded_at=T0)
        text = POLICY_FILE.read_text("utf-8")
        store.add_policy(PolicyText(policy().digest, policy().name, text, T0))
        with store._database.reading() as connection:
            keys = connection.scalars(
                select(parts.c.key).join_from(parts, conversation).where(conversation.c.id.startswith(f"test:{name}-"))
            ).all()
        plan = Plan(digest(name), (policy().digest,), NOW, {"base": len(keys)}, NOW)
        store.save_plan(plan, [PlanItem(key, day(30), "base") for key in sorted(keys)])
        return plan.digest

    def _place(self, number: int, name: str, start: Start) -> None:
        draw = random.Random(f"{self.seed} {number}")
        try:
            with closing(self.open_one()) as store:
                watching = Watching(store._database)
                store._database = watching
                start.wait(PATIENCE_S)
                for count in range(self.holds // self.placers):
                    # the few that hold most come late, when most of the race is run
                    scopes = ("person", "conversation") if count < 4 or draw.random() < 0.95 else WIDE
                    hold = self._order(draw, f"{name}-h{number}-{count}", name, draw.choice(scopes))
                    watching.query = covered_by(name, hold)
                    store.place_hold(hold)
                    self.seen.append(watching.seen)
                    self.placed.release(self.sweepers)
        except Exception as problem:  # noqa: BLE001 - the race reports it
            self.problems.append(problem)

    def _order(self, draw: random.Random, hold: str, name: str, scope: str) -> Hold:
        total = self.people * self.talks
        number = draw.randrange(total)
        if self.elsewhere is None and draw.random() < 0.5:
            number = min(self.dealt_with + draw.randrange(2 * self.batch), total - 1)
        target = {
            "person": f"{name}-p{number % self.people}",
            "conversation": f"test:{name}-c{number}",
            "organisation": f"{name}-o{draw.randrange(5)}",
            "query": f'{{"project":["{name}-j{draw.randrange(7)}"]}}',
            "everyone": None,
        }[scope]
        return Hold(hold, "m", scope, target, day(59), "counsel", "race", day(59) + 90 * DAY)

    def _sweep(self, plan: str, start: Start) -> None:
        try:
            with closing(self.open_one()) as store:
                start.wait(PATIENCE_S)
                sweep_all(store, plan, self.batch, self.way, by_facts, self._meet)
        except Exception as problem:  # noqa: BLE001 - the race reports it
            self.problems.append(problem)

    def _meet(self, dealt_with: int) -> None:
        self.dealt_with = max(self.dealt_with, dealt_with)
        self.placed.acquire(timeout=0.05)


def sweep_all(
    store: SqlStore,
    plan: str,
    batch: int,
    way: Erase,
    redecide: Redecide,
    then: Callable[[int], None] = lambda _dealt_with: None,
) -> None:
    """Carry a plan out in small batches, in one way of erasing; `then` hears how many parts were dealt with so far."""
    run, after, done = store.begin_sweep(plan, NOW).id, 0, 0
    while items := store.plan_items(plan, after, batch):
        keys = [item.part for item in items]
        way(store, run, keys, redecide)
        done += len(keys)
        then(done)
        after = keys[-1]


def sweep_elsewhere(place: Path | str, vault: Path, plan: str, batch: int, by_set: bool, start: Start) -> None:
    """Sweep as assent does, in a process of its own."""
    redecide = by_sets(NOW) if by_set else by_facts
    with closing(open_at(place, vault)) as store:
        start.wait(PATIENCE_S)
        sweep_all(store, plan, batch, as_assent_does, redecide)


WIDE = ("organisation", "query", "everyone")


class Watching:
    """A database whose writers look, as the last thing before they commit, at what a hold covers.

    Whoever erases under the lock of writers cannot erase between that look and the acknowledgement.
    """

    query: Select[tuple[str]]
    seen: set[str]

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            yield connection
            self.seen = set(connection.scalars(self.query))

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)


def alive(store: SqlStore, name: str) -> set[str]:
    """The conversations of a race whose content is still there."""
    with store._database.reading() as connection:
        return set(connection.scalars(covered_by(name)))


def covered_by(name: str, hold: Hold | None = None) -> Select[tuple[str]]:
    """Ask for the conversations of a race whose content is still there, of all or of those that a hold covers."""
    query = select(conversation.c.id).join_from(conversation, parts).join(sealed, sealed.c.part == parts.c.key)
    query = query.where(conversation.c.id.startswith(f"test:{name}-"))
    return query if hold is None else query.where(_covered(hold))


def _covered(hold: Hold) -> ColumnElement[bool]:
    """What the hold says, in other words than the store's own."""
    if hold.scope == "organisation":
        members = select(account.c.subject).where(account.c.organisation == hold.target)
        return conversation.c.subject.in_(members)
    if hold.scope == "query":
        return conversation.c.project.in_(json.loads(hold.target or "")["project"])
    column = {"person": conversation.c.subject, "conversation": conversation.c.id}.get(hold.scope)
    return true() if column is None else column == hold.target


def by_facts(batch: FactColumnsBatch) -> DueBatch:
    """The reference decides, which is quicker for a batch this small: all of it is in the sample."""
    decided = [(key, decide(facts, policy(), NOW)) for key, facts in batch.sample.items()]
    due = [(key, one.erase_by.replace(tzinfo=None), "base", one.digest) for key, one in decided if one.due()]
    return pa.table([list(column) for column in zip(*due, strict=True)] or [[]] * len(DUE), schema=DUE)


def as_assent_does(store: SqlStore, sweep: int, keys: Sequence[int], redecide: Redecide) -> None:
    """One transaction under the lock of writers decides again and erases."""
    erase(store, sweep, keys, NOW, decide=redecide)


HELD = (
    "EXISTS (SELECT 1 FROM hold WHERE released_at IS NULL AND (scope IN ('everyone', 'query', 'organisation')"
    " OR scope = 'person' AND target = conversation.subject OR scope = 'conversation' AND target = conversation.id))"
)
"""Held as a naive sweeper sees it; of the wide scopes it even keeps more than it had to."""


def check_then_delete(store: SqlStore, _sweep: int, keys: Sequence[int], _redecide: Redecide) -> None:
    """Wrong: what was looked up in one transaction is deleted in another."""
    named = ", ".join(map(str, keys))
    with store._database.reading() as connection:
        free = f"SELECT part.key FROM part JOIN conversation ON conversation.key = part.conversation WHERE part.key IN ({named}) AND NOT {HELD}"  # noqa: E501
        found = [key for (key,) in connection.exec_driver_sql(free)]
    with store._database.engine.begin() as connection:
        if found:
            connection.exec_driver_sql(f"DELETE FROM sealed WHERE part IN ({', '.join(map(str, found))})")


def delete_where_not_exists(store: SqlStore, _sweep: int, keys: Sequence[int], _redecide: Redecide) -> None:
    """Wrong in PostgreSQL: one statement without the lock sees the holds of the instant at which it began."""
    named = ", ".join(map(str, keys))
    statement = (
        f"DELETE FROM sealed USING part, conversation WHERE sealed.part = part.key AND part.key IN ({named})"
        f" AND conversation.key = part.conversation AND NOT {HELD}"
    )
    with store._database.engine.begin() as connection:
        connection.exec_driver_sql(statement)
