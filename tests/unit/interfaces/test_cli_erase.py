"""Commands that erase, prove, list copies and bring back: what they print and how they end."""

import json
from pathlib import Path

import pytest
from homes import Home, claude_ai, made

CHATS = ("conv-1", "2025-02-01T00:00:00.000000Z"), ("conv-2", "2025-12-30T00:00:00.000000Z")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One conversation that is long due, two parts, and one that is not."""
    home = made(tmp_path / "home")
    export = claude_ai(tmp_path / "export", *CHATS)
    said = home("import", "claude-ai", export, "--subject", "me", "--plan", "pro", "--age", "adult")
    assert said.status == 0, said.err
    return home


def plan(home: Home) -> str:
    digest: str = home("plan", "--json").json()["digest"]
    return digest


def test_a_sweep_says_what_became_of_every_copy(home: Home) -> None:
    said = home("sweep", "--plan", plan(home))
    assert said.status == 0, said.err
    assert said.out.splitlines() == [
        "sweep 1: 2 parts erased, 0 kept because they are no longer due",
        "1 erasures have their receipt",
        "  cuts: 1 removed",
        "  database: 1 removed",
        "  segments: 1 removed",
    ]


def test_a_sweep_in_json_names_the_same(home: Home) -> None:
    found = home("sweep", "--plan", plan(home), "--json").json()
    assert {key: found[key] for key in ("sweep", "erased", "kept", "gone", "receipts", "waiting", "problems")} == {
        "sweep": 1, "erased": 2, "kept": 0, "gone": 0, "receipts": 1, "waiting": {}, "problems": [],
    }  # fmt: skip
    assert found["copies"] == {name: {"removed": 1} for name in ("cuts", "database", "segments")}


@pytest.mark.parametrize("arguments", [(), ("--plan", "3f9c0d2a71be", "--redo"), ("--redo", "--daemon")])
def test_a_sweep_is_told_one_thing_to_do(home: Home, arguments: tuple[str, ...]) -> None:
    said = home("sweep", *arguments)
    assert said.status == 1
    assert "one of --plan DIGEST, --redo and --daemon" in said.err


def test_a_sweep_without_anything_open_has_nothing_to_redo(home: Home) -> None:
    said = home("sweep", "--redo")
    assert (said.status, said.out) == (0, "")


def test_another_system_that_does_not_answer_ends_a_sweep_with_four_until_it_does(home: Home) -> None:
    added = home("derived", "add", "search-index")
    assert "every erasure from now on waits for search-index" in added.out
    assert "assent webhook add" in added.out
    said = home("sweep", "--plan", plan(home))
    assert said.status == 4
    assert "  search-index: 1 present" in said.out
    assert "wait for an answer of `search-index` (1)" in said.err
    assert "assent derived ack ERASURE --store NAME --state removed" in said.err
    assert home("sweep", "--redo").status == 4
    assert "1 not removed" in home("derived", "list").out
    proven = home("prove", "1")
    assert proven.status == 4
    assert "has no receipt yet" in proven.err
    acked = home("derived", "ack", "1", "--store", "search-index", "--state", "removed", "--note", "run 4711")
    assert acked.out == "erasure 1: search-index says removed\n"
    assert home("sweep", "--redo").status == 0
    assert home("prove", "1").status == 0


def test_derived_stores_are_listed_with_what_they_reach(home: Home) -> None:
    home("derived", "add", "old-index")
    assert home("derived", "retire", "old-index").status == 0
    found = {one["name"]: one for one in home("derived", "list", "--json").lines()}
    assert set(found) == {"cuts", "database", "old-index", "segments"}
    assert found["old-index"]["retired_at"] is not None
    assert "not copies made of them" in found["cuts"]["reach"]
    assert home("derived", "retire", "cuts").status == 2
    assert home("derived", "retire", "nothing").status == 3
    assert home("derived", "add", "Not A Name").status == 1
    assert home("derived", "ack", "1", "--store", "nothing", "--state", "removed").status == 3


def test_a_proof_is_written_and_checked_by_somebody_else(home: Home, tmp_path: Path) -> None:
    home("sweep", "--plan", plan(home))
    file = tmp_path / "proof.json"
    said = home("prove", "claude-ai:conv-1", "--out", file)
    assert said.status == 0, said.err
    assert "an attempt to open it: 3 keys tried, 0 opened; 0 parts are here" in said.out
    assert json.loads(file.read_bytes())["v"] == "assent/erasure-proof/v1"
    key = home("ledger", "key").out.split()[-1]
    checked = home("verify", "erasure", file, "--key", key)
    assert checked.status == 0, checked.err
    assert "2 of 2 tombstones are leaves of the erasure's tree" in checked.out
    assert home("verify", "erasure", file).status == 4
    assert home("verify", "erasure", file, "--key", key, "--json").json()["lingering"] == []
    file.write_bytes(file.read_bytes().replace(b"conv-1", b"conv-9"))
    assert home("verify", "erasure", file, "--key", key).status == 2
    assert home("prove", "1", "--out", file).status == 1, "a proof is never written over"
    assert home("prove", "claude-ai:conv-2").status == 3


def test_a_proof_in_json_says_the_same(home: Home) -> None:
    home("sweep", "--plan", plan(home))
    found = home("prove", "1", "--json").json()
    assert (found["erasure"], found["parts"], found["attempt"]) == (1, 2, {"tried": 3, "opened": 0, "here": []})
    assert [copy["state"] for copy in found["copies"]] == ["removed"] * 3


def test_what_the_owner_deleted_comes_back(home: Home) -> None:
    from assent.wiring import Wiring

    store = Wiring(home.folder, home.now).store
    store.request_deletion("claude-ai:conv-2", home.now)
    store.close()
    refused = home("undelete", "claude-ai:conv-2", "--by", "ann")
    assert refused.status == 2
    assert "assent approve ask undelete claude-ai:conv-2" in refused.err
    assert home("undelete", "claude-ai:conv-2", "--by", "me").out == "claude-ai:conv-2 is back, with 2 parts\n"
    assert home("undelete", "claude-ai:conv-2", "--by", "me").status == 2
    assert home("undelete", "claude-ai:nothing", "--by", "me").status == 3
