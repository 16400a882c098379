"""Messages `{role, content}` as training sets and chat APIs write them, read into parts.

Such a set has one conversation in a record, with no ids and few times. So a record is
imported or refused as a whole: half a dialogue would teach something else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from assent.connectors.formats.fields import arguments_text, instant, json_text, mapping, sequence, string, tool_origin
from assent.domain.conversation import Conversation, DataClass, Mark, Origin, Part, Speaker, last_turn
from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid

Marks = frozenset[Mark]

NO_MARKS: Final[Marks] = frozenset()
ABANDONED: Final[Marks] = frozenset({"abandoned"})
_PAYLOAD: Final[Marks] = frozenset({"tool-payload"})
_CONTEXT: Final[Marks] = frozenset({"system-context"})
_REASONING: Final[Marks] = frozenset({"reasoning"})

_ROLES: Final[dict[str, tuple[Speaker, Origin, Marks]]] = {
    **dict.fromkeys(("user", "human", "prompter"), ("user", "person", NO_MARKS)),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt", "bing", "bard"), ("assistant", "model", NO_MARKS)),
    **dict.fromkeys(("system", "developer"), ("system", "tool", _CONTEXT)),
    **dict.fromkeys(("tool", "function", "observation", "ipython"), ("tool", "tool", _PAYLOAD)),
    **dict.fromkeys(("function_call", "tool_call"), ("assistant", "model", _PAYLOAD)),
}
_MEDIA: Final[dict[str, DataClass]] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "input_audio": "voice",
    "audio": "voice",
    "audio_url": "voice",
    "file": "file",
    "input_file": "file",
    "video": "file",
    "video_url": "file",
}
_ID_CHARACTERS: Final = 32


@dataclass(slots=True)
class Identities:
    """Which conversations of a source were met already.

    Formats without ids are named by a digest of their content, so that importing again meets
    the same conversation. Of each one 16 bytes stay in memory, whatever its size.
    """

    format: str
    _seen: set[bytes] = field(default_factory=set)
    _ids: set[bytes] = field(default_factory=set)

    def claim(self, record: object, given: object = None) -> str:
        """Give the conversation's id, "" if the same content was met before.

        A `given` id of the source wins, unless the source gave it to other content before
        (one prompt answered by several models).
        """
        content = digest_bytes(json_text(record).encode("utf-8", "surrogatepass")).removeprefix("sha256:")
        short = bytes.fromhex(content)[:16]
        if short in self._seen:
            return ""
        self._seen.add(short)
        if not isinstance(given, str | int) or isinstance(given, bool) or given == "":
            return f"{self.format}:{content[:_ID_CHARACTERS]}"
        key = bytes.fromhex(digest_bytes(str(given).encode("utf-8", "replace")).removeprefix("sha256:"))[:16]
        if key in self._ids:
            return f"{self.format}:{given}~{content[:8]}"
        self._ids.add(key)
        return f"{self.format}:{given}"


@dataclass(frozen=True, slots=True)
class Reader:
    """How one set spells its messages; `marks` and `prefix` set a second branch apart."""

    role: str = "role"
    content: str = "content"
    time: datetime | None = None
    marks: Marks = NO_MARKS
    prefix: str = ""

    def parts(self, messages: object) -> list[Part]:
        """Read a list of messages. Raises `Invalid` with the number of the one that cannot be read."""
        if not isinstance(messages, list):
            raise Invalid("the messages are not a list")
        parts: list[Part] = []
        names: dict[str, str] = {}
        for number, message in enumerate(messages):
            try:
                if not isinstance(message, dict):
                    raise Invalid("it is not an object")  # noqa: TRY301 - one place adds the number
                parts.extend(self.message(message, f"{self.prefix}{number}", names))
            except Invalid as error:
                raise Invalid(f"message {number + 1}: {error.message}") from None
        return parts

    def message(self, message: dict[str, object], turn: str, names: dict[str, str]) -> list[Part]:
        """Read one message; `names` collects which tool each call went to."""
        role = message.get(self.role)
        known = _ROLES.get(role.strip().lower()) if isinstance(role, str) else None
        if known is None:
            raise Invalid("it has no known role")
        speaker, origin, marks = known
        marks |= self.marks
        # Weight 0 asks not to learn from the message: like a branch nobody went on with.
        if message.get("weight") == 0 and speaker == "assistant":
            marks |= ABANDONED
        name = ""
        if speaker == "tool":
            name = names.get(string(message.get("tool_call_id")), string(message.get("name")))
            origin = tool_origin(name)
        time = instant(message.get("timestamp")) or self.time
        base = Part(f"{turn}/0", turn, speaker, origin, "text", "", time, name, marks)
        found = self._reasoning(message, base)
        content = message.get(self.content)
        found += self._blocks(message.get("refusal") if content is None else content, base)
        found += _calls(message, base, names)
        if not found and content is None:
            raise Invalid("it has no content")
        return found

    @staticmethod
    def _reasoning(message: dict[str, object], base: Part) -> list[Part]:
        text = next(
            (text for key in ("reasoning_content", "reasoning", "thinking") if (text := string(message.get(key)))), ""
        )
        if not text:
            return []
        return [replace(base, id=f"{base.turn}/reasoning", text=text, marks=base.marks | _REASONING)]

    @staticmethod
    def _blocks(content: object, base: Part) -> list[Part]:
        if content is None or content == "":
            return []
        if isinstance(content, str):
            return [replace(base, text=content)]
        if not isinstance(content, list):
            raise Invalid("its content is neither text nor a list")
        parts = []
        for number, block in enumerate(content):
            if isinstance(block, str):
                block = {"type": "text", "text": block}  # noqa: PLW2901 - both spellings mean the same
            if not isinstance(block, dict):
                raise Invalid("a content block is not an object")
            if part := _block(block, replace(base, id=f"{base.turn}/{number}")):
                parts.append(part)
        return parts


def _block(block: dict[str, object], base: Part) -> Part | None:
    kind = string(block.get("type"))
    text = block.get("text", block.get("refusal"))
    if isinstance(text, str):
        return replace(base, text=text) if text else None
    if kind in _MEDIA:
        origin: Origin = "file" if base.origin == "person" else base.origin
        name = string(mapping(block.get("file")).get("filename"))
        return replace(base, data=_MEDIA[kind], origin=origin, name=name)
    if kind in ("thinking", "reasoning") and isinstance(thought := block.get(kind), str):
        return replace(base, text=thought, marks=base.marks | _REASONING) if thought else None
    if not kind:
        raise Invalid("a content block has neither a type nor text")
    return replace(base, text=json_text(block), marks=base.marks | _PAYLOAD)


def _calls(message: dict[str, object], base: Part, names: dict[str, str]) -> list[Part]:
    """Read tool calls, in today's form and in the older one with a single `function_call`."""
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise Invalid("its tool calls are not a list")
    found = [*sequence(calls)]
    if message.get("function_call"):
        found.append({"function": message["function_call"]})
    parts = []
    for number, call in enumerate(found):
        if not isinstance(call, dict):
            raise Invalid("a tool call is not an object")
        function = mapping(call.get("function", call.get("custom", call)))
        name = string(function.get("name"))
        names[string(call.get("id"))] = name
        text = arguments_text(function.get("arguments", function.get("input")))
        parts.append(replace(base, id=f"{base.turn}/call-{number}", text=text, name=name, marks=base.marks | _PAYLOAD))
    return parts


def conversation(
    format_name: str,
    identity: str,
    parts: list[Part],
    *,
    created_at: datetime | None = None,
    title: str = "",
) -> Conversation:
    """Make a conversation of a set's record; its parts are in order, its person unknown."""
    found = tuple(parts)
    return Conversation(
        id=identity,
        source=format_name,
        parts=found,
        title=title,
        created_at=created_at or min((part.created_at for part in found if part.created_at), default=None),
        last_turn_at=last_turn(found),
    )
