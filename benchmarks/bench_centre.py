"""The privacy centre of a person with STORED conversations (environment; default 100,000) on both databases.

The peer is the same site, in the same run, for a person with a hundred: a page shows a page, so
what lies behind it should not matter. Times are the server's, from the request to the last byte,
without a network; bytes are of the answer as it is sent, not compressed.
"""

from __future__ import annotations

import os
import statistics
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
from assent.store.records import Account, ConversationFilter, Page
from assent.wiring import Wiring

STORED: Final = int(os.environ.get("STORED", "100_000"))
FEW: Final = 100
ROUNDS: Final = int(os.environ.get("ROUNDS", "60"))
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
    """Make conversations of two turns in four parts, a quarter of an hour apart."""
    for n in range(count):
        at = NOW - timedelta(minutes=15 * n)
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
    for who, count in ((MANY, STORED), (LITTLE, FEW)):
        made = list(talks(who, count))
        for start in range(0, count, BATCH):
            home.store.intake(made[start : start + BATCH], plan=None, recorded_at=NOW)


def measure(home: Wiring) -> None:
    """Open every page many times as each of the two people, in turn."""
    app = create_app(replace(home.world(), say=lambda _line: None), None, create_site)
    with TestClient(app, base_url="https://privacy.example") as client:
        for name, address in {**PAGES, FAR: far_page(home)}.items():
            times: dict[str, list[float]] = {MANY: [], LITTLE: []}
            size = 0
            for _ in range(ROUNDS):
                for who, found in times.items():
                    enter(client, home, who)
                    began = time.perf_counter()
                    answer = client.get(address if who == MANY or name != FAR else "/me/chats")
                    found.append((time.perf_counter() - began) * 1_000)
                    assert answer.status_code == 200, answer.status_code
                    size = max(size, len(answer.content))
            many, little = sorted(times[MANY]), sorted(times[LITTLE])
            ratio = statistics.median(many) / statistics.median(little)
            print(
                f"  {name:18} median {statistics.median(many):6.1f} ms, p99 {many[int(len(many) * 0.99)]:6.1f} ms, "
                f"{size / 1000:5.1f} kB; {ratio:.2f} times the one with {FEW}"
            )


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


def main() -> None:
    """Fill a home on each database, and look at it as both people."""
    policies = ("anthropic/2025-05-01", "anthropic/2025-10-08")
    with tempfile.TemporaryDirectory() as made, postgres_server.running() as server:
        for name, database in (("SQLite", "assent.db"), ("PostgreSQL", server.address(server.blank()))):
            home = make_home(Wiring(None, NOW), Path(made) / name, policies, database=database)
            fill(home)
            print(f"{name}: {STORED:,} conversations behind each page, {ROUNDS} rounds")
            measure(home)
            home.store.close()


if __name__ == "__main__":
    main()
