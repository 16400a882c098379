"""Ledger: choices appended in batch with record, salt, leaf, checkpoint and proof, against a plain insert of the rows.

The peer writes the same choices and leaves, made beforehand, with the driver alone:
`executemany` of sqlite3 and psycopg. Both take turns in one process and must end with the same
choices. Then: bytes a choice in the ledger's tables, the time to check a proof, and how long
a single choice waits when 500 a second are appended in groups.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from tests import postgres_server
from tests.vaults import vault_in

from assent.ledger.leaf import commitment
from assent.ledger.note import new_signer
from assent.ledger.proof import check_proof, parse_proof
from assent.services.ledger.append import Appended, append
from assent.services.ledger.log import Log
from assent.services.ledger.queue import GroupQueue, OwnThread
from assent.services.ledger.rotate import found
from assent.services.ledger.seal import Remembered
from assent.services.receipts.record import Identity
from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.postgres.database import Database
from assent.store.records import Choice
from assent.store.schema import choice as choice_table
from assent.store.sql.ledger import _row
from assent.store.sqlite import SqliteStore

BATCH = 5_000
BATCHES = 4
ROUNDS = 5
RATE = 500
SECONDS = 10
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIGNER = new_signer("localhost/assent", b"s" * 32)
LOG = Log("localhost/assent", (SIGNER,), Identity("controller.example", b"k" * 32), lambda n: os.urandom(32 * n))
COLUMNS = choice_table.columns.keys()
CHOICES = f"INSERT INTO choice ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
LEAVES = "INSERT INTO leaf (number, choice, salt, commitment) VALUES (?, ?, ?, ?)"

Insert = Callable[[list[tuple[object, ...]], list[tuple[object, ...]]], None]


def choice(number: int) -> Choice:
    """One choice as a product's notice records it, with everything filled in."""
    name = hashlib.sha256(str(number).encode()).hexdigest()
    at = NOW + timedelta(milliseconds=number)
    return Choice(
        id=name[:32],
        subject=f"person-{number}",
        purpose="training",
        act="allow" if number % 3 else "decline",
        at=at,
        notice=f"sha256:{'ab' * 32}",
        surface="web",
        recorded_by="api",
        recorded_at=at,
        locale="en",
        layout="a",
        options=("allow", "decline"),
        policy=f"sha256:{'cd' * 32}",
        client="desktop",
        prior="unasked",
        snapshot=f"sha256:{name}",
        campaign="autumn",
        terms=f"sha256:{'ef' * 32}",
    )


@contextmanager
def in_sqlite(folder: Path, name: str) -> Iterator[tuple[Store, Insert]]:
    """Give a store in a fresh file, and the plain insert into another fresh file with the same tables."""
    store = SqliteStore.open(folder / f"{name}.db", vault_in(folder), create=True)
    store._database.checkpoint()  # noqa: SLF001
    shutil.copy(folder / f"{name}.db", folder / f"{name}-plain.db")
    plain = sqlite3.connect(folder / f"{name}-plain.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-65536"):
        plain.execute(f"PRAGMA {pragma}")

    def insert(choices: list[tuple[object, ...]], leaves: list[tuple[object, ...]]) -> None:
        plain.execute("BEGIN IMMEDIATE")
        plain.executemany(CHOICES, choices)
        plain.executemany(LEAVES, leaves)
        plain.execute("COMMIT")

    yield store, insert
    same(store, plain.execute("SELECT id FROM choice ORDER BY id").fetchall())
    plain.close()
    store.close()


@contextmanager
def in_postgres(server: postgres_server.Server, folder: Path) -> Iterator[tuple[Store, Insert]]:
    """Give a store in a fresh database, and the plain insert into another one with the same tables."""
    addresses = [server.address(server.fresh(lambda a: Database(a, create=True).close())) for _ in range(2)]
    store = PostgresStore.open(addresses[0], vault_in(folder))
    plain = psycopg.connect(addresses[1])

    def insert(choices: list[tuple[object, ...]], leaves: list[tuple[object, ...]]) -> None:
        with plain.cursor() as cursor:
            for statement, rows in ((CHOICES, choices), (LEAVES, leaves)):
                cursor.executemany(statement.replace("?", "%s"), rows)
        plain.commit()

    yield store, insert
    with plain.cursor() as cursor:
        same(store, cursor.execute('SELECT id FROM choice ORDER BY id COLLATE "C"').fetchall())
    plain.close()
    store.close()


def same(store: Store, plain: list[Any]) -> None:
    """Stop unless both sides hold the same choices."""
    kept = sorted(one.id for one, _ in store.leaves(0, 10_000_000) if one is not None)
    if kept != [row[0] for row in plain]:
        sys.exit("the two sides do not hold the same choices")


def round_of(store: Store, insert: Insert) -> tuple[float, float, list[Appended]]:
    """Time both sides on the same batches, in turn; returns their seconds and the last batch with its proofs."""
    found(store, LOG, now=NOW)
    ours = theirs = 0.0
    appended: list[Appended] = []
    for number in range(BATCHES):
        batch = [choice(number * BATCH + n) for n in range(BATCH)]
        start = time.perf_counter()
        appended = append(store, LOG, batch, now=NOW)
        ours += time.perf_counter() - start
        leaves = [(one.number, one.choice.id, one.salt, commitment(one.salt, one.record)) for one in appended]
        rows = [_row(one) for one in batch]
        start = time.perf_counter()
        insert(rows, leaves)  # type: ignore[arg-type]
        theirs += time.perf_counter() - start
    for one in appended[:: BATCH // 20]:
        check_proof(parse_proof(one.proof), commitment(one.salt, one.record), [SIGNER.verifier], LOG.origin)
    return ours, theirs, appended


def report(kind: str, times: list[tuple[float, float]]) -> None:
    """Print choices a second of both sides and the ratio."""
    total = BATCH * BATCHES
    print(f"{kind}: {total:,} choices in batches of {BATCH:,}, {len(times)} rounds in turn")
    for name, seconds in (("ledger", [a for a, _ in times]), ("plain insert", [b for _, b in times])):
        rates = sorted(total / s for s in seconds)
        print(f"  {name:12} {statistics.median(rates):>9,.0f} choices/s  ({rates[0]:,.0f}-{rates[-1]:,.0f})")
    ratios = sorted(a / b for a, b in times)
    print(f"  ratio of times ledger / plain: {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})")


def check_time(one: Appended) -> None:
    """Print how long it takes to check signature and inclusion from the text of a proof."""
    entry = commitment(one.salt, one.record)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        check_proof(parse_proof(one.proof), entry, [SIGNER.verifier], LOG.origin)
        times.append((time.perf_counter() - start) * 1000)
    print(f"checkpoint and inclusion checked in {statistics.median(times):.2f} ms ({min(times):.2f}-{max(times):.2f})")


def bytes_in_sqlite(path: Path) -> float:
    """Return the bytes a choice of the ledger's tables and indexes, whole pages counted."""
    with sqlite3.connect(path) as connection:
        names = (
            "'leaf', 'leaf_by_choice', 'tile', 'ledger_head', 'cosignature', 'key_change', 'sqlite_autoindex_tile_1'"
        )
        query = f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({names})"
        size: int = connection.execute(query).fetchone()[0]
    connection.close()
    return size / (BATCH * BATCHES)


async def wait_in_groups(store: Store) -> list[float]:
    """Hand single choices in at a steady rate; returns the milliseconds that each waited for its proof."""
    remembered = Remembered()
    worker = OwnThread[Choice, Appended](lambda group: [*append(store, LOG, group, now=NOW, remembered=remembered)])
    queue = GroupQueue(worker)
    loop = asyncio.get_running_loop()

    async def wait(number: int, due: float) -> float:
        await queue.of(choice(10_000_000 + number))
        return (loop.time() - due) * 1000

    begin, tasks = loop.time() + 0.1, []
    for number in range(RATE * SECONDS):
        due = begin + number / RATE
        if (pause := due - loop.time()) > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(wait(number, due)))
    waits = await asyncio.gather(*tasks)
    await queue.close()
    return sorted(waits)


def waiting_time(store: Store) -> None:
    """Print how long single choices wait when they come at a steady rate and are appended in groups."""
    waits = asyncio.run(wait_in_groups(store))
    middle, late = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    print(f"  one choice of {RATE} a second, in groups: {middle:.1f} ms, p99 {late:.1f} ms, longest {waits[-1]:.1f} ms")


def main() -> None:
    """Run both databases."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        times = []
        for number in range(ROUNDS + 1):
            with in_sqlite(folder, str(number)) as (store, insert):
                ours, theirs, appended = round_of(store, insert)
                times.append((ours, theirs))
            size = bytes_in_sqlite(folder / f"{number}.db")
        report("SQLite", times[1:])
        print(f"  {size:.0f} bytes a choice in the ledger's tables")
        store = SqliteStore.open(folder / "single.db", vault_in(folder), create=True)
        found(store, LOG, now=NOW)
        waiting_time(store)
        store.close()
        check_time(appended[0])
    with postgres_server.running() as server, tempfile.TemporaryDirectory() as made:
        times = []
        for _ in range(ROUNDS + 1):
            with in_postgres(server, Path(made)) as (store, insert):
                ours, theirs, _ = round_of(store, insert)
                times.append((ours, theirs))
        report("PostgreSQL", times[1:])
        store = PostgresStore.open(server.address(server.fresh(str)), vault_in(Path(made)))
        found(store, LOG, now=NOW)
        waiting_time(store)
        store.close()


if __name__ == "__main__":
    main()
