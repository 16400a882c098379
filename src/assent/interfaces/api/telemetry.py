"""The live way in: turns as a gateway tells them, and OpenTelemetry traces as instrumented applications send them."""

from __future__ import annotations

import hmac
import json
import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import orjson
from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, JsonValue, StringConstraints

from assent.connectors.telemetry.otlp import Unread, from_json, from_protobuf
from assent.connectors.telemetry.reading import Reading, read_spans
from assent.connectors.telemetry.turns import FORMAT, MAX_MESSAGES, Turn
from assent.domain.conversation import Mode, Surface
from assent.domain.errors import Invalid
from assent.domain.instants import format_instant
from assent.interfaces.api.access import Needs
from assent.interfaces.api.gate import TRACES, TURNS
from assent.interfaces.api.problems import KINDS, StatusError
from assent.interfaces.api.resource import PLAIN, Input, Instant, Name, Output, Relaying, Word, resource
from assent.interfaces.api.world import World
from assent.services.live import LiveDesk, Taken, take_turns
from assent.services.tokens import Caller

PREFIX: Final = "/otlp"

MAX_TURNS: Final = 100
"""Turns of one request."""

MAX_SPANS: Final = 10_000
"""Spans of one request; what an exporter sends at once is some hundred."""

_JSON: Final = "application/json"
_PROTOBUF: Final = "application/x-protobuf"
_NAMED: Final = 20
"""Spans that could not be read, named one by one; further ones are counted."""

Telling = Annotated[Caller, Depends(Needs("product", "engineer"))]
"""A chat product or gateway, or an engineer's collector."""


_Told = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PLAIN)]
"""As `Name`, but one that is blank costs its own turn and not the whole call."""


class TurnIn(Input):
    """One call of a model. `input` may repeat what was said before; the same message counts once.

    `format` is what the source is called: the conversation is `FORMAT:CONVERSATION` here. `plan` is one that the
    policies name. Messages are those of chat APIs: `role`, `content`, `tool_calls`.
    """

    format: Annotated[str, StringConstraints(pattern=f"^{FORMAT.pattern}$")]
    conversation: Name
    turn: Name
    subject: _Told
    plan: _Told | None = None
    project: Word = ""
    surface: Surface = "chat"
    mode: Mode = "normal"
    started_at: Instant
    ended_at: Instant | None = None
    input: list[dict[str, JsonValue]] = Field(default_factory=list, max_length=MAX_MESSAGES)
    output: list[dict[str, JsonValue]] = Field(default_factory=list, max_length=MAX_MESSAGES)


class TurnsIn(Relaying):
    """Turns, in any order."""

    turns: list[TurnIn] = Field(min_length=1, max_length=MAX_TURNS)


class TurnOut(Output):
    """What became of one turn. `purposes`: those whose cuts something new of it may enter now.

    `why`: why it was not kept, or why there is no such purpose, in the sentences of the policy.
    """

    conversation: str
    turn: str
    status: Literal["new", "grown", "unchanged", "erased before", "not kept", "unreadable"]
    why: str
    purposes: list[str]


class TurnsOut(Output):
    """One answer for each turn, in their order."""

    turns: list[TurnOut]


def error_form(status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    """Answer an error as OTLP does: a `google.rpc.Status`, in JSON."""
    return Response(orjson.dumps({"code": _CODES.get(status, 2), "message": detail}), status, headers, _JSON)


FORMS: Final = {f"{PREFIX}/": error_form}
"""The form of errors under this prefix."""

# google.rpc.Code: 3 invalid argument, 4 too late, 7 not permitted, 8 too much, 9 not now, 14 unavailable, 16 unknown
_CODES: Final = {400: 3, 408: 4, 403: 7, 409: 9, 413: 8, 415: 3, 422: 3, 401: 16, 503: 14}


def router(world: World) -> APIRouter:
    """Return the routes of what comes in live."""
    routes = resource("telemetry")
    _add_turns(routes, world)
    foreign = APIRouter(tags=["telemetry"], generate_unique_id_function=lambda route: route.name)
    _add_traces(foreign, world)
    routes.routes.extend(foreign.routes)
    return routes


def _add_turns(routes: APIRouter, world: World) -> None:
    @routes.post(TURNS)
    def add_turns(what: TurnsIn, _caller: Telling) -> TurnsOut:
        """Take turns in as they happen, and say of each what was decided.

        The same turn again changes nothing. What the policy would erase at once, what belongs to a business plan or to
        another person's conversation, and what was erased before is not kept; the answer says why.
        """
        turns = [_turn(one) for one in what.turns]
        return TurnsOut(turns=[TurnOut.model_validate(one, from_attributes=True) for one in _take(world, turns)])


def _turn(one: TurnIn) -> Turn:
    plain = {name: getattr(one, name) for name in TurnIn.model_fields if name not in ("turn", "input", "output")}
    return Turn(id=one.turn, input=tuple(one.input), output=tuple(one.output), **plain)


def _add_traces(routes: APIRouter, world: World) -> None:
    @routes.post(TRACES, **_DESCRIPTION)
    async def add_traces(request: Request, _caller: Telling) -> Response:
        """Take OpenTelemetry traces in (OTLP/HTTP, protobuf or JSON, gzip or plain).

        Spans in the GenAI or OpenInference conventions become turns of their conversations; others are passed over. A
        span that cannot be read is counted in `partial_success` and named there by its id; the others are taken.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (_JSON, _PROTOBUF):
            raise StatusError(415, "the body is neither protobuf nor JSON", f"send `Content-Type: {_PROTOBUF}`")
        body = _plain(await request.body(), request.headers.get("content-encoding", ""), world)
        unread = await to_thread.run_sync(_take_traces, world, body, kind)
        return _answer(unread, kind)


def _plain(body: bytes, encoding: str, world: World) -> bytes:
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() != "gzip":
        raise StatusError(415, "the body is encoded in a way that is not read here", "use gzip, or none")
    limit = world.settings.max_telemetry_bytes
    reader = zlib.decompressobj(wbits=31)
    try:
        found = reader.decompress(body, limit)
    except zlib.error:
        raise StatusError(400, "the body is not gzip", "send what `Content-Encoding` says") from None
    if reader.unconsumed_tail:
        raise StatusError(413, f"the body is larger than {limit:,} bytes when it is unpacked", "send less at once")
    if not reader.eof:
        raise StatusError(400, "the body ends too early", "send it whole")
    return found


def _take_traces(world: World, body: bytes, kind: str) -> list[Unread]:
    try:
        spans = list(from_json(body) if kind == _JSON else from_protobuf(body))
    except Invalid as problem:
        raise StatusError(400, problem.message, problem.fix) from None
    except ModuleNotFoundError:
        raise StatusError(415, "protobuf is not read here", "pip install 'assent[otlp]', or send JSON") from None
    if len(spans) > MAX_SPANS:
        raise StatusError(413, f"these are more than {MAX_SPANS:,} spans", "send less at once")
    reading = read_spans(spans)
    taken = _take(world, reading.turns)
    _say(world, reading, taken)
    broken = [Unread(f"span {one.turn}", one.why) for one in taken if one.status == "unreadable"]
    return [*reading.unread, *broken]


def _take(world: World, turns: list[Turn]) -> list[Taken]:
    policies = [policy for policy, _ in world.policies]
    key = hmac.digest(world.keys.subjects(), b"turns", "sha256")
    return take_turns(LiveDesk(world.store, policies, key), turns, now=world.now())


def _say(world: World, reading: Reading, taken: list[Taken]) -> None:
    """Count, in the server's own record, what became of spans: no ids, no content."""
    counts = Counter[str](one.status for one in taken)
    if reading.turns or reading.unread:
        left = Counter(one.why for one in taken if one.status == "not kept")
        line = {
            "at": format_instant(world.now()),
            "turns": counts,
            "not kept": left,
            "unread": len(reading.unread),
            "silent": reading.silent,
        }
        world.say(orjson.dumps(line).decode())


def _answer(unread: list[Unread], kind: str) -> Response:
    """Answer in the form of the request: an `ExportTraceServiceResponse`, empty where all was read."""
    named = "; ".join(f"{one.span}: {one.problem}" for one in unread[:_NAMED])
    more = f"; and {len(unread) - _NAMED:,} more" if len(unread) > _NAMED else ""
    if kind == _JSON:
        partial = {"partialSuccess": {"rejectedSpans": str(len(unread)), "errorMessage": named + more}}
        return Response(json.dumps(partial if unread else {}), 200, None, _JSON)
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - of an extra
        ExportTracePartialSuccess,
        ExportTraceServiceResponse,
    )

    told = ExportTraceServiceResponse()
    if unread:
        told.partial_success.CopyFrom(ExportTracePartialSuccess(rejected_spans=len(unread), error_message=named + more))
    return Response(told.SerializeToString(), 200, None, _PROTOBUF)


_REQUEST: Final = {
    "type": "object",
    "description": "An `ExportTraceServiceRequest` of opentelemetry-proto.",
    "properties": {"resourceSpans": {"type": ["array", "null"], "items": {"type": "object"}}},
}
_SUCCESS: Final = {
    "type": "object",
    "properties": {
        "partialSuccess": {
            "type": "object",
            "properties": {"rejectedSpans": {"type": "string"}, "errorMessage": {"type": "string"}},
        }
    },
}
_STATUS: Final = {"type": "object", "properties": {"code": {"type": "integer"}, "message": {"type": "string"}}}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "taken", "content": {_JSON: {"schema": _SUCCESS}}},
    **{
        status: {"description": KINDS[status][1], "content": {_JSON: {"schema": _STATUS}}}
        for status in (400, 401, 403, 408, 413, 415, 503)
    },
}
_DESCRIPTION: Final[dict[str, Any]] = {
    "responses": _ANSWERS,
    "openapi_extra": {"requestBody": {"required": True, "content": {_JSON: {"schema": _REQUEST}}}},
}
