"""Commands of the life of a flag, and of a detector after training."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from homes import NOW, Home, claude_ai, made
from tests.unit.services.detector.small_detector import folder

OLD = "claude-ai:old"
WHY = ("--reason", "read it")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = made(tmp_path / "home")
    people = tmp_path / "people.ndjson"
    people.write_text(json.dumps({"subject": "me", "plan": "pro", "age": 30, "region": "DE"}) + "\n", "utf-8")
    export = claude_ai(tmp_path / "export", ("old", "2025-11-20T00:00:00Z"))
    assert found("import", "accounts", people).status == 0
    assert found("import", "claude-ai", export, "--subject", "me", "--plan", "pro").status == 0
    found("choose", "me", "decline", at=NOW - timedelta(days=60))
    return found


def raised(home: Home, *words: str) -> str:
    return home("flag", OLD, "--category", "cybercrime", "--score", "0.9", "--by", "d@1", *words, "--json").json()[
        "flag"
    ]


def test_a_flag_goes_from_the_queue_to_a_decision_on_appeal(home: Home) -> None:
    flag = raised(home)
    waiting = home("flag", "queue", "--json").json()
    assert (waiting["id"], waiting["band"], waiting["severity"]) == (flag, "flag", 2)
    assert home("flag", "show", flag, "--by", "rita").status == 1  # no reason
    shown = home("flag", "show", flag, "--by", "rita", "--reason", "first look")
    assert (shown.status, "cybercrime" in shown.out) == (0, True)
    assert "first look" in home("read", OLD, "--log").out
    assert home("flag", "review", flag, "--by", "rita", *WHY).status == 1  # neither way
    assert home("flag", "review", flag, "--uphold", "--by", "D@1", *WHY).status == 2
    assert home("flag", "review", flag, "--uphold", "--by", "rita", *WHY, "--json").json()["settled"] == "uphold"
    assert home("flag", "queue").out == ""
    assert home("flag", "appeal", "nobody", flag).status == 3
    asked = home("flag", "appeal", "me", flag, "--text", "a novel", "--json").json()
    assert home("flag", "queue", "--appeals", "--json").json()["flag"] == flag
    assert "took no part" in home("flag", "decide", flag, "--reverse", "--by", "rita", *WHY).err
    decided = home("flag", "decide", flag, "--reverse", "--by", "sam", *WHY, "--json").json()
    assert decided == {"flag": flag, "state": "decided", "overturned": True}
    assert home("flag", "decide", flag, "--reverse", "--by", "sam", *WHY).out == "overturned\n"
    assert asked["flag"] == flag
    told = home("flag", "agreement", "--json").json()
    assert (told["reviews"], told["pairs"], told["rates"]["overturned_on_appeal"]["count"]) == (2, 0, 1)
    assert "says nothing" in home("flag", "agreement").out


def test_what_safety_may_not_read_is_not_scored(home: Home) -> None:
    found = home("flag", "score", "--detector", str(folder(home.folder.parent)))
    assert (found.status, "nothing that may be read" in found.err) == (2, True)


def test_a_version_is_registered_run_in_the_shadow_and_never_promoted_without_the_gate(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = folder(home.folder.parent)
    monkeypatch.setattr("assent.learn.harm.cascade.shipped", lambda: shipped)
    who = ("--by", "rita", "--reason", "try it")
    assert home("detector", "versions").out == "the detector of the package decides\n"
    assert home("detector", "register", str(folder(home.folder.parent, "2")), *who).status == 0
    assert home("detector", "shadow", "small@2", *who).status == 0
    assert home("detector", "shadow", "small@9", *who).status == 3
    refused = home("detector", "promote", "small@2", *who)
    assert (refused.status, "nobody has compared" in refused.err) == (2, True)
    page = home.folder.parent / "report.html"
    compared = home("detector", "compare", "small@2", "--page", str(page))
    assert (compared.status, "small@2 may not decide" in compared.out) == (2, True)
    assert "<table>" in page.read_text("utf-8")
    assert "does not let" in home("detector", "promote", "small@2", *who).err
    assert home("detector", "rollback", *who).status == 2
    assert home("detector", "drift", "--json").json()["state"] == "too few"
    plot = home.folder.parent / "false-flags.svg"
    states = home("detector", "versions", "--plot", str(plot), "--json").json()
    drawn = plot.read_text("utf-8")
    assert drawn.startswith("<svg")
    assert "small@1" in drawn
    assert "small@2" in drawn
    assert [one["state"] for one in states["versions"]] == ["shadow"]
    assert [one["act"] for one in states["acts"]] == ["register", "shadow"]


def test_learning_needs_a_cut_for_safety(home: Home) -> None:
    found = home(
        "detector", "learn", str(home.folder / "new"), "--cut", "none", "--number", "1", "--name", "house",
        "--version", "2", "--without-encoder",
    )  # fmt: skip
    assert found.status == 3
