"""The console's forecast: how long the page takes from the kept figure, and what working the figure out costs.

CONVERSATIONS of one part each are kept, of PEOPLE people half of whom allowed training. The page, its picture and the
first page are asked for as a signed-in engineer over the whole stack but the network. The page reads one row whatever
the store holds; working the figure out decides every part, beside the requests or in the daemon.
"""

from __future__ import annotations

import asyncio
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
from benchmarks.board.rounds import Times, cpu, growth, setting, thirds
from benchmarks.board.values import Figure, Headline, Result, Words

CONVERSATIONS = setting("CONVERSATIONS", 200_000, small=1_600)
PEOPLE = setting("PEOPLE", 2_000, small=100)
BATCH = 5_000
ROUNDS = setting("ROUNDS", 50, small=3)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADDRESSES = {
    "the forecast": "/console/forecast",
    "its picture": "/console/forecast.svg",
    "what is erased": "/console/erasing",
    "the overview": "/console",
}


def fill(home: Wiring, conversations: int) -> None:
    """Keep conversations of the last four years."""
    store, began = home.store, NOW - timedelta(days=1_400)
    store.put_accounts([Account(f"p{n}", "free", age=30, region="DE") for n in range(PEOPLE)])
    for number in range(0, PEOPLE, 2):
        name = f"p{number}"
        store.add_choice(Choice(f"c{number}", name, "training", "allow", began, "n", "html", "import", began))
    for start in range(0, conversations, BATCH):
        made = []
        for number in range(start, min(start + BATCH, conversations)):
            at = began + timedelta(minutes=number * 2_000_000 // conversations)
            part = Part("p", "t", "user", "person", "text", "words", at)
            whose = f"p{number % PEOPLE}"
            made.append(Conversation(f"b:{number}", "bench", (part,), whose, created_at=at, last_turn_at=at))
        store.intake(made, plan="free", recorded_at=began)


async def ask(home: Wiring) -> Times:
    """Ask for every address again and again, in turn; returns the seconds of each."""
    app = create_app(replace(home.world(), say=lambda _line: None), None, create_site)
    token, _ = begin(
        home.store, kind="staff", who="eve", role="engineer", key=home.new_key(), now=NOW, lasts=timedelta(hours=1)
    )
    times, transport = Times(), httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://console.test", cookies={COOKIE: token}) as web:
        for number in range(ROUNDS + 1):
            for name, address in ADDRESSES.items():
                started = time.perf_counter()
                answer = await web.get(address)
                if number:  # the first round warms up
                    times.add(name, time.perf_counter() - started)
                answer.raise_for_status()
    return times


def look(conversations: int) -> tuple[float, Times]:
    """Fill a home, work the figure out, and ask; returns the CPU seconds of the second and the times of the third."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Wiring(clock=NOW), Path(folder) / "home", ("anthropic/2025-10-08",))
        fill(home, conversations)
        began = cpu()
        refresh(home.store, home.columns, home.policies, NOW, lead=home.lead)
        used = cpu() - began
        times = asyncio.run(ask(home))
        home.store.close()
        return used, times


def measure() -> Result:
    """Look at three sizes; the pages of the largest stand beside those of the smallest."""
    found = {count: look(count) for count in thirds(CONVERSATIONS)}
    few, many = min(found), max(found)
    together = Times()
    for name in ADDRESSES:
        for count in (few, many):
            for seconds in found[count][1][name]:
                together.add(f"{name}, {count}", seconds)
    late = {name: sorted(found[many][1][name])[int(ROUNDS * 0.95)] * 1e3 for name in ADDRESSES}
    return Result(
        figures=tuple(Figure(name, found[many][1].spread(name, 1e3), "ms") for name in ADDRESSES),
        ratios=tuple(
            Figure(f"{name}, against one with a sixteenth of the conversations",
                   together.against(f"{name}, {many}", f"{name}, {few}"))
            for name in ADDRESSES
        ),
        growth=(
            growth("working the figure out, CPU", {count: [used] for count, (used, _) in found.items()},
                   of="conversations"),
        ),
        notes=("At the 95th percentile: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in late.items()) + ".",),
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
