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
from benchmarks.board.rounds import Times, growth, setting, thirds, took
from benchmarks.board.values import Figure, Growth, Headline, Result, Spread, Words

BATCH = setting("BATCH", 5_000, small=100)
BATCHES = setting("BATCHES", 4, small=2)
ROUNDS = setting("ROUNDS", 5, small=1)
RATE = 500
SECONDS = setting("SECONDS", 10, small=1)
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


def round_of(store: Store, insert: Insert, times: Times, batch_size: int = BATCH) -> list[Appended]:
    """Time both sides on the same batches, in turn; returns the last batch with its proofs."""
    found(store, LOG, now=NOW)
    ours = theirs = 0.0
    appended: list[Appended] = []
    for number in range(BATCHES):
        batch = [choice(number * batch_size + n) for n in range(batch_size)]
        start = time.perf_counter()
        appended = append(store, LOG, batch, now=NOW)
        ours += time.perf_counter() - start
        leaves = [(one.number, one.choice.id, one.salt, commitment(one.salt, one.record)) for one in appended]
        rows = [_row(one) for one in batch]
        start = time.perf_counter()
        insert(rows, leaves)  # type: ignore[arg-type]
        theirs += time.perf_counter() - start
    times.add("ledger", ours)
    times.add("plain", theirs)
    for one in appended[:: max(1, batch_size // 20)]:
        check_proof(parse_proof(one.proof), commitment(one.salt, one.record), [SIGNER.verifier], LOG.origin)
    return appended


def check_time(one: Appended) -> Figure:
    """Measure how long it takes to check signature and inclusion from the text of a proof."""
    entry, times = commitment(one.salt, one.record), Times()
    for _ in range(200):
        times.add("", took(lambda: check_proof(parse_proof(one.proof), entry, [SIGNER.verifier], LOG.origin)))
    return Figure("a checkpoint and an inclusion proof checked", times.spread("", 1e3), "ms")


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

    async def wait(number: int, due: float) -> float:
        await queue.of(choice(10_000_000 + number))
        return (time.perf_counter() - due) * 1000

    begin, tasks = time.perf_counter() + 0.1, []
    for number in range(RATE * SECONDS):
        due = begin + number / RATE
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(wait(number, due)))
    waits = await asyncio.gather(*tasks)
    await queue.close()
    return sorted(waits)


def waiting_time(kind: str, store: Store) -> list[Figure]:
    """Measure how long single choices wait when they come at a steady rate and are appended in groups."""
    found(store, LOG, now=NOW)
    waits = asyncio.run(wait_in_groups(store))
    return [
        Figure(f"{kind}: one choice of {RATE} a second, in groups, {name}", Spread.single(waits[place]), "ms")
        for name, place in (("median", len(waits) // 2), ("99th percentile", len(waits) * 99 // 100))
    ]


def report(kind: str, times: dict[int, Times]) -> tuple[list[Figure], Figure, Growth]:
    """Lay out choices a second of both sides, their ratio, and what a choice costs in small batches and in large."""
    whole, total = times[BATCH], BATCH * BATCHES
    figures = [
        Figure(f"{kind}: {name}", whole.rate(side, total), "choices a second")
        for name, side in (("ledger", "ledger"), ("plain insert of the same rows", "plain"))
    ]
    by_size = {size * BATCHES: found["ledger"] for size, found in times.items()}
    ratio = Figure(f"{kind}, against a plain insert", whole.against("ledger", "plain"))
    return figures, ratio, growth(f"{kind}: appending {BATCHES} batches", by_size, of="choices")


def measure() -> Result:
    """Run both databases."""
    sqlite, postgres = ({size: Times() for size in thirds(BATCH)} for _ in range(2))
    appended: list[Appended] = []
    with tempfile.TemporaryDirectory() as made, postgres_server.running() as server:
        folder = Path(made)
        for number in range(ROUNDS + 1):  # the first round warms up
            for size in thirds(BATCH):
                with in_sqlite(folder, f"{number}-{size}") as (store, insert):
                    appended = round_of(store, insert, sqlite[size] if number else Times(), size)
                with in_postgres(server, folder) as (store, insert):
                    round_of(store, insert, postgres[size] if number else Times(), size)
        kept = bytes_in_sqlite(folder / f"{ROUNDS}-{BATCH}.db")
        store = SqliteStore.open(folder / "single.db", vault_in(folder), create=True)
        waits = waiting_time("SQLite", store)
        store.close()
        store = PostgresStore.open(server.address(server.fresh(str)), vault_in(folder))
        waits += waiting_time("PostgreSQL", store)
        store.close()
    told = [report("SQLite", sqlite), report("PostgreSQL", postgres)]
    return Result(
        figures=(
            *(figure for figures, _, _ in told for figure in figures),
            Figure("a choice in the ledger's tables", Spread.single(kept), "bytes"),
            check_time(appended[0]),
            *waits,
        ),
        ratios=tuple(ratio for _, ratio, _ in told),
        growth=tuple(grown for _, _, grown in told),
    )


HEADLINE = Headline(
    Words(
        title="Ledger",
        work=(
            f"{BATCH * BATCHES:,} choices in batches of {BATCH:,}, with record, salt, leaf, checkpoint and a proof for "
            "each. Both sides must end with the same choices, and proofs are checked."
        ),
        peer="a plain insert of the same choices and leaves, made beforehand, by `executemany` of sqlite3 and psycopg",
    ),
    measure,
    uses=("psycopg", "cryptography"),
)
