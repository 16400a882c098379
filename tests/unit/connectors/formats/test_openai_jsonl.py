from pathlib import Path

import pytest
from accounting import DAMAGED_LINES, Account, account, anything, damaged, lines
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.openai_jsonl import IMPORTER

USER = {"role": "user", "content": "weather in Rome?"}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome", "a": 1}'}}
CHAT = {
    "messages": [
        {"role": "system", "content": "be brief"},
        USER,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "assistant", "content": "Sun.", "weight": 1},
        {"role": "assistant", "content": "Moon.", "weight": 0},
    ],
    "tools": [{"type": "function", "function": {"name": "weather"}}],
}
PREFERENCE = {
    "input": {"messages": [USER], "tools": [], "parallel_tool_calls": True},
    "preferred_output": [{"role": "assistant", "content": "Sun."}],
    "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
}


def _import(tmp_path: Path, *records: object) -> Account:
    (tmp_path / "set.jsonl").write_bytes(lines(*records))
    return account(IMPORTER, tmp_path / "set.jsonl")


def _shape(found: Account) -> list[tuple[object, ...]]:
    return [(p.id, p.text, p.speaker, p.origin, p.name, sorted(p.marks)) for p in found.parts]


def test_a_chat(tmp_path: Path) -> None:
    found = _import(tmp_path, CHAT)
    assert _shape(found) == [
        ("tools", '[{"function":{"name":"weather"},"type":"function"}]', "system", "tool", "", ["system-context"]),
        ("0/0", "be brief", "system", "tool", "", ["system-context"]),
        ("1/0", "weather in Rome?", "user", "person", "", []),
        ("2/call-0", '{"a":1,"city":"Rome"}', "assistant", "model", "weather", ["tool-payload"]),
        ("3/0", "sunny", "tool", "tool", "weather", ["tool-payload"]),
        ("4/0", "Sun.", "assistant", "model", "", []),
        ("5/0", "Moon.", "assistant", "model", "", ["abandoned"]),
    ]
    (conversation,) = found.conversations
    assert (conversation.surface, conversation.last_turn_at, conversation.created_at) == ("chat", None, None)


def test_a_preference_keeps_the_other_answer_as_abandoned(tmp_path: Path) -> None:
    assert _shape(_import(tmp_path, PREFERENCE)) == [
        ("0/0", "weather in Rome?", "user", "person", "", []),
        ("preferred-0/0", "Sun.", "assistant", "model", "", []),
        ("other-0/0", "No idea.", "assistant", "model", "", ["abandoned"]),
    ]


# what, message, its parts as text, data class and marks
MESSAGES = [
    ("an old function call", {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
     [("{}", "text", ["tool-payload"])]),
    ("blocks", {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]},
     [("a", "text", []), ("", "image", [])]),
    ("voice", {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, [("", "voice", [])]),
    ("a file", {"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf"}}]}, [("", "file", [])]),
    ("a refusal", {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, [("no", "text", [])]),
    ("a refusal beside the content", {"role": "assistant", "content": None, "refusal": "no"}, [("no", "text", [])]),
    ("reasoning", {"role": "assistant", "reasoning_content": "hm", "content": "a"},
     [("hm", "text", ["reasoning"]), ("a", "text", [])]),
    ("a thinking block", {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}]},
     [("hm", "text", ["reasoning"])]),
    ("an unknown block", {"role": "assistant", "content": [{"type": "hologram"}]},
     [('{"type":"hologram"}', "text", ["tool-payload"])]),
    ("a developer", {"role": "developer", "content": "a"}, [("a", "text", ["system-context"])]),
    ("nothing", {"role": "assistant", "content": ""}, []),
]  # fmt: skip


@pytest.mark.parametrize(("message", "expected"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_messages_have_many_spellings(tmp_path: Path, message: object, expected: list[object]) -> None:
    found = _import(tmp_path, {"messages": [USER, message]})
    assert [(p.text, p.data, sorted(p.marks)) for p in found.parts[1:]] == expected
    assert all(p.origin == "file" for p in found.parts if p.data != "text")


def test_twins_are_imported_once_and_ids_are_stable(tmp_path: Path) -> None:
    found = _import(tmp_path, CHAT, PREFERENCE, CHAT, {**CHAT, "tools": []})
    assert (found.imported, found.reasons) == (3, {"duplicate of an earlier record": 1})
    again = _import(tmp_path, PREFERENCE, CHAT)
    assert {item.id for item in again.conversations} < {item.id for item in found.conversations}


BAD = [
    {},
    {"prompt": "legacy", "completion": "text"},
    {"messages": None},
    {"messages": "text"},
    {"messages": [1]},
    {"messages": [{"role": "user"}]},
    {"messages": [{"role": "assistant", "content": None}]},
    {"messages": [{"content": "a"}]},
    {"messages": [{"role": "queen", "content": "a"}]},
    {"messages": [{"role": 1, "content": "a"}]},
    {"messages": [{"role": "user", "content": 1}]},
    {"messages": [{"role": "user", "content": [1]}]},
    {"messages": [{"role": "user", "content": [{}]}]},
    {"messages": [{"role": "assistant", "content": "a", "tool_calls": {}}]},
    {"messages": [{"role": "assistant", "content": "a", "tool_calls": [1]}]},
    {"input": [], "preferred_output": [], "non_preferred_output": []},
    {**PREFERENCE, "preferred_output": None},
    *[raw for _, raw in DAMAGED_LINES],
]


@pytest.mark.parametrize("record", BAD, ids=lambda record: str(record)[:60])
def test_a_malformed_record_never_loses_its_neighbours(tmp_path: Path, record: object) -> None:
    found = _import(tmp_path, CHAT, record, PREFERENCE)
    assert [number for _, number, _ in found.problems] == [2]
    assert (found.imported, found.skipped) == (2, 0)


def test_a_problem_names_the_message_and_quotes_nothing(tmp_path: Path) -> None:
    found = _import(tmp_path, {"messages": [USER, {"role": "secret", "content": "secret"}]})
    assert found.problems == [("set.jsonl", 1, "message 2: it has no known role")]


def test_a_record_without_words_is_skipped(tmp_path: Path) -> None:
    assert _import(tmp_path, {"messages": []}).reasons == {"conversation without content": 1}


def test_sniffing(tmp_path: Path) -> None:
    for record, expected in ((CHAT, True), (PREFERENCE, True), ({"messages": [], "id": 1}, False), ({"a": 1}, False)):
        (tmp_path / "set.jsonl").write_bytes(lines(record))
        assert IMPORTER.sniff(tmp_path / "set.jsonl") is expected


@given(st.lists(damaged([CHAT, PREFERENCE]) | anything, max_size=5))
def test_arbitrary_json_never_raises_and_the_account_adds_up(
    tmp_path_factory: pytest.TempPathFactory, records: list[object]
) -> None:
    found = _import(tmp_path_factory.mktemp("any"), CHAT, *records)
    assert found.records == len(records) + 1
    assert found.conversations[0].parts[4].text == "sunny"
