"""A process that sweeps and tells how far it is, so that a test can kill it."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from tests.conformance.store.samples import day, policy, redecide_at

from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.sqlite import SqliteStore

NOW = day(60)
policy()  # parsed once, before the server of children forks


def open_at(place: Path | str) -> Store:
    """Open a file, or the database at an address."""
    return SqliteStore.open(place) if isinstance(place, Path) else PostgresStore.open(place)


def sweep_child(told: Connection, place: Path | str, plan: str, batch: int) -> None:
    """Carry the plan out in small batches; one message after each."""
    store = open_at(place)
    run = store.begin_sweep(plan, NOW)
    after = run.after
    while items := store.plan_items(plan, after, batch):
        keys = [item.part for item in items]
        store.erase(run.id, redecide_at(NOW), keys, erased_at=NOW)
        after = keys[-1]
        told.send(after)
    store.finish_sweep(run.id, NOW)
    store.checkpoint()
    store.close()
