"""`assent ledger` in a home: begin, prove, publish, check, rotate, cosign."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.interfaces.homes import NOW, Home, made
from tests.unit.services.ledger_world import choices

from assent.ledger.leaf import commitment
from assent.ledger.note import new_signer, parse_verifier
from assent.ledger.proof import check_proof, parse_proof
from assent.services.ledger.append import append
from assent.wiring import Wiring

WITNESS = new_signer("witness.example/w", b"w" * 32, 4)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return made(tmp_path / "home")


def fill(home: Home, first: int = 0, count: int = 3) -> None:
    wiring = Wiring(home.folder, NOW)
    append(wiring.store, wiring.log, choices(first, count), now=NOW)
    wiring.store.close()


def test_a_new_home_has_a_ledger(home: Home) -> None:
    fill(home)
    said = home("ledger", "status", "--json").json()
    assert (said["origin"], said["size"], said["waiting"], said["witnesses"]) == ("localhost/assent", 3, 0, [])
    assert "size           3" in home("ledger", "status").out
    (key,) = home("ledger", "key", "--json").json()["keys"]
    assert home("ledger", "key").out == f"{key}\n"
    assert parse_verifier(key).name == "localhost/assent"


def test_an_older_home_is_told_what_to_run_and_its_choices_come_in(home: Home) -> None:
    wiring = Wiring(home.folder, NOW)
    for one in choices(0, 4):
        wiring.store.add_choice(one)
    with wiring.store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_head")
        connection.exec_driver_sql("DELETE FROM key_change")
    wiring.store.close()
    for path in (home.folder / "keys").glob("*.key"):
        path.unlink()
    refused = home("ledger", "prove", "c1")
    assert (refused.status, refused.err) == (
        3,
        "assent: this home has no key of a ledger\n  run `assent ledger init`\n",
    )
    assert home("ledger", "key").status == 3
    assert home("ledger", "init", "--json").json()["added"] == 4
    assert "brought in: 0" in home("ledger", "init").out
    assert home("ledger", "verify").status == 0
    assert home("ledger", "prove", "c1").status == 0


def test_keys_that_others_can_read_stop_everything(home: Home) -> None:
    (home.folder / "keys" / "ledger.key").chmod(0o644)
    said = home("ledger", "publish", home.folder / "public")
    assert said.status == 2
    assert "others on this machine may read or write `keys/ledger.key`" in said.err
    assert "PRIVATE" not in said.err


def test_a_proof_is_printed_or_written(home: Home, tmp_path: Path) -> None:
    fill(home)
    said = home("ledger", "prove", "c1", "--json").json()
    key = parse_verifier(home("ledger", "key").out.strip())
    entry = commitment(bytes.fromhex(said["salt"]), said["record"].encode())
    assert check_proof(parse_proof(said["proof"]), entry, [key], key.name).size == 3
    assert home("ledger", "prove", "c1").out == said["proof"]
    out = tmp_path / "my.tlog-proof"
    assert home("ledger", "prove", "c1", "--out", out).out.startswith("leaf 1 is proven in ")
    assert out.read_text("utf-8") == said["proof"]
    assert home("ledger", "prove", "nothing").status == 3


def test_a_published_folder_is_checked_by_whoever_has_it(home: Home, tmp_path: Path) -> None:
    fill(home, count=300)
    public = tmp_path / "public"
    assert home("ledger", "publish", public, "--json").json() == {"from": 0, "size": 300, "tiles": 3, "bundles": 2}
    assert "300 leaves, 0 of them new" in home("ledger", "publish", public, "--whole").out
    key = home("ledger", "key").out.strip()
    other = made(tmp_path / "other", now=NOW + timedelta(seconds=1))  # homes that are made alike have the same keys
    assert other("ledger", "verify", "--log", public, "--key", key).status == 0
    wrong = other("ledger", "verify", "--log", public)
    assert (wrong.status, "another log" in wrong.out or "no known key" in wrong.out) == (2, True)
    tile = public / "tile" / "0" / "000"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    broken = home("ledger", "verify", "--log", public, "--json")
    assert broken.status == 2
    assert [fault["place"] for fault in json.loads(broken.out)["faults"]] == ["tile/0/000"]
    refused = other("ledger", "publish", public)
    assert (refused.status, "not this log" in refused.err) == (2, True)


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_is_none_is_not_checked_and_not_made(home: Home, there: bool, tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    if there:
        path.write_text("a file")
    said = home("ledger", "verify", "--log", path)
    assert said.status == 3
    assert said.err == f"assent: there is no folder `{path}`\n  give the folder that holds the published log\n"
    assert path.is_file() == path.exists() == there


def test_the_settings_say_where_it_is_published(home: Home) -> None:
    fill(home)
    nowhere = home("ledger", "publish")
    assert (nowhere.status, "ledger_target" in nowhere.err) == (3, True)
    settings = home.folder / "assent.toml"
    settings.write_text(settings.read_text("utf-8") + 'ledger_target = "public"\n', "utf-8")
    assert home("ledger", "publish").status == 0
    assert (home.folder / "public" / "checkpoint").exists()


def test_this_home_s_own_log_is_checked_whole(home: Home) -> None:
    fill(home)
    assert home("ledger", "verify").out == "whole: 3 leaves, each where it was signed\n"
    wiring = Wiring(home.folder, NOW)
    with wiring.store._database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER choice_never_changes")
        connection.exec_driver_sql("UPDATE choice SET act = 'decline' WHERE id = 'c2'")
    wiring.store.close()
    said = home("ledger", "verify")
    assert (said.status, said.out) == (2, "leaf 2: commits to something else than its choice says\n")


def test_keys_rotate_in_two_steps(home: Home, tmp_path: Path) -> None:
    fill(home)
    (old,) = home("ledger", "key").out.split()
    both = home("ledger", "rotate", "--json").json()
    assert (both["size"], both["keys"][0], len(both["keys"])) == (3, old, 2)
    fill(home, 3)
    home("ledger", "publish", tmp_path / "public")
    retired = home("ledger", "rotate", "--retire", "--json").json()
    assert retired == {"size": 6, "keys": both["keys"][1:]}
    assert [path.name for path in (home.folder / "keys").glob("ledger*")] == ["ledger-2.key"]
    fill(home, 6)
    home("ledger", "publish", tmp_path / "public")
    for key in both["keys"]:
        assert home("ledger", "verify", "--log", tmp_path / "public", "--key", key).status == 0
    assert home("ledger", "verify").status == 0
    assert "rotate --retire" in home("ledger", "rotate").out


def test_a_witness_s_answer_is_taken_in(home: Home, tmp_path: Path) -> None:
    fill(home)
    settings = home.folder / "assent.toml"
    plain = settings.read_text("utf-8")
    settings.write_text(f'{plain}witnesses = ["{WITNESS.verifier.vkey}"]\n', "utf-8")
    request = home("ledger", "cosign", "--request", 0).out
    _, _, note = request.partition("\n\n")
    answer = tmp_path / "answer"
    answer.write_text(WITNESS.sign(note.partition("\n\n")[0] + "\n", at=1_700_000_000), "utf-8")
    assert home("ledger", "cosign", answer, "--json").json() == {"witness": "witness.example/w", "size": 3}
    assert home("ledger", "status", "--json").json()["witnesses"] == ["witness.example/w"]
    assert answer.read_text("utf-8") in home("ledger", "prove", "c0").out
    answer.write_text("— witness.example/w AAAAAAAA\n", "utf-8")
    assert home("ledger", "cosign", answer).status == 1
    assert home("ledger", "cosign").status == 1
    settings.write_text(f'{plain}witnesses = ["{new_signer("w", b"w" * 32).verifier.vkey}"]\n', "utf-8")
    assert "no key of a witness" in home("ledger", "cosign", answer).err


@pytest.mark.parametrize("name", ["init", "status", "publish", "verify", "rotate", "cosign", "key", "prove"])
def test_every_command_shows_an_example(home: Home, name: str) -> None:
    assert f"assent ledger {name}" in home("ledger", name, "--help").out.partition("Example")[2]
