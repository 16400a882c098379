"""`assent import`: what it prints accounts for everything, as text and as JSON."""

import json
import shutil
from pathlib import Path

import pytest
from homes import Home, claude_ai, made

ME = ("--subject", "me", "--plan", "pro", "--age", "adult", "--region", "de")
CHATS = (("c1", "2025-12-20T00:00:00Z"), ("c2", "2025-12-21T00:00:00Z"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return made(tmp_path / "home")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return claude_ai(tmp_path / "export", *CHATS)


def test_an_export_comes_in_and_again_changes_nothing(home: Home, export: Path) -> None:
    first = home("import", "claude-ai", export, *ME, "--json").json()
    assert (first["format"], first["imported"], first["malformed"]) == ("claude-ai", 4, 0)
    assert (first["conversations"], first["parts"]) == ({"new": 2}, 4)
    before = home("status", "--json").out
    again = home("import", "auto", export, *ME, "--json").json()
    assert (again["conversations"], again["parts"], again["imported"]) == ({"unchanged": 2}, 0, 4)
    assert home("status", "--json").out == before


def test_the_text_says_the_same(home: Home, export: Path) -> None:
    said = home("import", "claude-ai", export, *ME)
    assert said.out.splitlines()[:2] == [
        "conversations: 2 new; 4 parts added",
        "records: 4 imported, 0 skipped, 0 malformed",
    ]


def test_what_is_said_of_the_person_is_kept(home: Home, export: Path) -> None:
    home("import", "claude-ai", export, *ME)
    (one, two) = home("explain", "--all", "--json").lines()
    assert {one["conversation"], two["conversation"]} == {"claude-ai:c1", "claude-ai:c2"}
    assert one["groups"][0]["gap"] == ["choices"]


def test_without_a_person_the_account_of_the_source_is_the_person(home: Home, export: Path) -> None:
    home("import", "claude-ai", export)
    home("import", "accounts", home.write("people", [{"subject": "acc-1", "plan": "pro", "age": 33}]))
    assert len(home("explain", "--all", "--subject", "acc-1", "--json").lines()) == 2


def test_malformed_records_are_named_and_the_rest_is_in(home: Home, export: Path) -> None:
    file = export / "conversations.json"
    chats = json.loads(file.read_text("utf-8"))
    chats[0]["chat_messages"].append({"uuid": "x", "sender": "nobody", "content": []})
    chats.append("not a chat")
    file.write_text(json.dumps(chats), "utf-8")
    said = home("import", "claude-ai", export, *ME)
    assert said.status == 4
    assert "records: 4 imported, 0 skipped, 2 malformed" in said.out
    assert len(said.err.splitlines()) == 2
    assert all(line.strip().startswith("conversations.json:") for line in said.err.splitlines())
    record = home("import", "claude-ai", export, *ME, "--json")
    assert record.status == 4
    assert record.json()["imported"] + record.json()["malformed"] == 6
    assert sum(problem["records"] for problem in record.json()["problems"]) == 2


def test_long_lists_of_problems_are_cut_and_say_so(home: Home, export: Path) -> None:
    (export / "conversations.json").write_text(json.dumps([{"chat_messages": []}] + ["x"] * 30), "utf-8")
    said = home("import", "claude-ai", export)
    assert len(said.err.splitlines()) == 21
    assert said.err.splitlines()[-1].strip() == "and 10 more; --json lists all"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--age", "41"), "need a person"),
        (("--region", "DE"), "need a person"),
        (("--subject", "me", "--age", "old"), "key `age`"),
        (("--subject", "me", "--region", "Germany"), "key `region`: is not a region"),
        (("--subject", "me", "--age", "-3"), "key `age`"),
        (("--subject", " "), "give a string that is not blank"),
    ],
    ids=repr,
)
def test_what_cannot_be_said_of_a_person_is_refused_before_anything_is_read(
    home: Home, export: Path, options: tuple[str, ...], words: str
) -> None:
    said = home("import", "claude-ai", export, *options)
    assert said.status == 1
    assert words in said.err
    counts = home("status", "--json").json()
    assert (counts["accounts"], counts["conversations"]) == (0, 0)


def test_a_plan_that_no_policy_names_is_said_and_can_be_put_right(home: Home, export: Path) -> None:
    said = home("import", "claude-ai", export, "--subject", "me", "--plan", "prp", "--age", "adult")
    assert said.status == 0
    assert "no policy here names the plan `prp`" in said.err
    assert "import the same again under the right --plan" in said.err
    assert ", pro" in said.err
    gaps = [group["gap"] for one in home("explain", "--all", "--json").lines() for group in one["groups"]]
    assert gaps == [["choices", "plan"]] * len(gaps)
    again = home("import", "claude-ai", export, *ME)
    assert (again.status, again.err) == (0, "")
    assert "plan put right: 2 conversations were under one that no policy here names\n" in again.out
    gaps = [group["gap"] for one in home("explain", "--all", "--json").lines() for group in one["groups"]]
    assert gaps == [["choices"]] * len(gaps)
    third = home("import", "claude-ai", export, *ME, "--json").json()
    assert (third["corrected"], third["notes"], third["conversations"]) == (0, [], {"unchanged": 2})


def test_a_plan_that_a_policy_names_stays_whatever_is_said_later(home: Home, export: Path) -> None:
    home("import", "claude-ai", export, "--subject", "me", "--plan", "team", "--age", "adult")
    before = home("explain", "--all", "--json").out
    for plan in ("pro", "prp"):
        assert home("import", "claude-ai", export, "--plan", plan, "--json").json()["corrected"] == 0
    assert home("explain", "--all", "--json").out == before


def test_an_unknown_plan_is_noted_in_json_and_without_a_policy_nothing_is(home: Home, export: Path) -> None:
    (note,) = home("import", "claude-ai", export, "--plan", "what I wrote", "--json").json()["notes"]
    assert note["note"].startswith("no policy here names this plan: ")
    shutil.rmtree(home.folder / "policies")
    assert home("import", "claude-ai", export, "--plan", "prp", "--json").json()["notes"] == []


def test_people_under_a_plan_that_no_policy_names_are_said(home: Home) -> None:
    people = [{"subject": "a", "plan": "pro"}, {"subject": "b", "plan": "gold"}, {"subject": "c", "plan": "gold"}]
    said = home("import", "accounts", home.write("people.ndjson", people))
    assert (said.status, said.out) == (0, "accounts: 3 taken, 0 refused\n")
    assert said.err.startswith(
        "note: people.ndjson:2: no policy here names the plan `gold` (2 accounts)\n  import these"
    )
    (note,) = home("import", "accounts", home.folder.parent / "people.ndjson", "--json").json()["notes"]
    assert "`gold`" in note["note"]


def test_lines_of_people_and_choices_are_taken_or_named(home: Home) -> None:
    people = home.write("people.ndjson", [{"subject": "a", "plan": "pro"}, b"x", {"subject": "b", "age": "old"}])
    said = home("import", "accounts", people)
    assert (said.status, said.out) == (4, "accounts: 1 taken, 2 refused\n")
    assert said.err.splitlines()[0] == "  people.ndjson:2: the line is not a JSON object"
    assert said.err.splitlines()[2] == "  people.ndjson:3: key `age`: is not an age"
    act = {"subject": "a", "purpose": "training", "at": "2025-12-01T00:00:00Z"}
    shown = {"notice": f"sha256:{'0' * 64}", "surface": "web"}
    choices = home.write("c", [{**act, "act": "allow"}, {**act, "act": "allow", **shown}, {**act, "act": "decline"}])
    answer = home("import", "choices", choices, "--json")
    assert answer.status == 4
    assert answer.json()["imported"] == 2
    assert [problem["line"] for problem in answer.json()["problems"]] == [1]
    assert home.acts("a") == ["allow", "decline"]
