"""From one message of a Gemini CLI session to parts of a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from assent.connectors.formats.fields import instant, json_text, mapping, sequence, string, tool_origin
from assent.domain.conversation import DataClass, Mark, Origin, Part, Speaker
from assent.domain.errors import Invalid

Marks = frozenset[Mark]

_NO_MARKS: Final[Marks] = frozenset()
_PAYLOAD: Final[Marks] = frozenset({"tool-payload"})
_CONTEXT: Final[Marks] = frozenset({"system-context"})
_SHOWN: Final[Marks] = frozenset({"tool-payload", "duplicate"})
_REASONING: Final[Marks] = frozenset({"reasoning"})
_ERROR: Final[Marks] = frozenset({"error"})

_TYPES: Final[dict[str, tuple[Speaker, Origin, Marks]]] = {
    "user": ("user", "person", _NO_MARKS),
    "gemini": ("assistant", "model", _NO_MARKS),
    "info": ("system", "tool", _CONTEXT),
    "warning": ("system", "tool", _CONTEXT),
    "error": ("system", "tool", _ERROR),
}
_CONTEXT_PREFIXES: Final = ("<session_context>", "This is the Gemini CLI. We are setting up the context")


@dataclass(frozen=True, slots=True)
class _Turn:
    id: str
    speaker: Speaker
    origin: Origin
    time: datetime | None
    marks: Marks


@dataclass(slots=True)
class Chat:
    """A session under construction: messages by id, since a later line replaces an earlier one."""

    sidechain: bool = False
    about: dict[str, object] = field(default_factory=dict)
    records: int = 0
    _messages: dict[str, list[Part]] = field(default_factory=dict)
    _dropped: list[list[Part]] = field(default_factory=list)

    def add(self, message: dict[str, object], fallback: str) -> str:
        """Take one message; "" when imported, else the reason to skip it. Raises `Invalid` if unreadable."""
        kind = message.get("type")
        if not isinstance(kind, str):
            raise Invalid("the message has no type")
        if kind not in _TYPES:
            return "unknown message type"
        key = string(message.get("id")) or fallback
        parts = self._parts(message, kind, key)
        again = key in self._messages
        self._messages[key] = parts
        if again:
            return "earlier version of a message"
        self.records += 1
        return ""

    def learn(self, settings: dict[str, object], fallback: str) -> str:
        """Take what a line says about the session; messages in it that are known already stay as they are.

        Compression replaces the model's context this way. What the person saw is what the
        message lines say, so only messages that stand nowhere else are taken from it.
        """
        messages = settings.get("messages", [])
        if not isinstance(messages, list):
            raise Invalid("the messages are not a list")
        added = False
        for number, message in enumerate(messages):
            if not isinstance(message, dict) or not isinstance(message.get("type"), str):
                raise Invalid("a message in the settings is not an object with a type")
            key = string(message.get("id")) or f"{fallback}.{number}"
            if key not in self._messages and message["type"] in _TYPES:
                self._messages[key] = self._parts(message, string(message["type"]), key)
                added = True
        self.about |= {name: value for name, value in settings.items() if name != "messages"}
        if not added:
            return "session settings"
        self.records += 1
        return ""

    def rewind(self, target: object) -> str:
        """Go back before a message: it and all after it are abandoned; all of them if it is unknown."""
        if not isinstance(target, str):
            raise Invalid("the rewind names no message")
        keys = list(self._messages)
        for key in keys[keys.index(target) if target in self._messages else 0 :]:
            abandoned: frozenset[Mark] = frozenset({"abandoned"})
            self._dropped.append([replace(part, marks=part.marks | abandoned) for part in self._messages.pop(key)])
        return "rewind event"

    def finish(self) -> tuple[Part, ...]:
        """Hand out all parts, abandoned ones first; an id that was rewound and written anew stays unique."""
        parts: list[Part] = []
        seen: dict[str, int] = {}
        for message in [*self._dropped, *self._messages.values()]:
            for part in message:
                count = seen[part.id] = seen.get(part.id, 0) + 1
                parts.append(part if count == 1 else replace(part, id=f"{part.id}~{count}"))
        return tuple(parts)

    def _parts(self, message: dict[str, object], kind: str, key: str) -> list[Part]:
        speaker, origin, marks = _TYPES[kind]
        if self.sidechain:
            marks |= {"sidechain"}
            origin = "model" if origin == "person" else origin
        turn = _Turn(key, speaker, origin, instant(message.get("timestamp")), marks)
        parts = [*_thoughts(message.get("thoughts"), turn), *_content(message.get("content"), turn)]
        for number, call in enumerate(sequence(message.get("toolCalls"))):
            if not isinstance(call, dict):
                raise Invalid("a tool call is not an object")
            parts.extend(_tool_call(call, turn, f"tool-{number}"))
        return parts


def _thoughts(thoughts: object, turn: _Turn) -> list[Part]:
    parts = []
    for number, thought in enumerate(sequence(thoughts)):
        words = mapping(thought)
        text = "\n".join(filter(None, (string(words.get("subject")), string(words.get("description")))))
        if text:
            time = instant(words.get("timestamp")) or turn.time
            part = _part(replace(turn, time=time), f"thought-{number}", text, marks=_REASONING)
            parts.append(part)
    return parts


def _content(content: object, turn: _Turn) -> list[Part]:
    """Read content: text, one Gemini API part, or a list of them."""
    if content is None:
        return []
    blocks = content if isinstance(content, list) else [content]
    parts = []
    for number, block in enumerate(blocks):
        if isinstance(block, str):
            block = {"text": block}  # noqa: PLW2901 - both spellings mean the same
        if not isinstance(block, dict):
            raise Invalid("a content part is neither text nor an object")
        if part := _content_part(block, turn, str(number)):
            parts.append(part)
    return parts


def _content_part(block: dict[str, object], turn: _Turn, key: str) -> Part | None:
    if isinstance(text := block.get("text"), str):
        if turn.origin == "person" and text.startswith(_CONTEXT_PREFIXES):
            turn = replace(turn, origin="tool", marks=turn.marks | _CONTEXT)
        marks = _REASONING if block.get("thought") is True else _NO_MARKS
        return _part(turn, key, text, marks=marks) if text else None
    for name in ("inlineData", "fileData"):
        if isinstance(media := block.get(name), dict):
            kind = string(media.get("mimeType")).partition("/")[0]
            data: DataClass = "image" if kind == "image" else "voice" if kind == "audio" else "file"
            origin: Origin = "file" if turn.origin == "person" else turn.origin
            return _part(replace(turn, origin=origin), key, "", data=data, name=string(media.get("displayName")))
    if not block:
        return None
    call = mapping(block.get("functionCall", block.get("functionResponse")))
    origin = "model" if "functionCall" in block else tool_origin(string(call.get("name")))
    speaker: Speaker = "assistant" if "functionCall" in block else "tool"
    turn = replace(turn, origin=origin, speaker=speaker)
    return _part(turn, key, json_text(block), name=string(call.get("name")), marks=_PAYLOAD)


def _tool_call(call: dict[str, object], turn: _Turn, key: str) -> list[Part]:
    name = string(call.get("name"))
    time = instant(call.get("timestamp")) or turn.time
    parts = [_part(replace(turn, time=time), f"{key}/args", json_text(call.get("args", {})), name=name, marks=_PAYLOAD)]
    tool = replace(turn, speaker="tool", origin=_origin_of(name), time=time)
    for field_name, marks in (("result", _PAYLOAD), ("resultDisplay", _SHOWN)):
        if value := call.get(field_name):
            parts.append(_part(tool, f"{key}/{field_name}", json_text(value), name=name, marks=marks))
    return parts


def _origin_of(name: str) -> Origin:
    """Tell MCP tools apart: Gemini CLI qualifies their names with one or two underscores."""
    return "connector" if name.startswith("mcp_") else "tool"


def _part(
    turn: _Turn, key: str, text: str, *, data: DataClass = "text", name: str = "", marks: Marks = _NO_MARKS
) -> Part:
    return Part(
        f"{turn.id}/{key}",
        turn.id,
        turn.speaker,
        turn.origin,
        data,
        text,
        turn.time,
        name,
        turn.marks | marks,
    )
