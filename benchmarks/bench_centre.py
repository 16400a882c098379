"""The privacy centre of a person with STORED conversations (environment; default 100,000) on both databases.

The peer is the same site, in the same run, for a person with a hundred: a page shows a page, so
what lies behind it should not matter. Times are the server's, from the request to the last byte,
without a network; bytes are of the answer as it is sent, not compressed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from starlette.testclient import TestClient
from tests import postgres_server

from assent.domain.conversation import Conversation, Part
from assent.interfaces.api.app import create_app
from assent.interfaces.cli.init import make_home
from assent.interfaces.web.addresses import create_site
from assent.interfaces.web.site import COOKIE
from assent.services.session.sessions import begin
from assent.settings import MAX_PAGE_ROWS
from assent.store.records import Account, ConversationFilter, ImportRun, Page
from assent.wiring import Wiring
from benchmarks.board.rounds import Times, setting
from benchmarks.board.values import Aim, Figure, Headline, Result, Spread, Table, Words

STORED: Final = setting("STORED", 100_000, small=400)
FEW: Final = 100
ROUNDS: Final = setting("ROUNDS", 60, small=2)
BATCH: Final = 2_000
NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
MANY, LITTLE = "many", "little"
FAR: Final = "far behind"
TITLES: Final = ("Holiday plans", "A letter to the landlord", "Soup without onions", "Regex for invoices")
PAGES: Final = {
    "overview": "/me",
    "first page": "/me/chats",
    "search, found": "/me/chats?q=soup",
    "search, not found": "/me/chats?q=zeppelin",
    "one surface": "/me/chats?surface=coding",
    "one project": "/me/chats?project=project-3",
    "deleted": "/me/chats?only=deleted",
    "flagged": "/me/chats?only=flagged",
    "projects": "/me/projects",
}


def talks(subject: str, count: int) -> Iterator[Conversation]:
    """Make conversations of two turns in four parts, so close together that none has to be gone by now."""
    for n in range(count):
        at = NOW - timedelta(seconds=20 * n)
        said = [("user", "person"), ("assistant", "model")] * 2
        parts = tuple(
            Part(str(k), f"t{k // 2}", speaker, origin, "text", f"{n} {k}: stir it, and wait a little", at)
            for k, (speaker, origin) in enumerate(said)
        )
        yield Conversation(
            f"bench:{subject}-{n:06}",
            "bench",
            parts,
            subject,
            title=f"{TITLES[n % len(TITLES)]} {n}",
            surface="coding" if n % 5 == 0 else "chat",
            created_at=at,
            last_turn_at=at,
            deleted_at=NOW - timedelta(days=1) if n % 500 == 7 else None,
            project=f"project-{n % 40}" if n % 3 == 0 else "",
        )


def fill(home: Wiring) -> None:
    """Keep the conversations of both people."""
    home.store.put_accounts([Account(who, "pro", age=30, region="DE", signed_in=True) for who in (MANY, LITTLE)])
    run = home.store.begin_import("bench", "made", NOW)
    for who, count in ((MANY, STORED), (LITTLE, FEW)):
        made = list(talks(who, count))
        for start in range(0, count, BATCH):
            home.store.intake(made[start : start + BATCH], plan=None, recorded_at=NOW)
    home.store.finish_import(ImportRun(run, "bench", "made", NOW, NOW, STORED + FEW), [])


def look(home: Wiring) -> tuple[Times, dict[str, int]]:
    """Open every page many times as each of the two people, in turn; returns seconds, and the bytes of each page."""
    app = create_app(replace(home.world(), say=lambda _line: None), None, create_site)
    times, sizes = Times(), {}
    with TestClient(app, base_url="https://privacy.example") as client:
        for name, address in {**PAGES, FAR: far_page(home)}.items():
            for _ in range(ROUNDS):
                for who in (MANY, LITTLE):
                    enter(client, home, who)
                    began = time.perf_counter()
                    answer = client.get(address if who == MANY or name != FAR else "/me/chats")
                    times.add(f"{name}, {who}", time.perf_counter() - began)
                    assert answer.status_code == 200, answer.status_code
                    if who == MANY:
                        sizes[name] = len(answer.content)
    return times, sizes


def enter(client: TestClient, home: Wiring, who: str) -> None:
    """Be this person from now on, in a session of their own, so that no rate limit is met."""
    lasts = timedelta(hours=1)
    token, _ = begin(home.store, kind="person", who=who, key=home.new_key(), now=home.now(), lasts=lasts)
    client.cookies.set(COOKIE, token)


def far_page(home: Wiring) -> str:
    """Find the address of a page in the middle of the list."""
    after, which = None, ConversationFilter(subject=MANY)
    for _ in range(STORED // 2 // MAX_PAGE_ROWS):
        after = home.store.find_conversations(which, Page(MAX_PAGE_ROWS, after), look_at=1).after
    return "/me/chats?" + urlencode({"after": after or ""})


def measure() -> Result:
    """Fill a home on each database, and look at it as both people."""
    policies = ("anthropic/2025-05-01", "anthropic/2025-10-08")
    figures: list[Figure] = []
    ratios: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as made, postgres_server.running() as server:
        for kind, database in (("SQLite", "assent.db"), ("PostgreSQL", server.address(server.blank()))):
            home = make_home(Wiring(None, NOW), Path(made) / kind, policies, database=database)
            fill(home)
            times, sizes = look(home)
            home.store.close()
            for name in sizes:
                many = f"{name}, {MANY}"
                figures.append(Figure(f"{name}, {kind}", times.spread(many, 1e3), "ms", Aim("at most", 50)))
                ratios.append(Figure(f"{name}, {kind}", times.against(many, f"{name}, {LITTLE}")))
                late = sorted(times[many])[int(ROUNDS * 0.99)] * 1e3
                rows.append((f"{name}, {kind}", f"{late:.1f}", f"{sizes[name] / 1e3:.1f}"))
    largest = Figure("the largest page", Spread.single(max(sizes.values()) / 1e3), "kB", Aim("at most", 30))
    return Result(
        figures=(*figures, largest),
        ratios=tuple(ratios),
        tables=(Table(("page", "99th percentile, ms", "kB"), tuple(rows)),),
    )


HEADLINE = Headline(
    Words(
        title="Privacy centre",
        work=(
            f"{STORED:,} conversations behind each page; the server's time to the last byte, without a network, "
            "and bytes not compressed."
        ),
        peer=f"the same page of a person with {FEW}: a page shows a page, so what lies behind it should not matter",
        remarks=("A search opens 2,000 sealed titles at most, each under a key of its own, and offers to look on.",),
    ),
    measure,
    uses=("starlette", "psycopg"),
)
