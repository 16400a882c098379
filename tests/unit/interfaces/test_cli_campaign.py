"""`assent campaign`: every step and every view, in text and JSON, and what is refused with which exit status."""

import json
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from homes import Home, made
from tests.unit.services.campaign_world import DEADLINE, SIGN_UP, START, act, notice, notice_text, policy_text, text

from assent.wiring import Wiring

BY = ("--by", "privacy office")
DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "acme.toml").write_text(policy_text(), "utf-8")
    (tmp_path / "spring.toml").write_text(text(), "utf-8")
    found = made(tmp_path / "home", str(tmp_path / "acme.toml"), now=START - DAY)
    people = [{"subject": f"p-{n}", "plan": "free", "age": 30} for n in range(5)]
    assert found("import", "accounts", found.write("people.ndjson", people)).status == 0
    return found


def beside(home: Home, name: str) -> Path:
    return home.folder.parent / name


def live(home: Home) -> Home:
    new = home("campaign", "new", beside(home, "spring.toml"), *BY)
    assert (new.status, new.out) == (0, "campaign spring: drafted\n"), new.err
    for step in ("lint", "schedule"):
        assert home("campaign", step, "spring", *BY).status == 0
    home.now = START
    assert home("campaign", "start", "spring", *BY).status == 0
    return home


def test_a_campaign_goes_from_file_to_closed(home: Home) -> None:
    live(home)
    told = home("campaign", "status", "spring", "--json").json()
    assert (told["state"], told["steps"], told["alarms"]) == ("live", 3, [])
    assert told["questions"][0]["states"]["unseen"] == 5
    assert "spring is live" in home("campaign", "status", "spring").out
    assert "spring               live" in home("campaign", "list").out
    assert home("campaign", "close", "spring", "--reason", "enough", *BY).status == 0
    shown = home("campaign", "show", "spring")
    assert 'id = "spring"' in shown.out
    assert [line.split()[1] for line in shown.out.splitlines() if line.endswith("by privacy office")] == [
        "drafted", "linted", "scheduled", "started", "closed"
    ]  # fmt: skip
    refused = home("campaign", "close", "spring", "--reason", "again", *BY)
    assert (refused.status, "is closed and cannot be closed" in refused.err) == (2, True)


def test_a_schedule_is_undone_and_a_draft_revised(home: Home) -> None:
    home("campaign", "new", beside(home, "spring.toml"), *BY)
    home("campaign", "lint", "spring", *BY)
    home("campaign", "schedule", "spring", *BY)
    assert home("campaign", "unschedule", "spring", *BY, "--json").json()["state"] == "linted"
    beside(home, "spring.toml").write_text(text({"max = 2": "max = 0"}), "utf-8")
    assert home("campaign", "revise", "spring", beside(home, "spring.toml"), *BY, "--json").json()["state"] == "draft"


def test_it_does_not_start_before_its_time(home: Home) -> None:
    home("campaign", "new", beside(home, "spring.toml"), *BY)
    home("campaign", "lint", "spring", *BY)
    home("campaign", "schedule", "spring", *BY)
    said = home("campaign", "start", "spring", *BY)
    assert said.status == 2
    assert "`spring` starts at 2026-03-01T09:00:00Z" in said.err
    assert "  wait until then" in said.err


def test_what_is_wrong_with_a_file_is_shown_whole(home: Home) -> None:
    bad = beside(home, "bad.toml")
    bad.write_text(text({"max = 2": "max = 7", '"decline"': '"allow"'}), "utf-8")
    said = home("campaign", "new", bad, *BY)
    assert said.status == 1
    assert "bad.toml:11:1: silence is never consent" in said.err
    assert "  use `decline` or `block`" in said.err
    bad.write_text(text({"max = 2": "max = 7", '"P7D"': '"P1D"'}), "utf-8")
    said = home("campaign", "new", bad, *BY, "--json")
    assert [one["line"] for one in json.loads(said.out)] == [19, 20]


def test_a_notice_with_errors_keeps_a_campaign_a_draft(home: Home) -> None:
    preset = notice_text().replace('act = "allow"', 'act = "allow"\npreset = true', 1)
    wiring = Wiring(home.folder, home.now)
    wiring.store.add_notice(notice(document=preset, added_at=home.now + DAY))
    wiring.store.close()
    home("campaign", "new", beside(home, "spring.toml"), *BY)
    said = home("campaign", "lint", "spring", *BY)
    assert said.status == 2
    assert "error" in said.out
    assert "the lint of the notice found" in said.err
    told = home("campaign", "lint", "spring", *BY, "--json").json()
    assert "error" in {one["severity"] for one in told["findings"]}
    assert home("campaign", "status", "spring", "--json").json()["state"] == "draft"


def test_an_amendment_shows_what_changes_and_is_signed(home: Home) -> None:
    live(home)
    moved = beside(home, "spring.toml")
    moved.write_text(text({"2026-04-01T00:00:00Z": "2026-04-20T00:00:00Z"}), "utf-8")
    said = home("campaign", "amend", "spring", moved, "--reason", "public holidays", *BY)
    assert said.status == 0, said.err
    assert "deadline: 2026-04-01T00:00:00Z -> 2026-04-20T00:00:00Z" in said.out
    assert "signed by" in said.out
    shown = home("campaign", "show", "spring", "--json").json()
    assert shown["deadline"] == "2026-04-20T00:00:00Z"
    assert [one["step"] for one in shown["signatures"]] == [4]
    moved.write_text(text({"{ from = 18 }": "{ from = 13 }"}), "utf-8")
    refused = home("campaign", "amend", "spring", moved, "--reason", "more", *BY)
    assert refused.status == 2
    assert "start a new campaign" in refused.err


def test_an_offer_says_whether_and_why_not(home: Home) -> None:
    live(home)
    told = home("campaign", "offer", "spring", "p-1", "--json").json()
    assert (told["asked"], told["purpose"], told["deadline"]) == (True, "training", "2026-04-01T00:00:00Z")
    assert "may be asked for training" in home("campaign", "offer", "spring", "p-1").out
    said = home("campaign", "offer", "spring", "stranger")
    assert (said.status, said.out) == (2, "not asked: no account is known\n")
    assert home("campaign", "offer", "autumn", "p-1").status == 3


def test_reminders_are_listed_and_recorded(home: Home) -> None:
    live(home)
    home.now = DEADLINE - 2 * DAY
    first = home("campaign", "remind", "spring", "--limit", "3", "--record", "--json").json()
    assert [one["subject"] for one in first["reminders"]] == ["p-0", "p-1", "p-2"]
    assert first["after"] == "p-2"
    rest = home("campaign", "remind", "spring")
    assert "2 due" in rest.out


def test_the_funnel_is_counted_and_drawn(home: Home) -> None:
    live(home)
    quoted = {"purpose": "training", "at": "2026-03-02T08:00:00Z", "notice": "sha256:" + "0" * 64, "surface": "web"}
    acts = ["allow", "decline", "decline"]
    answers = [{"subject": f"p-{n}", "act": kind, **quoted} for n, kind in enumerate(acts)]
    assert home("import", "choices", home.write("answers.ndjson", answers), at=START + 2 * DAY).status == 0
    picture = beside(home, "funnel.svg")
    said = home("campaign", "funnel", "spring", "--svg", picture, at=START + 3 * DAY)
    assert said.status == 0, said.err
    assert "answered" in said.out
    assert ET.parse(picture).getroot().tag.endswith("svg")
    told = home("campaign", "funnel", "spring", "--json", at=START + 3 * DAY).json()
    assert (told["total"]["allowed"], told["total"]["declined"]) == (1, 2)
    assert told["states"] == {"unseen": 2, "shown": 0, "deferred": 0, "allowed": 1, "declined": 2, "changed": 0}
    other = home("campaign", "funnel", "spring", "--purpose", "dreams")
    assert (other.status, "does not ask for `dreams`" in other.err) == (2, True)


def test_an_alarm_is_an_exit_status(home: Home) -> None:
    live(home)
    people = [{"subject": f"q-{n}", "plan": "free", "age": 30} for n in range(80)]
    home("import", "accounts", home.write("people.ndjson", people))
    at = START + DAY
    store = Wiring(home.folder, at).store
    for n in range(80):
        lean = ("stacked", "allow") if n % 2 else ("side-by-side", "decline")
        store.add_choice(act(lean[1], at, f"q-{n}", layout=lean[0]))
    store.close()
    said = home("campaign", "status", "spring", at=at)
    assert said.status == 2
    assert "alarm: layout `side-by-side` and `stacked` differ by 100.0 percentage points" in said.out


def test_nothing_yet_is_said_and_the_schema_is_printed(home: Home) -> None:
    assert "no campaigns yet" in home("campaign", "list").out
    assert home("campaign", "list", "--json").json() == []
    assert home("campaign", "schema").json()["title"] == "assent campaign file"
    assert home("campaign", "show", "spring").status == 3


def test_new_people_are_counted_when_they_sign_up(home: Home) -> None:
    beside(home, "spring.toml").write_text(text(SIGN_UP), "utf-8")
    live(home)
    late = [{"subject": "new", "plan": "pro", "age": 20, "opened_at": "2026-03-30T00:00:00Z"}]
    home("import", "accounts", home.write("late.ndjson", late), at=START + 29 * DAY)
    told = home("campaign", "offer", "spring", "new", "--json", at=DEADLINE + DAY).json()
    assert told["deadline"] == "2026-04-13T00:00:00Z"
