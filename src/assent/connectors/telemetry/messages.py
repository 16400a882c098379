"""What a span says was said: messages in the conventions that are in use, written as chat APIs write them.

Read, in this order, the first that is there:

- OpenTelemetry GenAI: `gen_ai.input.messages`, `gen_ai.output.messages`, `gen_ai.system_instructions`, as JSON text or
  structured, on the span or on its event `gen_ai.client.inference.operation.details`; its older forms: one event a
  message (`gen_ai.user.message`, `gen_ai.choice`), `gen_ai.prompt` and `gen_ai.completion`, whole or numbered
- OpenInference: `llm.input_messages`, `llm.output_messages`; where a trace has none, `input.value` and `output.value`
  of its first span
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from assent.connectors.formats.fields import json_text, mapping, string
from assent.connectors.telemetry.spans import Span, at, items
from assent.connectors.telemetry.turns import Message
from assent.domain.errors import Invalid

Said = tuple[list[Message], list[Message]]
"""What went in, and what came out."""

_DETAILS: Final = "gen_ai.client.inference.operation.details"
_EVENT_ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_MEDIA: Final = {"image": "image", "audio": "audio", "video": "video"}


def said(span: Span) -> Said:
    """Read what was said; two empty lists if the span holds no content. Raises `Invalid` for what is no message."""
    for attributes in (span.attributes, *(event.attributes for event in span.events if event.name == _DETAILS)):
        found = _gen_ai(attributes)
        if any(found):
            return found
    for other in (_events(span), _older(span), _open_inference(span.attributes)):
        if any(other):
            return other
    return [], []


def values(span: Span) -> Said:
    """Read `input.value` and `output.value`, what goes in and comes out of a whole trace as its application saw it."""
    return _value(at(span.attributes, "input"), "user"), _value(at(span.attributes, "output"), "assistant")


# -- OpenTelemetry GenAI ------------------------------------------------------------------


def _gen_ai(attributes: Mapping[str, object]) -> Said:
    system = [
        {"role": "system", "content": _content([one])}
        for one in _structured(at(attributes, "gen_ai.system_instructions"))
    ]
    given = [message for one in _structured(at(attributes, "gen_ai.input.messages")) for message in _message(one)]
    made = [message for one in _structured(at(attributes, "gen_ai.output.messages")) for message in _message(one)]
    return ([*system, *given] if given or made else []), made


def _structured(value: object) -> list[object]:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Invalid("its messages are not JSON") from None
    if value is None:
        return []
    if isinstance(value, Mapping) and "role" in value:
        return [value]
    return items(value)


def _message(one: object) -> list[Message]:
    """Read a message in parts. An answer of a tool is a message of its own, as chat APIs have it."""
    if not isinstance(one, Mapping):
        raise Invalid("a message is not an object")
    parts = one.get("parts")
    if parts is None:
        return [one]
    made: list[Message] = []
    blocks: list[object] = []
    calls: list[object] = []
    for part in items(parts):
        kind = mapping(part).get("type")
        if kind == "tool_call_response":
            made.append(_tool_answer(mapping(part)))
        elif kind == "tool_call":
            found = mapping(part)
            calls.append(
                {"id": found.get("id"), "function": {"name": found.get("name"), "arguments": found.get("arguments")}}
            )
        else:
            blocks.append(part)
    if blocks or calls or not made:
        content = _content(blocks)
        made.append({"role": one.get("role"), "content": content, **({"tool_calls": calls} if calls else {})})
    return made


def _tool_answer(part: Mapping[str, object]) -> Message:
    answer = next((part[key] for key in ("response", "result", "content") if part.get(key) is not None), "")
    return {"role": "tool", "tool_call_id": part.get("id"), "content": json_text(answer)}


def _content(parts: Iterable[object]) -> list[object]:
    blocks: list[object] = []
    for part in parts:
        if isinstance(part, str):
            blocks.append({"type": "text", "text": part})
            continue
        found = mapping(part)
        kind, content = found.get("type"), found.get("content")
        if kind == "reasoning":
            blocks.append({"type": "thinking", "thinking": string(content)})
        elif kind in ("blob", "file", "uri"):  # bytes in a span are not kept: that they were there is
            blocks.append({"type": _MEDIA.get(string(found.get("modality")), "file")})
        elif isinstance(content, str) and kind in ("text", None):
            blocks.append({"type": "text", "text": content})
        else:
            blocks.append(dict(found))
    return blocks


def _events(span: Span) -> Said:
    """Read the older form: one event a message, the answer in `gen_ai.choice`."""
    given: list[Message] = []
    made: list[Message] = []
    for event in span.events:
        found = _object(at(event.attributes, "gen_ai.event.content")) or event.attributes
        if event.name in _EVENT_ROLES:
            given.append({"role": _EVENT_ROLES[event.name], **_plain(found)})
        elif event.name == "gen_ai.choice":
            made.append({"role": "assistant", **_plain(_object(found.get("message")) or found)})
        elif event.name == "gen_ai.content.prompt":
            given += _older_list(at(event.attributes, "gen_ai.prompt"), "user")
        elif event.name == "gen_ai.content.completion":
            made += _older_list(at(event.attributes, "gen_ai.completion"), "assistant")
    return given, made


def _object(value: object) -> Mapping[str, object]:
    """Read an object, or its JSON; an empty one for everything else."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    return mapping(value)


def _plain(found: Mapping[str, object]) -> dict[str, object]:
    plain = {key: found[key] for key in ("role", "content", "name") if isinstance(found.get(key), str)}
    calls = found.get("tool_calls")
    if calls is not None:
        plain["tool_calls"] = _structured(calls)
    if isinstance(found.get("id"), str):
        plain["tool_call_id"] = found["id"]
    return plain


def _older(span: Span) -> Said:
    return (
        _older_list(at(span.attributes, "gen_ai.prompt"), "user"),
        _older_list(at(span.attributes, "gen_ai.completion"), "assistant"),
    )


def _older_list(value: object, role: str) -> list[Message]:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return [{"role": role, "content": value}]
        if isinstance(value, str):
            return [{"role": role, "content": value}]
    found = [mapping(one) for one in items(value)] or ([value] if isinstance(value, dict) and "role" in value else [])
    return [{"role": role, **_plain(one), **_numbered_calls(one)} for one in found]


def _numbered_calls(one: Mapping[str, object]) -> dict[str, object]:
    calls = [mapping(call) for call in items(one.get("tool_calls"))]
    return (
        {"tool_calls": [{"id": call.get("id"), "function": call.get("function", call)} for call in calls]}
        if (calls)
        else {}
    )


# -- OpenInference ------------------------------------------------------------------------


def _open_inference(attributes: Mapping[str, object]) -> Said:
    found = [
        [_inferred(mapping(one)) for one in items(at(attributes, f"llm.{side}_messages"))]
        for side in ("input", "output")
    ]
    return found[0], found[1]


def _inferred(one: Mapping[str, object]) -> Message:
    message = mapping(one.get("message", one))
    content = message.get("content")
    if content is None and (blocks := [mapping(block) for block in items(message.get("contents"))]):
        content = [_block(mapping(block.get("message_content", block))) for block in blocks]
    calls = [mapping(mapping(call).get("tool_call", call)) for call in items(message.get("tool_calls"))]
    made: dict[str, object] = {"role": message.get("role"), "content": content}
    if calls:
        made["tool_calls"] = [{"id": call.get("id"), "function": call.get("function")} for call in calls]
    for key in ("name", "tool_call_id"):
        if isinstance(message.get(key), str):
            made[key] = message[key]
    if content is None and not calls:
        made["content"] = ""
    return made


def _block(block: Mapping[str, object]) -> dict[str, object]:
    kind = string(block.get("type")) or "text"
    return {"type": kind, "text": string(block.get("text"))} if kind in ("text", "reasoning") else {"type": kind}


def _value(side: object, role: str) -> list[Message]:
    value = at(side, "value")
    if at(side, "mime_type") == "application/json" and isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return loose(value, role)
    return loose(value, role)


def loose(value: object, role: str) -> list[Message]:
    """Read what an application wrote down as its input or output: messages in a usual wrapping, or a text of `role`."""
    if value is None or value == "":
        return []
    inner = value.get("messages") if isinstance(value, Mapping) and "messages" in value else value
    found = [inner] if isinstance(inner, Mapping) else inner
    if isinstance(found, list) and found and all(isinstance(one, Mapping) and "role" in one for one in found):
        return [message for one in found for message in _message(one)]
    return [{"role": role, "content": json_text(value)}]
