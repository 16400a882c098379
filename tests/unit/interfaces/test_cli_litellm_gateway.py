"""A gateway in front of which a chat product stands: what a sweep erases of the product's chats goes at the gateway."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.postgres_server import Server
from tests.unit.connectors.litellm.litellm_world import BEGIN, LitellmWorld
from tests.unit.interfaces.homes import Home

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def world(postgres: Server, tmp_path: Path) -> Iterator[LitellmWorld]:
    world = LitellmWorld(postgres, tmp_path, log_files=False)
    yield world
    postgres.drop(world.name)


@pytest.fixture
def home(world: LitellmWorld, tmp_path: Path, empty_home: Path) -> Home:
    """A home that knows chats `session-1` and `session-2` from Open WebUI, and the gateway that saw them too."""
    shutil.copytree(empty_home, tmp_path / "home")
    home = Home(tmp_path / "home", BEGIN + timedelta(days=2))
    people = home.write("people.ndjson", [{"subject": "p-1", "age": "adult", "plan": "pro"}])
    assert home("import", "accounts", people).status == 0
    export = tmp_path / "chats.json"
    export.write_text(json.dumps([chat(f"session-{number:07d}") for number in (1, 2)]))
    assert home("import", "open-webui", export).status == 0
    secret = world.settings.database_file
    options = ("--database-file", secret, "--also", "open-webui", "--no-log-files")
    said = home("connect", "litellm", "--name", "gateway", *options)
    assert said.status == 0, said.err
    return home


def chat(name: str) -> dict[str, object]:
    question = {"id": "q", "parentId": None, "role": "user", "content": "hello", "timestamp": BEGIN.timestamp()}
    chat = {"title": "T", "history": {"messages": {"q": question}, "currentId": "q"}}
    return {"id": name, "user_id": "p-1", "title": "T", "chat": chat, "created_at": BEGIN.timestamp()}


def test_what_is_erased_of_the_product_goes_at_the_gateway_and_bills_stay(home: Home, world: LitellmWorld) -> None:
    one, other, neighbour = world.seed(3)
    bills = world.bills()
    home.now = BEGIN + timedelta(days=60)
    plan = home("plan", "--json").json()
    swept = home("sweep", "--plan", plan["digest"], "--json").json()
    assert swept["copies"]["gateway"] == {"pending maintenance": 1}
    assert [found.id for found in world.product().list()] == [neighbour.id]
    assert world.bills() == bills
    assert home("connector", "erase", "gateway", "--maintenance", "--json").json()["erasures"] == {"removed": 1}
    assert world.bytes_left([one.marker, other.marker])["database"] == 0
    assert world.bytes_left([neighbour.marker])["database"] > 0


def test_a_hold_on_a_chat_of_the_product_keeps_it_at_the_gateway(
    home: Home, world: LitellmWorld, tmp_path: Path
) -> None:
    one, other = world.seed(2)
    held = f"open-webui:{one.id}"
    said = home("hold", "conversation", held, "--matter", "m", "--reason", "an order", "--author", "desk")
    assert said.status == 0, said.err
    ids = tmp_path / "ids.txt"
    ids.write_text(f"{held}\nopen-webui:{other.id}\n")
    said = home("connector", "erase", "gateway", "--ids", ids, "--yes", "--json")
    assert said.status != 0
    assert [found.id for found in world.product().list()] == [one.id]
