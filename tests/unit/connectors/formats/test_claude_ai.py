import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import Account, account, anything, damaged, lines
from chat_exports import Json, shape, write_folder, write_zip
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.claude_ai import IMPORTER
from assent.domain.errors import Invalid


def _time(minute: int) -> str:
    return f"2026-01-02T03:{minute:02}:00.123456Z"


def _message(sender: str, text: str = "", minute: int = 0, **fields: object) -> Json:
    return {
        "uuid": f"m{minute}",
        "text": text,
        "content": [{"type": "text", "text": text, "citations": [], "start_timestamp": _time(minute)}] if text else [],
        "sender": sender,
        "created_at": _time(minute),
        "updated_at": "2026-09-09T00:00:00Z",
        "attachments": [],
        "files": [],
        **fields,
    }


def _chat(*messages: object, identity: str = "c1", **fields: object) -> Json:
    return {
        "uuid": identity,
        "name": f"About {identity}",
        "created_at": _time(0),
        "updated_at": "2026-09-09T00:00:00Z",
        "account": {"uuid": "a1"},
        "chat_messages": list(messages),
        **fields,
    }


def _import(tmp_path: Path, *chats: object) -> Account:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps(chats), "utf-8")
    found = account(IMPORTER, path)
    assert found.size_bytes == path.stat().st_size
    return found


def test_a_conversation_is_read(tmp_path: Path) -> None:
    found = _import(tmp_path, _chat(_message("human", "Hello", 1), _message("assistant", "Hi!", 2)))
    (chat,) = found.conversations
    assert (chat.id, chat.title, chat.subject, chat.mode) == ("claude-ai:c1", "About c1", "a1", "normal")
    assert shape(found) == [
        ("user", "person", "text", "", "Hello", ""),
        ("assistant", "model", "text", "", "Hi!", ""),
    ]
    assert [(part.id, part.turn) for part in chat.parts] == [("m1/0", "m1"), ("m2/0", "m2")]
    assert chat.created_at == datetime(2026, 1, 2, 3, 0, 0, 123456, UTC)
    assert chat.last_turn_at == datetime(2026, 1, 2, 3, 1, 0, 123456, UTC)
    assert (found.imported, found.records) == (2, 2)


TABLE = [
    # what it is, the message, what becomes of it: speaker, origin, data, name, text, marks
    ("text only", _message("human", text="x", content=[]), [("user", "person", "text", "", "x", "")]),
    (
        "content only",
        _message("human", text="", content=[{"type": "text", "text": "x"}]),
        [("user", "person", "text", "", "x", "")],
    ),
    ("no content at all", {"sender": "human", "text": "x"}, [("user", "person", "text", "", "x", "")]),
    (
        "both",
        _message("human", text="x (shortened)", content=[{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]),
        [
            ("user", "person", "text", "", "x", ""),
            ("user", "person", "text", "", "y", ""),
        ],
    ),
    (
        "thinking",
        _message("assistant", text="done", content=[{"type": "thinking", "thinking": "hm", "summaries": []}]),
        [
            ("assistant", "model", "text", "", "hm", "reasoning"),
            ("assistant", "model", "text", "", "done", ""),
        ],
    ),
    (
        "a tool",
        _message(
            "assistant",
            content=[
                {"type": "tool_use", "id": "t1", "name": "web_search", "input": {"q": "x", "a": 1}},
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "name": "web_search",
                    "content": [{"type": "text", "text": "r1"}, {"type": "text", "text": "r2"}],
                },
            ],
        ),
        [
            ("assistant", "model", "text", "web_search", '{"a":1,"q":"x"}', "tool-payload"),
            ("tool", "tool", "text", "web_search", "r1\nr2", "tool-payload"),
        ],
    ),
    (
        "a connector",
        _message(
            "assistant",
            content=[
                {"type": "tool_use", "id": "t1", "name": "find", "integration_name": "Wiki", "input": {}},
                {"type": "tool_result", "tool_use_id": "t1", "name": "find", "content": [{"type": "image"}]},
                {"type": "tool_result", "tool_use_id": "t2", "name": "mcp__wiki__find", "content": "page"},
            ],
        ),
        [
            ("assistant", "model", "text", "find", "{}", "tool-payload"),
            ("tool", "connector", "text", "find", '[{"type":"image"}]', "tool-payload"),
            ("tool", "connector", "text", "mcp__wiki__find", "page", "tool-payload"),
        ],
    ),
    (
        "voice",
        _message("human", content=[{"type": "voice_note", "title": "Note", "text": "hello"}]),
        [("user", "person", "voice", "Note", "hello", "")],
    ),
    ("image", _message("human", content=[{"type": "image", "source": {}}]), [("user", "file", "image", "", "", "")]),
    (
        "bookkeeping",
        _message(
            "assistant",
            "x",
            content=[{"type": "token_budget"}, {"type": "flag", "flag": "f"}, {"type": "text", "text": "x"}],
        ),
        [("assistant", "model", "text", "", "x", "")],
    ),
    (
        "unknown block",
        _message("assistant", content=[{"type": "hologram", "b": 1}]),
        [("assistant", "model", "text", "", '{"b":1,"type":"hologram"}', "tool-payload")],
    ),
    (
        "attachment",
        _message(
            "human",
            "see",
            attachments=[{"file_name": "a.txt", "extracted_content": "inside"}],
            files=[{"file_name": "a.txt"}, {"file_name": "b.png"}, {"file_uuid": "f9", "file_kind": "image"}],
        ),
        [
            ("user", "person", "text", "", "see", ""),
            ("user", "file", "file", "a.txt", "inside", ""),
            ("user", "file", "image", "b.png", "", ""),
            ("user", "file", "image", "f9", "", ""),
        ],
    ),
    (
        "rating",
        _message("assistant", "x", chat_feedback={"type": "downvote", "reason": "wrong"}),
        [
            ("assistant", "model", "text", "", "x", ""),
            ("user", "person", "feedback", "downvote", '{"reason":"wrong","type":"downvote"}', ""),
        ],
    ),
]


@pytest.mark.parametrize(("message", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_message_becomes_parts(message: Json, expected: list[tuple[object, ...]], tmp_path: Path) -> None:
    found = _import(tmp_path, _chat(message))
    assert shape(found) == expected
    assert (found.imported, found.malformed) == (1, 0)


def test_a_rating_is_no_turn(tmp_path: Path) -> None:
    rating = {"type": "upvote", "created_at": _time(50)}
    found = _import(
        tmp_path, _chat(_message("human", "Hello", 1), _message("assistant", "Hi", 2, chat_feedback=rating))
    )
    (chat,) = found.conversations
    assert chat.last_turn_at == datetime(2026, 1, 2, 3, 1, 0, 123456, UTC)
    assert chat.feedback_at == datetime(2026, 1, 2, 3, 50, 0, 123456, UTC)


FAULTS = [
    ("x", "a message is not an object"),
    (_message("narrator", "x"), "a message has no known sender"),
    (_message("human", content="x"), "a message's content is not a list"),
    (_message("human", content=["x"]), "a content block is not an object"),
]


@pytest.mark.parametrize(("message", "problem"), FAULTS)
def test_a_broken_message_loses_no_other(message: object, problem: str, tmp_path: Path) -> None:
    found = _import(tmp_path, _chat(_message("human", "One", 1), message, _message("assistant", "Two", 2)), 7)
    assert [part.text for part in found.parts] == ["One", "Two"]
    assert found.problems == [
        ("conversations.json", 1, problem),
        ("conversations.json", 2, "a conversation is not an object"),
    ]
    assert found.records == 4


@pytest.mark.parametrize(
    ("chat", "counts"),
    [
        (_chat(), (0, 1, 0)),
        (_chat(chat_messages=None), (0, 1, 0)),
        (_chat(chat_messages={}), (0, 0, 1)),
        (_chat(_message("human"), _message("assistant")), (0, 2, 0)),
    ],
)
def test_a_conversation_without_content_is_accounted_for(
    chat: Json, counts: tuple[int, int, int], tmp_path: Path
) -> None:
    found = _import(tmp_path, chat)
    assert (found.imported, found.skipped, found.malformed) == counts


@pytest.mark.parametrize(
    ("leaf", "abandoned"), [("m4", {"Edited away"}), (None, {"Edited away"}), ("m2", {"Edit", "New answer"})]
)
def test_branches_are_marked(leaf: object, abandoned: set[str], tmp_path: Path) -> None:
    root = "00000000-0000-4000-8000-000000000000"
    found = _import(
        tmp_path,
        _chat(
            _message("human", "Edited away", 2, parent_message_uuid=root),
            _message("human", "Edit", 3, parent_message_uuid=root),
            _message("assistant", "New answer", 4, parent_message_uuid="m3"),
            current_leaf_message_uuid=leaf,
        ),
    )
    assert {part.text for part in found.parts if "abandoned" in part.marks} == abandoned


def test_two_messages_with_one_id_keep_their_parts_apart(tmp_path: Path) -> None:
    found = _import(
        tmp_path, _chat(_message("human", "One"), _message("human", "Two"), _message("human", "3", uuid=None))
    )
    assert [part.text for part in found.parts] == ["One", "Two", "3"]


def test_summary_project_and_mode(tmp_path: Path) -> None:
    chat = _chat(
        _message("human", "Hello"), summary="They greet.", project={"uuid": "p1", "name": "P"}, is_temporary=True
    )
    found = _import(tmp_path, chat)
    (read,) = found.conversations
    assert (read.project, read.mode) == ("p1", "private")
    assert found.part("They greet.").marks == {"summary"}
    assert read.records == 1


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_an_export_holds_more_than_conversations(write: object, tmp_path: Path) -> None:
    chat = _chat(_message("human", "Hello"))
    files = {"conversations.json": [chat, chat], "users.json": [{"uuid": "a1"}], "projects.json": [], "odd.json": {}}
    found = account(IMPORTER, write(tmp_path / "data", files))
    assert found.imported == 1
    assert found.reasons == {
        "duplicate of an earlier record": 1,
        "account data": 1,
        "project knowledge, not a conversation": 1,
        "not a file of conversations": 1,
    }


def test_json_lines_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "claude.jsonl"
    path.write_bytes(
        lines(_chat(_message("human", "One")), b'{"uuid": "c', _chat(_message("human", "Two"), identity="c2"))
    )
    found = account(IMPORTER, path)
    assert [part.text for part in found.parts] == ["One", "Two"]
    assert [(file, line) for file, line, _ in found.problems] == [("claude.jsonl", 2)]


def test_an_export_without_conversations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no conversations"):
        account(IMPORTER, write_zip(tmp_path / "a.zip", {"users.json": []}))


@pytest.mark.parametrize("time", [None, 7e300, "yesterday", "2026-01-02T03:04:05", []])
def test_an_unreadable_time_is_no_time(time: object, tmp_path: Path) -> None:
    (chat,) = _import(tmp_path, _chat(_message("human", "Hello", created_at=time), created_at=time)).conversations
    assert (chat.created_at, chat.last_turn_at) == (None, None)


GOOD = _chat(
    _message("human", "Hello", 1, attachments=[{"file_name": "a", "extracted_content": "b"}]),
    _message(
        "assistant",
        "Hi",
        2,
        parent_message_uuid="m1",
        content=[{"type": "tool_use", "id": "t", "name": "n", "input": {}}],
    ),
)


@pytest.mark.parametrize(
    ("content", "counts"),
    [
        (b"", (0, 0, 1)),
        (b"\xef\xbb\xbf" + json.dumps([GOOD], indent=1).replace("\n", "\r\n").encode(), (2, 0, 0)),
        (json.dumps([GOOD, GOOD]).encode()[:-9], (2, 0, 1)),
        (json.dumps([GOOD]).encode().replace(b"Hello", b"\xff"), (0, 0, 1)),
        (json.dumps([GOOD]).encode().replace(b'"Hello"', b"1e999"), (0, 0, 1)),
        (b'[{"uuid": ' + b"[" * 9_000 + b"]" * 9_000 + b"}," + json.dumps(GOOD).encode() + b"]", (2, 0, 1)),
    ],
)
def test_a_damaged_file_is_accounted_for(content: bytes, counts: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_bytes(content)
    found = account(IMPORTER, path)
    assert (found.imported, found.skipped, found.malformed) == counts


@given(damaged([GOOD]) | anything)
def test_any_json_adds_up(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("any") / "conversations.json"
    path.write_text(json.dumps([value, _chat(_message("human", "Still here"), identity="after")]), "utf-8")
    found = account(IMPORTER, path)
    messages = value.get("chat_messages") if isinstance(value, dict) else None
    expected = len(messages) if isinstance(messages, list) and messages else 1
    assert found.records - 1 in (expected, 1)
    assert found.part("Still here")


@given(st.binary(max_size=60))
def test_any_bytes_are_no_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "conversations.json"
    path.write_bytes(content)
    assert account(IMPORTER, path).imported == 0
    IMPORTER.sniff(path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"conversations.json": [GOOD]}, True),
        ({"conversations.json": [{"mapping": {}}]}, False),
        ({"x.json": [GOOD]}, False),
    ],
)
def test_sniffing(files: dict[str, object], expected: bool, tmp_path: Path) -> None:
    assert IMPORTER.sniff(write_zip(tmp_path / "a.zip", files)) is expected
    assert IMPORTER.sniff(write_folder(tmp_path / "a", files)) is expected
    assert not IMPORTER.sniff(tmp_path / "nothing")
