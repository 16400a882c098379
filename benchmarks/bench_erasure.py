"""Erasure: due conversations erased with intent, tombstone, key, copies and receipt, against DELETE of the same rows.

Each store holds STORED conversations of one part (environment; default 400,000), of which a sixteenth
is due: every third of the oldest (EVERY=16 spreads them over all, the worst case). `assent` sweeps
them by a plan, as `assent sweep` does; the peer deletes the same rows, texts included, in batches of
5,000, and leaves the bytes where they are.
Then the same number is erased from a quarter and from half of the stored, a person with 10,000 conversations
changes their mind, and the policy changes. STORED=10000000 is the headline; it takes an hour and 30 GB.
"""

from __future__ import annotations

import resource
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Table, select
from tests import postgres_server

from assent.domain.contents import Piece
from assent.domain.conversation import Conversation
from assent.interfaces.cli.init import make_home
from assent.policy.parse import parse_policy
from assent.services.guard.newly import newly_due
from assent.services.guard.promise import lead_of
from assent.services.plan import keep_policies, make_plan
from assent.services.sweep import SweepTerms, find_plan, sweep_plan
from assent.store.records import Choice, Hold
from assent.store.schema import conversation, part, sealed
from assent.wiring import Wiring
from benchmarks.board.rounds import setting
from benchmarks.board.values import Aim, Figure, Growth, Headline, Result, Spread, Words
from benchmarks.talks import conversation as conversation_of

STORED = setting("STORED", 400_000, small=6_400)
DUE = STORED // 16
EVERY = setting("EVERY", 3, small=3)
ROUNDS = setting("ROUNDS", 3, small=1)
HELD = setting("HELD", 100, small=5)
BATCH = 20_000
FILLED_AT_ONCE = 50_000
OWNER_OF_MANY = setting("OWNER_OF_MANY", 10_000, small=100)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WORDS = "the kettle was on when the letter came, and nobody thought of reading it before the tea was poured; "
TEXTS = [f"{n}: " + WORDS * 6 for n in range(997)]


@dataclass
class Cost:
    """What erasing cost: seconds, CPU seconds of this process, bytes of log."""

    wall: float
    cpu: float
    log: int


def due(number: int) -> bool:
    """Tell whether a conversation is due: every third of the oldest, as time would have it, or every EVERY-th."""
    return number % EVERY == 0 and number < EVERY * DUE


def talk(name: str, *, deleted: bool) -> Conversation:
    """One conversation of one part, of which every other is a copy with a name of its own."""
    at = NOW - timedelta(days=16 if deleted else 5)
    return conversation_of(name, "nobody", TEXTS[:1], at=at, deleted_at=NOW - timedelta(days=15) if deleted else None)


def fill(home: Wiring, stored: int) -> None:
    """Keep `stored` conversations: two by intake, the others as copies of their rows, every text sealed for itself."""
    store = home.store
    store.intake([talk("kept", deleted=False), talk("gone", deleted=True)], plan="pro", recorded_at=NOW)
    database = store._database  # noqa: SLF001 - in bulk; the rows are those of intake
    with database.reading() as connection:
        models = {
            table: [tuple(row) for row in connection.execute(select(*map(plain, table.columns)).order_by(first(table)))]
            for table in (conversation, part, sealed)
        }
    lane = str(models[sealed][0][2]).split("/")[1]
    for start in range(3, stored + 3, FILLED_AT_ONCE):
        numbers = range(start, min(start + FILLED_AT_ONCE, stored + 3))
        pieces = [Piece(n, lane, TEXTS[n % len(TEXTS)]) for n in numbers]
        places = home.vault.keep(pieces, day=NOW.date())
        with database.writing() as connection:
            for table, made in (
                (conversation, [copied(conversation, models, n, key=n, id=f"c{n}") for n in numbers]),
                (part, [copied(part, models, n, key=n, conversation=n) for n in numbers]),
                (
                    sealed,
                    [
                        copied(sealed, models, n, slot=n, part=n, segment=p[1], position=p[2], length=p[3])
                        for n, p in zip(numbers, places, strict=True)
                    ],
                ),
            ):
                database.insert_rows(connection, table, made)
    with database.writing() as connection:
        for n in range(HELD):
            subject = f"held-{n}"
            connection.execute(conversation.update().where(conversation.c.key == 3 + n * 10).values(subject=subject))
    database.checkpoint()


def first(table: Table) -> Any:
    """Return the key of a table."""
    return next(iter(table.primary_key))


def plain(column: Any) -> Any:
    """Read instants as the numbers that they are stored as."""
    from assent.store.sql.paging import plain as as_number

    return as_number(column) if column.name.endswith("_at") else column


def copied(table: Table, models: dict[Table, list[Any]], number: int, **values: object) -> tuple[Any, ...]:
    """Copy the row of the kept or of the deleted conversation under another number."""
    model = models[table][due(number - 3)]
    names = table.columns.keys()
    row = list(model)
    if table is conversation:
        values["subject"] = "owner-of-many" if number < 3 + OWNER_OF_MANY else f"person-{number // 8}"
    for name, value in values.items():
        row[names.index(name)] = value
    return tuple(row)


@contextmanager
def homes(kind: str, folder: Path, stored: int) -> Iterator[tuple[Wiring, Callable[[], int]]]:
    """Give a filled home on SQLite or PostgreSQL, and what tells how many bytes its log took so far."""
    if kind == "sqlite":
        home = make_home(Wiring(None, NOW), folder, ["anthropic/2025-10-08"]).at(NOW, folder)
        fill(home, stored)
        yield home, written
        home.store.close()
        return
    with postgres_server.running() as server:
        address = server.address(server.fresh(lambda _: None))
        home = make_home(Wiring(None, NOW), folder, ["anthropic/2025-10-08"], database=address).at(NOW, folder)
        fill(home, stored)
        with psycopg.connect(address, autocommit=True) as asking:

            def logged() -> int:
                found = asking.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
                return int(found[0]) if found else 0

            asking.execute("CHECKPOINT")
            yield home, logged
        home.store.close()


def written() -> int:
    """Count the bytes that this process gave to the system: log and file of SQLite, journal, slots, segments."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text("ascii").splitlines())
    return int(lines["wchar"])


def erase(home: Wiring, logged: Callable[[], int]) -> Cost:
    """Sweep what is due, after a plan that is not timed, and check that it is exactly that."""
    store = home.store
    for n in range(HELD):
        store.place_hold(
            Hold(f"h{n}", "matter", "person", f"held-{n}", NOW, "counsel", "order", NOW + timedelta(days=90))
        )
    lead = lead_of(home.settings)
    report = make_plan(store, home.columns, home.policy_texts, at=NOW, batch_rows=50_000, lead=lead)
    world = home.erasure_world
    if not DUE - HELD <= report.due <= DUE:
        raise SystemExit(f"{report.due} parts are due, not {DUE}")
    plan = find_plan(store, report.digest)
    terms = SweepTerms(valid=timedelta(hours=72), lead=lead, batch_rows=BATCH)
    before, cpu, start = logged(), cpu_seconds(), time.perf_counter()
    swept = sweep_plan(
        store, home.columns, home.policies, plan, world, now=NOW, terms=terms, on_rows=lambda _rows: None
    )
    cost = Cost(time.perf_counter() - start, cpu_seconds() - cpu, logged() - before)
    if swept.erased != report.due or swept.carried.problems or swept.carried.waiting:
        raise SystemExit(f"erased {swept.erased} of {report.due}: {swept}")
    return replace(cost, wall=cost.wall / swept.erased, cpu=cost.cpu / swept.erased, log=round(cost.log / swept.erased))


def cpu_seconds() -> float:
    """Return the CPU time of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def flip(home: Wiring) -> float:
    """Return the seconds that one withdrawal of a person with 10,000 conversations takes."""
    at = NOW + timedelta(hours=1)
    act = Choice("flip", "owner-of-many", "training", "withdraw", at, "", "web", "bench", at)
    start = time.perf_counter()
    home.store.add_choice(act)
    return time.perf_counter() - start


def change_policy(home: Wiring) -> tuple[float, float, int]:
    """Return the seconds that a stricter version takes, those of its difference, and how many parts it makes due."""
    (now_in_force, text), *_ = home.policy_texts
    stricter = text.replace('use_for = "P30D"', 'use_for = "P3D"')
    policy = parse_policy(stricter, "stricter")
    start = time.perf_counter()
    keep_policies(home.store, [(policy, stricter)], NOW)
    changed = time.perf_counter() - start
    start = time.perf_counter()
    count = newly_due(home.store, home.columns, [now_in_force.digest], [policy], NOW, timedelta())
    return changed, time.perf_counter() - start, count


def delete_in_sqlite(folder: Path) -> float:
    """Return the seconds a row that batched deletion takes in a table with its texts."""
    peer = sqlite3.connect(folder / "peer.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-65536"):
        peer.execute(f"PRAGMA {pragma}")
    peer.execute("CREATE TABLE talk (id INTEGER PRIMARY KEY, owner TEXT, due_at INTEGER, body TEXT)")
    peer.execute("BEGIN")
    peer.executemany("INSERT INTO talk VALUES (?, ?, ?, ?)", rows())
    peer.execute("CREATE INDEX talk_due ON talk (due_at)")
    peer.execute("COMMIT")
    start, gone, last = time.perf_counter(), 0, 1
    while last:
        peer.execute("BEGIN IMMEDIATE")
        batch = "SELECT id FROM talk WHERE due_at <= 0 ORDER BY due_at LIMIT 5000"
        last = peer.execute(f"DELETE FROM talk WHERE id IN ({batch})").rowcount
        peer.execute("COMMIT")
        gone += last
    taken = time.perf_counter() - start
    peer.close()
    (folder / "peer.db").unlink()
    return taken / gone


def delete_in_postgres() -> tuple[float, int]:
    """Return the seconds, and the bytes of log, that batched deletion takes a row."""
    with (
        postgres_server.running() as server,
        psycopg.connect(server.address(server.fresh(lambda _: None)), autocommit=True) as peer,
    ):
        peer.execute("CREATE TABLE talk (id bigint PRIMARY KEY, owner text, due_at bigint, body text)")
        with peer.cursor() as cursor, cursor.copy("COPY talk FROM STDIN") as stream:
            for row in rows():
                stream.write_row(row)
        peer.execute("CREATE INDEX talk_due ON talk (due_at)")
        peer.execute("VACUUM ANALYZE talk")
        peer.execute("CHECKPOINT")
        before = peer.execute("SELECT pg_current_wal_lsn()").fetchone()
        start, gone, last = time.perf_counter(), 0, 1
        while last:
            batch = "SELECT id FROM talk WHERE due_at <= 0 ORDER BY due_at LIMIT 5000"
            last = peer.execute(f"DELETE FROM talk WHERE id IN ({batch})").rowcount
            gone += last
        taken = time.perf_counter() - start
        log = peer.execute("SELECT pg_current_wal_lsn() - %s::pg_lsn", before).fetchone()
        return taken / gone, round(int(log[0]) / gone) if log else 0


def rows() -> Iterator[tuple[int, str, int, str]]:
    """Yield the peer's rows: the same texts, due at the same places."""
    for n in range(STORED):
        yield n, f"person-{n // 8}", 0 if due(n) else 1 + n, TEXTS[n % len(TEXTS)]


def measured_on(kind: str, made: Path) -> Result:
    """Measure one kind of store."""
    costs: dict[int, list[Cost]] = {stored: [] for stored in (STORED // 4, STORED // 2, STORED)}
    peers: list[float] = []
    extra: list[Figure] = []
    for number in range(ROUNDS):
        for stored, found in costs.items():
            folder = made / f"{kind}-{number}-{stored}"
            with homes(kind, folder, stored) as (home, logged):
                found.append(erase(home, logged))
                if stored == STORED and not number:
                    extra = aside(kind, home)
            shutil.rmtree(folder)
        peers.append(delete_in_sqlite(made) if kind == "sqlite" else delete_in_postgres()[0])
    whole, rate = costs[STORED], "conversations a second"
    cost = tuple((stored, Spread.of([one.cpu * 1e6 for one in found])) for stored, found in costs.items())
    return Result(
        figures=(
            Figure(f"{kind}: assent", Spread.of([1 / one.wall for one in whole]), rate, Aim("at least", 40_000)),
            Figure(f"{kind}: batched DELETE", Spread.of([1 / one for one in peers]), rate),
            Figure(f"{kind}: CPU of this process", Spread.of([one.cpu * 1e6 for one in whole]), "µs each"),
            Figure(f"{kind}: written", Spread.of([one.log for one in whole]), "bytes each", Aim("at most", 400)),
            *extra,
        ),
        ratios=(
            Figure(
                f"{kind}, against batched DELETE",
                Spread.of([one.wall / peer for one, peer in zip(whole, peers, strict=True)]),
            ),
        ),
        growth=(Growth(f"{kind}: to erase, CPU of this process", "µs each", "conversations stored", cost),),
    )


def aside(kind: str, home: Wiring) -> list[Figure]:
    """Measure, once, a change of policy and a withdrawal by a person with many conversations."""
    changed, differed, newly = change_policy(home)
    per_million = Spread.single(differed / max(newly, 1) * 1e6)
    return [
        Figure(f"{kind}: a policy change", Spread.single(changed * 1e3), "ms"),
        Figure(
            f"{kind}: what a stricter policy makes due, counted", per_million, "seconds a million", Aim("at most", 2)
        ),
        Figure(
            f"{kind}: a person with {OWNER_OF_MANY:,} conversations withdraws", Spread.single(flip(home) * 1e3), "ms"
        ),
    ]


def measure() -> Result:
    """Measure both kinds of store."""
    with tempfile.TemporaryDirectory() as made:
        both = [measured_on(kind, Path(made)) for kind in ("sqlite", "postgres")]
    return Result(
        figures=tuple(figure for one in both for figure in one.figures),
        ratios=tuple(ratio for one in both for ratio in one.ratios),
        growth=tuple(grown for one in both for grown in one.growth),
    )


HEADLINE = Headline(
    Words(
        title="Erasure",
        work=(
            f"{DUE:,} due of {STORED:,} conversations, one in {EVERY} of the oldest, with intent, tombstone, key, "
            "copies and receipt; what is erased must be exactly what the plan named."
        ),
        peer="DELETE of the same rows, texts included, in batches of 5,000",
        remarks=(
            (
                "The aims are 40,000 a second, 400 B, five times DELETE, 2 s a million. DELETE of a table that fits "
                "into memory is fast, and leaves the bytes. What SQLite writes is log, journal, slots and segments; "
                "what PostgreSQL writes is its log."
            ),
        ),
    ),
    measure,
    uses=("psycopg", "duckdb"),
)
