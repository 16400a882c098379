"""One session file: what each kind of line becomes, and that every line is accounted for."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import DAMAGED_LINES, Account, account, anything, damaged, lines
from claude_code_sessions import SESSION, answer, call, line, prompt, result, text, write
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.claude_code import IMPORTER
from assent.domain.errors import NotFound


def _import(tmp_path: Path, *records: object) -> Account:
    return account(IMPORTER, write(tmp_path / f"{SESSION}.jsonl", *records))


def _marks(found: Account) -> dict[str, set[str]]:
    return {part.text: set(part.marks) for part in found.parts}


def test_a_session_is_a_conversation(tmp_path: Path) -> None:
    found = _import(
        tmp_path,
        prompt("u1", None, 0, "Fix the login"),
        answer("a1", "u1", 1, {"type": "thinking", "thinking": "hm", "signature": "x"}, message="m1"),
        answer("a2", "a1", 2, text("I look"), call("t1", path="b", a=[1]), message="m1"),
        result("r1", "a2", 3, "t1", [text("one"), text("two")]),
        answer("a3", "r1", 4, text("Done")),
    )
    (conversation,) = found.conversations
    assert conversation.id == f"claude-code:{SESSION}"
    assert (conversation.surface, conversation.project, conversation.subject) == ("coding", "/workspace/app", None)
    assert conversation.created_at == datetime(2025, 7, 1, 10, 0, tzinfo=UTC)
    assert conversation.last_turn_at == conversation.created_at
    assert [(p.id, p.speaker, p.origin, p.text, p.name, set(p.marks)) for p in conversation.parts] == [
        ("u1/0", "user", "person", "Fix the login", "", set()),
        ("a1/0", "assistant", "model", "hm", "", {"reasoning"}),
        ("a2/0", "assistant", "model", "I look", "", set()),
        ("a2/1", "assistant", "model", '{"a":[1],"path":"b"}', "Read", {"tool-payload"}),
        ("r1/0", "tool", "tool", "one\ntwo", "Read", {"tool-payload"}),
        ("a3/0", "assistant", "model", "Done", "", set()),
    ]
    assert (found.imported, found.skipped, found.malformed) == (5, 0, 0)


# what, line, text of its part, speaker, origin, marks
LINES = [
    ("a prompt", prompt("x", None, 5, "hi"), "hi", "user", "person", set()),
    ("a prompt in blocks", prompt("x", None, 5, [text("hi")]), "hi", "user", "person", set()),
    ("a slash command", prompt("x", None, 5, "<command-name>/clear"), "<command-name>/clear", "user", "person", set()),
    (
        "the output of a command",
        prompt("x", None, 5, "<local-command-stdout>ok"),
        "<local-command-stdout>ok",
        "user",
        "tool",
        {"tool-payload"},
    ),
    (
        "a reminder",
        prompt("x", None, 5, [text("<system-reminder>be brief")]),
        "<system-reminder>be brief",
        "user",
        "tool",
        {"system-context"},
    ),
    (
        "an interruption",
        prompt("x", None, 5, [text("[Request interrupted by user]")]),
        "[Request interrupted by user]",
        "user",
        "tool",
        {"system-context"},
    ),
    ("meta text", prompt("x", None, 5, "meta", isMeta=True), "meta", "user", "tool", {"system-context"}),
    (
        "a task's notice",
        prompt("x", None, 5, "done", origin={"kind": "task-notification"}),
        "done",
        "user",
        "tool",
        {"system-context"},
    ),
    ("a human's prompt", prompt("x", None, 5, "me", origin={"kind": "human"}), "me", "user", "person", set()),
    ("a compaction", prompt("x", None, 5, "so far", isCompactSummary=True), "so far", "user", "model", {"summary"}),
    (
        "a subagent's prompt",
        prompt("x", None, 5, "go", isSidechain=True),
        "go",
        "user",
        "model",
        {"sidechain"},
    ),
    ("a forked copy", prompt("x", None, 5, "old", forkedFrom={}), "old", "user", "person", {"duplicate"}),
    (
        "an API error",
        answer("x", None, 5, text("API Error"), isApiErrorMessage=True),
        "API Error",
        "assistant",
        "tool",
        {"error"},
    ),
    ("a notice", line("system", "x", None, 5, content="note"), "note", "system", "tool", {"system-context"}),
    (
        "a failed request",
        line("system", "x", None, 5, content="529", subtype="api_error"),
        "529",
        "system",
        "tool",
        {"system-context", "error"},
    ),
    ("a summary", {"type": "summary", "summary": "S", "leafUuid": "x"}, "S", "system", "model", {"summary"}),
    ("a prompt copy", {"type": "last-prompt", "lastPrompt": "hi"}, "hi", "user", "person", {"duplicate"}),
    (
        "a queued prompt's copy",
        {"type": "queue-operation", "operation": "enqueue", "content": "hi"},
        "hi",
        "user",
        "person",
        {"duplicate"},
    ),
    (
        "a prompt typed meanwhile",
        line("attachment", "x", None, 5, attachment={"type": "queued_command", "prompt": "and"}),
        "and",
        "user",
        "person",
        set(),
    ),
    (
        "a subagent's queued prompt",
        line("attachment", "x", None, 5, attachment={"type": "queued_command", "prompt": "q"}, isSidechain=True),
        "q",
        "user",
        "tool",
        {"sidechain"},
    ),
    (
        "a notice between",
        line(
            "attachment",
            "x",
            None,
            5,
            attachment={"type": "queued_command", "prompt": "n", "commandMode": "task-notification"},
        ),
        "n",
        "user",
        "tool",
        {"system-context"},
    ),
    (
        "context of the program",
        line("attachment", "x", None, 5, attachment={"type": "todo_reminder"}),
        '{"type":"todo_reminder"}',
        "system",
        "tool",
        {"system-context"},
    ),
    (
        "an unknown block",
        answer("x", None, 5, {"type": "hologram", "z": 1}),
        '{"type":"hologram","z":1}',
        "assistant",
        "tool",
        {"tool-payload"},
    ),
    ("a call of a server tool", answer("x", None, 5, {**call("s"), "type": "server_tool_use"}), "{}", "assistant",
     "model", {"tool-payload"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "words", "speaker", "origin", "marks"), [row[1:] for row in LINES], ids=[row[0] for row in LINES]
)
def test_who_speaks_in_a_line(
    tmp_path: Path, record: object, words: str, speaker: str, origin: str, marks: set[str]
) -> None:
    found = _import(tmp_path, record)
    part = found.part(words)
    assert (part.speaker, part.origin, set(part.marks)) == (speaker, origin, marks)
    assert (found.imported, found.skipped, found.malformed) == (1, 0, 0)


ACTS = {"a prompt", "a prompt in blocks", "a slash command", "a human's prompt", "a forked copy",
        "a prompt typed meanwhile"}  # fmt: skip


@pytest.mark.parametrize("row", LINES, ids=[row[0] for row in LINES])
def test_only_acts_of_the_person_are_turns(tmp_path: Path, row: tuple[str, object]) -> None:
    found = _import(tmp_path, prompt("u", None, 0, "first"), row[1])
    (conversation,) = found.conversations
    assert conversation.last_turn_at is not None
    assert (conversation.last_turn_at.minute == 5) == (row[0] in ACTS)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"type": "progress", "data": {}}, "progress event"),
        ({"type": "file-history-snapshot", "snapshot": {}}, "file history snapshot"),
        ({"type": "queue-operation", "operation": "dequeue"}, "queue event"),
        ({"type": "agent-setting", "agentSetting": "x"}, "setting"),
        (line("system", "x", None, 1, subtype="turn_duration"), "system event"),
        (line("system", "x", None, 1, subtype="compact_boundary", content="compacted"), "system event"),
        ({"type": "hologram", "content": "secret"}, "unknown record type"),
    ],
)
def test_what_holds_nothing_is_skipped_with_a_reason(tmp_path: Path, record: object, reason: str) -> None:
    found = _import(tmp_path, prompt("u", None, 0, "hi"), record)
    assert found.reasons == {reason: 1}
    assert (found.imported, found.malformed) == (1, 0)


def test_media_and_payloads_are_named_not_held(tmp_path: Path) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}
    document = {"type": "document", "title": "a.txt", "source": {"type": "text", "data": "inside"}}
    found = _import(
        tmp_path,
        prompt("u", None, 0, [image, document]),
        answer("a", "u", 1, call("t", "mcp__wiki__search")),
        result("r", "a", 2, "t", [text("page"), image], toolUseResult={"pages": 1}),
        answer("b", "r", 3, {"type": "redacted_thinking", "data": "x"}, {"type": "thinking", "thinking": ""}),
    )
    assert [(p.id, p.data, p.origin, p.text, p.name, sorted(p.marks)) for p in found.parts] == [
        ("u/0", "image", "file", "", "", []),
        ("u/1", "file", "file", "inside", "a.txt", []),
        ("a/0", "text", "model", "{}", "mcp__wiki__search", ["tool-payload"]),
        ("r/0.1", "image", "connector", "", "", ["tool-payload"]),
        ("r/0", "text", "connector", "page", "mcp__wiki__search", ["tool-payload"]),
        ("r/outcome", "text", "connector", '{"pages":1}', "mcp__wiki__search", ["duplicate", "tool-payload"]),
        ("b/0", "text", "model", "", "", ["encrypted", "reasoning"]),
        ("b/1", "text", "model", "", "", ["encrypted", "reasoning"]),
    ]
    assert found.conversations[0].last_turn_at == datetime(2025, 7, 1, 10, 0, tzinfo=UTC)


def test_the_persons_title_wins(tmp_path: Path) -> None:
    titles = [
        {"type": "custom-title", "customTitle": "mine"},
        {"type": "ai-title", "aiTitle": "generated"},
        {"type": "summary", "summary": "long summary"},
    ]
    assert _import(tmp_path, prompt("u", None, 0, "hi"), *titles).conversations[0].title == "mine"
    assert _import(tmp_path, prompt("u", None, 0, "hi"), *titles[1:]).conversations[0].title == "generated"
    found = _import(tmp_path, *titles[:2])
    assert (found.conversations, found.reasons) == ([], {"title without content": 2})


def test_a_session_without_ids_is_named_by_its_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "notes.jsonl",
        {"type": "user", "message": {"content": "a"}},
        {"type": "assistant", "message": {"content": [text("b")]}},
    )
    found = account(IMPORTER, path)
    assert found.conversations[0].id == "claude-code:notes"
    assert [(part.id, set(part.marks)) for part in found.parts] == [("line 1/0", set()), ("line 2/0", set())]
    assert (found.conversations[0].created_at, found.conversations[0].last_turn_at) == (None, None)


def test_a_copied_file_keeps_the_sessions_own_id(tmp_path: Path) -> None:
    found = account(IMPORTER, write(tmp_path / "backup.jsonl", prompt("u", None, 0, "hi")))
    assert found.conversations[0].id == f"claude-code:{SESSION}"


def test_a_uuid_on_two_lines_keeps_both(tmp_path: Path) -> None:
    found = _import(tmp_path, prompt("u", None, 0, "one"), prompt("u", None, 1, "two"), prompt("u", None, 2, "three"))
    assert [part.id for part in found.parts] == ["u/0", "u~2/0", "u~3/0"]


MESSAGES = [
    {"role": "user"},
    {"content": None},
    {"content": 1},
    {"content": {"type": "text"}},
    {"content": ["text"]},
    {"content": [None]},
    {"content": [{"text": "no type"}]},
    {"content": [{"type": 1}]},
    {"content": [{"type": "text"}]},
    {"content": [text("good"), {"type": "text", "text": None}]},
    {"content": [{"type": "tool_result", "content": ["x"]}]},
    {"content": [{"type": "tool_result", "content": [{"type": "text", "text": 1}]}]},
    "error",
    None,
    [],
    1,
]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
@pytest.mark.parametrize("kind", ["user", "assistant"])
def test_a_malformed_message_never_loses_its_neighbours(tmp_path: Path, kind: str, message: object) -> None:
    found = _import(
        tmp_path,
        prompt("u", None, 0, "before"),
        line(kind, "x", "u", 1, message=message),
        prompt("v", "x", 2, "after"),
    )
    assert [(file, number) for file, number, _ in found.problems] == [(f"{SESSION}.jsonl", 2)]
    assert _marks(found) == {"before": set(), "after": set()}
    assert (found.imported, found.skipped, found.malformed) == (2, 0, 1)


@pytest.mark.parametrize(
    "record",
    [
        {"silly": "this"},
        {"type": None},
        {"type": ["user"]},
        {"type": "summary", "summary": 1},
        {"type": "custom-title"},
        {"type": "attachment"},
        {"type": "attachment", "attachment": {"type": "queued_command"}},
        {"type": "assistant"},
    ],
    ids=str,
)
def test_a_line_of_the_wrong_shape_is_malformed(tmp_path: Path, record: object) -> None:
    found = _import(tmp_path, prompt("u", None, 0, "hi"), record)
    assert (found.imported, found.skipped, found.malformed) == (1, 0, 1)


@pytest.mark.parametrize(("damage", "raw"), DAMAGED_LINES, ids=[name for name, _ in DAMAGED_LINES])
def test_a_damaged_line_is_counted(tmp_path: Path, damage: str, raw: bytes) -> None:
    found = _import(tmp_path, prompt("u", None, 0, "before"), raw, prompt("v", "gone", 2, "after"))
    assert _marks(found) == {"before": set(), "after": set()}
    assert (found.imported, found.skipped, found.malformed) == (2, 0, 1)


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf"], ids=["empty", "blank", "BOM only"])
def test_an_empty_file_holds_no_record(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "empty.jsonl").write_bytes(content)
    found = account(IMPORTER, tmp_path / "empty.jsonl")
    assert (found.records, found.conversations, found.size_bytes) == (0, [], len(content))


def test_bom_and_crlf_are_read(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + lines(prompt("u", None, 0, "hi"), prompt("v", "u", 1, "ho")).replace(b"\n", b"\r\n")
    (tmp_path / "s.jsonl").write_bytes(content)
    found = account(IMPORTER, tmp_path / "s.jsonl")
    assert (found.imported, found.malformed, found.size_bytes) == (2, 0, len(content))


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        account(IMPORTER, tmp_path / "none.jsonl")


GOOD = [
    prompt("u1", None, 0, [text("hi"), {"type": "image", "source": {"type": "text", "data": "x"}}]),
    answer("a1", "u1", 1, text("I look"), call("t1", path="b"), {"type": "thinking", "thinking": "hm"}),
    result("r1", "a1", 2, "t1", [text("one")], toolUseResult={"stdout": "one"}, origin={"kind": "human"}),
    line("attachment", "x", "r1", 3, attachment={"type": "queued_command", "prompt": [text("and")]}),
    line("attachment", "y", "r1", 3, attachment={"type": "file", "filename": "a/b.txt", "content": {"x": 1}}),
    line("system", "s", "u1", 4, content="note", logicalParentUuid="a1"),
    {"type": "summary", "summary": "S", "leafUuid": "a1"},
    {"type": "queue-operation", "content": "later"},
]


@given(st.lists(damaged(GOOD) | anything, max_size=6))
def test_arbitrary_json_never_raises_and_the_account_adds_up(
    tmp_path_factory: pytest.TempPathFactory, records: list[object]
) -> None:
    path = write(tmp_path_factory.mktemp("any") / "s.jsonl", GOOD[0], *records, GOOD[1])
    found = account(IMPORTER, path)
    assert found.records == len(records) + 2
    assert found.size_bytes == path.stat().st_size


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "imported", "malformed_lines"),
    [
        ("edge_cases", 12, [10, 11, 13, 14, 15, 16, 18]),
        ("representative_messages", 12, []),
        ("valid_session", 4, []),
    ],
)
def test_files_that_others_wrote(shared_data: Path, name: str, imported: int, malformed_lines: list[int]) -> None:
    path = shared_data / "fixtures" / "claude-code" / f"{name}.jsonl"
    found = account(IMPORTER, path)
    assert found.imported == imported
    assert [number for _, number, _ in found.problems] == malformed_lines
    assert found.skipped == 0
    assert not any("abandoned" in part.marks for part in found.parts)
    assert found.size_bytes == path.stat().st_size
    assert IMPORTER.sniff(path)
