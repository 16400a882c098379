"""From one message of LibreChat to parts of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from assent.connectors.formats.chats import ERROR, NO_ARGUMENTS, PAYLOAD, REASONING, SUMMARY, Marks, media, numbered
from assent.connectors.formats.fields import arguments_text, instant, json_text, mapping, sequence, string, tool_origin
from assent.domain.conversation import Origin, Part, Speaker
from assent.domain.errors import Invalid

_MCP_DELIMITER: Final = "_mcp_"
"""A tool of an MCP server is named `<tool>_mcp_<server>`."""
_SENDERS: Final[dict[str, bool]] = {"user": True, "assistant": False}
_MAX_DIGITS: Final = 20
_TIME_KEYS: Final = ("$date", "$numberLong", "$numberDouble", "$numberInt")


def moment(value: object) -> datetime | None:
    """Read a time, also in the forms that MongoDB writes: `{"$date": "..."}`, `{"$numberLong": "..."}`."""
    for _wrapping in range(2):
        if isinstance(value, dict):
            value = next((value[key] for key in _TIME_KEYS if key in value), None)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and value.isascii() and len(value) <= _MAX_DIGITS:
        value = int(value)
    return instant(value)


def object_id(value: object) -> str:
    """Read an id, also as MongoDB writes it: `{"$oid": "..."}`."""
    return string(value) or string(mapping(value).get("$oid"))


def message_parts(message: object, turn: str, marks: Marks) -> list[Part]:
    """Read one message into parts. Raises `Invalid` with a fixed phrase."""
    if not isinstance(message, dict):
        raise Invalid("a message is not an object")
    content, text = message.get("content"), message.get("text")
    if content is not None and not isinstance(content, list | str):
        raise Invalid("a message's content is neither text nor a list")
    if text is not None and not isinstance(text, str):
        raise Invalid("a message's text is not text")
    speaker: Speaker = "user" if _is_persons(message) else "assistant"
    origin: Origin = "person" if speaker == "user" else "model"
    if message.get("error") is True:
        marks |= ERROR
    base = Part(f"{turn}/0", turn, speaker, origin, "text", "", moment(message.get("createdAt")), marks=marks)
    found: list[Part] = []
    for block in sequence(content):
        found += _block(block, base)
    if not any(part.data == "text" and not part.marks & (PAYLOAD | REASONING) for part in found):
        text = text or string(content)
        found += [replace(base, text=text)] if text else []
    found += _files(message, base)
    found += _rating(mapping(message.get("feedback")), base)
    return numbered(found, turn)


def _is_persons(message: dict[str, object]) -> bool:
    by_user = message.get("isCreatedByUser")
    if isinstance(by_user, bool):
        return by_user
    for key in ("role", "sender"):
        sender = string(message.get(key)).lower()
        if sender in _SENDERS:
            return _SENDERS[sender]
    if string(message.get("sender")) and string(message.get("model")):
        return False
    raise Invalid("a message has no known sender")


def _block(block: object, base: Part) -> Iterator[Part]:
    if block is None:
        return
    if not isinstance(block, dict):
        raise Invalid("a content block is not an object")
    kind = string(block.get("type"))
    if kind == "tool_call":
        yield from _call(mapping(block.get("tool_call")), base)
    elif kind in ("image_file", "image_url"):
        name = string(mapping(block.get(kind)).get("filename")) or string(mapping(block.get(kind)).get("file_id"))
        yield replace(base, data="image", origin=_uploaded(base), name=name)
    elif kind in ("input_audio", "audio"):
        yield replace(base, data="voice")
    elif kind == "agent_update":
        return  # which agent goes on: bookkeeping
    else:
        marks, value = base.marks, block.get("text", block.get(kind))
        text = string(value) or string(mapping(value).get("value"))
        if kind in ("think", "thinking", "reasoning"):
            marks |= REASONING
        elif kind == "error":
            marks |= ERROR
        elif kind == "summary":
            marks |= SUMMARY
        elif not text and "text" not in block and block:
            text = json_text(block)
            marks |= PAYLOAD
        if text:
            yield replace(base, text=text, marks=marks)


def _call(call: dict[str, object], base: Part) -> Iterator[Part]:
    function = mapping(call.get("function")) or mapping(call.get("code_interpreter")) or call
    name = string(function.get("name")) or string(call.get("name")) or string(call.get("type"))
    origin: Origin = "connector" if _MCP_DELIMITER in name else tool_origin(name)
    marks = base.marks | PAYLOAD
    asked = function.get("args", function.get("arguments", function.get("input")))
    yield replace(base, text=arguments_text(asked) or NO_ARGUMENTS, name=name, marks=marks)
    returned = function.get("output", call.get("output", function.get("outputs")))
    if text := "" if returned is None else json_text(returned):
        yield replace(base, speaker="tool", origin=origin, text=text, name=name, marks=marks)


def _files(message: dict[str, object], base: Part) -> Iterator[Part]:
    for file in [*sequence(message.get("files")), *sequence(message.get("attachments"))]:
        fields = mapping(file)
        name = string(fields.get("filename")) or string(fields.get("file_id"))
        text = string(fields.get("text"))
        if name or text:
            kind = string(fields.get("type"))
            data = media(kind if "/" in kind else "", name)
            yield replace(base, data=data, origin=_uploaded(base), text=text, name=name)


def _uploaded(base: Part) -> Origin:
    return "file" if base.origin == "person" else base.origin


def _rating(feedback: dict[str, object], base: Part) -> Iterator[Part]:
    said = {key: feedback[key] for key in ("rating", "tag", "text") if feedback.get(key) is not None}
    if said:
        name = string(said.get("rating"))
        yield Part(base.id, base.turn, "user", "person", "feedback", json_text(said), None, name, base.marks)
