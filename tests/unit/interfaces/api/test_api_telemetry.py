"""Turns come in live, by REST and as OpenTelemetry traces from the real SDK: each counts once, and policy decides."""

import contextlib
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from tests.unit.interfaces.api.server import START, Api

from assent.domain.instants import format_instant
from assent.store.records import Account, ConversationFilter, Page

TRACES = "/otlp/v1/traces"
BODY = {"content-type": "application/json"}

ASKED, ANSWERED = "how does a tide work", "the moon pulls the sea"
AGAIN, THEN = "and the sun", "it pulls too, less"


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def model(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def turn(number: int = 1, *, minutes: float | None = None, **more: Any) -> dict[str, Any]:
    """The first turn shows itself, the second the whole history."""
    at = START - timedelta(hours=1) + timedelta(minutes=number if minutes is None else minutes)
    said = {
        1: ([user(ASKED)], [model(ANSWERED)]),
        2: ([user(ASKED), model(ANSWERED), user(AGAIN)], [model(THEN)]),
    }[number]
    told = {"format": "gateway", "conversation": "c-1", "turn": f"call-{number}", "subject": "p-1", "plan": "pro"}
    times = {"started_at": format_instant(at), "ended_at": format_instant(at + timedelta(seconds=5))}
    return {**told, **times, "input": said[0], "output": said[1], **more}


def take(api: Api, *turns: dict[str, Any]) -> list[dict[str, Any]]:
    answer = api.post("/v1/turns", {"turns": list(turns)})
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["turns"]
    return told


def kept(api: Api, name: str = "gateway:c-1") -> list[tuple[str, str]]:
    stored = api.world.store.conversation(name)
    if stored is None:
        return []
    texts = api.world.store.content_of([part.key for part in stored.parts])
    return [(part.speaker, texts[part.key]) for part in stored.parts]


WHOLE = [("user", ASKED), ("assistant", ANSWERED), ("user", AGAIN), ("assistant", THEN)]


# -- turns ----------------------------------------------------------------------------------


def test_a_turn_is_kept_and_a_repeated_history_adds_only_what_is_new(api: Api) -> None:
    assert [one["status"] for one in take(api, turn(1))] == ["new"]
    assert [one["status"] for one in take(api, turn(2))] == ["grown"]
    assert kept(api) == WHOLE
    stored = api.world.store.conversation("gateway:c-1")
    assert stored is not None
    assert stored.entry.subject == "p-1"
    assert stored.entry.last_turn_at == START - timedelta(minutes=58)
    assert [part.plan for part in stored.parts] == ["pro"] * 4


@pytest.mark.parametrize("together", [True, False], ids=["in one request", "one by one"])
def test_order_and_repetition_change_nothing(api: Api, together: bool) -> None:
    turns = [turn(number) for number in (2, 2, 1, 1, 2)]
    for some in [turns] if together else [[one] for one in turns]:
        take(api, *some)
    assert kept(api) == WHOLE
    stored = api.world.store.conversation("gateway:c-1")
    assert stored is not None
    first = START - timedelta(minutes=59)
    times = [first, first + timedelta(seconds=5), first + timedelta(minutes=1), first + timedelta(minutes=1, seconds=5)]
    assert [part.created_at for part in stored.parts] == times
    assert all(one["status"] == "unchanged" for one in take(api, turn(1), turn(2)))


def test_a_history_whose_turns_were_never_told_has_no_times_of_its_own(api: Api) -> None:
    take(api, turn(2))
    stored = api.world.store.conversation("gateway:c-1")
    assert stored is not None
    assert [part.created_at is None for part in stored.parts] == [True, True, False, False]


def test_turns_that_show_only_themselves_follow_each_other(api: Api) -> None:
    second = turn(2, input=[user(AGAIN)])
    take(api, turn(1))
    take(api, second)
    assert kept(api) == WHOLE


def test_an_answer_that_is_generated_anew_stands_beside_the_first(api: Api) -> None:
    take(api, turn(1), turn(1, minutes=3, turn="call-1b", output=[model("look at the moon")]))
    assert kept(api) == [*WHOLE[:2], ("assistant", "look at the moon")]


def test_the_same_words_twice_count_twice_where_a_turn_shows_both(api: Api) -> None:
    said = [user("go on"), model("one"), user("go on")]
    take(api, turn(1, input=said[:1], output=said[1:2]), turn(2, input=said, output=[model("two")]))
    assert [text for _, text in kept(api)] == ["go on", "one", "go on", "two"]


def test_reasoning_that_a_client_leaves_out_of_what_it_repeats_is_kept_once(api: Api) -> None:
    take(api, turn(1, output=[{**model(ANSWERED), "reasoning_content": "think of the moon"}]))
    take(api, turn(2))
    assert [text for _, text in kept(api)] == [ASKED, "think of the moon", ANSWERED, AGAIN, THEN]


# -- what is not kept -----------------------------------------------------------------------


def test_a_business_plan_is_not_kept_whoever_says_it(api: Api) -> None:
    assert take(api, turn(1, plan="team"))[0]["status"] == "not kept"
    api.world.store.put_accounts([Account("p-2", plan="enterprise")])
    (told,) = take(api, turn(1, subject="p-2", plan="pro"))
    assert (told["status"], told["why"]) == ("not kept", "a business plan is out of scope")
    assert kept(api) == []


def test_what_the_policy_would_erase_at_once_is_not_written(api: Api) -> None:
    (told,) = take(api, turn(1, minutes=-60 * 24 * 400))
    assert told["status"] == "not kept"
    assert told["why"]
    assert kept(api) == []


def test_another_person_adds_nothing_to_a_conversation(api: Api) -> None:
    told = take(api, turn(1), turn(2, subject="p-2"))
    assert [one["status"] for one in told] == ["new", "not kept"]
    assert kept(api) == WHOLE[:2]


def test_whoever_allowed_it_is_told_that_it_may_be_trained_on_and_nobody_else(api: Api) -> None:
    from assent.services.intake import import_choices

    api.world.store.put_accounts([Account("p-1", plan="pro", age=40), Account("p-3", plan="pro", age=40)])
    at = format_instant(START - timedelta(days=2))
    shown = {"notice": f"sha256:{'0' * 64}", "surface": "web"}
    line = {"subject": "p-1", "purpose": "training", "act": "allow", "at": at, **shown}
    import_choices([json.dumps(line).encode()], api.world.store, api.world.log, now=START)
    allowed, silent = take(api, turn(1), turn(1, conversation="c-3", subject="p-3"))
    assert "training" in allowed["purposes"]
    assert "training" not in silent["purposes"]


def test_a_turn_of_a_blank_person_costs_no_other_turn(api: Api) -> None:
    told = take(api, turn(1, conversation="c-2", subject="  "), turn(1))
    assert [one["status"] for one in told] == ["not kept", "new"]


def test_a_plan_that_no_policy_knows_stays_a_gap(api: Api) -> None:
    (told,) = take(api, turn(1, plan="gold"))
    assert (told["status"], told["purposes"]) == ("new", [])
    account = api.world.store.account("p-1")
    assert account is None or account.plan is None


def test_a_message_that_cannot_be_read_is_named_without_content_and_the_others_are_taken(api: Api) -> None:
    broken = turn(1, conversation="c-2", input=[{"role": "wizard", "content": "abracadabra"}])
    told = take(api, broken, turn(1))
    assert [one["status"] for one in told] == ["unreadable", "new"]
    assert told[0]["why"] == "message 1: it has no known role"


def test_a_great_number_that_a_tool_was_given_is_kept_as_it_was_told(api: Api) -> None:
    given = {"order": 2**63 + 1, "of": [-(2**53) - 1, 10**30]}
    call = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "find", "arguments": given}}]}
    assert take(api, turn(1, output=[call]))[0]["status"] == "new"
    assert f'{{"of":[{-(2**53) - 1},{10**30}],"order":{2**63 + 1}}}' in kept(api)[1][1]


def test_a_turn_with_a_long_history_may_be_larger_than_other_requests(api: Api) -> None:
    assert take(api, turn(1, input=[user("x" * 2_000_000)]))[0]["status"] == "new"


def test_products_and_engineers_may_tell_and_others_may_not(api: Api) -> None:
    for role, status in (("product", 200), ("engineer", 200), ("auditor", 403), (None, 401)):
        assert api.post("/v1/turns", {"turns": [turn(1)]}, role=role).status_code == status
        assert api.call("POST", TRACES, role=role, json={}).status_code == status


def test_nothing_that_was_said_and_nobody_is_in_the_record_of_the_server(api: Api) -> None:
    take(api, turn(1))
    send(api, span(1))
    assert not [line for line in api.said if "tide" in line or "p-1" in line]
    assert any('"turns":{"new":1}' in line for line in api.said)


# -- traces ---------------------------------------------------------------------------------


def attribute(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def span(number: int, **attributes: str) -> dict[str, Any]:
    """A span of `turn`, in the GenAI conventions."""
    told = turn(min(number, 2))
    at = int((START - timedelta(hours=1) + timedelta(minutes=number)).timestamp())

    def parts(messages: list[dict[str, Any]]) -> str:
        return json.dumps(
            [{"role": one["role"], "parts": [{"type": "text", "content": one["content"]}]} for one in messages]
        )

    said = {
        "gen_ai.conversation.id": "c-1",
        "enduser.id": "p-1",
        "assent.plan": "pro",
        "gen_ai.input.messages": parts(told["input"]),
        "gen_ai.output.messages": parts(told["output"]),
    } | {name.replace("__", "."): value for name, value in attributes.items()}
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "startTimeUnixNano": str(at * 10**9),
        "endTimeUnixNano": str((at + 5) * 10**9),
        "attributes": [attribute(*pair) for pair in said.items() if pair[1]],
    }


def send(api: Api, *spans: Any, **options: Any) -> Any:
    return api.call("POST", TRACES, json={"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}, **options)


def test_spans_become_the_turns_of_their_conversation(api: Api) -> None:
    for spans in ([span(2)], [span(1), span(2)], [span(1)]):
        answer = send(api, *spans)
        assert (answer.status_code, answer.json()) == (200, {})
    assert kept(api, "otlp:c-1") == WHOLE


def test_a_gateway_names_the_format_of_its_conversations(api: Api) -> None:
    send(api, span(1, assent__format="litellm"))
    assert kept(api, "litellm:c-1") == WHOLE[:2]


def test_a_span_that_cannot_be_read_is_counted_and_named_and_the_others_are_taken(api: Api) -> None:
    secret = "abracadabra"
    broken = [
        span(3, gen_ai__input__messages=f"[{secret}"),
        span(4, gen_ai__input__messages=json.dumps([{"role": secret, "content": secret}])),
        span(5, gen_ai__conversation__id=""),
        span(6, assent__format="../up"),
        {"traceId": "zz"},
        7,
    ]
    answer = send(api, *broken, span(1))
    partial = answer.json()["partialSuccess"]
    assert partial["rejectedSpans"] == str(len(broken))
    assert "span 0000000000000003: its messages are not JSON" in partial["errorMessage"]
    assert secret not in partial["errorMessage"]
    assert kept(api, "otlp:c-1") == WHOLE[:2]


def test_a_person_of_a_business_plan_leaves_no_trace_and_no_error(api: Api) -> None:
    answer = send(api, span(1, assent__plan="team"))
    assert answer.json() == {}
    assert api.world.store.conversations(ConversationFilter(), Page(1)).total == 0


UNREADABLE: list[tuple[bytes, dict[str, str], int]] = [
    (b"{", BODY, 400),
    (b"[]", BODY, 400),
    (b"\xff\xff\xff", {"content-type": "application/x-protobuf"}, 400),
    (b"{}", {"content-type": "text/plain"}, 415),
    (b"{}", {**BODY, "content-encoding": "br"}, 415),
    (b"{}", {**BODY, "content-encoding": "gzip"}, 400),
    (gzip.compress(b"{}")[:-9], {**BODY, "content-encoding": "gzip"}, 400),
    (gzip.compress(b" " * 17_000_000), {**BODY, "content-encoding": "gzip"}, 413),
    (b" " * 17_000_000, BODY, 413),
]


def test_what_is_no_request_is_answered_as_otlp_does(api: Api) -> None:
    for number, (body, headers, status) in enumerate(UNREADABLE):
        answer = api.call("POST", TRACES, content=body, headers=headers)
        assert (number, answer.status_code, set(answer.json())) == (number, status, {"code", "message"})


# -- the real SDK -----------------------------------------------------------------------------


@contextlib.contextmanager
def serving(api: Api) -> Iterator[str]:
    config = uvicorn.Config(api.app, host="127.0.0.1", port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Watched(OTLPSpanExporter):
    """The real exporter; remembers what came of its exports."""

    results: list[SpanExportResult]

    def export(self, spans: Any) -> SpanExportResult:
        found = super().export(spans)
        self.results = [*getattr(self, "results", []), found]
        return found


@pytest.fixture
def traced(api: Api, socket_enabled: None) -> Iterator[Callable[[Compression], tuple[TracerProvider, Watched]]]:
    with serving(api) as address, contextlib.ExitStack() as stack:

        def provider(compression: Compression) -> tuple[TracerProvider, Watched]:
            token = {"authorization": f"Bearer {api.tokens['engineer']}"}
            exporter = Watched(endpoint=f"{address}{TRACES}", headers=token, compression=compression)
            made = TracerProvider(resource=Resource({"assent.format": "shop"}))
            made.add_span_processor(SimpleSpanProcessor(exporter))
            stack.callback(made.shutdown)
            return made, exporter

        yield provider


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_real_sdk_brings_spans_of_both_conventions_in(
    api: Api, traced: Callable[[Compression], tuple[TracerProvider, Watched]], compression: Compression
) -> None:
    provider, exporter = traced(compression)
    tracer = provider.get_tracer("test")
    at = int((START - timedelta(hours=1)).timestamp() * 10**9)
    parent = NonRecordingSpan(SpanContext(7, 7, is_remote=True, trace_flags=TraceFlags(1)))
    made = tracer.start_span("chat", set_span_in_context(parent), start_time=at)
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": ASKED}]}])
    made.set_attributes({"gen_ai.conversation.id": "g-1", "user.id": "p-1", "gen_ai.input.messages": asked})
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": ANSWERED}], "finish_reason": "stop"}]
    details = {"gen_ai.input.messages": asked, "gen_ai.output.messages": json.dumps(answer)}
    made.set_attribute("gen_ai.output.messages", details["gen_ai.output.messages"])
    made.end(end_time=at + 10**9)
    inferred = tracer.start_span("llm", start_time=at)
    inferred.set_attributes(
        {
            "openinference.span.kind": "LLM",
            "session.id": "o-1",
            "user.id": "p-1",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": ASKED,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.contents.0.message_content.type": "text",
            "llm.output_messages.0.message.contents.0.message_content.text": ANSWERED,
        }
    )
    inferred.end(end_time=at + 10**9)
    tracer.start_span("GET /", start_time=at).end(end_time=at + 1)
    assert exporter.results == [SpanExportResult.SUCCESS] * 3
    assert kept(api, "shop:g-1") == kept(api, "shop:o-1") == WHOLE[:2]
    stored = api.world.store.conversation("shop:g-1")
    assert stored is not None
    assert stored.entry.last_turn_at == datetime.fromtimestamp(at / 10**9, UTC)


def test_partial_success_in_protobuf_names_the_span(api: Api) -> None:
    request = ExportTraceServiceRequest()
    one = request.resource_spans.add().scope_spans.add().spans.add()
    one.trace_id, one.span_id = bytes(15) + b"\1", bytes(7) + b"\2"
    for key, value in (("gen_ai.conversation.id", "c"), ("gen_ai.input.messages", "[1]")):
        pair = one.attributes.add()
        pair.key, pair.value.string_value = key, value
    headers = {"content-type": "application/x-protobuf"}
    answer = api.call("POST", TRACES, content=request.SerializeToString(), headers=headers)
    assert answer.headers["content-type"] == "application/x-protobuf"
    told = ExportTraceServiceResponse.FromString(answer.content)
    assert told.partial_success.rejected_spans == 1
    assert told.partial_success.error_message == "span 0000000000000002: a message is not an object"


@pytest.mark.parametrize("groups", [6.5, "", False, {}, [1], [None]])
def test_what_is_no_list_of_groups_is_no_request(api: Api, groups: object) -> None:
    answer = api.call("POST", TRACES, json={"resourceSpans": groups})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("`resourceSpans` is no list of objects")


def test_a_request_without_groups_says_nothing(api: Api) -> None:
    for body in ({}, {"resourceSpans": None}, {"resourceSpans": []}):
        assert api.call("POST", TRACES, json=body).json() == {}
