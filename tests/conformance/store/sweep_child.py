"""A process that sweeps and tells how far it is, so that a test can kill it."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
from tests.conformance.store.samples import day, erase, policy, redecide_at
from tests.vaults import vault_in

from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.records import DUE, DueBatch, FactColumnsBatch
from assent.store.sqlite import SqliteStore

NOW = day(60)
policy()  # parsed once, before the server of children forks


def open_at(place: Path | str, vault: Path) -> Store:
    """Open a file, or the database at an address."""
    contents = vault_in(vault)
    return SqliteStore.open(place, contents) if isinstance(place, Path) else PostgresStore.open(place, contents)


def by_the_reference(batch: FactColumnsBatch) -> DueBatch:
    """Decide a small batch part by part: a session of the set evaluator costs more than all of these."""
    assert len(batch.sample) == batch.facts.num_rows
    decided = {key: redecide_at(NOW)(facts) for key, facts in batch.sample.items()}
    due = [(key, one.erase_by.replace(tzinfo=None), "base", one.digest) for key, one in decided.items() if one.due()]
    return pa.table([list(column) for column in zip(*due, strict=True)] or [[]] * len(DUE), schema=DUE)


def sweep_child(told: Connection, place: Path | str, vault: Path, plan: str, batch: int) -> None:
    """Carry the plan out in small batches; one message after each."""
    store = open_at(place, vault)
    run = store.begin_sweep(plan, NOW)
    after = run.after
    while items := store.plan_items(plan, after, batch):
        keys = [item.part for item in items]
        erase(store, run.id, keys, NOW, decide=by_the_reference)
        after = keys[-1]
        told.send(after)
    store.finish_sweep(run.id, NOW)
    store.checkpoint()
    store.close()
