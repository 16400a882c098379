"""The console's forecast: how long the page takes from the kept figure, and what working the figure out costs.

CONVERSATIONS of one part each are kept, of PEOPLE people half of whom allowed training: one of everything came in as
always, and the rest are copies of its rows, made by the database, so that ten million take minutes. The daemon's own
step works the figure out, in a process of its own that gives way to others (`nice`). The page, its picture and the
first page are asked for as a signed-in engineer over the whole stack but the network, of a large home and a small one
in turn. The page reads one row whatever the store holds; working the figure out decides every part.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from assent.domain.conversation import Conversation, Part
from assent.domain.instants import to_micros
from assent.interfaces.api.app import create_app
from assent.interfaces.cli.init import make_home
from assent.interfaces.web.addresses import create_site
from assent.interfaces.web.site import COOKIE
from assent.services.figures.outlook import kept_outlook
from assent.services.session.sessions import begin
from assent.store.records import Account, Choice
from assent.store.schema import METADATA
from assent.wiring import Wiring
from benchmarks.board.rounds import Times, cpu, growth, peak_megabytes, setting, thirds, wall
from benchmarks.board.values import Aim, Figure, Headline, Result, Spread, Words

CONVERSATIONS = setting("CONVERSATIONS", 200_000, small=1_600)
PEOPLE = setting("PEOPLE", 20_000, small=100)
ROUNDS = setting("ROUNDS", 50, small=3)
AT_ONCE = 1_000_000
"""Conversations that are copied in one statement."""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(days=1_400)
AIM = Aim("at most", 1_000)
ADDRESSES = {
    "the forecast": "/console/forecast",
    "its picture": "/console/forecast.svg",
    "what is erased": "/console/erasing",
    "the overview": "/console",
}


@dataclass
class Step:
    """What the daemon's step cost at one size: seconds, CPU seconds, and the peak memory of its process."""

    seconds: float
    cpu: float
    peak_mb: float
    load: float


def fill(home: Wiring, conversations: int) -> None:
    """Keep conversations of the last four years."""
    store = home.store
    store.put_accounts([Account("p0", "free", age=30, region="DE")])
    store.add_choice(Choice("c0", "p0", "training", "allow", BEGAN, "n", "html", "import", BEGAN))
    part = Part("p", "t", "user", "person", "text", "words", BEGAN)
    model = Conversation("b:0", "bench", (part,), "p0", created_at=BEGAN, last_turn_at=BEGAN)
    store.intake([model], plan="free", recorded_at=BEGAN)
    store.close()
    with closing(sqlite3.connect(home.settings.home / "assent.db", isolation_level=None)) as database:
        multiply(database, conversations)


def multiply(database: sqlite3.Connection, conversations: int) -> None:
    """Copy the rows of the one person and the one conversation until there are as many as are asked for."""
    [(home, piece, slot)] = database.execute(
        "SELECT c.key, p.key, s.slot FROM conversation AS c JOIN part AS p ON p.conversation = c.key"
        " JOIN sealed AS s ON s.part = p.key"
    ).fetchall()
    for pragma in ("synchronous = OFF", "cache_size = -262144"):  # a store that is lost with the machine
        database.execute(f"PRAGMA {pragma}")
    tables = ("account", "choice", "conversation", "part", "sealed")
    marks = ", ".join("?" * len(tables))
    indexes = f"SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql NOTNULL AND tbl_name IN ({marks})"
    dropped = database.execute(indexes, tables).fetchall()
    for name, _ in dropped:
        database.execute(f"DROP INDEX {name}")
    people = max(2, PEOPLE * conversations // CONVERSATIONS)
    step = timedelta(days=1_389) / conversations
    at = f"{to_micros(BEGAN)} + n * {step // timedelta(microseconds=1)}"
    times = dict.fromkeys(("created_at", "last_turn_at", "recorded_at"), at)
    whose = f"'p' || (n % {people})"
    copy(database, "account", {"subject": "'p' || n"}, range(1, people))
    copy(database, "choice", {"id": "'c' || (2 * n)", "subject": "'p' || (2 * n)"}, range(1, (people + 1) // 2))
    for first in range(1, conversations, AT_ONCE):
        some = range(first, min(first + AT_ONCE, conversations))
        named = {"key": f"{home} + n", "id": "'b:' || n", "subject": whose}
        copy(database, "conversation", {**times, **named}, some)
        copy(database, "part", {**times, "key": f"{piece} + n", "conversation": f"{home} + n"}, some)
        copy(database, "sealed", {"slot": f"{slot} + n", "part": f"{piece} + n"}, some)
    for _, statement in dropped:
        database.execute(statement)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copy(database: sqlite3.Connection, table: str, values: dict[str, str], numbers: range) -> None:
    """Insert copies of the first row of a table with some columns worked out from a number."""
    names = [f'"{column.name}"' for column in METADATA.tables[table].columns]
    chosen = ", ".join(values.get(name.strip('"'), f"m.{name}") for name in names)
    database.execute(
        f"WITH RECURSIVE numbers(n) AS (VALUES ({numbers.start}) UNION ALL SELECT n + 1 FROM numbers"
        f" WHERE n + 1 < {numbers.stop}) INSERT INTO {table} ({', '.join(names)}) SELECT {chosen}"
        f" FROM numbers CROSS JOIN (SELECT * FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table})) AS m"
        f" WHERE n < {numbers.stop}"
    )


def step(folder: Path) -> Step:
    """Let the daemon of a home do what it does between two rounds, while others go first."""
    os.nice(10)
    home, began, used = Wiring(folder, NOW), wall(), cpu()
    home.sweep_world(lambda: False).carry_out(NOW)
    home.store.close()
    return Step(wall() - began, cpu() - used, peak_megabytes(), os.getloadavg()[0])


def made(conversations: int, folder: Path) -> tuple[Wiring, Step]:
    """Fill a home and let its figure be worked out."""
    home = make_home(Wiring(clock=NOW), folder / f"home-{conversations}", ("anthropic/2025-10-08",))
    fill(home, conversations)
    home = home.at(NOW, home.settings.home)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        found = apart.submit(step, home.settings.home).result()
    check(home, conversations)
    return home, found


async def ask(homes: dict[int, Wiring]) -> Times:
    """Ask for every address of every home again and again, in turn; returns the seconds of each."""
    times = Times()
    async with AsyncExitStack() as opened:
        webs = {size: await opened.enter_async_context(_web(home)) for size, home in homes.items()}
        for number in range(ROUNDS + 1):
            for name, address in ADDRESSES.items():
                for size, web in webs.items():
                    started = time.perf_counter()
                    answer = await web.get(address)
                    if number:  # the first round warms up
                        times.add(f"{name}, {size}", time.perf_counter() - started)
                    answer.raise_for_status()
    return times


def _web(home: Wiring) -> httpx.AsyncClient:
    app = create_app(replace(home.world(), say=lambda _line: None), None, create_site)
    token, _ = begin(
        home.store, kind="staff", who="eve", role="engineer", key=home.new_key(), now=NOW, lasts=timedelta(hours=1)
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://console.test", cookies={COOKIE: token}
    )


def check(home: Wiring, conversations: int) -> None:
    """Stop where the kept figure does not speak of all that is there."""
    kept = kept_outlook(home.store)
    ahead = kept.forecast if kept else None
    parts = sum(sum(one.parts.values()) for one in ahead.buckets) + ahead.later + ahead.held if ahead else 0
    if kept is None or ahead is None or not conversations == kept.counts.parts == parts + ahead.endless:
        raise SystemExit(f"the figure speaks of {parts:,} parts, not of {conversations:,}")


def measure() -> Result:
    """Look at three sizes; the pages of the largest stand beside those of the smallest."""
    few, _, many = thirds(CONVERSATIONS)
    homes, steps = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for count in thirds(CONVERSATIONS):
            home, steps[count] = made(count, Path(folder))
            if count in (few, many):
                homes[count] = home
        times = asyncio.run(ask(homes))
        for home in homes.values():
            home.store.close()
    most = steps[many]
    late = {name: sorted(times[f"{name}, {many}"])[int(ROUNDS * 0.95)] * 1e3 for name in ADDRESSES}
    return Result(
        figures=(
            *(Figure(name, times.spread(f"{name}, {many}", 1e3), "ms", AIM) for name in ADDRESSES),
            *(Figure(f"{name}, 95th percentile", Spread.single(ms), "ms", AIM) for name, ms in late.items()),
            Figure("working the figure out", Spread.single(most.seconds), "s"),
            Figure("working the figure out, CPU", Spread.single(most.cpu), "s"),
            Figure("working the figure out, peak memory", Spread.single(most.peak_mb), "MB"),
        ),
        ratios=tuple(
            Figure(f"{name}, against one with a sixteenth of the conversations",
                   times.against(f"{name}, {many}", f"{name}, {few}"))
            for name in ADDRESSES
        ),
        growth=(
            growth("working the figure out, CPU", {count: [one.cpu] for count, one in steps.items()},
                   of="conversations"),
        ),
        notes=(
            "Peak memory of working it out: "
            + ", ".join(f"{one.peak_mb:,.0f} MB for {count:,}" for count, one in steps.items()) + ".",
            f"The load of the machine was {most.load:.1f} at its end, and {os.getloadavg()[0]:.1f} after the pages.",
        ),
    )  # fmt: skip


HEADLINE = Headline(
    Words(
        title="Console",
        work=(
            f"The forecast of {CONVERSATIONS:,} conversations of {PEOPLE:,} people, over the whole stack but the "
            "network. The page reads one kept row, whatever the store holds; working the figure out, which the "
            "daemon does every hour, decides every part."
        ),
        peer="the same pages over a sixteenth of the conversations: what lies behind a page should not matter",
    ),
    measure,
    uses=("starlette",),
)
