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

DUE = int(os.environ.get("DUE", "100_000"))
BATCH = 5_000
PEOPLE = 1_000
AT_LEAST = 10
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
    """Place one hold after the other until the sweep has ended; returns the seconds until each was acknowledged."""
    found: list[float] = []
    while len(found) < AT_LEAST or (name != "idle" and not ended.is_set()):
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


def shown(name: str, found: list[float]) -> float:
    """Print the waits in milliseconds; returns the median."""
    found.sort()
    median = statistics.median(found)
    late = found[int(len(found) * 0.95)]
    most = f"{late * 1000:7.1f} p95, {found[-1] * 1000:7.1f} most, of {len(found)}"
    print(f"  {name:38} {median * 1000:7.1f} ms median, {most}")
    return median


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


def measure(kind: str, folder: Path, scope: str) -> None:
    """Measure one kind of store and one scope of hold."""
    folder.mkdir()
    with stores(kind, folder) as open_one, closing(open_one()) as store:
        plan = fill(store)
        ended = threading.Event()
        idle = shown(f"{kind}, {scope}, nobody sweeps", waits(store, scope, ended, "idle"))
        thread = threading.Thread(target=sweep, args=(open_one, plan, ended))
        thread.start()
        try:
            busy = shown(f"{kind}, {scope}, while a sweep runs", waits(store, scope, ended, "busy"))
        finally:
            ended.set()
            thread.join()
    print(f"  {'':38} {busy / idle:.1f} times the wait with nobody sweeping")


def main() -> None:
    """Measure both kinds of store, for the widest hold and for one person."""
    print(f"{DUE:,} conversations due, batches of {BATCH:,}")
    with tempfile.TemporaryDirectory() as made:
        for kind in ("sqlite", "postgres"):
            for scope in ("everyone", "person"):
                measure(kind, Path(made) / f"{kind}-{scope}", scope)


if __name__ == "__main__":
    main()
