"""Holds against a sweep at full speed: how long until a hold is acknowledged, on everyone and on one person.

A sweep erases DUE conversations of one part in batches of 5,000, without a pause, as nothing
else does; a court places holds meanwhile and releases them, so that the sweep goes on. The peer
is the same store with nobody sweeping. Every hold is checked: after it is acknowledged nothing
that it covers goes until it is released.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests import postgres_server
from tests.vaults import vault_in

from assent.domain.conversation import Conversation, Part
from assent.policy.parse import parse_policy
from assent.services.erase.redecide import redecide
from assent.store.columns import Columns
from assent.store.postgres import PostgresStore
from assent.store.records import Account, Hold, Plan, PlanItem, PolicyText
from assent.store.sql.store import SqlStore
from assent.store.sqlite import SqliteStore
from assent.wiring import Wiring
from benchmarks.board.rounds import Times, setting
from benchmarks.board.values import Aim, Figure, Headline, Result, Spread, Words

DUE = setting("DUE", 100_000, small=2_000)
BATCH = setting("BATCH", 5_000, small=500)
PEOPLE = 1_000
AIM = Aim("at most", 1000)
"""Milliseconds until a hold on everyone counts."""
AT_LEAST = 10
AT_MOST = setting("HOLDS", 100, small=20)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
TEXT = "the kettle was on when the letter came, and nobody thought of reading it before the tea was poured; " * 4
Open = Callable[[], SqlStore]


def fill(store: SqlStore) -> str:
    """Keep conversations that are all due, and a plan of them; returns its digest."""
    file = Wiring.policy_library() / "anthropic" / "2025-10-08.toml"
    text = file.read_text("utf-8")
    policy = parse_policy(text, file.name)
    store.add_policy(PolicyText(policy.digest, policy.name, text, LONG_AGO))
    store.put_accounts([Account(f"p{n}", "free", age=30, region="DE") for n in range(PEOPLE)])
    piece = Part("p", "t", "user", "person", "text", TEXT, LONG_AGO)
    for start in range(0, DUE, BATCH):
        made = [
            Conversation(f"bench:{n}", "bench", (piece,), f"p{n % PEOPLE}", created_at=LONG_AGO, last_turn_at=LONG_AGO)
            for n in range(start, min(start + BATCH, DUE))
        ]
        store.intake(made, plan=None, recorded_at=LONG_AGO)
    keys = [int(key) for key in store.fact_batches(at=NOW).read_all()["part"].to_pylist()]
    plan = Plan("sha256:bench", (policy.digest,), NOW, {"base": len(keys)}, NOW)
    store.save_plan(plan, [PlanItem(key, NOW, "base") for key in keys])
    return plan.digest


def sweep(open_one: Open, plan: str, ended: threading.Event) -> None:
    """Erase what is due, again and again, until nothing is left."""
    file = Wiring.policy_library() / "anthropic" / "2025-10-08.toml"
    with closing(open_one()) as store:
        decide = redecide(Columns(), [parse_policy(file.read_text("utf-8"), file.name)], NOW, timedelta(0))
        run = store.begin_sweep(plan, NOW)
        while store.counts().parts and not ended.is_set():
            after = 0
            while (items := store.plan_items(plan, after, BATCH)) and not ended.is_set():
                keys = [item.part for item in items]
                store.intend(run.id, decide, keys, at=NOW, salt=os.urandom(32))
                after = keys[-1]
        ended.set()


def waits(store: SqlStore, scope: str, ended: threading.Event, name: str) -> list[float]:
    """Place one hold after the other, while the sweep goes on; returns the seconds until each was acknowledged."""
    found: list[float] = []
    while len(found) < AT_LEAST or (name != "idle" and not ended.is_set() and len(found) < AT_MOST):
        target = None if scope == "everyone" else f"p{len(found) % PEOPLE}"
        hold = Hold(f"{name}-{scope}-{len(found)}", "m", scope, target, NOW, "court", "order", NOW + timedelta(days=9))
        begun = time.perf_counter()
        store.place_hold(hold)
        found.append(time.perf_counter() - begun)
        if scope == "everyone":
            gone = store.counts().tombstones
            time.sleep(0.2)
            if store.counts().tombstones != gone:
                raise AssertionError("something was erased under an acknowledged hold")
        store.release_hold(hold.id, at=NOW, by="court")
        if ended.is_set() and name != "idle":
            break
        time.sleep(0.05)
    return found


@contextmanager
def stores(kind: str, folder: Path) -> Iterator[Open]:
    """Make an empty store of a kind, and say how it is opened."""
    if kind == "sqlite":
        SqliteStore.open(folder / "store.db", vault_in(folder), create=True).close()
        yield lambda: SqliteStore.open(folder / "store.db", vault_in(folder))
        return
    with postgres_server.running() as server:
        address = server.address(server.blank())
        yield lambda: PostgresStore.open(address, vault_in(folder), create=True)


def wait_beside_a_sweep(kind: str, folder: Path, scope: str) -> Times:
    """Place holds of one scope on one kind of store: while nobody sweeps, and while a sweep runs."""
    folder.mkdir()
    times = Times()
    with stores(kind, folder) as open_one, closing(open_one()) as store:
        plan = fill(store)
        ended = threading.Event()
        for seconds in waits(store, scope, ended, "idle"):
            times.add("idle", seconds)
        thread = threading.Thread(target=sweep, args=(open_one, plan, ended))
        thread.start()
        try:
            for seconds in waits(store, scope, ended, "busy"):
                times.add("busy", seconds)
        finally:
            ended.set()
            thread.join()
        if not store.counts().tombstones:
            raise AssertionError("nothing was erased between the holds, so there was nothing to wait beside")
    return times


def measure() -> Result:
    """Measure both kinds of store, for the widest hold and for one person."""
    figures, ratios = [], []
    with tempfile.TemporaryDirectory() as made:
        for kind, title in (("sqlite", "SQLite"), ("postgres", "PostgreSQL")):
            for scope, whom in (("everyone", "on everyone"), ("person", "on a person")):
                times = wait_beside_a_sweep(kind, Path(made) / f"{kind}-{scope}", scope)
                idle = statistics.median(times["idle"])
                late = sorted(times["busy"])[int(len(times["busy"]) * 0.95)]
                figures += [
                    Figure(f"{title}, {whom}, nobody sweeps", times.spread("idle", 1e3), "ms"),
                    Figure(f"{title}, {whom}, while a sweep runs", times.spread("busy", 1e3), "ms"),
                    Figure(
                        f"{title}, {whom}, while a sweep runs, 95th percentile", Spread.single(late * 1e3), "ms", AIM
                    ),
                ]
                ratios.append(Figure(f"{title}, {whom}", Spread.of([seconds / idle for seconds in times["busy"]])))
    return Result(figures=tuple(figures), ratios=tuple(ratios))


HEADLINE = Headline(
    Words(
        title="Holds beside a sweep",
        work=(
            f"How long until a hold is acknowledged while a sweep erases {DUE:,} conversations in batches of "
            f"{BATCH:,} without a pause. After a hold is acknowledged nothing that it covers may go until it is "
            "released, or the benchmark fails."
        ),
        peer="the same hold while nobody sweeps; each wait against the median of those",
        remarks=("A hold waits for the batch that is running, so its longest wait is a batch.",),
    ),
    measure,
    uses=("psycopg",),
)
