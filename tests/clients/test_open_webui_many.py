"""Many chats in a real Open WebUI: how long it takes to list and decide 100,000, and to erase 1,000 of them online.

The chats are rows that the server itself wrote, repeated under other ids. Times are told, never asserted.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assent.connectors.open_webui.product import Settings, connect
from assent.connectors.port import Listed
from assent.domain.facts import Facts
from assent.policy.decide import decide
from assent.policy.parse import parse_policy
from assent.wiring import Wiring
from tests.clients.homes import home_in
from tests.clients.models import Models
from tests.clients.open_webui import ADMIN, PASSWORD, open_webui, talk

pytestmark = [pytest.mark.clients, pytest.mark.enable_socket, pytest.mark.usefixtures("_open_webui_built")]

CHATS, PEOPLE, ERASED = 100_000, 1_000, 1_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)
POLICY = Path(__file__).parents[2] / "policies" / "anthropic" / "2025-10-08.toml"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, service: Models) -> Path:
    """The data folder of a server with 100,000 chats of a turn each, of 1,000 people."""
    folder = tmp_path_factory.mktemp("many") / "data"
    with open_webui(folder, service) as server:
        ada = server.person("ada")
        server.import_chat(ada, talk("a question of some words " * 20, "an answer of more words " * 100, 1), 1)
        server.program.stop()
    with closing(sqlite3.connect(folder / "webui.db")) as stopped, stopped:
        stopped.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        _repeat(stopped)
    return folder


def _repeat(stopped: sqlite3.Connection) -> None:
    """Repeat the chat and its messages."""
    made = {}
    for table in ("chat", "chat_message"):
        found = stopped.execute(f"SELECT * FROM {table}")
        made[table] = ([one[0] for one in found.description], found.fetchall())
    (chat,) = [dict(zip(made["chat"][0], row, strict=True)) for row in made["chat"][1]]
    messages = [dict(zip(made["chat_message"][0], row, strict=True)) for row in made["chat_message"][1]]

    def chats() -> Iterator[dict[str, Any]]:
        for number in range(CHATS - 1):
            at = int(NOW.timestamp()) - number % (400 * 86_400 // 60) * 60
            of = {"id": f"chat-{number:06d}", "user_id": f"person-{number % PEOPLE}"}
            yield chat | of | {"created_at": at, "updated_at": at}

    def turns() -> Iterator[dict[str, Any]]:
        for row in chats():
            for message in messages:
                of = {"id": str(uuid.uuid4()), "chat_id": row["id"], "user_id": row["user_id"]}
                yield message | of | {"created_at": row["created_at"]}

    for table, rows in (("chat", chats()), ("chat_message", turns())):
        names = made[table][0]
        insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        stopped.executemany(insert, rows)


def test_a_hundred_thousand_chats_are_listed_and_decided(
    data: Path, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    settings = Settings(name="chat", folder=tmp_path, base_url="http://127.0.0.1:9", data_dir=data)
    policy = parse_policy(POLICY.read_text("utf-8"), POLICY.name)
    began = time.monotonic()
    listed = [one for one in connect(settings, Path.read_text).list() if isinstance(one, Listed)]
    listed_s = time.monotonic() - began
    facts = [_facts(one) for one in listed]
    decided = list(Wiring(None, NOW).new_columns().decide(facts, policy, NOW))
    took_s = time.monotonic() - began
    tell(f"open-webui: {len(listed):,} chats listed in {listed_s:.1f} s, listed and decided in {took_s:.1f} s")
    assert len(decided) == CHATS
    some = facts[:: CHATS // 500]
    assert [decide(one, policy, NOW) for one in some] == decided[:: CHATS // 500]
    assert len(Counter(one.erase_by for one in decided)) > 1


def _facts(one: Listed) -> Facts:
    """State what the listing says of a chat, of an adult on a plan who was never asked."""
    return Facts(
        part=one.id,
        subject=one.owner,
        plan="pro",
        age=30,
        mode="normal",
        data="text",
        origin="person",
        created_at=one.created_at,
        last_turn_at=one.last_turn_at,
    )


def test_a_thousand_chats_are_erased_while_the_server_runs(
    data: Path, service: Models, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    assent, ids, password = home_in(tmp_path), tmp_path / "due.txt", tmp_path / "password"
    ids.write_text("".join(f"chat-{number:06d}\n" for number in range(ERASED)))
    password.write_text(PASSWORD)
    with open_webui(data, service, AUDIT_LOG_LEVEL="NONE") as server:
        server.admin()
        options = ["--base-url", server.address, "--data-dir", data, "--admin-email", ADMIN]
        assent("connect", "open-webui", "--name", "chat", *options, "--admin-password-file", password)
        began = time.monotonic()
        told = assent("connector", "erase", "chat", "--ids", ids, "--yes", "--json", expect=4)
        took_s = time.monotonic() - began
    tell(f"open-webui: {ERASED:,} of {CHATS:,} chats erased online in {took_s:.1f} s")
    states = Counter(json.loads(line).get("state") for line in told.splitlines())
    assert states["pending maintenance"] == ERASED, states
    with closing(sqlite3.connect(data / "webui.db")) as left:
        for table, column in (("chat", "id"), ("chat_message", "chat_id")):
            assert left.execute(f"SELECT count(DISTINCT {column}) FROM {table}").fetchone() == (CHATS - ERASED,)
