"""The console's forecast: how long the page takes from the kept figure, and what working the figure out costs.

CONVERSATIONS of one part each are kept, of PEOPLE people half of whom allowed training. The page, its picture and the
first page are asked for as a signed-in engineer over the whole stack but the network. The page reads one row whatever
the store holds; working the figure out decides every part, beside the requests or in the daemon.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from assent.domain.conversation import Conversation, Part
from assent.interfaces.api.app import create_app
from assent.interfaces.cli.init import make_home
from assent.interfaces.web.addresses import create_site
from assent.interfaces.web.site import COOKIE
from assent.services.figures.outlook import refresh
from assent.services.session.sessions import begin
from assent.store.records import Account, Choice
from assent.wiring import Wiring

CONVERSATIONS = int(os.environ.get("CONVERSATIONS", "200_000"))
PEOPLE = 2_000
BATCH = 5_000
ROUNDS = 50
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADDRESSES = ("/console/forecast", "/console/forecast.svg", "/console/erasing", "/console")


def fill(home: Wiring) -> None:
    """Keep conversations of the last four years."""
    store, began = home.store, NOW - timedelta(days=1_400)
    store.put_accounts([Account(f"p{n}", "free", age=30, region="DE") for n in range(PEOPLE)])
    for number in range(0, PEOPLE, 2):
        name = f"p{number}"
        store.add_choice(Choice(f"c{number}", name, "training", "allow", began, "n", "html", "import", began))
    for start in range(0, CONVERSATIONS, BATCH):
        made = []
        for number in range(start, min(start + BATCH, CONVERSATIONS)):
            at = began + timedelta(minutes=number * 2_000_000 // CONVERSATIONS)
            part = Part("p", "t", "user", "person", "text", "words", at)
            whose = f"p{number % PEOPLE}"
            made.append(Conversation(f"b:{number}", "bench", (part,), whose, created_at=at, last_turn_at=at))
        store.intake(made, plan="free", recorded_at=began)


async def ask(home: Wiring) -> dict[str, tuple[list[float], int]]:
    """Ask for every address again and again; returns milliseconds and bytes."""
    app = create_app(replace(home.world(), say=lambda _line: None), None, create_site)
    token, _ = begin(
        home.store, kind="staff", who="eve", role="engineer", key=home.new_key(), now=NOW, lasts=timedelta(hours=1)
    )
    found: dict[str, tuple[list[float], int]] = {}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://console.test", cookies={COOKIE: token}) as web:
        for address in ADDRESSES:
            times, size = [], 0
            for _ in range(ROUNDS):
                started = time.perf_counter()
                answer = await web.get(address)
                times.append(1_000 * (time.perf_counter() - started))
                answer.raise_for_status()
                size = len(answer.content)
            found[address] = (times, size)
    return found


def main() -> None:
    """Fill, work out, and ask."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Wiring(clock=NOW), Path(folder) / "home", ("anthropic/2025-10-08",))
        started = time.perf_counter()
        fill(home)
        print(f"kept {CONVERSATIONS:,} conversations in {time.perf_counter() - started:.0f} s")
        started, began = time.perf_counter(), time.process_time()
        outlook = refresh(home.store, home.columns, home.policies, NOW, lead=home.lead)
        took = time.perf_counter() - started
        ends = sum(sum(bucket.parts.values()) for bucket in outlook.forecast.buckets)
        used = time.process_time() - began
        print(f"working the outlook out: {took:.1f} s, {used:.1f} s of processor time")
        print(f"  {CONVERSATIONS / used:,.0f} conversations a second of processor time")
        print(f"  overdue {outlook.overdue.parts:,}, due soon {outlook.soon.parts:,}, in five years {ends:,}")
        for address, (times, size) in asyncio.run(ask(home)).items():
            worst = sorted(times)[int(len(times) * 0.95)]
            print(f"{address}: median {statistics.median(times):.1f} ms, 95% {worst:.1f} ms, {size:,} bytes")
        home.store.close()


if __name__ == "__main__":
    main()
