import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import DAMAGED_LINES, Account, account, anything, damaged, lines
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats import gemini_cli
from assent.connectors.formats.fields import file_bytes
from assent.connectors.formats.gemini_cli import IMPORTER

ABOUT = {
    "sessionId": "s-1",
    "projectHash": "abc",
    "startTime": "2026-01-02T03:00:00Z",
    "lastUpdated": "2026-01-09T00:00:00Z",
}


def _message(key: str, kind: str, minute: int, content: object, **fields: object) -> dict[str, object]:
    return {"id": key, "type": kind, "timestamp": f"2026-01-02T03:{minute:02}:00Z", "content": content, **fields}


def _whole(tmp_path: Path, *messages: object, **about: object) -> Account:
    path = tmp_path / "session-2026.json"
    path.write_text(json.dumps({**ABOUT, **about, "messages": list(messages)}))
    return account(IMPORTER, path)


def _in_lines(tmp_path: Path, *records: object) -> Account:
    path = tmp_path / "session-2026.jsonl"
    path.write_bytes(lines(*records))
    return account(IMPORTER, path)


def _shape(found: Account) -> list[tuple[object, ...]]:
    return [(p.id, p.text, p.speaker, p.origin, p.name, sorted(p.marks)) for p in found.parts]


ANSWER = _message(
    "a1",
    "gemini",
    2,
    "I read it.",
    thoughts=[{"subject": "Plan", "description": "read", "timestamp": "2026-01-02T03:01:30Z"}],
    toolCalls=[
        {
            "id": "t1",
            "name": "read_file",
            "args": {"path": "a", "b": 1},
            "result": [{"functionResponse": {"name": "read_file", "response": {"output": "text"}}}],
            "resultDisplay": "shown",
        },
        {"id": "t2", "name": "mcp_wiki_find", "args": {}, "result": None, "status": "error"},
    ],
)
CALL = '[{"functionResponse":{"name":"read_file","response":{"output":"text"}}}]'
EXPECTED = [
    ("u1/0", "Read a", "user", "person", "", []),
    ("a1/thought-0", "Plan\nread", "assistant", "model", "", ["reasoning"]),
    ("a1/0", "I read it.", "assistant", "model", "", []),
    ("a1/tool-0/args", '{"b":1,"path":"a"}', "assistant", "model", "read_file", ["tool-payload"]),
    ("a1/tool-0/result", CALL, "tool", "tool", "read_file", ["tool-payload"]),
    ("a1/tool-0/resultDisplay", "shown", "tool", "tool", "read_file", ["duplicate", "tool-payload"]),
    ("a1/tool-1/args", "{}", "assistant", "model", "mcp_wiki_find", ["tool-payload"]),
]


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    prompt = _message("u1", "user", 1, "Read a")
    whole = _whole(tmp_path, prompt, ANSWER)
    in_lines = _in_lines(tmp_path, {**ABOUT, "messages": []}, prompt, ANSWER)
    assert _shape(whole) == _shape(in_lines) == EXPECTED
    (conversation,) = whole.conversations
    assert (conversation.id, conversation.project, conversation.surface) == ("gemini-cli:s-1", "abc", "coding")
    assert conversation.created_at == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert conversation.last_turn_at == datetime(2026, 1, 2, 3, 1, tzinfo=UTC)
    assert (whole.imported, whole.skipped, whole.malformed) == (2, 0, 0)
    assert (in_lines.imported, in_lines.reasons, in_lines.malformed) == (2, {"session settings": 1}, 0)


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("user", [{"text": "a"}, {"text": "b"}], [("a", "user", "person", []), ("b", "user", "person", [])]),
        ("user", ["a", {"text": ""}], [("a", "user", "person", [])]),
        ("user", {"text": "a"}, [("a", "user", "person", [])]),
        ("user", "<session_context>x", [("<session_context>x", "user", "tool", ["system-context"])]),
        ("user", {"inlineData": {"mimeType": "image/png", "data": "AA"}}, [("", "user", "file", [])]),
        ("gemini", {"text": "hm", "thought": True}, [("hm", "assistant", "model", ["reasoning"])]),
        ("info", "restarted", [("restarted", "system", "tool", ["system-context"])]),
        ("error", "quota", [("quota", "system", "tool", ["error"])]),
        (
            "gemini",
            {"functionCall": {"name": "f", "args": {}}},
            [('{"functionCall":{"args":{},"name":"f"}}', "assistant", "model", ["tool-payload"])],
        ),
    ],
)
def test_content_has_many_spellings(tmp_path: Path, kind: str, content: object, expected: list[object]) -> None:
    found = _whole(tmp_path, _message("x", kind, 1, content))
    assert [(p.text, p.speaker, p.origin, sorted(p.marks)) for p in found.parts if p.data != "image"] == [
        row for row in expected if row[0]
    ]
    assert [(p.speaker, p.origin) for p in found.parts] == [(row[1], row[2]) for row in expected]


def test_media_have_their_class(tmp_path: Path) -> None:
    media = [
        {"inlineData": {"mimeType": kind, "displayName": kind[:3]}} for kind in ("image/png", "audio/wav", "text/x")
    ]
    found = _whole(tmp_path, _message("x", "user", 1, media))
    assert [(p.data, p.name, p.origin) for p in found.parts] == [
        ("image", "ima", "file"),
        ("voice", "aud", "file"),
        ("file", "tex", "file"),
    ]


def test_a_message_written_again_replaces_itself(tmp_path: Path) -> None:
    found = _in_lines(
        tmp_path,
        ABOUT,
        _message("u1", "user", 1, "hi"),
        _message("a1", "gemini", 2, "par"),
        _message("a1", "gemini", 2, "part"),
    )
    assert [part.text for part in found.parts] == ["hi", "part"]
    assert found.reasons == {"session settings": 1, "earlier version of a message": 1}


@pytest.mark.parametrize(
    ("target", "abandoned"),
    [("u2", {"two", "answer"}), ("u1", {"one", "two", "answer"}), ("gone", {"one", "two", "answer"})],
)
def test_a_rewind_abandons_what_it_goes_back_over(tmp_path: Path, target: str, abandoned: set[str]) -> None:
    found = _in_lines(
        tmp_path,
        ABOUT,
        _message("u1", "user", 1, "one"),
        _message("u2", "user", 2, "two"),
        _message("a2", "gemini", 3, "answer"),
        {"$rewindTo": target},
        _message("u2", "user", 4, "new"),
    )
    assert {part.text for part in found.parts if "abandoned" in part.marks} == abandoned
    assert not found.part("new").marks
    assert found.imported == 4


def test_settings_never_drop_what_the_person_saw(tmp_path: Path) -> None:
    found = _in_lines(
        tmp_path,
        ABOUT,
        _message("u1", "user", 1, "one"),
        {
            "$set": {
                "messages": [_message("u1", "user", 1, "cut"), _message("c1", "user", 2, "new")],
                "summary": "title",
            }
        },
        {"$set": {"directories": ["/workspace/app"]}},
    )
    assert [part.text for part in found.parts] == ["one", "new"]
    assert (found.conversations[0].title, found.conversations[0].project) == ("title", "/workspace/app")
    assert (found.imported, found.skipped) == (2, 2)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"\0\0\0", "the file is empty"),
        (b'{"sessionId":"s","messages":[{"id"', "the file is not JSON"),
        (b"[]", "the file is not a session"),
        (b"null", "the file is not a session"),
        (b'{"messages":{}}', "the file is not a session"),
        (b'{"a":"\xff"}', "the file is not JSON"),
        (b'{"messages":' + b"[" * 100_000, "the file is not JSON"),
    ],
)
def test_a_damaged_file_is_one_malformed_record(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "session-x.json").write_bytes(content)
    found = account(IMPORTER, tmp_path / "session-x.json")
    assert [told for _, _, told in found.problems] == [problem]
    assert found.records == 1
    assert found.size_bytes == len(content)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemini_cli, "file_bytes", lambda path: file_bytes(path, 10))
    assert [problem for _, _, problem in _whole(tmp_path).problems] == ["the file is larger than the limit"]


def test_an_empty_lines_file_is_malformed(tmp_path: Path) -> None:
    assert [problem for _, _, problem in _in_lines(tmp_path).problems] == ["the file is empty"]


def test_a_session_without_messages_is_skipped(tmp_path: Path) -> None:
    assert _whole(tmp_path).reasons == {"session without content": 1}


MALFORMED = [
    {"id": "x"},
    {"type": 1},
    _message("x", "user", 1, 5),
    _message("x", "user", 1, [5]),
    _message("x", "gemini", 1, "", toolCalls=["x"]),
    1,
    None,
    "text",
    [],
]


@pytest.mark.parametrize("message", MALFORMED, ids=str)
def test_a_malformed_message_never_loses_its_neighbours(tmp_path: Path, message: object) -> None:
    around = (_message("u1", "user", 1, "before"), _message("u2", "user", 2, "after"))
    whole = _whole(tmp_path, around[0], message, around[1])
    assert [part.text for part in whole.parts] == ["before", "after"]
    assert [(file, number) for file, number, _ in whole.problems] == [("session-2026.json", 2)]
    in_lines = _in_lines(tmp_path, around[0], message, around[1])
    assert [part.text for part in in_lines.parts] == ["before", "after"]
    assert [number for _, number, _ in in_lines.problems] == [2]


@pytest.mark.parametrize(
    "record",
    [
        {"$set": 1},
        {"$set": {"messages": 1}},
        {"$set": {"messages": [1]}},
        {"$rewindTo": 1},
        *[r for _, r in DAMAGED_LINES],
    ],
    ids=lambda record: str(record)[:40],
)
def test_a_malformed_line_never_loses_its_neighbours(tmp_path: Path, record: object) -> None:
    found = _in_lines(tmp_path, _message("u1", "user", 1, "before"), record, _message("u2", "user", 2, "after"))
    assert [part.text for part in found.parts] == ["before", "after"]
    assert (found.imported, found.malformed) == (2, 1)


def test_an_unknown_type_is_skipped(tmp_path: Path) -> None:
    assert _whole(tmp_path, _message("x", "hologram", 1, "?")).reasons == {"unknown message type": 1}


def test_a_folder_names_its_side_copies(tmp_path: Path) -> None:
    chats = tmp_path / "tmp" / "abc" / "chats"
    (chats / "s-1").mkdir(parents=True)
    (chats / "session-1.json").write_text(json.dumps({**ABOUT, "messages": [_message("u", "user", 1, "main")]}))
    (chats / "s-1" / "agent.jsonl").write_bytes(lines(ABOUT, _message("s", "user", 2, "task")))
    (chats.parent / "logs.json").write_text("[]")
    (chats.parent / "checkpoint-a.json").write_text("{}")
    (chats.parent / "other.txt").write_text("?")
    found = account(IMPORTER, tmp_path / "tmp")
    assert found.reasons == {"side copy, not imported": 2, "not a session file": 1, "session settings": 1}
    assert {path.name for path in found.side_copies} == {"logs.json", "checkpoint-a.json"}
    assert len(found.conversations) == 2
    task = found.part("task")
    assert (task.origin, set(task.marks)) == ("model", {"sidechain"})
    assert found.size_bytes == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert IMPORTER.sniff(tmp_path / "tmp")


GOOD = [ABOUT, ANSWER, _message("u1", "user", 1, [{"text": "x"}]), {"$rewindTo": "u1"},
        {"$set": {"messages": [_message("c", "user", 1, "x")]}}]  # fmt: skip


@given(st.lists(damaged(GOOD) | anything, max_size=5))
def test_arbitrary_json_never_raises_and_the_account_adds_up(
    tmp_path_factory: pytest.TempPathFactory, records: list[object]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    assert _in_lines(folder, GOOD[2], *records).records == len(records) + 1
    assert _whole(folder, GOOD[2], *records).records == len(records) + 1


@pytest.mark.data
@pytest.mark.parametrize(("name", "records", "parts"), [("standard_session", 4, 4), ("tool_calls", 2, 4)])
def test_files_that_others_wrote(shared_data: Path, name: str, records: int, parts: int) -> None:
    path = shared_data / "fixtures" / "gemini-cli" / f"{name}.json"
    found = account(IMPORTER, path)
    assert (found.imported, len(found.parts)) == (records, parts)
    assert (found.skipped, found.malformed) == (0, 0)
    assert IMPORTER.sniff(path)
