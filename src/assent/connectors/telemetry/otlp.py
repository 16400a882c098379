"""OTLP trace requests (opentelemetry-proto 1.x), in protobuf and in JSON, read into spans.

A span that cannot be read is `Unread`, by its number in the request; the others are read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from assent.connectors.formats.fields import instant, mapping, sequence
from assent.connectors.telemetry.spans import Span, SpanEvent, Tree, tree
from assent.domain.errors import Invalid

_TRACE: Final = re.compile(r"[0-9a-f]{32}")
_SPAN: Final = re.compile(r"[0-9a-f]{16}")
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Unread:
    """A span that cannot be read. `span` names it, as far as it has a name; `problem` quotes nothing."""

    span: str
    problem: str


def from_json(body: bytes) -> Iterator[Span | Unread]:
    """Read a request in OTLP/JSON. Raises `Invalid` if it is none."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid("the body is not JSON", "send an ExportTraceServiceRequest as OTLP/JSON") from None
    if not isinstance(request, dict):
        raise Invalid("the body is not an object", "send an ExportTraceServiceRequest as OTLP/JSON")
    groups = request.get("resourceSpans")
    if groups is not None and not (isinstance(groups, list) and all(isinstance(group, dict) for group in groups)):
        raise Invalid("`resourceSpans` is no list of objects", "send an ExportTraceServiceRequest as OTLP/JSON")
    return _numbered(_of_json(request), _json_span)


def from_protobuf(body: bytes) -> Iterator[Span | Unread]:
    """Read a request in protobuf. Raises `Invalid` if it is none, `ModuleNotFoundError` without the extra `otlp`."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415 - of an extra
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415
        ExportTraceServiceRequest,
    )

    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise Invalid("the body is not protobuf", "send an ExportTraceServiceRequest") from None
    return _numbered(_of_protobuf(request), _protobuf_span)


Pair = tuple[Any, Tree]


def _numbered(pairs: Iterable[Pair], read: Callable[[Any, Tree], Span]) -> Iterator[Span | Unread]:
    for number, (span, resource) in enumerate(pairs, 1):
        try:
            yield read(span, resource)
        except Invalid as problem:
            yield Unread(f"span {number}", problem.message)


def _span(
    ids: tuple[str, str, str],
    times: tuple[object, object],
    attributes: Tree,
    events: Iterable[tuple[object, Tree]],
    resource: Tree,
) -> Span:
    trace, own, parent = (one.lower() for one in ids)
    if not _TRACE.fullmatch(trace) or not _SPAN.fullmatch(own):
        raise Invalid("its ids are not those of a span")
    started, ended = (_time(one) for one in times)
    happened = tuple(SpanEvent(str(name), found) for name, found in events)
    return Span(trace, own, parent.strip("0"), started, ended, attributes, happened, resource)


def _time(nanoseconds: object) -> datetime | None:
    """Read nanoseconds since 1970: a number, or its digits, as JSON writes 64 bits. 0 is no time."""
    if isinstance(nanoseconds, str) and nanoseconds.isdecimal() and len(nanoseconds) < 21:
        nanoseconds = int(nanoseconds)
    return instant(nanoseconds) if nanoseconds else None


# -- JSON ---------------------------------------------------------------------------------


def _of_json(request: Mapping[str, object]) -> Iterator[Pair]:
    for group in sequence(request.get("resourceSpans")):
        resource = _attributes(mapping(mapping(group).get("resource")).get("attributes"))
        for scope in sequence(mapping(group).get("scopeSpans")):
            yield from ((span, resource) for span in sequence(mapping(scope).get("spans")))


def _json_span(span: object, resource: Tree) -> Span:
    if not isinstance(span, dict):
        raise Invalid("it is not an object")
    ids = tuple(str(span.get(key) or "") for key in ("traceId", "spanId", "parentSpanId"))
    return _span(
        (ids[0], ids[1], ids[2]),
        (span.get("startTimeUnixNano"), span.get("endTimeUnixNano")),
        _attributes(span.get("attributes")),
        ((one.get("name"), _attributes(one.get("attributes"))) for one in map(mapping, sequence(span.get("events")))),
        resource,
    )


def _attributes(pairs: object) -> Tree:
    return tree((str(pair.get("key")), _json_value(pair.get("value"), 0)) for pair in map(mapping, sequence(pairs)))


def _json_value(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        raise Invalid("a value lies too deep")
    for kind, inner in mapping(value).items():
        if kind == "arrayValue":
            return [_json_value(one, depth + 1) for one in sequence(mapping(inner).get("values"))]
        if kind == "kvlistValue":
            pairs = map(mapping, sequence(mapping(inner).get("values")))
            return {str(pair.get("key")): _json_value(pair.get("value"), depth + 1) for pair in pairs}
        if kind == "intValue" and isinstance(inner, str) and re.fullmatch(r"-?[0-9]{1,19}", inner):
            return int(inner)
        if kind in ("stringValue", "boolValue", "intValue", "doubleValue"):
            return inner
    return None


# -- protobuf -----------------------------------------------------------------------------


def _of_protobuf(request: Any) -> Iterator[Pair]:
    for group in request.resource_spans:
        resource = _pairs(group.resource.attributes)
        for scope in group.scope_spans:
            yield from ((span, resource) for span in scope.spans)


def _protobuf_span(span: Any, resource: Tree) -> Span:
    return _span(
        (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()),
        (span.start_time_unix_nano, span.end_time_unix_nano),
        _pairs(span.attributes),
        ((event.name, _pairs(event.attributes)) for event in span.events),
        resource,
    )


def _pairs(pairs: Any) -> Tree:
    return tree((pair.key, _protobuf_value(pair.value, 0)) for pair in pairs)


def _protobuf_value(value: Any, depth: int) -> object:
    if depth > _DEEPEST:
        raise Invalid("a value lies too deep")
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_protobuf_value(one, depth + 1) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _protobuf_value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    return None if kind in (None, "bytes_value") else getattr(value, kind)
