"""Commands of connectors, against a chat product that misbehaves: what they print, write, believe and how they end."""

import io
import json
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.connectors.kit import Seeded
from tests.conformance.connectors.simulated import BEGIN, SimulatedWorld
from tests.unit.interfaces.homes import Home

from assent.connectors import registry
from assent.services.erase.derived.connector import Connected
from assent.services.erase.derived.port import ErasureOrder
from assent.store.records import Erasure, Tombstone
from assent.wiring import Wiring

SECRET = "hush-hush-4711"


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.KINDS, "simulated", "tests.conformance.connectors.simulated_kind")


@pytest.fixture
def world(tmp_path: Path) -> SimulatedWorld:
    return SimulatedWorld(tmp_path)


@pytest.fixture
def seeded(world: SimulatedWorld) -> list[Seeded]:
    return list(world.seed(6))


@pytest.fixture
def home(world: SimulatedWorld, seeded: list[Seeded], tmp_path: Path, empty_home: Path) -> Home:
    shutil.copytree(empty_home, tmp_path / "home")
    home = Home(tmp_path / "home", BEGIN + timedelta(days=7))
    token = tmp_path / "token"
    token.write_text(f"{SECRET}\n")
    options = ("--data-dir", world.system.folder, "--token-file", token, "--plan-name", "pro-group=pro")
    said = home("connect", "simulated", "--name", "chat", *options)
    assert said.status == 0, said.err
    people = [{"subject": f"p-{number}", "age": "adult"} for number in range(3)]
    assert home("import", "accounts", home.write("people.ndjson", people)).status == 0
    return home


def ids(home: Home, some: list[Seeded], prefix: str = "") -> Path:
    path = home.folder.parent / "ids.txt"
    path.write_text("".join(f"{prefix}{one.id}\n" for one in some))
    return path


def left(world: SimulatedWorld, some: list[Seeded]) -> int:
    return sum(world.bytes_left([one.marker for one in some]).values())


def swept(home: Home) -> dict[str, object]:
    """Have everything erased that is due after 60 days, and say what became of the copies in the product."""
    home.now = BEGIN + timedelta(days=60)
    plan = home("plan", "--json").json()
    assert plan["due"] > 0
    found: dict[str, object] = home("sweep", "--plan", plan["digest"], "--json").json()["copies"]["chat"]
    return found


def plans(home: Home) -> set[str | None]:
    """Return the plans of all people, and those that parts were kept under: they are the same here."""
    store = Wiring(home.folder, home.now).store
    found = {one.plan for one in store.accounts()}
    assert {fact.plan for fact in store.facts_of("simulated:chat-0000001")} == found
    store.close()
    return found


# -- connecting ---------------------------------------------------------------------------


def test_a_connector_file_holds_no_secret_and_only_its_owner_reads_it(home: Home, world: SimulatedWorld) -> None:
    path = home.folder / "connectors" / "chat.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET not in path.read_text()
    assert '[plans]\n"pro-group"' in path.read_text() or '[plans]\npro-group = "pro"' in path.read_text()
    shown = home("connector", "show", "chat", "--json").json()
    assert shown["settings"]["data_dir"] == str(world.system.folder)
    assert SECRET not in str(shown)
    listed = {one["name"]: one for one in home("derived", "list", "--json").lines()}
    assert "chats, their files and the request log" in listed["chat"]["reach"]


def test_what_does_not_answer_is_not_connected(home: Home, world: SimulatedWorld) -> None:
    world.break_down()
    said = home("connect", "simulated", "--name", "other", "--data-dir", world.system.folder)
    assert said.status == 1
    assert not (home.folder / "connectors" / "other.toml").exists()
    assert "other" not in home("derived", "list").out


def test_keys_are_named_as_they_were_given(home: Home, world: SimulatedWorld) -> None:
    said = home("connect", "simulated", "--name", "other")
    assert (said.status, "`--data-dir` is missing" in said.err) == (1, True)
    said = home("connect", "simulated", "--name", "other", "--data-dir", "x", "--page-rows", "0")
    assert "`--page-rows`: " in said.err
    said = home("connect", "simulated", "--name", "chat", "--data-dir", "x")
    assert (said.status, "connected already" in said.err) == (2, True)
    said = home("connect", "simulated", "--name", "../../x", "--data-dir", "x")
    assert "no name for a connector" in said.err
    said = home("connect", "simulated", "--name", "other", "--data-dir", "x", "--token-file", "nowhere")
    assert (said.status, "no file `nowhere` with the secret" in said.err) == (3, True)
    said = home("connect", "simulate", "--name", "other")
    assert (said.status, "did you mean `simulated`" in said.err) == (3, True)
    help_text = home("connect", "simulated", "--help").out
    assert "The folder of its data. Required." in " ".join(help_text.split())
    assert "--folder" not in help_text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('dta_dir = "x"', "chat.toml:3:1: `dta_dir` is not known here"),
        ("page_rows = 0", "chat.toml:3:1: `page_rows`"),
        ("= 3", "this is not toml"),
        ('name = "y"', "`name` is no key"),
        ('also = "x"', "chat.toml:3:1: `also`"),
    ],
)
def test_a_broken_file_is_named_with_line_and_key(home: Home, line: str, said: str) -> None:
    path = home.folder / "connectors" / "chat.toml"
    path.write_text(f'kind = "simulated"\ndata_dir = "x"\n{line}\n')
    for command in ("show", "import", "watch"):
        found = home("connector", command, "chat")
        assert found.status == 1
        assert said in found.err.lower()
    assert said in home("connector", "list").out.lower()
    assert home("sweep", "--redo").status == 0  # nothing is owed there, so nobody asks it


def test_a_path_in_a_file_is_of_the_home(home: Home, world: SimulatedWorld) -> None:
    path = home.folder / "connectors" / "chat.toml"
    path.write_text('kind = "simulated"\ndata_dir = "../product"\n')
    assert home("connector", "copies", "chat", "chat-0000001").out.startswith("chat-0000001: present")


def test_keys_that_come_by_file_are_taken_and_options_stand_above(home: Home, world: SimulatedWorld) -> None:
    table = home.folder.parent / "keys.toml"
    table.write_text('data_dir = "nowhere"\npage_rows = 7\n[plans]\nfree-group = "free"\n')
    said = home("connect", "simulated", "--name", "b", "--from", table, "--data-dir", world.system.folder)
    assert said.status == 0, said.err
    shown = home("connector", "show", "b", "--json").json()
    assert (shown["settings"]["page_rows"], shown["plans"]) == (7, {"free-group": "free"})


# -- bringing in ---------------------------------------------------------------------------


def test_an_import_brings_plans_that_the_file_names_and_again_changes_nothing(home: Home) -> None:
    first = home("connector", "import", "chat", "--json").json()
    assert first["conversations"] == {"new": 6}
    assert home("connector", "import", "chat", "--json").json()["conversations"] == {"unchanged": 6}
    since = (BEGIN + timedelta(hours=5)).isoformat().replace("+00:00", "Z")
    assert home("connector", "import", "chat", "--since", since, "--json").json()["conversations"] == {"unchanged": 2}
    assert plans(home) == {"pro"}


def test_a_plan_that_is_not_named_stays_a_gap(home: Home) -> None:
    path = home.folder / "connectors" / "chat.toml"
    path.write_text(path.read_text().partition("[plans]")[0])
    assert home("connector", "import", "chat").status == 0
    assert plans(home) == {None}


def test_watching_takes_turns_and_deletions_once(home: Home, world: SimulatedWorld, seeded: list[Seeded]) -> None:
    home("connector", "import", "chat")
    assert home("connector", "watch", "chat", "--json").json()["changes"] == 6
    world.seed(1)
    world.take_turn(seeded[0].id, BEGIN + timedelta(days=6))
    world.delete(seeded[1].id)
    found = home("connector", "watch", "chat", "--json").json()
    assert (found["changes"], found["deleted"]) == (3, 1)
    assert found["conversations"]["new"] == 1
    assert home("connector", "watch", "chat", "--json").json()["changes"] == 0
    assert '"deleted_at": null' not in home("explain", f"simulated:{seeded[1].id}", "--json").out
    world.break_down()
    assert home("connector", "watch", "chat").status == 1


# -- erasing -------------------------------------------------------------------------------


def test_erasing_by_hand_ends_with_nought_only_when_every_copy_is_gone(
    home: Home, world: SimulatedWorld, seeded: list[Seeded]
) -> None:
    gone, kept = seeded[:2], seeded[2:]
    file, others = ids(home, gone), left(world, kept)
    dry = home("connector", "erase", "chat", "--ids", file, "--dry-run", "--json").json()
    assert dry["copies"] == {"chat row": 2, "file": 3, "log lines": 2}
    assert home("connector", "erase", "chat", "--ids", file).status == 2  # nobody agreed
    assert left(world, gone) == 8
    said = home("connector", "erase", "chat", "--ids", file, "--yes", "--json")
    assert said.status == 4
    assert {one["state"] for one in said.lines()} == {"pending maintenance"}
    assert home("connector", "erase", "chat", "--ids", file, "--yes", "--maintenance").status == 2  # it still runs
    with world.maintenance():
        done = home("connector", "erase", "chat", "--ids", ids(home, gone, "simulated:"), "--yes", "--maintenance")
    assert done.status == 0, done.err
    assert (left(world, gone), left(world, kept)) == (0, others)
    assert home("connector", "verify", "chat", "--ids", file).status == 0
    assert home("connector", "erase", "chat", "--ids", file, "--yes").status == 0


@pytest.mark.fault("system that lies")
def test_an_answer_of_a_lying_product_is_not_believed(home: Home, world: SimulatedWorld, seeded: list[Seeded]) -> None:
    with world.lie():
        said = home("connector", "erase", "chat", "--ids", ids(home, seeded[:1]), "--yes", "--json")
    assert said.status == 4
    assert [one["state"] for one in said.lines()] == ["present"]


def test_what_is_held_is_named_by_its_id_and_the_rest_goes(
    home: Home, world: SimulatedWorld, seeded: list[Seeded]
) -> None:
    home("connector", "import", "chat")
    hold = ("--matter", "m", "--reason", "an order", "--author", "desk")
    assert home("hold", "person", seeded[0].owner, *hold).status == 0
    free, held = seeded[1], seeded[0]
    said = home("connector", "erase", "chat", "--ids", ids(home, [held, free]), "--yes")
    assert said.status == 2
    assert f"held: `{held.id}`" in said.err
    assert (
        left(world, [held]),
        home("connector", "copies", "chat", free.id).out.startswith(f"{free.id}: present"),
    ) == (
        4,
        False,
    )


def test_while_a_hold_stands_a_conversation_that_the_home_does_not_know_stays(
    home: Home, world: SimulatedWorld, seeded: list[Seeded]
) -> None:
    hold = ("--matter", "m", "--reason", "an order", "--author", "desk")
    assert home("hold", "person", "somebody", *hold).status == 0
    said = home("connector", "erase", "chat", "--ids", ids(home, seeded[:1]), "--yes")
    assert said.status == 2
    assert "bring it in first" in said.out
    assert left(world, seeded[:1]) == 4
    home("connector", "import", "chat")
    assert home("connector", "erase", "chat", "--ids", ids(home, seeded[:1]), "--yes").status == 4


# -- the sweep -----------------------------------------------------------------------------


def test_the_sweep_asks_and_what_is_pending_stays_owed_until_maintenance(
    home: Home, world: SimulatedWorld, seeded: list[Seeded]
) -> None:
    home("connector", "import", "chat")
    assert swept(home) == {"pending maintenance": 1}
    assert home("connector", "list", "--json").lines()[0]["not_removed"] == 1
    (note,) = [one["note"] for one in home("prove", "1", "--json").json()["copies"] if one["store"] == "chat"]
    assert "chat row: 6 pending maintenance" in note
    assert not [one for one in seeded if one.id in note]
    assert home("connector", "erase", "chat", "--maintenance").status == 2  # it still runs
    with world.maintenance():
        (owed,) = home("connector", "erase", "chat", "--maintenance", "--dry-run", "--json").lines()
        assert (owed["erasure"], owed["state"]) == (1, "pending maintenance")
        assert left(world, seeded) > 0
        said = home("connector", "erase", "chat", "--maintenance", "--json")
    assert (said.status, said.json()["erasures"]) == (0, {"removed": 1})
    assert left(world, seeded) == 0
    assert home("connector", "list", "--json").lines()[0]["not_removed"] == 0


@pytest.mark.fault("system that is down")
def test_the_sweep_asks_again_what_was_down(home: Home, world: SimulatedWorld, seeded: list[Seeded]) -> None:
    home("connector", "import", "chat")
    world.break_down()
    assert swept(home) == {"not reachable": 1}
    world.mend()
    assert home("sweep", "--redo", "--json").json()["copies"]["chat"] == {"pending maintenance": 1}
    with world.maintenance():
        assert home("connector", "erase", "chat", "--maintenance").status == 0
    assert left(world, seeded) == 0


@pytest.mark.fault("system that lies")
def test_a_sweep_waits_for_a_product_that_lies_and_nobody_answers_for_it(
    home: Home, world: SimulatedWorld, seeded: list[Seeded]
) -> None:
    home("connector", "import", "chat")
    with world.lie():
        assert swept(home) == {"present": 1}
        again = home("sweep", "--redo")
        assert again.status == 4
        assert "`chat` was asked, and copies are still there" in again.err
        assert "derived ack" not in again.err
    acked = home("derived", "ack", "1", "--store", "chat", "--state", "removed")
    assert (acked.status, "answers for itself" in acked.err) == (2, True)
    assert home("sweep", "--redo").status == 0


def test_a_hold_of_a_person_placed_after_the_erasure_keeps_the_copy_there(
    home: Home, world: SimulatedWorld, seeded: list[Seeded]
) -> None:
    home("connector", "import", "chat")
    world.break_down()
    swept(home)
    world.mend()
    hold = ("--matter", "m", "--reason", "an order", "--author", "desk")
    assert home("hold", "person", seeded[0].owner, *hold).status == 0
    home("sweep", "--redo")
    mine = [one for one in seeded if one.owner == seeded[0].owner]
    found = home("connector", "verify", "chat", "--ids", ids(home, seeded), "--json").lines()
    assert {one["id"] for one in found if one["state"] == "present"} == {one.id for one in mine}


def test_a_conversation_that_the_home_keeps_in_part_is_left_alone_there(
    home: Home, world: SimulatedWorld, seeded: list[Seeded]
) -> None:
    home("connector", "import", "chat")
    swept_before = Erasure(1, "swept", 1, home.now, b"", b"", b"", b"", parts=2)
    stones = [
        Tombstone(1, number, "t0", f"simulated:{name}", None, home.now, home.now, "rule", "policy", 1)
        for number, name in enumerate((seeded[0].id, "chat-of-long-ago"))
    ]
    wiring = Wiring(home.folder, home.now)
    connected = Connected("chat", wiring.store, wiring.connectors.openers()["chat"])
    answer = connected.erase([ErasureOrder(swept_before, (), lambda: iter(stones), home.now)])[1]
    wiring.store.close()
    assert answer.state == "not reachable"
    assert answer.note == "1 kept in part, to be erased there when the last part ends"
    assert left(world, seeded[:1]) == 4


def test_what_is_disconnected_is_told_by_events_again(home: Home, seeded: list[Seeded]) -> None:
    home("connector", "import", "chat")
    swept(home)
    said = home("connector", "remove", "chat")
    assert said.status == 0
    assert "assent derived ack" in said.out
    assert not list((home.folder / "connectors").iterdir())
    assert home("connector", "show", "chat").status == 3
    assert home("derived", "ack", "1", "--store", "chat", "--state", "removed").status == 0


def test_ids_come_from_standard_input_too(home: Home, seeded: list[Seeded], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{seeded[0].id}\n\nsimulated:{seeded[0].id}\n"))
    found = home("connector", "erase", "chat", "--ids", "-", "--dry-run", "--json").json()
    assert found["conversations"] == 1


def test_a_gateway_is_asked_for_the_chats_of_another_product(home: Home, world: SimulatedWorld) -> None:
    path = home.folder / "connectors" / "chat.toml"
    path.write_text(f'also = ["claude-ai"]\n{path.read_text()}')
    file = home.folder.parent / "ids.txt"
    file.write_text(json.dumps("x")[1:-1] + "\nclaude-ai:chat-0000002\n")
    found = home("connector", "erase", "chat", "--ids", file, "--dry-run", "--json").json()
    assert (found["conversations"], found["nowhere"]) == (2, 1)
