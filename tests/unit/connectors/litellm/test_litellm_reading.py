"""A conversation out of a request log in which every request repeats what came before it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assent.connectors.formats.port import Malformed
from assent.connectors.litellm.reading import conversation_of
from assent.domain.conversation import Conversation

BEGIN = datetime(2026, 4, 7, 8, tzinfo=UTC)


@dataclass
class Row:
    started: datetime
    request: Any
    response: Any
    person: str = "p-1"
    messages: Any = None

    @property
    def ended(self) -> datetime:
        return self.started + timedelta(seconds=20)


def chat(minute: int, *said: str, answer: str) -> Row:
    """A request whose messages are by turns the person's and the model's."""
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(said)]
    return Row(BEGIN + timedelta(minutes=minute), {"messages": messages}, answered(answer))


def answered(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text, "annotations": None}}]}


def read(*rows: Row) -> Conversation:
    (record,) = conversation_of("s", rows, "chat")
    assert isinstance(record, Conversation)
    return record


def texts(conversation: Conversation) -> list[tuple[str, str, list[str]]]:
    return [(part.speaker, part.text, sorted(part.marks)) for part in conversation.parts]


def test_what_is_repeated_is_read_once_with_its_first_time() -> None:
    found = read(chat(0, "one", answer="1"), chat(5, "one", "1", "two", answer="2"))
    assert texts(found) == [("user", "one", []), ("assistant", "1", []), ("user", "two", []), ("assistant", "2", [])]
    times = [part.created_at for part in found.parts]
    assert times == [BEGIN + timedelta(seconds=seconds) for seconds in (0, 20, 300, 320)]
    assert (found.id, found.subject, found.records) == ("litellm:s", "p-1", 2)
    assert found.last_turn_at == BEGIN + timedelta(minutes=5)


def test_a_part_has_the_same_id_whenever_and_with_whatever_it_is_read() -> None:
    first, second = chat(0, "one", answer="1"), chat(5, "one", "1", "two", answer="2")
    alone, both = read(first), read(first, second)
    assert [part.id for part in both.parts][:2] == [part.id for part in alone.parts]
    assert [part.id for part in read(second).parts] == [part.id for part in both.parts]
    assert len({part.id for part in both.parts}) == 4


def test_the_same_words_said_twice_are_two_parts() -> None:
    found = read(chat(0, "again", "yes", "again", answer="yes"))
    assert len({part.id for part in found.parts}) == 4


def test_what_was_edited_or_regenerated_away_is_abandoned_and_still_a_turn() -> None:
    edited = read(
        chat(0, "one", answer="1"), chat(1, "one", "1", "typo", answer="?"), chat(2, "one", "1", "two", answer="2")
    )
    assert [text for _, text, marks in texts(edited) if marks == ["abandoned"]] == ["typo", "?"]
    regenerated = read(chat(0, "one", answer="bad"), chat(1, "one", answer="good"))
    assert [text for _, text, marks in texts(regenerated) if marks == ["abandoned"]] == ["bad"]


def test_a_title_that_the_product_asks_for_is_no_turn_of_the_person() -> None:
    title = chat(9, "Give a title. <chat>one</chat>", answer="A title")
    found = read(chat(0, "one", answer="1"), title)
    assert [marks for _, _, marks in texts(found)] == [[], [], ["sidechain"], ["sidechain"]]
    assert found.last_turn_at == BEGIN


def test_a_second_thread_that_quotes_nothing_is_the_persons_own() -> None:
    found = read(chat(0, "one", answer="1"), chat(9, "something else", answer="2"))
    assert {tuple(marks) for _, _, marks in texts(found)} == {()}
    assert found.last_turn_at == BEGIN + timedelta(minutes=9)


def test_a_system_prompt_that_changes_is_context_and_breaks_no_thread() -> None:
    rows = [chat(0, "one", answer="1"), chat(5, "one", "1", "two", answer="2")]
    for day, row in enumerate(rows):
        row.request["messages"].insert(0, {"role": "system", "content": f"today is day {day}"})
    found = texts(read(*rows))
    assert found[:2] == [("system", f"today is day {day}", ["system-context"]) for day in (0, 1)]
    assert [marks for _, _, marks in found[2:]] == [[]] * 4


ANTHROPIC = Row(
    BEGIN,
    {"system": "be brief", "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]},
    {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}]},
)
RESPONSES = Row(
    BEGIN,
    {"instructions": "be brief", "input": "hello"},
    {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}]},
)
ITEMS = Row(
    BEGIN,
    {"instructions": "be brief", "input": [{"role": "user", "content": [{"type": "input_text", "text": "hello"}]}]},
    {"output": [{"type": "reasoning", "summary": []}, RESPONSES.response["output"][0]]},
)
OLD = Row(
    BEGIN,
    {},
    answered("hi"),
    messages=[{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
)
PROMPT = Row(BEGIN, {"system": "be brief", "prompt": "hello"}, {"choices": [{"text": "hi"}]})


@pytest.mark.parametrize("row", [ANTHROPIC, RESPONSES, ITEMS, OLD, PROMPT])
def test_every_api_of_the_proxy_says_the_same(row: Row) -> None:
    assert texts(read(row)) == [
        ("system", "be brief", ["system-context"]),
        ("user", "hello", []),
        ("assistant", "hi", []),
    ]


def test_a_tool_speaks_for_itself_in_every_api() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "look", "arguments": '{"at": "sky"}'}
    output = {"type": "function_call_output", "call_id": "c", "output": "sunny"}
    question = {"role": "user", "content": "weather?"}
    used = {"type": "tool_use", "id": "c", "name": "look", "input": {"at": "sky"}}
    result = {"type": "tool_result", "tool_use_id": "c", "content": "sunny"}
    blocks = [question, {"role": "assistant", "content": [used]}, {"role": "user", "content": [result]}]
    for request in ({"input": [question, call, output]}, {"messages": blocks}):
        found = read(Row(BEGIN, request, {}))
        assert [part.origin for part in found.parts] == ["person", "model", "tool"]
        assert found.last_turn_at == BEGIN
        assert all("tool-payload" in part.marks for part in found.parts[1:])


@pytest.mark.parametrize(
    "request_body", [{"messages": "hello"}, {"messages": [1]}, {"messages": [{"role": "wizard", "content": "x"}]}]
)
def test_a_request_that_cannot_be_read_is_named_and_its_neighbours_are_kept(request_body: Any) -> None:
    records = list(conversation_of("s", [Row(BEGIN, request_body, answered("x")), chat(1, "one", answer="1")], "chat"))
    assert [type(one) for one in records] == [Malformed, Conversation]
    assert records[1].records == 1
    assert "wizard" not in records[0].problem


@pytest.mark.parametrize("request_body", [{}, {"input": ["a", "b"]}, None, [], "text"])
def test_a_request_in_which_nobody_speaks_is_no_conversation(request_body: Any) -> None:
    assert list(conversation_of("s", [Row(BEGIN, request_body, {"data": [{"embedding": [1]}]})], "chat")) == []
