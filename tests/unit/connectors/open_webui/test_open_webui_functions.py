"""The functions that an administrator installs inside Open WebUI, called as it calls them."""

import asyncio
import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from assent.connectors.open_webui.functions.assent_events import Event
from assent.connectors.open_webui.functions.assent_filter import Filter
from assent.connectors.open_webui.watching import EVENTS

pytestmark = pytest.mark.enable_socket

PERSON = "p/17"


class Chats:
    """The product's own class of that name, as far as tags go."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self.orphans: list[str] = []

    async def get_chat_by_id(self, chat: str) -> Any:
        return SimpleNamespace(user_id=PERSON, meta={"tags": list(self.tags)}) if chat == "c-1" else None

    async def add_chat_tag_by_id_and_user_id_and_tag_name(self, _chat: str, _person: str, tag: str) -> None:
        self.tags.append(tag.replace(" ", "_").lower())

    async def delete_tag_by_id_and_user_id_and_tag_name(self, _chat: str, _person: str, tag: str) -> None:
        self.tags.remove(tag.replace(" ", "_").lower())

    async def delete_orphan_tags_for_user(self, tags: list[str], _person: str) -> None:
        self.orphans += tags


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chats:
    """The modules that a function meets inside Open WebUI."""
    chats = Chats()
    for name, attributes in (
        ("open_webui", {}),
        ("open_webui.env", {"DATA_DIR": tmp_path}),
        ("open_webui.models", {}),
        ("open_webui.models.chats", {"Chats": chats}),
    ):
        module = ModuleType(name)
        module.__dict__.update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    return chats


class Assent:
    """The one answer of the API that the filter asks for."""

    def __init__(self) -> None:
        self.standings: list[dict[str, str | None]] = []
        self.asked: list[tuple[str, str | None]] = []

        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                outer.asked.append((self.path, self.headers.get("Authorization")))
                self.send_response(200 if outer.standings else 500)
                self.end_headers()
                self.wfile.write(json.dumps({"standings": outer.standings, "total": 1, "after": None}).encode())

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def says(self, status: str, target: str | None = None) -> None:
        scope = "everything" if target is None else "conversation"
        self.standings.append({"purpose": "training", "scope": scope, "target": target, "status": status})


@pytest.fixture
def assent() -> Iterator[Assent]:
    found = Assent()
    yield found
    found.server.shutdown()
    found.server.server_close()


def _filter(assent: Assent, **valves: Any) -> Filter:
    one = Filter()
    address = f"http://127.0.0.1:{assent.server.server_port}/"
    values = {"assent_url": address, "token": "t", "people_url": "https://privacy.example", "again_s": 0}
    one.valves = Filter.Valves.model_validate({**values, **valves})
    return one


def _send(one: Filter, chat: str = "c-1") -> tuple[dict[str, Any], list[Any]]:
    shown: list[Any] = []

    async def emit(event: dict[str, Any]) -> None:
        shown.append(event)

    body = {"messages": [{"role": "user", "content": "hello"}]}
    return asyncio.run(one.inlet(body, {"id": PERSON}, {"chat_id": chat}, emit)), shown


def test_a_person_is_led_to_the_question_once_and_never_answered_for(product: Chats, assent: Assent) -> None:
    assent.says("unasked")
    one = _filter(assent)
    body, shown = _send(one)
    assert body == {"messages": [{"role": "user", "content": "hello"}]}
    assert [event["type"] for event in shown] == ["notification"]
    assert shown[0]["data"]["content"].endswith("https://privacy.example/notice/ask?purpose=training")
    assert _send(one)[1] == []
    assert _send(_filter(assent))[1] == []  # another worker, after a restart
    assert assent.asked[0] == ("/v1/people/p%2F17/standings", "Bearer t")
    assert product.tags == ["not_for_training"]
    assert product.orphans == []


@pytest.mark.parametrize("status", ["allowed", "declined", "withdrawn"])
def test_somebody_who_answered_is_shown_nothing(product: Chats, assent: Assent, status: str) -> None:
    assent.says(status)
    assert _send(_filter(assent))[1] == []
    assert product.tags == ["training_allowed" if status == "allowed" else "not_for_training"]


def test_a_tag_follows_the_answer_and_a_chat_decided_apart_has_its_own(product: Chats, assent: Assent) -> None:
    assent.says("allowed")
    one = _filter(assent)
    _send(one)
    assert product.tags == ["training_allowed"]
    assent.says("declined", "open-webui:c-1")
    _send(one)
    assert product.tags == ["not_for_training"]
    assert product.orphans == ["training_allowed"]


def test_an_answer_is_taken_for_the_present_one_for_a_while(product: Chats, assent: Assent) -> None:
    assent.says("allowed")
    one = _filter(assent, again_s=60)
    _send(one)
    _send(one)
    assert len(assent.asked) == 1
    assert product.tags == ["training_allowed"]


@pytest.mark.parametrize("chat", ["local:1", ""])
def test_a_temporary_chat_gets_no_tag(product: Chats, assent: Assent, chat: str) -> None:
    assent.says("allowed")
    _send(_filter(assent), chat)
    assert product.tags == []


def test_no_fault_stops_a_chat_and_nothing_is_said_of_it(
    product: Chats, assent: Assent, capsys: pytest.CaptureFixture[str]
) -> None:
    body, shown = _send(_filter(assent))  # it answers 500
    assert (body["messages"][0]["content"], shown, product.tags) == ("hello", [], [])
    printed = capsys.readouterr().out
    assert printed.startswith("assent: ")
    assert PERSON not in printed
    assert _send(_filter(assent, token=""))[1] == []


@pytest.mark.usefixtures("product")
def test_a_deleted_chat_is_written_down_without_anything_else(tmp_path: Path) -> None:
    one = Event()
    one.event({"event": "chat.deleted", "subject": {"id": "c-1", "type": "chat"}, "created_at": 1_790_000_000})
    one.event({"event": "chat.deleted_all", "subject": {"id": PERSON, "type": "user"}, "created_at": 1})
    one.event({"event": "chat.updated", "subject": {"id": "c-2"}, "data": {"title": "secret"}})
    one.event({"event": "chat.deleted", "subject": None})
    (line,) = (tmp_path / EVENTS).read_text().splitlines()
    assert json.loads(line) == {"event": "chat.deleted", "chat": "c-1", "at": 1_790_000_000}


@pytest.mark.parametrize("name", ["assent_filter", "assent_events"])
def test_a_function_stands_by_itself_and_begins_as_the_product_reads_it(name: str) -> None:
    text = Path(sys.modules[f"assent.connectors.open_webui.functions.{name}"].__file__ or "").read_text("utf-8")
    assert text.startswith('"""\ntitle: ')
    assert "from assent" not in text
    assert "import assent" not in text
