"""Open WebUI speaks to models through LiteLLM, and assent decides for both: what is kept, and what goes.

Ada allowed training, Ben declined it. Both products are the real ones, with assent's own functions in Open WebUI
and assent's callback in LiteLLM.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import assent
from tests import postgres_server
from tests.clients.homes import home_in
from tests.clients.litellm import KEY, Proxy, litellm, migrated
from tests.clients.models import Models
from tests.clients.open_webui import ADMIN, PASSWORD, OpenWebUi, open_webui
from tests.clients.running import running
from tests.clients.words import Words, look

pytestmark = [
    pytest.mark.clients,
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("_open_webui_built", "_litellm_built"),
]

CONNECTORS = Path(assent.__file__).parent / "connectors"
PURPOSE = "training"


@dataclass
class Both:
    """Both products, a home of assent that knows them, and where their bytes lie."""

    chats: OpenWebUi
    proxy: Proxy
    assent: Callable[..., str]
    address: str
    token: str
    tables: Path

    def kept_by_the_proxy(self, chat: str, count: int) -> str:
        """Give the log of a chat when it is complete, as text."""
        self.proxy.wait_for_rows(chat, count)
        query = 'SELECT t::text FROM "LiteLLM_SpendLogs" t WHERE session_id = %s'
        return "\n".join(row for (row,) in self.proxy.rows(query, chat))


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Run `assent serve` on a free port; gives its address."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "assent", "serve", "--port", "0"]
    with running(command, {"ASSENT_HOME": str(folder / "home"), "NO_COLOR": "1"}, folder, log) as program_:
        program_.wait_for(lambda: "serving at http" in log.read_text())
        yield log.read_text().split("serving at ")[1].split()[0]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, service: Models) -> Iterator[Both]:
    """Set everything up as a site would."""
    folder = tmp_path_factory.mktemp("together")
    call = home_in(folder)
    token = call("token", "add", "product", "--role", "product").split()[-1]
    with _serving(folder) as address, postgres_server.starting("fsync=off") as server:
        gateway = folder / "proxy"
        gateway.mkdir()
        shutil.copy(CONNECTORS / "litellm" / "callback.py", gateway / "assent_litellm.py")
        (gateway / "token").write_text(token)
        (gateway / "assent_litellm.toml").write_text(f'url = "{address}"\ntoken_file = "token"\n')
        with (
            litellm(gateway, service, migrated(server), callbacks=["assent_litellm.logger"]) as proxy,
            open_webui(
                folder / "data",
                service,
                OPENAI_API_BASE_URLS=f"{proxy.address}/v1",
                OPENAI_API_KEYS=KEY,
                ENABLE_WEBSOCKET_SUPPORT="False",
            ) as chats,
        ):
            yield Both(chats, proxy, call, address, token, Path(server.url.query["host"]) / "data")


@pytest.fixture(scope="module")
def people(both: Both, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Ada, who allowed; Ben, who declined; Cleo and Dora, who were not asked yet; assent's functions are installed."""
    folder = tmp_path_factory.mktemp("people")
    found = {name: both.chats.person(name) for name in ("ada", "ben", "cleo", "dora")}
    admin = both.chats.admin()
    group = both.chats.post("/api/v1/groups/create", admin, name="team", description="")
    ids = [person.id for person in found.values()]
    both.chats.post(f"/api/v1/groups/id/{group['id']}/users/add", admin, user_ids=ids)
    accounts = [{"subject": one, "age": "adult"} for one in ids]
    at = datetime.now(UTC).isoformat()
    said = {"purpose": PURPOSE, "at": at, "notice": f"sha256:{'0' * 64}", "surface": "web"}
    choices = [
        {"subject": found["ada"].id, "act": "allow", **said},
        {"subject": found["ben"].id, "act": "decline", **said},
    ]
    for kind, records in (("accounts", accounts), ("choices", choices)):
        path = folder / f"{kind}.ndjson"
        path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
        both.assent("import", kind, path)
    _installed(both, admin)
    return found


def _installed(both: Both, admin: Any) -> None:
    """Paste assent's functions into Open WebUI, as an administrator does."""
    functions = CONNECTORS / "open_webui" / "functions"
    for name in ("assent_filter", "assent_events"):
        content = (functions / f"{name}.py").read_text("utf-8")
        both.chats.post(
            "/api/v1/functions/create", admin, id=name, name=name, content=content, meta={"description": name}
        )
        both.chats.post(f"/api/v1/functions/id/{name}/toggle", admin)
    both.chats.post("/api/v1/functions/id/assent_filter/toggle/global", admin)
    valves = {"assent_url": both.address, "token": both.token, "people_url": both.address}
    both.chats.post("/api/v1/functions/id/assent_filter/valves/update", admin, **valves)


def test_the_proxy_keeps_the_words_of_those_who_allowed_and_of_nobody_else(both: Both, people: dict[str, Any]) -> None:
    words = Words("kept")
    chats = {}
    for name, person in list(people.items())[:3]:
        word = words.new(name, "a chat", doomed=name != "ada")
        chats[name], _ = both.chats.ask(person, f"tell me of {word}")
    for name, word in zip(chats, words.given, strict=True):
        assert (word.text in both.kept_by_the_proxy(chats[name], 1)) is (name == "ada"), name
    both.proxy.rows("CHECKPOINT")
    found = look([both.tables, both.proxy.folder], words.given)
    assert [word.chat for word in found] == ["ada"]


def test_a_chat_is_tagged_by_what_its_owner_chose(both: Both, people: dict[str, Any]) -> None:
    for name, tag in (("ada", "training_allowed"), ("ben", "not_for_training"), ("cleo", "not_for_training")):
        chat, answer = both.chats.ask(people[name], "hello")
        both.chats.ask(people[name], "and again", chat=chat, parent=answer)
        tags = both.chats.call("GET", f"/api/v1/chats/{chat}/tags", people[name])
        assert tag in [one["id"] for one in tags], name


def test_who_was_not_asked_is_led_to_the_question_once(both: Both, people: dict[str, Any]) -> None:
    with _heard(both.chats, people["dora"]) as heard:
        both.chats.ask(people["dora"], "hello")
        first = heard()
        both.chats.ask(people["dora"], "and again")
        second = heard()
    assert f"{both.address}/notice/ask?purpose={PURPOSE}" in first
    assert "done" in second
    assert "/notice/ask" not in second


@contextmanager
def _heard(chats: OpenWebUi, who: Any) -> Iterator[Callable[[], str]]:
    """Be somebody's page: give what Open WebUI sends it (Socket.IO, by plain requests), until nothing comes."""
    where = f"{chats.address}/ws/socket.io/?EIO=4&transport=polling"
    sid = json.loads(httpx.get(where).text[1:])["sid"]
    here = f"{where}&sid={sid}"
    httpx.post(here, content=f"40{json.dumps({'token': who.token})}").raise_for_status()

    def heard() -> str:
        said = []
        with suppress(httpx.ReadTimeout):
            while True:
                said.append(httpx.get(here, timeout=3).text)
        return "".join(said)

    yield heard


def test_one_deletion_in_the_chat_reaches_the_gateway(both: Both, people: dict[str, Any], tmp_path: Path) -> None:
    words = Words("cascade")
    goes, stays = words.new("goes", "a chat", doomed=True), words.new("stays", "a chat", doomed=False)
    ada = people["ada"]
    doomed, _ = both.chats.ask(ada, f"tell me of {goes}")
    kept, _ = both.chats.ask(ada, f"tell me of {stays}")
    assert goes in both.kept_by_the_proxy(doomed, 1)
    before = both.kept_by_the_proxy(kept, 1)
    password, address = tmp_path / "password", tmp_path / "address"
    password.write_text(PASSWORD)
    address.write_text(both.proxy.database)
    chat = ["--base-url", both.chats.address, "--data-dir", both.chats.data, "--admin-email", ADMIN]
    named = ["--plan-name", "team=pro"]
    both.assent("connect", "open-webui", "--name", "chat", *chat, "--admin-password-file", password, *named)
    both.assent("connect", "litellm", "--name", "gateway", "--database-file", address, "--also", "open-webui")
    both.assent("connector", "import", "chat")
    assert both.chats.call("DELETE", f"/api/v1/chats/{doomed}", ada) is True
    both.assent("connector", "watch", "chat")
    later = (datetime.now(UTC) + timedelta(days=40)).isoformat()
    plan = json.loads(both.assent("plan", "--json", ASSENT_CLOCK=later))
    swept = both.assent("sweep", "--plan", plan["digest"], ASSENT_CLOCK=later)
    assert "gateway: 1 pending maintenance" in swept
    assert goes not in both.kept_by_the_proxy(doomed, 1)
    both.assent("connector", "erase", "gateway", "--maintenance", "--yes", ASSENT_CLOCK=later)
    both.proxy.rows("CHECKPOINT")
    assert not look([both.tables], words.of(doomed=True))
    assert both.kept_by_the_proxy(kept, 1) == before
