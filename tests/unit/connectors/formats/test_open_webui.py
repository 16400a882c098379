import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import Account, account, anything, damaged
from chat_exports import Json, shape, write_folder, write_zip
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.open_webui import IMPORTER

START = 1_760_000_000


def _message(role: str, content: object, minute: int = 0, parent: str | None = None, **fields: object) -> Json:
    return {
        "id": f"m{minute}",
        "parentId": parent,
        "childrenIds": [],
        "role": role,
        "content": content,
        "timestamp": START + 60 * minute,
        **fields,
    }


def _row(*messages: Json, identity: str = "c1", current: object = None, **fields: object) -> Json:
    tree = {message["id"]: message for message in messages}
    chat: Json = {
        "title": "T",
        "models": ["m"],
        "params": {},
        "history": {"messages": tree, "currentId": current or (messages[-1]["id"] if messages else None)},
        "messages": list(messages),
        "timestamp": START * 1000,
        "files": [],
    }
    chat |= fields.pop("chat", {})
    return {
        "id": identity,
        "user_id": "u1",
        "title": "Chat",
        "chat": chat,
        "updated_at": START + 9_000_000,
        "created_at": START - 60,
        "archived": False,
        "pinned": True,
        "meta": {},
        "folder_id": None,
        **fields,
    }


def _import(tmp_path: Path, *rows: object) -> Account:
    path = tmp_path / "chat-export.json"
    path.write_text(json.dumps(rows), "utf-8")
    found = account(IMPORTER, path)
    assert found.size_bytes == path.stat().st_size
    return found


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(START + 60 * minute, UTC)


def test_a_chat_is_read_once_though_it_is_stored_twice(tmp_path: Path) -> None:
    row = _row(_message("user", "Hello", 1), _message("assistant", "Hi!", 2, "m1"), folder_id="f1")
    found = _import(tmp_path, row)
    (chat,) = found.conversations
    assert (chat.id, chat.subject, chat.title, chat.project, chat.mode) == (
        "open-webui:c1",
        "u1",
        "Chat",
        "f1",
        "normal",
    )
    assert [(part.id, part.text) for part in chat.parts] == [("m1/0", "Hello"), ("m2/0", "Hi!")]
    assert (chat.created_at, chat.last_turn_at) == (_at(-1), _at(1))
    assert (found.imported, found.records) == (2, 2)


@pytest.mark.parametrize("factor", [1, 1_000, 1_000_000, 1_000_000_000])
def test_times_are_read_in_every_unit(factor: int, tmp_path: Path) -> None:
    found = _import(tmp_path, _row(_message("user", "Hello", timestamp=START * factor), created_at=START * factor))
    assert (found.conversations[0].created_at, found.conversations[0].last_turn_at) == (_at(0), _at(0))


@pytest.mark.parametrize(("current", "abandoned"), [("m2", {"B", "B2"}), ("m4", {"A"}), ("gone", {"A"})])
def test_branches_are_marked(current: str, abandoned: set[str], tmp_path: Path) -> None:
    found = _import(
        tmp_path,
        _row(
            _message("user", "Q", 1),
            _message("assistant", "A", 2, "m1"),
            _message("assistant", "B", 3, "m1"),
            _message("user", "B2", 4, "m3"),
            current=current,
        ),
    )
    assert {part.text for part in found.parts if "abandoned" in part.marks} == abandoned
    assert found.conversations[0].last_turn_at == _at(4)


def test_a_circle_ends(tmp_path: Path) -> None:
    found = _import(tmp_path, _row(_message("user", "Q", 1, "m2"), _message("assistant", "A", 2, "m1")))
    assert {part.text for part in found.parts} == {"Q", "A"}


@pytest.mark.parametrize("history", [None, {}, {"messages": {}}, {"messages": None, "currentId": "m1"}])
def test_the_flat_list_stands_in_for_a_missing_tree(history: object, tmp_path: Path) -> None:
    flat = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    found = _import(tmp_path, _row(chat={"history": history, "messages": flat}))
    assert [(part.text, part.marks) for part in found.parts] == [("Q", set()), ("A", set())]


def test_a_chat_without_its_row_is_read(tmp_path: Path) -> None:
    row = _row(_message("user", "Hello", 1))
    found = _import(tmp_path, {"id": "c1", **row["chat"]})
    assert (found.conversations[0].id, found.conversations[0].subject) == ("open-webui:c1", None)
    assert found.conversations[0].created_at == _at(0)


REASONING = (
    '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n'
    "&gt; I look.\n&gt; Closely.\n</details>\n"
)
TOOL = (
    '<details type="tool_calls" done="true" id="k1" name="find"'
    ' arguments="&quot;{\\&quot;b\\&quot;: 2, \\&quot;a\\&quot;: 1}&quot;"'
    ' result="&quot;a &gt; b&quot;" files="">\n<summary>Tool Executed</summary>\n</details>\n'
)
CODE = (
    '<details type="code_interpreter" done="true" output="{&quot;stdout&quot;:&quot;1&quot;}">\n'
    "<summary>Analyzed</summary>\n```python\nprint(1)\n```\n</details>\n"
)
OUTPUT = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "I look.\nClosely."}]},
    {"type": "function_call", "call_id": "k1", "name": "find", "arguments": '{"b": 2, "a": 1}'},
    {"type": "function_call_output", "call_id": "k1", "output": [{"type": "input_text", "text": "a > b"}]},
    {"type": "message", "content": [{"type": "output_text", "text": "Found it."}]},
]
THOUGHT = ("assistant", "model", "text", "", "I look.\nClosely.", "reasoning")
CALLED = ("assistant", "model", "text", "find", '{"a":1,"b":2}', "tool-payload")
RETURNED = ("tool", "tool", "text", "find", "a > b", "tool-payload")
FOUND = ("assistant", "model", "text", "", "Found it.", "")
TABLE = [
    # what it is, the message, what becomes of it: speaker, origin, data, name, text, marks
    ("system", _message("system", "Be brief"), [("system", "tool", "text", "", "Be brief", "system-context")]),
    ("thinking in the text", _message("assistant", REASONING + "Found it."), [THOUGHT, FOUND]),
    ("a call in the text", _message("assistant", TOOL + "Found it."), [CALLED, RETURNED, FOUND]),
    (
        "code in the text",
        _message("assistant", CODE),
        [
            ("assistant", "model", "text", "code_interpreter", "```python\nprint(1)\n```", "tool-payload"),
            ("tool", "tool", "text", "code_interpreter", '{"stdout":"1"}', "tool-payload"),
        ],
    ),
    (
        "unfinished thinking",
        _message("assistant", '<details type="reasoning" done="false">\n<summary>Thinking…</summary>\n&gt; I look.'),
        [
            ("assistant", "model", "text", "", "I look.", "reasoning"),
        ],
    ),
    (
        "other details stay",
        _message("assistant", "<details><summary>s</summary>x</details>"),
        [
            ("assistant", "model", "text", "", "<details><summary>s</summary>x</details>", ""),
        ],
    ),
    ("quoted by the person", _message("user", TOOL), [("user", "person", "text", "", TOOL, "")]),
    ("blocks alone", _message("assistant", "", output=OUTPUT), [THOUGHT, CALLED, RETURNED, FOUND]),
    (
        "blocks and text",
        _message("assistant", REASONING + TOOL + "Found it.", output=OUTPUT),
        [THOUGHT, CALLED, RETURNED, FOUND],
    ),
    (
        "blocks and an edited text",
        _message("assistant", "Found nothing.", output=OUTPUT),
        [
            ("assistant", "model", "text", "", "Found nothing.", ""),
            *(
                (*row[:5], " ".join(sorted(["duplicate", *row[5].split()])))
                for row in (THOUGHT, CALLED, RETURNED, FOUND)
            ),
        ],
    ),
    (
        "code in blocks",
        _message(
            "assistant",
            "",
            output=[{"type": "open_webui:code_interpreter", "code": "print(1)", "output": {"stdout": "1"}}],
        ),
        [
            ("assistant", "model", "text", "code_interpreter", "print(1)", "tool-payload"),
            ("tool", "tool", "text", "code_interpreter", '{"stdout":"1"}', "tool-payload"),
        ],
    ),
    (
        "connector",
        _message(
            "assistant",
            "",
            output=[
                {"type": "function_call", "call_id": "k", "name": "mcp__wiki__find"},
                {"type": "function_call_output", "call_id": "k", "output": "page"},
            ],
        ),
        [
            ("assistant", "model", "text", "mcp__wiki__find", "{}", "tool-payload"),
            ("tool", "connector", "text", "mcp__wiki__find", "page", "tool-payload"),
        ],
    ),
    (
        "list of blocks",
        _message("user", [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:"}}]),
        [
            ("user", "person", "text", "", "Look", ""),
            ("user", "file", "image", "", "", ""),
        ],
    ),
    (
        "files",
        _message(
            "user",
            "Read",
            files=[
                {"type": "file", "id": "f1", "name": "a.txt", "file": {"data": {"content": "inside"}}},
                {"type": "image", "url": "data:"},
            ],
        ),
        [
            ("user", "person", "text", "", "Read", ""),
            ("user", "file", "file", "a.txt", "inside", ""),
            ("user", "file", "image", "", "", ""),
        ],
    ),
    (
        "error",
        _message("assistant", "", error={"content": "No connection"}),
        [("assistant", "model", "text", "", "No connection", "error")],
    ),
    (
        "rating",
        _message("assistant", "A", annotation={"rating": -1, "reason": "wrong", "comment": ""}),
        [
            ("assistant", "model", "text", "", "A", ""),
            ("user", "person", "feedback", "-1", '{"comment":"","rating":-1,"reason":"wrong"}', ""),
        ],
    ),
]


@pytest.mark.parametrize(("message", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_message_becomes_parts(message: Json, expected: list[tuple[object, ...]], tmp_path: Path) -> None:
    found = _import(tmp_path, _row(message))
    assert shape(found) == expected
    assert (found.imported, found.malformed) == (1, 0)


def test_files_and_instructions_of_the_whole_chat(tmp_path: Path) -> None:
    message = _message("user", "Read", 1, files=[{"type": "file", "name": "a.txt"}])
    uploads = [
        {"type": "file", "name": "a.txt", "file": {"data": {"content": "inside"}}},
        {"type": "file", "name": "b.txt", "file": {"data": {"content": "more"}, "created_at": START}},
        {"type": "file", "name": "a.txt", "file": {"data": {"content": "another of that name"}}},
    ]
    found = _import(tmp_path, _row(message, chat={"files": uploads, "params": {"system": "Be brief"}}))
    assert shape(found) == [
        ("system", "tool", "text", "", "Be brief", "system-context"),
        ("user", "person", "text", "", "Read", ""),
        ("user", "file", "file", "a.txt", "inside", ""),
        ("user", "file", "file", "b.txt", "more", ""),
        ("user", "file", "file", "a.txt", "another of that name", ""),
    ]
    assert found.records == 1


def test_a_temporary_chat_is_private(tmp_path: Path) -> None:
    found = _import(tmp_path, _row(_message("user", "Hello"), identity="local:abc"))
    assert found.conversations[0].mode == "private"


FAULTS = [
    ("x", "a message is not an object"),
    ({"content": "x"}, "a message has no known role"),
    ({"role": "user", "content": 7}, "a message's content is neither text nor a list"),
    ({"role": "user", "content": "x", "output": {}}, "a message's output is not a list"),
]


@pytest.mark.parametrize(("message", "problem"), FAULTS)
def test_a_broken_message_loses_no_other(message: object, problem: str, tmp_path: Path) -> None:
    row = _row(_message("user", "One", 1), _message("assistant", "Two", 2, "m1"))
    row["chat"]["history"]["messages"]["bad"] = message
    found = _import(tmp_path, row)
    assert [part.text for part in found.parts] == ["One", "Two"]
    assert found.problems == [("chat-export.json", 1, problem)]
    assert found.records == 3


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        (7, (0, 0, 1)),
        ({"chat": "x"}, (0, 0, 1)),
        (_row(chat={"history": []}), (0, 0, 1)),
        (_row(chat={"history": {"messages": []}, "messages": {}}), (0, 0, 1)),
        (_row(chat={"history": None, "messages": {}}), (0, 0, 1)),
        (_row(), (0, 1, 0)),
        (_row(_message("user", "", 1), _message("assistant", None, 2, "m1")), (0, 2, 0)),
    ],
)
def test_a_chat_without_messages_is_accounted_for(row: object, counts: tuple[int, int, int], tmp_path: Path) -> None:
    found = _import(tmp_path, row)
    assert (found.imported, found.skipped, found.malformed) == counts


def test_the_second_of_two_twins_is_skipped(tmp_path: Path) -> None:
    row = _row(_message("user", "One", 1), _message("assistant", "Two", 2, "m1"))
    found = _import(tmp_path, row, row, {**row, "id": None}, {**row, "id": None})
    assert len(found.conversations) == 2
    assert (found.imported, found.reasons) == (4, {"duplicate of an earlier record": 4})


GOOD = _row(
    _message("user", "Hello", 1, files=[{"name": "f"}]), _message("assistant", REASONING, 2, "m1", output=OUTPUT)
)


@pytest.mark.parametrize(
    ("content", "counts"),
    [
        (b"", (0, 0, 1)),
        (b"\xef\xbb\xbf" + json.dumps([GOOD], indent=1).replace("\n", "\r\n").encode(), (2, 0, 0)),
        (json.dumps([GOOD, GOOD]).encode()[:-9], (2, 0, 1)),
        (json.dumps([GOOD]).encode().replace(b"Hello", b"\xff"), (0, 0, 1)),
        (json.dumps(GOOD).encode(), (2, 0, 0)),
    ],
)
def test_a_damaged_file_is_accounted_for(content: bytes, counts: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "chat-export.json"
    path.write_bytes(content)
    found = account(IMPORTER, path)
    assert (found.imported, found.skipped, found.malformed) == counts


def _records(value: object) -> int:
    if not isinstance(value, dict) or not isinstance(chat := value.get("chat", value), dict):
        return 1
    history, flat = chat.get("history"), chat.get("messages")
    tree = history.get("messages") if isinstance(history, dict) else None
    if (history is not None and not isinstance(history, dict)) or (tree is not None and not isinstance(tree, dict)):
        return 1
    return len(tree or (flat if isinstance(flat, list) else ())) or 1


@given(damaged([GOOD]) | anything)
def test_any_json_adds_up(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("any") / "chats.json"
    path.write_text(json.dumps([value, _row(_message("user", "Still here"), identity="after")]), "utf-8")
    found = account(IMPORTER, path)
    assert found.records - 1 in (_records(value), 1)
    assert found.part("Still here")


@given(st.lists(st.sampled_from([REASONING, TOOL, CODE, "some words\n"]), max_size=8))
def test_every_element_of_an_answer_is_split_off(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    answer = _message("assistant", "".join(pieces), 2, "m1")
    found = _import(tmp_path_factory.mktemp("any"), _row(_message("user", "Q", 1), answer))
    kinds = [(part.text.count("some words"), part.speaker, sorted(part.marks)) for part in found.parts[1:]]
    assert sum(words for words, _, _ in kinds) == pieces.count("some words\n")
    assert sum(marks == ["reasoning"] for _, _, marks in kinds) == pieces.count(REASONING)
    calls = pieces.count(TOOL) + pieces.count(CODE)
    assert sum(marks == ["tool-payload"] for _, _, marks in kinds) == 2 * calls
    assert sum(speaker == "tool" for _, speaker, _ in kinds) == calls


@given(st.binary(max_size=60))
def test_any_bytes_are_no_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "chats.json"
    path.write_bytes(content)
    assert account(IMPORTER, path).imported == 0
    IMPORTER.sniff(path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [({"any.json": [GOOD]}, True), ({"any.json": [{"chat_messages": []}]}, False), ({"any.txt": [GOOD]}, False)],
)
def test_sniffing(files: dict[str, object], expected: bool, tmp_path: Path) -> None:
    assert IMPORTER.sniff(write_zip(tmp_path / "a.zip", files)) is expected
    assert IMPORTER.sniff(write_folder(tmp_path / "a", files)) is expected
    assert not IMPORTER.sniff(tmp_path / "nothing")
