"""A project folder and a whole home folder: which file belongs to which session, and what is a side copy."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from accounting import account
from claude_code_sessions import SESSION, answer, call, prompt, result, text, write

from assent.connectors.formats import claude_code
from assent.connectors.formats.claude_code import IMPORTER
from assent.connectors.formats.claude_code_folder import SessionCopies
from assent.connectors.formats.fields import file_bytes

OTHER = "99999999-2222-4333-8444-555555555555"
ORPHAN = "88888888-2222-4333-8444-555555555555"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with all that Claude Code leaves behind."""
    home = tmp_path / ".claude"
    project = home / "projects" / "-workspace-app"
    write(
        project / f"{SESSION}.jsonl",
        prompt("u1", None, 0, "main"),
        answer("a1", "u1", 1, call("toolu_1", "mcp__wiki__search")),
        result("r1", "a1", 2, "toolu_1", "see file"),
    )
    below = project / SESSION
    agent = prompt("s1", None, 50, "subagent task", isSidechain=True, agentId="x")
    write(below / "subagents" / "agent-x.jsonl", agent, answer("s2", "s1", 51, text("report")))
    (below / "subagents" / "agent-x.meta.json").write_text('{"agentType":"general-purpose"}')
    write(
        below / "subagents" / "workflows" / "wf_1" / "journal.jsonl",
        {"type": "started", "key": "k", "agentId": "x"},
        {"type": "result", "key": "k", "agentId": "x", "result": "report"},
    )
    (below / "workflows").mkdir()
    (below / "workflows" / "wf_1.json").write_text('{"script":"run()"}')
    (below / "tool-results").mkdir()
    (below / "tool-results" / "toolu_1.txt").write_bytes(b"long output \xff")
    loose = prompt("l1", None, 52, "older subagent", isSidechain=True)
    write(project / "agent-old.jsonl", loose)
    write(project / ORPHAN / "subagents" / "agent-y.jsonl", {**agent, "sessionId": ORPHAN})
    write(home / "projects" / "-workspace-b" / f"{OTHER}.jsonl", {**prompt("o1", None, 3, "b"), "sessionId": OTHER})
    (project / "memory").mkdir()
    (project / "memory" / "MEMORY.md").write_text("remember")
    (project / "sessions-index.json").write_text("{}")
    (project / "notes.txt").write_text("?")
    write(home / "history.jsonl", {"display": "main"}, {"display": "b"})
    (home / "settings.json").write_text("{}")
    for name in ("file-history", "tasks", "session-env"):
        (home / name / SESSION).mkdir(parents=True)
        (home / name / SESSION / "copy").write_text("x")
        (home / name / OTHER).mkdir(parents=True)
    (home / "debug").mkdir()
    (home / "debug" / f"{SESSION}.txt").write_text("log")
    (home / "todos").mkdir()
    (home / "todos" / f"{SESSION}-agent-{SESSION}.json").write_text("[]")
    (home / "plans").mkdir()
    (home / "plans" / "plan.md").write_text("plan")
    return home


def test_a_session_is_whole(home: Path) -> None:
    found = account(IMPORTER, home)
    session = next(item for item in found.conversations if item.id.endswith(SESSION))
    assert [(part.id, part.text, part.origin, sorted(part.marks)) for part in session.parts] == [
        ("u1/0", "main", "person", []),
        ("a1/0", "{}", "model", ["tool-payload"]),
        ("r1/0", "see file", "connector", ["tool-payload"]),
        ("s1/0", "subagent task", "model", ["sidechain"]),
        ("s2/0", "report", "model", ["sidechain"]),
        ("journal:line 2/0", "report", "tool", ["duplicate", "sidechain", "tool-payload"]),
        ("l1/0", "older subagent", "model", ["sidechain"]),
        ("workflows/wf_1.json", '{"script":"run()"}', "tool", ["duplicate", "sidechain", "tool-payload"]),
        ("tool-results/toolu_1.txt", "long output \ufffd", "connector", ["tool-payload"]),
    ]
    assert session.records == 9
    assert session.last_turn_at is not None
    assert session.last_turn_at.minute == 0


def test_the_home_folder_is_accounted_for_file_by_file(home: Path) -> None:
    found = account(IMPORTER, home)
    assert {item.id for item in found.conversations} == {f"claude-code:{key}" for key in (SESSION, OTHER, ORPHAN)}
    assert found.reasons == Counter(
        {
            "side copy, not imported": 9,
            "workflow journal event": 1,
            "subagent description": 1,
            "not a session file": 1,
        }
    )
    assert (found.imported, found.malformed) == (11, 0)
    assert {path.relative_to(home).as_posix() for path in found.side_copies} == {
        "history.jsonl",
        "plans",
        "file-history",
        "todos",
        "tasks",
        "session-env",
        "debug",
        "projects/-workspace-app/memory/MEMORY.md",
        "projects/-workspace-app/sessions-index.json",
    }
    read = sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and path.name != "settings.json")
    assert found.size_bytes == read


def test_the_projects_folder_names_copies_above_it_without_counting_them(home: Path) -> None:
    found = account(IMPORTER, home / "projects")
    assert found.reasons["side copy, not imported"] == 2
    assert home / "history.jsonl" in found.side_copies
    assert home / "file-history" in found.side_copies
    assert len(found.conversations) == 3


@pytest.mark.parametrize("name", ["", f"{SESSION}.jsonl"], ids=["project folder", "one transcript"])
def test_a_part_of_the_home_names_the_copies_of_its_sessions_only(home: Path, name: str) -> None:
    found = account(IMPORTER, home / "projects" / "-workspace-app" / name)
    copies = {path.relative_to(home).as_posix() for path in found.side_copies}
    assert {f"tasks/{SESSION}", f"debug/{SESSION}.txt", f"todos/{SESSION}-agent-{SESSION}.json"} <= copies
    assert "history.jsonl" in copies
    assert not any(OTHER in copy for copy in copies)


def test_one_transcript_brings_what_lies_below_it(home: Path) -> None:
    found = account(IMPORTER, home / "projects" / "-workspace-app" / f"{SESSION}.jsonl")
    (session,) = found.conversations
    assert session.records == 8
    assert {part.turn for part in session.parts} >= {"s1", "tool-results/toolu_1.txt"}


def test_the_same_session_in_two_projects_keeps_both(home: Path) -> None:
    write(home / "projects" / "-workspace-c" / f"{SESSION}.jsonl", prompt("c1", None, 4, "moved"))
    found = account(IMPORTER, home)
    assert sum(item.id.startswith(f"claude-code:{SESSION}") for item in found.conversations) == 2
    assert found.part("moved")


def test_importing_twice_gives_the_same(home: Path) -> None:
    assert account(IMPORTER, home).conversations == account(IMPORTER, home).conversations


def test_places_are_relative_to_what_was_asked_for(home: Path) -> None:
    write(home / "projects" / "-workspace-app" / f"{OTHER}.jsonl", b"broken")
    found = account(IMPORTER, home / "projects" / "-workspace-app")
    assert [(file, number) for file, number, _ in found.problems] == [(f"{OTHER}.jsonl", 1)]


@pytest.mark.parametrize("name", [".", "projects", "projects/-workspace-app"])
def test_folders_are_recognised(home: Path, name: str, tmp_path: Path) -> None:
    assert IMPORTER.sniff(home / name)
    assert not IMPORTER.sniff(home / "plans")
    assert not IMPORTER.sniff(tmp_path / "none")


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert account(IMPORTER, tmp_path).records == 0


def test_a_huge_file_is_refused_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude_code, "file_bytes", partial(file_bytes, limit=14))
    found = account(IMPORTER, home)
    assert [problem for _, _, problem in found.problems] == ["the file is larger than the limit"]
    assert found.part("main")


def test_the_folders_beside_are_listed_once_however_many_sessions_there_are(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = home / "projects" / "-workspace-app"
    for number in range(40):
        write(project / f"session-{number}.jsonl", prompt("u", None, 0, "more"))
        (home / "todos" / f"session-{number}-agent.json").write_text("[]")
    listed = Counter[str]()
    iterate = Path.iterdir

    def counted(path: Path) -> Iterator[Path]:
        listed[path.name] += 1
        return iterate(path)

    monkeypatch.setattr(Path, "iterdir", counted)
    found = account(IMPORTER, project)
    assert listed["todos"] == 1
    copies = {path.name for path in found.side_copies}
    assert {f"session-{number}-agent.json" for number in range(40)} <= copies


def test_an_id_that_begins_like_another_names_its_own_copies_only(home: Path) -> None:
    project = home / "projects" / "-workspace-app"
    for name in ("a", "a-b", "ab"):
        write(project / f"{name}.jsonl", prompt("u", None, 0, name))
        (home / "todos" / f"{name}.json").write_text("[]")
        (home / "tasks" / name).mkdir()
    copies = SessionCopies(home)
    assert [path.name for path in copies.of("ab")] == ["ab", "ab.json"]
    assert [path.name for path in copies.of("a-b")] == ["a-b", "a-b.json"]
    assert [path.name for path in copies.of("a")] == ["a", "a-b", "a-b.json", "a.json"]
