"""Intake: conversations into the store and the vault, against the same texts inserted into one table in the clear.

The peer keeps the rows that a plain chat store would: one table of texts in SQLite (WAL,
`synchronous=FULL`, `secure_delete`), or COPY into PostgreSQL, as many conversations a commit.
It neither seals nor digests, and knows no facts. Both take turns in one process and must give
back the same texts. Then: what costs the same conversations coming again unchanged, and reading.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
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
from benchmarks.board.rounds import Times, cpu, growth, setting, thirds, took
from benchmarks.board.values import Figure, Headline, Result, Words

CONVERSATIONS = setting("CONVERSATIONS", 2_000, small=64)
BATCH = 200
TURNS = 10
ROUNDS = setting("ROUNDS", 5, small=1)
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
    keys = list(range(1, store.counts().parts + 1))
    found: dict[int, str] = {}
    for start in range(0, len(keys), 2_000):
        found |= store.content_of(keys[start : start + 2_000])
    return [found[key] for key in keys]


def same(store: Store, rows: list[tuple[str]]) -> None:
    """Fail unless both keep the same texts in the same order."""
    if texts_of(store) != [body for (body,) in rows]:
        raise SystemExit("the texts differ")


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


def round_of(store: Store, insert: Insert, items: list[Conversation], walls: Times, cpus: Times) -> None:
    """Time everything once: on the wall, and the CPU of this process alone, which hardly depends on others."""
    for name, act in (
        ("intake", lambda: take(store, items)),
        ("plain", lambda: put(insert, items)),
        ("again", lambda: take(store, items)),
        ("read", lambda: texts_of(store)),
    ):
        with cpus.timing(name, cpu):
            walls.add(name, took(act))


def measure() -> Result:
    """Run both databases."""
    items = made()
    size = sum(len(part.text.encode()) for item in items for part in item.parts) / MEGABYTE
    figures, ratios, grows = [], [], []
    with postgres_server.running() as server:
        for label, opened in (("SQLite", in_sqlite), ("PostgreSQL", in_postgres)):
            by_size = {count: (Times(), Times()) for count in thirds(CONVERSATIONS)}
            for turn in range(ROUNDS + 1):  # the first round warms up
                for count, found in by_size.items():
                    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), server) as (store, insert):
                        round_of(store, insert, items[:count], *(found if turn else (Times(), Times())))
            walls, cpus = by_size[CONVERSATIONS]
            named = {"intake": "intake", "plain": "plain insert", "again": "coming again unchanged", "read": "reading"}
            for name, said in named.items():
                figures.append(Figure(f"{label}: {said}", walls.rate(name, size), "MB of text a second"))
                figures.append(
                    Figure(f"{label}: {said}, CPU of this process", cpus.rate(name, size), "MB a CPU second")
                )
            ratios.append(Figure(f"{label}: against a plain insert of the texts", walls.against("intake", "plain")))
            seconds = {count: times["intake"] for count, (times, _) in by_size.items()}
            grows.append(growth(f"intake into {label}", seconds, of="conversations"))
    return Result(figures=tuple(figures), ratios=tuple(ratios), growth=tuple(grows))


HEADLINE = Headline(
    Words(
        title="Intake",
        work=(
            f"{CONVERSATIONS:,} conversations of ten turns into store and vault, {BATCH} a commit. Both sides "
            "must give back the same texts in the same order."
        ),
        peer="the same texts inserted into one table in the clear: SQLite as durable as ours, PostgreSQL by COPY",
        remarks=("The peer neither seals nor digests, and knows no facts.",),
    ),
    measure,
    uses=("psycopg",),
)
