"""Intake: conversations into the store and the vault, against the same texts inserted into one table in the clear.

The peer keeps the rows that a plain chat store would: one table of texts in SQLite (WAL,
`synchronous=FULL`, `secure_delete`), or COPY into PostgreSQL, as many conversations a commit.
It neither seals nor digests, and knows no facts. Both take turns in one process and must give
back the same texts. Then: what costs the same conversations coming again unchanged, and reading.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from tests import postgres_server
from tests.vaults import vault_in

from assent.domain.conversation import Conversation, Part
from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.postgres.database import Database
from assent.store.sqlite import SqliteStore

CONVERSATIONS = 2_000
BATCH = 200
TURNS = 10
ROUNDS = 5
SEED = 20
MEGABYTE = 1_000_000
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WORDS = (Path(__file__).parents[1] / "README.md").read_text("utf-8").split()

Rows = list[tuple[int, str, str]]
Insert = Callable[[Rows], None]


def made() -> list[Conversation]:
    """Conversations of ten turns, questions of 30 words and answers of 250, drawn from one page of prose."""
    chance = random.Random(SEED)

    def part(number: int, turn: int) -> Part:
        asks = turn % 2 == 0
        return Part(
            id=f"{number}-{turn}",
            turn=f"{number}-{turn}",
            speaker="user" if asks else "assistant",
            origin="person" if asks else "model",
            data="text",
            text=" ".join(chance.choices(WORDS, k=30 if asks else 250)),
            created_at=NOW,
        )

    return [
        Conversation(
            id=f"bench:{number}",
            source="bench",
            subject=f"s{number % 50}",
            title=f"Chat {number}",
            created_at=NOW,
            last_turn_at=NOW,
            parts=tuple(part(number, turn) for turn in range(TURNS)),
        )
        for number in range(CONVERSATIONS)
    ]


@contextmanager
def in_sqlite(folder: Path, _server: postgres_server.Server) -> Iterator[tuple[Store, Insert]]:
    store = SqliteStore.open(folder / "store.db", vault_in(folder), create=True)
    plain = sqlite3.connect(folder / "plain.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-65536"):
        plain.execute(f"PRAGMA {pragma}")
    plain.execute("CREATE TABLE message (key INTEGER PRIMARY KEY, conversation TEXT NOT NULL, body TEXT NOT NULL)")

    def insert(rows: Rows) -> None:
        plain.execute("BEGIN IMMEDIATE")
        plain.executemany("INSERT INTO message VALUES (?, ?, ?)", rows)
        plain.execute("COMMIT")

    yield store, insert
    same(store, plain.execute("SELECT body FROM message ORDER BY key").fetchall())
    plain.close()
    store.close()


@contextmanager
def in_postgres(folder: Path, server: postgres_server.Server) -> Iterator[tuple[Store, Insert]]:
    name = server.fresh(lambda address: Database(address, create=True).close())
    store = PostgresStore.open(server.address(name), vault_in(folder))
    plain = psycopg.connect(server.address(server.blank()))
    plain.execute("CREATE TABLE message (key bigint PRIMARY KEY, conversation text NOT NULL, body text NOT NULL)")
    plain.commit()

    def insert(rows: Rows) -> None:
        with plain.cursor() as cursor, cursor.copy("COPY message FROM STDIN") as stream:
            for row in rows:
                stream.write_row(row)
        plain.commit()

    yield store, insert
    same(store, plain.execute("SELECT body FROM message ORDER BY key").fetchall())
    plain.close()
    store.close()


def texts_of(store: Store) -> list[str]:
    keys = list(range(1, CONVERSATIONS * TURNS + 1))
    found: dict[int, str] = {}
    for start in range(0, len(keys), 2_000):
        found |= store.content_of(keys[start : start + 2_000])
    return [found[key] for key in keys]


def same(store: Store, rows: list[tuple[str]]) -> None:
    """Fail unless both keep the same texts in the same order."""
    if texts_of(store) != [body for (body,) in rows]:
        raise SystemExit("the texts differ")


def seconds(act: Callable[[], object]) -> tuple[float, float]:
    """Wall time, and CPU time of this process alone: that hardly depends on who else is at work."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def take(store: Store, items: list[Conversation]) -> None:
    for start in range(0, len(items), BATCH):
        store.intake(items[start : start + BATCH], plan="free", recorded_at=NOW)


def put(insert: Insert, items: list[Conversation]) -> None:
    key = 0
    for start in range(0, len(items), BATCH):
        rows = []
        for item in items[start : start + BATCH]:
            for part in item.parts:
                key += 1
                rows.append((key, item.id, part.text))
        insert(rows)


def main() -> None:
    """Run both databases."""
    items = made()
    size = sum(len(part.text.encode()) for item in items for part in item.parts) / MEGABYTE
    print(f"{CONVERSATIONS:,} conversations, {size:.1f} MB of text, {BATCH} a commit; median of {ROUNDS} (min to max)")
    with postgres_server.running() as server:
        for label, opened in (("SQLite", in_sqlite), ("PostgreSQL", in_postgres)):
            walls: dict[str, list[float]] = {}
            cpus: dict[str, list[float]] = {}
            for turn in range(ROUNDS + 1):
                with tempfile.TemporaryDirectory() as folder, opened(Path(folder), server) as (store, insert):
                    times = {
                        "intake": seconds(lambda store=store: take(store, items)),
                        "plain insert": seconds(lambda insert=insert: put(insert, items)),
                        "again": seconds(lambda store=store: take(store, items)),
                        "read": seconds(lambda store=store: texts_of(store)),
                    }
                if turn:  # the first round warms up
                    for name, (wall, cpu) in times.items():
                        walls.setdefault(name, []).append(size / wall)
                        cpus.setdefault(name, []).append(size / cpu)
            print(label)
            for name, found in walls.items():
                ratio = statistics.median(took / peer for took, peer in zip(found, walls["plain insert"], strict=True))
                speed = f"{statistics.median(found):.1f} MB/s ({min(found):.1f} to {max(found):.1f})"
                busy = f"{statistics.median(cpus[name]):.0f} MB a CPU-second"
                print(f"  {name:13} {speed}, {busy}, {ratio:.2f} times as fast as the plain insert")


if __name__ == "__main__":
    main()
