"""Commands on a filled home: explain, plan, sweep, forecast, hold, release, flag, status."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from homes import NOW, Home, claude_ai, made

ORDER = ("--matter", "2026-1", "--author", "desk", "--reason", "order")
OLD, YOUNG = "claude-ai:old", "claude-ai:young"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = made(tmp_path / "home")
    chats = (("old", "2025-11-20T00:00:00Z"), ("old2", "2025-11-21T00:00:00Z"), ("young", "2025-12-20T00:00:00Z"))
    export = claude_ai(tmp_path / "export", *chats)
    assert found("import", "claude-ai", export, "--subject", "me", "--plan", "pro", "--age", "adult").status == 0
    found("choose", "me", "decline", at=NOW - timedelta(days=60))
    return found


def test_plan_then_sweep_does_what_was_shown(home: Home) -> None:
    plan = home("plan", "--json").json()
    assert (plan["due"], plan["newly_due"]) == (4, 4)
    assert plan["by_rule"] == [{"rule": "base", "parts": 4, "conversations": 2, "people": 1}]
    assert {sample["conversation"] for sample in plan["sample"]} == {OLD, "claude-ai:old2"}
    text = home("plan").out
    assert f"digest: {plan['digest']}" in text
    assert "ripe up to 16 days before their end" in text
    command = text.splitlines()[-1].removeprefix("to do exactly this: assent ").split()
    swept = home(*command, "--json").json()
    assert swept == {
        "sweep": 1,
        "plan": plan["digest"],
        "erased": 4,
        "kept": 0,
        "gone": 0,
        "finished": True,
        "receipts": 1,
        "copies": {name: {"removed": 1} for name in ("cuts", "database", "segments")},
        "waiting": {},
        "problems": [],
    }
    assert [line["conversation"] for line in home("explain", "--all", "--json").lines()] == [YOUNG]
    assert home("status", "--json").json()["tombstones"] == 4
    nothing = home("plan").out
    assert "due: 0 parts" in nothing
    assert "assent sweep" not in nothing


def test_a_plan_for_later_is_not_swept_today(home: Home) -> None:
    digest = home("plan", "--at", "2026-02-01T00:00:00Z", "--json").json()["digest"]
    said = home("sweep", "--plan", digest)
    assert said.status == 2
    assert "the clock stands before the plan" in said.err
    assert home("status", "--json").json()["tombstones"] == 0


def test_the_validity_of_a_plan_is_a_setting(home: Home) -> None:
    digest = home("plan", "--json").json()["digest"]
    with (home.folder / "assent.toml").open("a") as settings:
        settings.write("plan_valid_hours = 2\n")
    assert home("sweep", "--plan", digest, at=NOW + timedelta(hours=2, seconds=1)).status == 2
    assert home("sweep", "--plan", digest, at=NOW + timedelta(hours=2)).status == 0


def test_a_changed_policy_refuses_an_earlier_plan(home: Home) -> None:
    digest = home("plan", "--json").json()["digest"]
    (policy,) = (home.folder / "policies").iterdir()
    policy.write_text(policy.read_text("utf-8").replace('"P30D"', '"P40D"'), "utf-8")
    said = home("sweep", "--plan", digest)
    assert (said.status, said.out) == (2, "")
    assert "the policies changed" in said.err


def test_a_policy_whose_promise_the_settings_cannot_keep_is_not_planned_by(home: Home) -> None:
    (policy,) = (home.folder / "policies").iterdir()
    policy.write_text(policy.read_text("utf-8").replace('"P30D"', '"P20D"'), "utf-8")
    for command in (("plan",), ("sweep", "--daemon")):
        said = home(*command)
        assert (said.status, said.out) == (2, "")
        assert "deleted content is gone within 20 days, and the settings need 30" in said.err


def test_explain_says_until_when_what_for_and_why(home: Home) -> None:
    text = home("explain", YOUNG).out
    assert "kept:    until 2026-01-19T00:00:00Z" in text
    assert "use now: not for training or any other cut" in text
    assert "- Conversations are kept up to 30 days after your last turn" in text
    assert "[grant base]" in text
    record = home("explain", YOUNG, "--json").json()
    assert (record["eligible"], record["erase_by"], record["held"]) == ([], "2026-01-19T00:00:00Z", False)
    assert "due for erasure since 2025-12-20T00:00:00Z" in home("explain", OLD).out
    later = home("explain", YOUNG, "--at", "2026-02-01T00:00:00Z").out
    assert "no longer; due for erasure" in later


def test_explain_all_pages_and_says_how_many(home: Home) -> None:
    lines = home("explain", "--all", "--limit", "2").out.splitlines()
    assert lines[-1] == "2 of 3 conversations; --limit shows more"
    assert [line.split()[0] for line in lines[:-1]] == [YOUNG, "claude-ai:old2"]
    with (home.folder / "assent.toml").open("a") as settings:
        settings.write("list_page = 1\n")
    assert len(home("explain", "--all", "--limit", "3", "--json").lines()) == 3
    assert home("explain", "--all").out.splitlines()[-1] == "3 of 3 conversations"
    assert home("explain", "--all", "--subject", "nobody").out == "0 of 0 conversations\n"


def test_a_hold_keeps_and_a_release_frees(home: Home) -> None:
    digest = home("plan", "--json").json()["digest"]
    hold = home("hold", "person", "me", *ORDER, "--json").json()["hold"]
    assert home("plan", "--json").json()["due"] == 0
    assert home("sweep", "--plan", digest, "--json").json()["kept"] == 4
    assert "a legal hold forbids erasure" in home("explain", OLD).out
    assert home("hold", "list").out.split()[-1] == "standing"
    asked = home("release", hold, "--by", "ann", "--reason", "settled", "--json").json()["approval"]
    assert home("plan", "--json").json()["due"] == 0
    assert home("approve", asked, "--by", "ben").status == 0
    assert home("hold", "list", "--json").json()["state"] == "released 2026-01-01T12:00:00Z"
    assert home("plan", "--json").json()["due"] == 4


def test_a_flag_keeps_and_a_reversal_frees(home: Home) -> None:
    flag = home("flag", OLD, "--category", "fraud", "--by", "team", "--json").json()["flag"]
    assert home("plan", "--json").json()["due"] == 2
    assert home("explain", OLD, "--json").json()["eligible"] == ["safety"]
    assert home("flag", flag, "--reverse", "--by", "appeal").status == 0
    assert home("plan", "--json").json()["due"] == 4


def test_forecast_counts_everything_as_text_json_and_picture(home: Home, tmp_path: Path) -> None:
    record = home("forecast", "--by", "week", "--steps", "4", "--json").json()
    inside = [sum(bucket["parts"].values()) for bucket in record["buckets"]]
    assert [bucket["start"][:10] for bucket in record["buckets"]] == [
        "2025-12-29",
        "2026-01-05",
        "2026-01-12",
        "2026-01-19",
    ]
    assert (inside, record["later"], record["held"], record["without_end"]) == ([4, 0, 0, 2], 0, 0, 0)
    picture = tmp_path / "f.svg"
    said = home("forecast", "--by", "month", "--steps", "3", "--svg", picture)
    assert said.out.splitlines()[1].split()[0].startswith("2026-01")
    assert said.out.splitlines()[1].split()[1] == "6"
    root = ET.fromstring(picture.read_text("utf-8"))
    assert root.tag.endswith("svg")
    assert "2026-01" in root.findtext("{http://www.w3.org/2000/svg}desc")
    assert ": 6" in root.findtext("{http://www.w3.org/2000/svg}desc")


def test_status_counts_and_names_policies(home: Home) -> None:
    record = home("status", "--json").json()
    assert (record["accounts"], record["conversations"], record["parts"], record["choices"]) == (1, 3, 6, 1)
    assert record["by_source"] == {"claude-ai": 3}
    assert [policy["policy"] for policy in record["policies_in_force"]] == ["anthropic/2025-10-08"]
    assert "conversations                   3" in home("status").out
