"""A small provider behind the console: a campaign, a conversation, a flag and a hold, all with hostile names."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START, Clock
from tests.unit.interfaces.web.visitors import Place, place_on

from assent.domain.conversation import Conversation, Part
from assent.services.campaign.acts import Written, draft
from assent.services.demo.asking import CAMPAIGN, NOTICE
from assent.services.hold.place import place as place_hold
from assent.services.notice.parse import parse_manifest
from assent.store.records import Account, Flag, Hold, NoticeText, RightsAgent, RightsRequest
from assent.wiring import Wiring

HOSTILE = "<script>alert(1)</script>\"' onload=x"
"""A name that would run if a page wrote it as it is."""
SUBJECT = "p-17"
TALK = "test:c-1"


@dataclass
class Console:
    """The place, its wiring, and the names of what is in it."""

    place: Place
    wiring: Wiring
    campaign: str = "autumn"
    conversation: str = TALK
    flag: str = "flag-1"
    hold: str = "hold-1"
    request: str = "5e2c8f40-0000-4000-8000-000000000001"


@pytest.fixture
def console(empty_home: Path, tmp_path: Path) -> Iterator[Console]:
    yield from begun(empty_home, tmp_path)


@pytest.fixture(scope="module")
def shared(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One for all tests of a module that ask only who may come in."""
    yield from begun(empty_home, tmp_path_factory.mktemp("console"))


def begun(empty_home: Path, folder: Path) -> Iterator[Console]:
    """Copy the empty home into a folder, serve it, and fill it."""
    home, clock = folder / "home", Clock()
    shutil.copytree(empty_home, home)
    wiring = Wiring(home, START)
    settings = replace(wiring.settings, address="https://assent.test")
    found = Console(place_on(replace(wiring.world(), settings=settings), clock), wiring)
    fill(found)
    yield found
    wiring.store.close()


def fill(console: Console) -> None:
    store, now, wiring = console.place.world.store, console.place.clock.at, console.wiring
    store.put_accounts([Account(SUBJECT, plan="free", region="DE", age=30, organisation=HOSTILE)])
    old = now - timedelta(days=10)
    parts = tuple(Part(f"{n}", f"{n}", "user", "person", "text", f"mail me at mia{n}@uni.edu", old) for n in range(3))
    store.intake(
        [Conversation(TALK, "test", parts, SUBJECT, HOSTILE, created_at=old, last_turn_at=old)],
        plan="free",
        recorded_at=old,
    )
    store.add_flag(Flag(console.flag, TALK, now - timedelta(days=2), HOSTILE, HOSTILE, HOSTILE, score=0.9))
    hold = Hold(
        console.hold, HOSTILE, "person", SUBJECT, now, "legal desk", HOSTILE, now + timedelta(days=90), gag=True
    )
    place_hold(store, console.place.world.journal, hold)
    folder = wiring.settings.home / "connectors"
    folder.mkdir()
    plan = json.dumps(HOSTILE)
    text = f'kind = "coding-agents"\nagent = "codex"\nhome = "codex"\n[plans]\n{plan} = {plan}\n'
    (folder / "chat.toml").write_text(text)
    text = (wiring.notice_library() / f"{NOTICE}.toml").read_text("utf-8")
    notice = parse_manifest(text, "notice")
    store.add_notice(NoticeText(notice.digest, notice.name, notice.version, notice.policy, text, now))
    written = CAMPAIGN.replace('"Training, asked of every consumer"', json.dumps(HOSTILE))
    written = written.replace("2025-09-01", "2026-11-01").replace("2025-10-08T00", "2026-12-24T00")
    draft(store, Written(written, "autumn.toml"), wiring.policy_texts, by="privacy office", now=now)
    store.put_agent(RightsAgent(HOSTILE, HOSTILE, "key", now))
    store.add_request(
        RightsRequest(
            id=console.request,
            agent=HOSTILE,
            agent_request=None,
            exercise="access",
            regime="ccpa",
            subject=SUBJECT,
            claims='{"name": "<b>x</b>"}',
            status="in_progress",
            reason=None,
            details=HOSTILE,
            callback=None,
            received_at=now,
            expected_by=now + timedelta(days=3),
            changed_at=now,
        )
    )
