"""Commands of holds and flags: five scopes, two people, a gag, what a person sees, reading with a reason."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from homes import NOW, Home, claude_ai, made

ORDER = ("--matter", "2026-1", "--author", "desk", "--reason", "order")
OLD, YOUNG = "claude-ai:old", "claude-ai:young"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = made(tmp_path / "home")
    chats = (("old", "2025-11-20T00:00:00Z"), ("young", "2025-12-20T00:00:00Z"))
    people = tmp_path / "people.ndjson"
    person = {"subject": "me", "plan": "pro", "age": 30, "region": "DE", "organisation": "clinic"}
    people.write_text(json.dumps(person) + "\n", "utf-8")
    export = claude_ai(tmp_path / "export", *chats)
    assert found("import", "accounts", people).status == 0
    assert found("import", "claude-ai", export, "--subject", "me", "--plan", "pro").status == 0
    found("choose", "me", "decline", at=NOW - timedelta(days=60))
    return found


@pytest.mark.parametrize(
    ("words", "conversations"),
    [
        (("person", "me"), 2),
        (("conversation", OLD), 1),
        (("organisation", "clinic"), 2),
        (("query", "--region", "DE", "--created-to", "2025-12-01T00:00:00Z"), 1),
        (("query", "--region", "eu"), 2),
        (("everyone",), 2),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_hold_of_each_scope_says_what_it_covers_and_holds_it(
    home: Home, words: tuple[str, ...], conversations: int
) -> None:
    said = home("hold", *words, *ORDER, "--json").json()
    assert (said["conversations"], said["people"], said["undecidable"]) == (conversations, 1, 0)
    assert home("plan", "--json").json()["due"] == 0
    line = home("hold", "list", "--json").json()
    assert (line["hold"], line["scope"], line["state"]) == (said["hold"], words[0], "standing")
    entry = json.loads((next((home.folder / "journal").glob("*.jsonl"))).read_text("utf-8").splitlines()[-1])
    assert (entry["kind"], entry["body"]["id"]) == ("hold placed", said["hold"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--region", "Germany"), "write the ISO 3166-1 code of the country"),
        (("--region", "DE", "--region", "UK"), "write `GB`"),
        (("--region", "DE-BE"), "write the country, `DE`"),
        (("--created-from", "2026-01-02T00:00:00Z", "--created-to", "2026-01-01T00:00:00Z"), "nothing would be held"),
        (("--last-turn-from", "2026-01-02T00:00:00Z", "--last-turn-to", "2026-01-02T00:00:00Z"), "nothing would be"),
    ],
)
def test_a_query_that_would_hold_nothing_by_mistake_is_refused(home: Home, words: tuple[str, ...], says: str) -> None:
    said = home("hold", "query", *words, *ORDER)
    assert (said.status, said.out) == (1, "")
    assert says in said.err
    assert home("hold", "list").out == ""


def test_a_hold_by_region_needs_no_policy_that_can_be_read(home: Home) -> None:
    (file,) = (home.folder / "policies").iterdir()
    file.write_text("this is no policy")
    assert home("hold", "query", "--region", "de", *ORDER).status == 0
    assert home("hold", "query", "--region", "Germany", *ORDER).status == 1


def test_a_hold_is_released_by_two_people(home: Home) -> None:
    hold = home("hold", "person", "me", *ORDER, "--json").json()["hold"]
    assert "needs a reason" in home("release", hold, "--by", "ann").err
    asked = home("release", hold, "--by", "ann", "--reason", "settled", "--json").json()
    assert asked["conversations"] == 2
    request = asked["approval"]
    assert f"{request}  release" in home("approve", "list").out
    alone = home("approve", request, "--by", "Ann")
    assert (alone.status, alone.err.splitlines()[0]) == (2, "assent: whoever asked cannot approve it too")
    assert home("hold", "list", "--json").json()["state"] == "standing"
    assert home("approve", request, "--by", "ben").status == 0
    assert home("approve", request, "--by", "ben").status == 2
    assert home("hold", "list", "--json").json()["state"] == "released 2026-01-01T12:00:00Z"
    assert home("release", hold, "--by", "ann", "--reason", "again").status == 2
    assert home("approve", "list").out == ""
    assert home("approve", "list", "--all", "--json").json()["state"] == "used"
    kinds = [json.loads(line)["kind"] for line in journal(home)]
    assert kinds == ["hold placed", "hold released"]
    assert home("hold", "close", "2026-1").status == 0
    assert home("hold", "matters", "--json").json()["state"] == "closed 2026-01-01T12:00:00Z"
    assert home("hold", "everyone", *ORDER).status == 2


def journal(home: Home) -> list[str]:
    return [
        line
        for path in sorted((home.folder / "journal").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]


def test_a_request_grows_old(home: Home) -> None:
    hold = home("hold", "person", "me", *ORDER, "--json").json()["hold"]
    request = home("release", hold, "--by", "ann", "--reason", "settled", "--json").json()["approval"]
    late = NOW + timedelta(days=7)
    assert home("approve", request, "--by", "ben", at=late).status == 2
    assert home("approve", "list", "--all", "--json", at=late).json()["state"] == "too old"
    assert home("approve", "nothing", "--by", "ben").status == 3


def test_anybody_can_ask_for_an_act_and_another_agrees(home: Home) -> None:
    words = ("exceed", "3f9c", "--by", "ann", "--reason", "meant so")
    request = home("approve", "ask", *words, "--json").json()["approval"]
    assert home("approve", "list", "--json").json()["state"] == "waiting"
    assert "approved: exceed 3f9c" in home("approve", "give", request, "--by", "ben").out
    assert home("approve", "list", "--json").json()["state"] == "approved"
    assert home("approve", "ask", "ignore", "3f9c", "--by", "ann", "--reason", "r").status == 1


def test_what_a_person_sees_says_nothing_of_a_gag(home: Home) -> None:
    hidden = home("hold", "conversation", OLD, *ORDER, "--gag", "--json").json()["hold"]
    assert home("hold", "list", "--subject", "me").out == ""
    assert home("hold", "list", "--json").json()["gag"] is True
    mine = home("explain", OLD, "--as-subject", "--json").json()
    assert (mine["held"], home("explain", OLD, "--json").json()["held"]) == (False, True)
    told = home("explain", OLD, "--as-subject").out + home("explain", "--all", "--as-subject").out
    assert "hold" not in told
    assert "held" not in told
    shown = home("hold", "person", "me", *ORDER, "--json").json()["hold"]
    assert home("hold", "list", "--subject", "me", "--json").json() == {
        "hold": shown,
        "since": "2026-01-01T12:00:00Z",
        "review_at": "2026-04-01T12:00:00Z",
        "state": "standing",
        "conversations": 2,
    }
    assert home("explain", OLD, "--as-subject", "--json").json()["held"] is True
    assert hidden not in home("hold", "list", "--subject", "me").out


def test_held_and_ended_content_is_read_for_legal_alone_and_with_a_reason(home: Home) -> None:
    who = ("--by", "counsel", "--reason", "disclosure")
    home("hold", "person", "me", *ORDER)
    assert home("read", OLD, "--for", "legal").status == 1
    assert home("read", OLD, "--log").out == ""
    for purpose in ("service", "training", "safety", "nothing"):
        refused = home("read", OLD, "--for", purpose, *who)
        assert (refused.status, refused.out) == (2, "")
        assert "it may be read for legal" in refused.err
    read = home("read", OLD, "--for", "legal", *who, "--json").lines()
    assert len(read) == 2
    assert all(line["text"] for line in read)
    assert home("read", OLD, "--log", "--json").json() == {
        "at": "2026-01-01T12:00:00Z",
        "by": "counsel",
        "for": "legal",
        "reason": "disclosure",
        "parts": 2,
    }
    assert home("read", YOUNG, "--for", "service", *who).status == 0
    assert "counsel for service, 2 parts: disclosure" in home("read", YOUNG, "--log").out
    assert home("read", "nothing", "--for", "legal", *who).status == 3


def test_nothing_is_read_for_legal_that_is_not_held(home: Home) -> None:
    assert home("read", YOUNG, "--for", "legal", "--by", "counsel", "--reason", "curious").status == 2


def test_a_finding_outlives_its_content_and_ends_on_its_own_day(home: Home) -> None:
    words = ("--category", "fraud", "--score", "0.97", "--by", "detector", "--reason", "r", "--json")
    flag = home("flag", OLD, *words).json()["flag"]
    assert home("flag", flag, "--review", "--by", "team").status == 0
    wrong = home("flag", YOUNG, "--category", "spam", "--by", "detector", "--json").json()["flag"]
    assert home("flag", wrong, "--reverse", "--by", "appeal").status == 0
    listed = home("flag", "--list", "--subject", "me", "--json").lines()
    assert {(one["flag"], one["state"], one["score"]) for one in listed} == {
        (flag, "reviewed", 0.97),
        (wrong, "reversed", None),
    }
    assert home("flag", "--forget", "--json").json() == {"forgotten": 0}
    assert home("flag", OLD, "--category", "fraud", "--score", "2", "--by", "detector").status == 1
    assert home("flag", OLD, "--category", "fraud").status == 1
    assert "fraud" in home("flag", OLD, "--list").out
