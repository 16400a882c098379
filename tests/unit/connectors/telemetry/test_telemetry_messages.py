"""What spans say was said, in every convention that is in use, and what is no message."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.connectors.formats.messages import Reader
from assent.connectors.telemetry.messages import loose, said
from assent.connectors.telemetry.otlp import Unread, from_json
from assent.connectors.telemetry.reading import read_spans
from assent.connectors.telemetry.said import woven
from assent.connectors.telemetry.spans import Span, SpanEvent, at, items, tree
from assent.domain.errors import Invalid

TRACE, ONE, OTHER = "1" * 32, "2" * 16, "3" * 16


def span(attributes: dict[str, Any], events: list[tuple[str, dict[str, Any]]] | None = None, **more: Any) -> Span:
    made = tuple(SpanEvent(name, tree(found.items())) for name, found in events or [])
    return Span(more.pop("trace", TRACE), more.pop("id", ONE), attributes=tree(attributes.items()), events=made, **more)


def told(one: Span) -> list[tuple[str, str, str, str]]:
    """Every part that a span comes to: speaker, data class, marks, text."""
    reader, names = Reader(), dict[str, str]()
    parts = [part for side in said(one) for message in side for part in reader.message(dict(message), "t", names)]
    return [(part.speaker, part.data, ",".join(sorted(part.marks)), part.text) for part in parts]


GEN_AI_INPUT = [
    {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}, {"type": "uri", "modality": "image"}]},
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "look it up"},
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}},
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"rain": True}}]},
]
GEN_AI_OUTPUT = [{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}], "finish_reason": "stop"}]
WEATHER = [
    ("system", "text", "system-context", "Be brief."),
    ("user", "text", "", "Weather in Paris?"),
    ("user", "image", "", ""),
    ("assistant", "text", "reasoning", "look it up"),
    ("assistant", "text", "tool-payload", '{"city":"Paris"}'),
    ("tool", "text", "tool-payload", '{"rain":true}'),
    ("assistant", "text", "", "Rain."),
]


@pytest.mark.parametrize("structured", [True, False])
@pytest.mark.parametrize("on_event", [True, False])
def test_gen_ai_messages_are_read_from_span_or_event_as_text_or_structured(structured: bool, on_event: bool) -> None:
    written = (lambda value: value) if structured else json.dumps
    attributes = {
        "gen_ai.system_instructions": written([{"type": "text", "content": "Be brief."}]),
        "gen_ai.input.messages": written(GEN_AI_INPUT),
        "gen_ai.output.messages": written(GEN_AI_OUTPUT),
    }
    event = [("gen_ai.client.inference.operation.details", attributes)]
    assert told(span({}, event) if on_event else span(attributes)) == WEATHER


HELLO = [("user", "text", "", "hello"), ("assistant", "text", "", "hi")]


@pytest.mark.parametrize(
    "one",
    [
        span({}, [("gen_ai.user.message", {"content": "hello"}), ("gen_ai.choice", {"message": '{"content": "hi"}'})]),
        span({"gen_ai.prompt": '[{"role": "user", "content": "hello"}]', "gen_ai.completion": "hi"}),
        span(
            {
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "hello",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": "hi",
            }
        ),
        span({}, [("gen_ai.content.prompt", {"gen_ai.prompt": "hello"}),
                  ("gen_ai.content.completion", {"gen_ai.completion": "hi"})]),
        span(
            {
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": "hello",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.contents.0.message_content.type": "text",
                "llm.output_messages.0.message.contents.0.message_content.text": "hi",
            }
        ),
    ],
    ids=["events", "whole", "numbered", "content events", "openinference"],
)  # fmt: skip
def test_other_conventions_say_the_same(one: Span) -> None:
    assert told(one) == HELLO


def test_tool_calls_of_openinference_are_payloads() -> None:
    call = "llm.output_messages.0.message.tool_calls.0.tool_call"
    attributes = {
        "llm.output_messages.0.message.role": "assistant",
        f"{call}.id": "c1",
        f"{call}.function.name": "weather",
        f"{call}.function.arguments": '{"city": "Paris"}',
    }
    assert told(span(attributes)) == [("assistant", "text", "tool-payload", '{"city":"Paris"}')]


def test_a_span_of_something_else_says_nothing() -> None:
    assert said(span({"http.method": "GET", "input.value": "kept apart"})) == ([], [])


@pytest.mark.parametrize("value", ["[", "[1]"])
def test_what_is_no_message_is_refused_without_a_word_of_it(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        said(span({"gen_ai.input.messages": value}))
    assert value not in refused.value.message


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("hello", ["hello"]),
        ({"messages": [{"role": "user", "content": "hello"}]}, ["hello"]),
        ({"role": "user", "content": "hello"}, ["hello"]),
        ({"question": "hello"}, ['{"question":"hello"}']),
        (None, []),
        ("", []),
    ],
)
def test_inputs_of_applications_come_in_many_wrappings(value: object, texts: list[str]) -> None:
    assert [message["content"] for message in loose(value, "user")] == texts


# -- traces -----------------------------------------------------------------------------------


def chat(**more: Any) -> Span:
    asked = {"gen_ai.input.messages": json.dumps(GEN_AI_INPUT[:1])}
    return span({**asked, **more.pop("attributes", {})}, **more)


def test_what_the_spans_of_a_trace_agree_on_holds_for_all_of_them() -> None:
    root = span({"session.id": "s", "user.id": 7, "assent.plan": "pro"}, id=OTHER)
    (turn,) = read_spans([chat(parent=OTHER), root]).turns
    assert (turn.conversation, turn.subject, turn.plan) == ("s", "7", "pro")


def test_what_they_do_not_agree_on_holds_for_none() -> None:
    others = [span({"session.id": one}, id=one * 16) for one in "45"]
    reading = read_spans([chat(), *others])
    assert not reading.turns
    assert "names no conversation" in reading.unread[0].problem


def test_input_and_output_of_a_whole_trace_count_only_where_no_span_has_messages() -> None:
    root = {"session.id": "s", "input.value": '{"messages": [{"role": "user", "content": "hello"}]}'}
    root |= {"input.mime_type": "application/json", "output.value": "hi"}
    (alone,) = read_spans([span(root, id=OTHER)]).turns
    assert (alone.input[0]["content"], alone.output[0]["content"]) == ("hello", "hi")
    (inner,) = read_spans([span(root, id=OTHER), chat(parent=OTHER)]).turns
    assert inner.id == ONE


@pytest.mark.parametrize("mode", ["Private", "nobody", "x" * 300])
def test_a_mode_that_is_not_known_is_never_taken_for_normal(mode: str) -> None:
    reading = read_spans([chat(attributes={"session.id": "s", "assent.mode": mode})])
    assert not reading.turns
    assert mode not in reading.unread[0].problem


# -- shapes -----------------------------------------------------------------------------------


def test_a_name_that_is_also_the_beginning_of_another_keeps_both() -> None:
    for pairs in ([("a", "own"), ("a.b", 1)], [("a.b", 1), ("a", "own")]):
        found = tree(pairs)
        assert at(found, "a") == "own"
        assert at(found, "a.b") == 1


names = st.lists(st.sampled_from(["a", "b", "0", "1", "2", ""]), min_size=1, max_size=5).map(".".join)


@given(st.lists(st.tuples(names, st.integers() | st.text(max_size=5))))
def test_no_attributes_break_the_tree(pairs: list[tuple[str, object]]) -> None:
    found = tree(pairs)
    if pairs:
        assert at(found, pairs[-1][0]) == pairs[-1][1]
    items(found)
    said(Span(TRACE, ONE, attributes=found))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "stringValue", "traceId",
                         "spanId", "arrayValue", "values", "kvlistValue", "intValue", "events", "resource"]),
        inner, max_size=4),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=150)
@given(json_values)
def test_whatever_comes_as_a_request_is_read_or_refused(value: object) -> None:
    try:
        spans = list(from_json(json.dumps(value).encode()))
    except Invalid:
        return
    assert all(isinstance(one, Span | Unread) for one in spans)
    read_spans(spans)


# -- order ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "new", "made"),
    [
        ("", "abc", "abc"),
        ("abc", "abcd", "abcd"),
        ("ac", "abc", "abc"),
        ("c", "abc", "abc"),
        ("abc", "d", "abcd"),
        ("abc", "ad", "abcd"),
        ("abcd", "bd", "abcd"),
        ("bd", "abcde", "abcde"),
    ],
)
def test_messages_are_woven_into_the_order_of_their_conversation(order: str, new: str, made: str) -> None:
    assert "".join(woven(order, new)) == made


@given(st.permutations("abcdefg"), st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_weaving_loses_nothing_and_keeps_the_order_that_was(order: list[str], new: list[str]) -> None:
    made = woven(order, new)
    assert [one for one in made if one in order] == order
    assert sorted(made) == sorted({*order, *new})
