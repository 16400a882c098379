import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import Account, account, anything, damaged, lines
from chat_exports import Json, shape, write_folder, write_zip
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.librechat import IMPORTER

ROOT = "00000000-0000-0000-0000-000000000000"


def _message(text: str, minute: int = 0, parent: str = ROOT, *, by_user: bool = False, **fields: object) -> Json:
    return {
        "messageId": f"m{minute}",
        "parentMessageId": parent,
        "conversationId": "c1",
        "text": text,
        "sender": "User" if by_user else "GPT",
        "isCreatedByUser": by_user,
        "createdAt": f"2026-01-02T03:{minute:02}:00.000Z",
        "updatedAt": "2026-09-09T00:00:00.000Z",
        **fields,
    }


def _chat(*messages: object, **fields: object) -> Json:
    return {
        "conversationId": "c1",
        "endpoint": "openAI",
        "title": "Chat",
        "exportAt": "09:00:00 GMT+0000",
        "branches": True,
        "recursive": False,
        "options": {"model": "m"},
        "messages": list(messages),
        **fields,
    }


def _import(tmp_path: Path, content: object) -> Account:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(content), "utf-8")
    found = account(IMPORTER, path)
    assert found.size_bytes == path.stat().st_size
    return found


def _at(minute: int) -> datetime:
    return datetime(2026, 1, 2, 3, minute, tzinfo=UTC)


@pytest.mark.parametrize("wrap", [lambda chat: chat, lambda chat: [chat]])
def test_one_conversation_or_an_array_of_them(wrap: object, tmp_path: Path) -> None:
    chat = _chat(_message("Hello", 1, by_user=True), _message("Hi!", 2, "m1"), user="u1")
    found = _import(tmp_path, wrap(chat))
    (read,) = found.conversations
    assert (read.id, read.title, read.subject, read.mode) == ("librechat:c1", "Chat", "u1", "normal")
    assert [(part.id, part.text, part.speaker) for part in read.parts] == [
        ("m1/0", "Hello", "user"),
        ("m2/0", "Hi!", "assistant"),
    ]
    assert (read.created_at, read.last_turn_at) == (_at(1), _at(1))
    assert (found.imported, found.records) == (2, 2)


def test_the_newest_branch_is_current(tmp_path: Path) -> None:
    found = _import(
        tmp_path,
        _chat(
            _message("Q", 1, by_user=True),
            _message("A", 5, "m1"),
            _message("B", 3, "m1"),
            _message("Q2", 4, by_user=True),
        ),
    )
    assert [(part.text, "abandoned" in part.marks) for part in found.parts] == [
        ("Q", False),
        ("A", False),
        ("B", True),
        ("Q2", True),
    ]


@pytest.mark.parametrize("key", ["messagesTree", "messages"])
def test_nested_messages_are_the_same_as_flat_ones(key: str, tmp_path: Path) -> None:
    question = _message("Q", 1, by_user=True)
    first, second = _message("A", 2, "m1"), _message("B", 3, "m1")
    follow_up = _message("Q2", 4, "m3", by_user=True)
    flat = _import(tmp_path, _chat(question, first, second, follow_up))
    second["children"] = [follow_up]
    nested = [{**question, "children": [first, second]}]
    for content in (nested, {"children": nested}):
        chat = {key: content, **{name: value for name, value in _chat().items() if name != "messages"}}
        assert shape(_import(tmp_path, chat)) == shape(flat)
    del first["parentMessageId"], second["parentMessageId"], follow_up["parentMessageId"]
    chat = {key: nested[0], **{name: value for name, value in _chat().items() if name != "messages"}}
    found = _import(tmp_path, chat)
    assert shape(found) == shape(flat)
    assert found.records == 4


def test_documents_of_mongodb(tmp_path: Path) -> None:
    date = {"$date": "2026-01-02T03:01:00.000Z"}
    old_date = {"$date": {"$numberLong": str(int(_at(2).timestamp() * 1000))}}
    chat = {
        "_id": {"$oid": "65a"},
        "conversationId": "c1",
        "user": {"$oid": "u1"},
        "createdAt": date,
        "messages": [
            {"_id": {"$oid": "65b"}, "isCreatedByUser": True, "text": "Hello", "createdAt": old_date},
            {"$oid": "65c"},
            "65d",
        ],
    }
    path = tmp_path / "conversations.jsonl"
    path.write_bytes(lines(chat, _message("alone"), {"_id": {"$oid": "65e"}, "messages": [_message("x")]}))
    found = account(IMPORTER, path)
    assert [read.id for read in found.conversations] == ["librechat:c1", "librechat:65e"]
    read = found.conversations[0]
    assert (read.subject, read.created_at, read.last_turn_at) == ("u1", _at(1), _at(2))
    assert read.parts[0].turn == "65b"
    assert found.reasons == {"message that is only referred to": 2, "message without its conversation": 1}
    assert (found.imported, found.records) == (2, 5)


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ("chat", {"isTemporary": True}),
        ("chat", {"expiredAt": "2026-02-01T00:00:00Z"}),
        ("message", {"isTemporary": True}),
        ("message", {"expiredAt": {"$date": "2026-02-01T00:00:00Z"}}),
    ],
)
def test_a_temporary_chat_is_private(where: str, fields: Json, tmp_path: Path) -> None:
    message = _message("Hello", by_user=True, **(fields if where == "message" else {}))
    found = _import(tmp_path, _chat(message, **(fields if where == "chat" else {})))
    assert found.conversations[0].mode == "private"


TABLE = [
    # what it is, the message, what becomes of it: speaker, origin, data, name, text, marks
    (
        "blocks",
        _message(
            "",
            content=[
                {"type": "think", "think": "hm"},
                {"type": "text", "text": "A"},
                {"type": "text", "text": {"value": "B"}},
                None,
            ],
        ),
        [
            ("assistant", "model", "text", "", "hm", "reasoning"),
            ("assistant", "model", "text", "", "A", ""),
            ("assistant", "model", "text", "", "B", ""),
        ],
    ),
    (
        "text beside blocks without text",
        _message("A", content=[{"type": "think", "think": "hm"}]),
        [
            ("assistant", "model", "text", "", "hm", "reasoning"),
            ("assistant", "model", "text", "", "A", ""),
        ],
    ),
    (
        "text beside blocks with text",
        _message("A (again)", content=[{"type": "text", "text": "A"}]),
        [("assistant", "model", "text", "", "A", "")],
    ),
    (
        "a tool",
        _message(
            "",
            content=[
                {"type": "tool_call", "tool_call": {"id": "k", "name": "web", "args": '{"b":2, "a":1}', "output": "r"}}
            ],
        ),
        [
            ("assistant", "model", "text", "web", '{"a":1,"b":2}', "tool-payload"),
            ("tool", "tool", "text", "web", "r", "tool-payload"),
        ],
    ),
    (
        "a tool of an MCP server",
        _message(
            "", content=[{"type": "tool_call", "tool_call": {"name": "find_mcp_wiki", "args": {}, "output": ["p"]}}]
        ),
        [
            ("assistant", "model", "text", "find_mcp_wiki", "{}", "tool-payload"),
            ("tool", "connector", "text", "find_mcp_wiki", '["p"]', "tool-payload"),
        ],
    ),
    (
        "a function of the Assistants API",
        _message(
            "",
            content=[
                {
                    "type": "tool_call",
                    "tool_call": {"type": "function", "function": {"name": "f", "arguments": "", "output": None}},
                }
            ],
        ),
        [
            ("assistant", "model", "text", "f", "{}", "tool-payload"),
        ],
    ),
    (
        "code interpreter",
        _message(
            "",
            content=[
                {
                    "type": "tool_call",
                    "tool_call": {
                        "type": "code_interpreter",
                        "code_interpreter": {"input": "print(1)", "outputs": [1]},
                    },
                }
            ],
        ),
        [
            ("assistant", "model", "text", "code_interpreter", "print(1)", "tool-payload"),
            ("tool", "tool", "text", "code_interpreter", "[1]", "tool-payload"),
        ],
    ),
    (
        "error block",
        _message("", content=[{"type": "error", "error": "no key"}]),
        [("assistant", "model", "text", "", "no key", "error")],
    ),
    ("error", _message("no key", error=True), [("assistant", "model", "text", "", "no key", "error")]),
    (
        "summary",
        _message("A", content=[{"type": "summary", "text": "short"}, {"type": "text", "text": "A"}]),
        [
            ("assistant", "model", "text", "", "short", "summary"),
            ("assistant", "model", "text", "", "A", ""),
        ],
    ),
    (
        "media",
        _message(
            "Look",
            by_user=True,
            content=[
                {"type": "image_file", "image_file": {"filename": "a.png"}},
                {"type": "input_audio"},
                {"type": "agent_update"},
            ],
        ),
        [
            ("user", "file", "image", "a.png", "", ""),
            ("user", "person", "voice", "", "", ""),
            ("user", "person", "text", "", "Look", ""),
        ],
    ),
    (
        "unknown block",
        _message("A", content=[{"type": "hologram", "b": 1}]),
        [
            ("assistant", "model", "text", "", '{"b":1,"type":"hologram"}', "tool-payload"),
            ("assistant", "model", "text", "", "A", ""),
        ],
    ),
    (
        "files",
        _message(
            "Read",
            by_user=True,
            files=[
                {"file_id": "f", "filename": "a.txt", "type": "text/plain", "text": "inside"},
                {"file_id": "g", "type": "image/png"},
                {},
            ],
        ),
        [
            ("user", "person", "text", "", "Read", ""),
            ("user", "file", "file", "a.txt", "inside", ""),
            ("user", "file", "image", "g", "", ""),
        ],
    ),
    (
        "rating",
        _message("A", feedback={"rating": "thumbsDown", "tag": {"key": "not_helpful"}, "text": "no"}),
        [
            ("assistant", "model", "text", "", "A", ""),
            (
                "user",
                "person",
                "feedback",
                "thumbsDown",
                '{"rating":"thumbsDown","tag":{"key":"not_helpful"},"text":"no"}',
                "",
            ),
        ],
    ),
    ("sender alone", {"sender": "User", "text": "Q"}, [("user", "person", "text", "", "Q", "")]),
    (
        "a model's name as sender",
        {"sender": "Claude", "model": "claude", "text": "A"},
        [("assistant", "model", "text", "", "A", "")],
    ),
    ("content is text", {"role": "user", "content": "Q"}, [("user", "person", "text", "", "Q", "")]),
]


@pytest.mark.parametrize(("message", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_message_becomes_parts(message: Json, expected: list[tuple[object, ...]], tmp_path: Path) -> None:
    found = _import(tmp_path, _chat(message))
    assert shape(found) == expected
    assert (found.imported, found.malformed) == (1, 0)


def test_instructions_and_subagents_are_not_what_the_person_said(tmp_path: Path) -> None:
    message = _message("Do it", 1, by_user=True)
    found = _import(tmp_path, _chat(message, options={"promptPrefix": "Be brief"}, subagentThread={"id": 1}))
    assert shape(found) == [
        ("system", "person", "text", "promptPrefix", "Be brief", "system-context"),
        ("user", "person", "text", "", "Do it", "sidechain"),
    ]
    assert found.conversations[0].last_turn_at is None


FAULTS = [
    (7, "a message is not an object"),
    ({"text": "x"}, "a message has no known sender"),
    (_message("x", content={}), "a message's content is neither text nor a list"),
    (_message("x", content=[1]), "a content block is not an object"),
    ({**_message("x"), "text": 1}, "a message's text is not text"),
]


@pytest.mark.parametrize(("message", "problem"), FAULTS)
def test_a_broken_message_loses_no_other(message: object, problem: str, tmp_path: Path) -> None:
    found = _import(tmp_path, _chat(_message("One", 1, by_user=True), message, _message("Two", 2)))
    assert [part.text for part in found.parts] == ["One", "Two"]
    assert found.problems == [("export.json", 1, problem)]
    assert found.records == 3


@pytest.mark.parametrize(
    ("chat", "counts"),
    [
        ([7], (0, 0, 1)),
        (_chat(messages="x"), (0, 0, 1)),
        (_chat(messages={"children": 7}), (0, 0, 1)),
        (_chat(), (0, 1, 0)),
        (_chat(messages=None), (0, 1, 0)),
        (_chat(_message("", by_user=True), _message("")), (0, 2, 0)),
    ],
)
def test_a_conversation_without_messages_is_accounted_for(
    chat: object, counts: tuple[int, int, int], tmp_path: Path
) -> None:
    found = _import(tmp_path, chat)
    assert (found.imported, found.skipped, found.malformed) == counts


def test_the_second_of_two_twins_is_skipped(tmp_path: Path) -> None:
    chat = _chat(_message("One", 1, by_user=True))
    nameless = {**chat, "conversationId": None}
    found = _import(tmp_path, [chat, chat, nameless, nameless])
    assert len(found.conversations) == 2
    assert (found.imported, found.reasons) == (2, {"duplicate of an earlier record": 2})


def test_two_messages_with_one_id_keep_their_parts_apart(tmp_path: Path) -> None:
    found = _import(tmp_path, _chat(_message("One", by_user=True), _message("Two"), _message("Three")))
    assert sorted(part.text for part in found.parts) == ["One", "Three", "Two"]


GOOD = _chat(
    _message("Hello", 1, by_user=True, files=[{"filename": "f"}]),
    _message(
        "",
        2,
        "m1",
        content=[{"type": "tool_call", "tool_call": {"name": "n", "args": {}}}],
        children=[_message("x", 3)],
    ),
)


@pytest.mark.parametrize(
    ("content", "counts"),
    [
        (b"", (0, 0, 1)),
        (b"\xef\xbb\xbf" + json.dumps(GOOD, indent=1).replace("\n", "\r\n").encode(), (3, 0, 0)),
        (json.dumps([GOOD, GOOD]).encode()[:-9], (3, 0, 1)),
        (json.dumps(GOOD).encode()[:-9], (0, 0, 1)),
        (json.dumps([GOOD]).encode().replace(b"Hello", b"\xff"), (0, 0, 1)),
    ],
)
def test_a_damaged_file_is_accounted_for(content: bytes, counts: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(content)
    found = account(IMPORTER, path)
    assert (found.imported, found.skipped, found.malformed) == counts


def _count(message: object) -> int:
    children = message.get("children") if isinstance(message, dict) else None
    return 1 + sum(_count(child) for child in children) if isinstance(children, list) else 1


def _records(value: object) -> int:
    messages = value.get("messages") if isinstance(value, dict) else None
    if isinstance(messages, dict):
        messages = [messages] if "messageId" in messages else messages.get("children")
    return sum(_count(message) for message in messages) or 1 if isinstance(messages, list) else 1


@given(damaged([GOOD]) | anything)
def test_any_json_adds_up(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("any") / "export.json"
    after = _chat(_message("Still here", by_user=True), conversationId="after")
    path.write_text(json.dumps([value, after]), "utf-8")
    found = account(IMPORTER, path)
    assert found.records - 1 in (_records(value), 1)
    assert found.part("Still here")


@given(st.binary(max_size=60))
def test_any_bytes_are_no_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "export.json"
    path.write_bytes(content)
    assert account(IMPORTER, path).imported == 0
    IMPORTER.sniff(path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [({"any.json": GOOD}, True), ({"any.json": [{"mapping": {}}]}, False), ({"any.txt": GOOD}, False)],
)
def test_sniffing(files: dict[str, object], expected: bool, tmp_path: Path) -> None:
    assert IMPORTER.sniff(write_zip(tmp_path / "a.zip", files)) is expected
    assert IMPORTER.sniff(write_folder(tmp_path / "a", files)) is expected
    assert not IMPORTER.sniff(tmp_path / "nothing")
