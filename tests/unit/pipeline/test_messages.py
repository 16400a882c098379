"""Conversations become chat messages in the order of the source, and what does not is counted."""

import json

import pytest
from rows_of_parts import batch, row

from assent.pipeline.messages import MessageCounts, lines


def messages(*rows: dict) -> list[dict]:
    """The messages of one conversation, which a question and an answer at the end make complete."""
    (line,) = lines(batch(*rows, row("last?"), row("last.", by="assistant")), MessageCounts())
    found = json.loads(line)["messages"]
    assert found[-2:] == [{"role": "user", "content": "last?"}, {"role": "assistant", "content": "last."}]
    return found[:-2]


def test_each_speaker_keeps_the_role_and_the_order() -> None:
    found = messages(
        row("be kind", by="system"), row("hi"), row("hello", by="assistant"), row("42", by="tool", tool="sum")
    )
    assert found == [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "tool", "name": "sum", "content": "42"},
    ]


def test_parts_of_one_turn_and_speaker_are_one_message() -> None:
    assert messages(row("a", turn="1"), row("b", turn="1"), row("c", turn="2")) == [
        {"role": "user", "content": "a\n\nb"},
        {"role": "user", "content": "c"},
    ]


def test_thinking_and_calls_stand_beside_what_was_said() -> None:
    found = messages(
        row("hm", by="assistant", turn="1", marks=["reasoning"]),
        row("I will look.", by="assistant", turn="1"),
        row('{"q":1}', by="assistant", turn="1", marks=["tool-payload"], tool="search"),
        row("found", by="tool", turn="1", marks=["tool-payload"]),
        row("also", by="tool", turn="1", marks=["tool-payload"]),
        row("So.", by="assistant", turn="1"),
    )
    assert found == [
        {
            "role": "assistant",
            "content": "I will look.",
            "reasoning_content": "hm",
            "tool_calls": [{"type": "function", "function": {"name": "search", "arguments": '{"q":1}'}}],
        },
        {"role": "tool", "content": "found"},
        {"role": "tool", "content": "also"},
        {"role": "assistant", "content": "So."},
    ]


def test_a_line_names_its_decisions_and_each_receipt_once() -> None:
    rows = row("a", receipt="r1"), row("b", by="assistant", receipt="r1"), row("c", receipt="r2")
    (line,) = lines(batch(*rows), MessageCounts())
    record = json.loads(line)
    assert record["id"] == "c"
    assert record["decisions"] == ["decision of a", "decision of b", "decision of c"]
    assert record["receipts"] == ["r1", "r2"]


def test_what_nobody_said_is_counted_and_left_out() -> None:
    counts = MessageCounts()
    rows = (
        row("a"),
        row("b", by="assistant"),
        row("", data="image"),
        row("up", data="feedback"),
        row("0.9", data="score"),
    )
    (line,) = lines(batch(*rows), counts)
    assert [message["content"] for message in json.loads(line)["messages"]] == ["a", "b"]
    assert len(json.loads(line)["decisions"]) == 2
    assert counts.silent == {"no text": 1, "feedback": 1, "score": 1}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([row("a"), row("b", by="system")], "no assistant message"),
        ([row("a", by="assistant"), row("b", by="tool")], "no user message"),
        ([row("", data="image"), row("a", by="assistant")], "no user message"),
    ],
)
def test_one_sided_conversations_are_left_out(rows: list[dict], reason: str) -> None:
    counts = MessageCounts()
    other = [row("q", conversation="d"), row("a", conversation="d", by="assistant")]
    (line,) = lines(batch(*rows, *other), counts)
    assert json.loads(line)["id"] == "d"
    assert (counts.written, counts.left_out) == (1, {reason: 1})


def test_a_line_is_one_line_whatever_the_text_holds() -> None:
    text = 'a\nb\r"\u2028\u2029 \x00 \\ 😀'
    (line,) = lines(batch(row(text), row("b", by="assistant")), MessageCounts())
    assert b"\n" not in line
    assert json.loads(line)["messages"][0]["content"] == text
