"""Several at once on PostgreSQL: holds against erasure, two sweeps of one plan, choices meanwhile, a killed sweep."""

import multiprocessing
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.conformance.store.samples import (
    ALL,
    T0,
    by_sets,
    choice,
    day,
    erase,
    hold,
    keys_of,
    plan_for,
    talk,
)
from tests.conformance.store.sweep_child import sweep_child
from tests.postgres_server import Server
from tests.vaults import vault_in

from assent.domain.errors import Refused
from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.records import Account, DueBatch, FactColumnsBatch, Redecide

NOW = day(60)
PEOPLE = 60


@pytest.fixture
def store(postgres_database: str, tmp_path: Path) -> Iterator[PostgresStore]:
    opened = PostgresStore.open(postgres_database, vault_in(tmp_path))
    yield opened
    opened.close()


@contextmanager
def beside(work: Callable[[Store], None], address: str, folder: Path) -> Iterator[None]:
    """Do some work in a thread and a store of its own; its error is the test's."""
    problems: list[Exception] = []

    def run() -> None:
        try:
            with closing(PostgresStore.open(address, vault_in(folder))) as store:
                work(store)
        except Exception as problem:  # noqa: BLE001 - counted
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(timeout=60)
    assert not thread.is_alive()
    assert problems == []


def people(store: Store) -> None:
    store.put_accounts([Account(f"s{n}", plan="free") for n in range(PEOPLE)])
    store.intake([talk(f"c{n}", subject=f"s{n}") for n in range(PEOPLE)], plan=None, recorded_at=T0)


def sweep(store: Store, plan: str, decide: Redecide | None = None, batch: int = 3) -> int:
    run = store.begin_sweep(plan, NOW)
    after = run.after
    while items := store.plan_items(plan, after, batch):
        keys = [item.part for item in items]
        erase(store, run.id, keys, NOW, decide=decide)
        after = keys[-1]
    store.finish_sweep(run.id, NOW)
    return run.id


@pytest.mark.fault("hold against sweep")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_hold_that_was_acknowledged_always_wins(
    store: PostgresStore, postgres_database: str, seed: int, tmp_path: Path
) -> None:
    people(store)
    plan = plan_for(store, NOW)
    held: dict[str, int] = {}
    begun = threading.Event()

    def place(other: Store) -> None:
        draw = random.Random(seed)
        for number in draw.sample(range(PEOPLE), PEOPLE):
            name = f"test:c{number}"
            scope = name if number % 2 else f"s{number}"
            other.place_hold(hold(f"h{number}", scope, day(1)))
            held[name] = len(keys_of(other, name))  # how many parts there were when the hold was acknowledged
            begun.set()

    def redecide(batch: FactColumnsBatch) -> DueBatch:
        known = {key for key, facts in batch.sample.items() if facts.conversation in held}
        due = by_sets(NOW)(batch)  # before the erasure could know it, so the answer may only be stricter
        assert known.isdisjoint(due["part"].to_pylist())
        return due

    with beside(place, postgres_database, tmp_path):
        assert begun.wait(60)
        run = sweep(store, plan.digest, redecide)
    assert {name: len(keys_of(store, name)) for name in held} == held
    counted = store.sweep(run)
    assert (counted.erased, counted.kept) == (2 * PEOPLE - sum(held.values()), sum(held.values()))
    assert len(store.tombstones(ALL).items) == counted.erased
    assert 0 < counted.kept < 2 * PEOPLE, "neither was faster throughout, or nothing was raced"


@pytest.mark.fault("two sweeps at once")
def test_two_sweeps_of_one_plan_erase_every_part_once(
    store: PostgresStore, postgres_database: str, tmp_path: Path
) -> None:
    people(store)
    plan = plan_for(store, NOW)
    run = store.begin_sweep(plan.digest, NOW)
    refused: list[str] = []

    def sweep_too(one: Store) -> None:
        try:
            assert sweep(one, plan.digest) == run.id
        except Refused as told:
            refused.append(str(told))

    with beside(sweep_too, postgres_database, tmp_path):
        sweep_too(store)
    assert refused in ([], [f"sweep `{run.id}` is finished"])
    assert store.sweep(run.id).erased == 2 * PEOPLE
    stones = store.tombstones(ALL).items
    assert len({(stone.conversation, stone.part) for stone in stones}) == len(stones) == 2 * PEOPLE
    assert store.counts().parts == 0


def test_a_choice_that_was_acknowledged_counts_in_a_sweep_whose_plan_did_not_know_it(
    store: PostgresStore, postgres_database: str, tmp_path: Path
) -> None:
    people(store)
    said: set[str] = set()
    enough = threading.Event()

    def allow(other: Store) -> None:
        for number in range(PEOPLE):
            other.add_choice(choice(f"a{number}", "allow", day(-1), subject=f"s{number}", recorded_at=NOW))
            said.add(f"s{number}")
            if number == PEOPLE // 2:
                enough.set()

    with beside(allow, postgres_database, tmp_path):
        plan = plan_for(store, NOW)
        assert enough.wait(60)
        run = store.begin_sweep(plan.digest, NOW)
        for item in store.plan_items(plan.digest, 0, 1_000):
            known = frozenset(said)

            def redecide(batch: FactColumnsBatch, known: frozenset[str] = known) -> DueBatch:
                for facts in batch.sample.values():
                    assert facts.choices or facts.subject not in known
                return by_sets(NOW)(batch)

            erase(store, run.id, [item.part], NOW, decide=redecide)
        store.finish_sweep(run.id, NOW)
    allowed = {f"test:c{n}" for n in range(PEOPLE // 2)}
    assert {stone.conversation for stone in store.tombstones(ALL).items}.isdisjoint(allowed)
    assert all(store.conversation(name) is not None for name in allowed)


# -- a killed process ---------------------------------------------------------------------


def filled(store: Store) -> str:
    """Parts that are due, parts that are not and parts under a hold; returns the plan."""
    store.put_accounts([Account("s1", plan="free")])
    store.intake([talk(f"c{n}", at=day(55) if n % 5 == 0 else T0) for n in range(160)], plan=None, recorded_at=T0)
    plan = plan_for(store, NOW)
    for number in (7, 99, 141):
        store.place_hold(hold(f"h{number}", f"test:c{number}", day(1)))
    return plan.digest


def state_of(server: Server, name: str) -> dict[str, list[tuple[object, ...]]]:
    tables = server.run(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relnatts > 1",
        database=name,
    )
    return {table: server.run("SELECT * FROM {} ORDER BY 1, 2", table, database=name) for (table,) in tables}


@pytest.mark.fault("killed sweep")
def test_a_sweep_that_is_killed_again_and_again_ends_like_one_that_was_not(
    store: PostgresStore, postgres: Server, postgres_database: str, tmp_path: Path
) -> None:
    plan = filled(store)
    store.close()
    name = postgres_database.rpartition("/")[2].partition("?")[0]
    quiet = postgres.copy(name)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([sweep_child.__module__])

    def child(database: str) -> tuple[object, object]:
        hears, tells = context.Pipe(duplex=False)
        process = context.Process(target=sweep_child, args=(tells, postgres.address(database), tmp_path, plan, 4))
        process.start()
        tells.close()
        return process, hears

    def run_to_the_end(database: str) -> None:
        process, hears = child(database)
        process.join(timeout=120)
        hears.close()
        assert process.exitcode == 0

    try:
        run_to_the_end(quiet)
        draw = random.Random(3)
        for kills in range(1, 4):
            process, hears = child(name)
            for _ in range(draw.randrange(1, 9)):  # so many batches were answered; the kill falls into a later one
                hears.recv()
            time.sleep(draw.uniform(0, 0.01))
            process.kill()
            process.join(timeout=120)
            hears.close()
            assert process.exitcode == -signal.SIGKILL, f"the sweep ended before kill {kills}: give it more to do"
            bare = "SELECT count(*) FROM part WHERE key NOT IN (SELECT part FROM sealed)"
            assert postgres.run(bare, database=name) == [(0,)]
            [(erased, stones)] = postgres.run(
                "SELECT erased, (SELECT count(*) FROM tombstone) FROM sweep", database=name
            )
            assert erased == stones
        run_to_the_end(name)
        assert state_of(postgres, name) == state_of(postgres, quiet)
    finally:
        postgres.drop(quiet)
