"""From one line of a Codex rollout to parts of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from assent.connectors.formats.fields import arguments_text, instant, json_text, mapping, sequence, string, tool_origin
from assent.domain.conversation import DataClass, Mark, Origin, Part, Speaker
from assent.domain.errors import Invalid

Marks = frozenset[Mark]

_NO_MARKS: Final[Marks] = frozenset()
_PAYLOAD: Final[Marks] = frozenset({"tool-payload"})
_CONTEXT: Final[Marks] = frozenset({"system-context"})
_DUPLICATE: Final[Marks] = frozenset({"duplicate"})
_SUMMARY: Final[Marks] = frozenset({"summary"})
_SIDECHAIN: Final[Marks] = frozenset({"sidechain"})
_REASONING: Final[Marks] = frozenset({"reasoning"})
_ENCRYPTED: Final[Marks] = frozenset({"encrypted"})

_CONTEXT_PREFIXES: Final = (
    "<environment_context>",
    "<user_instructions>",
    "<turn_aborted>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<subagent_notification>",
    "<skill>",
    "# AGENTS.md instructions",
)
"""User messages that the program wrote begin like this."""

_SPEAKERS: Final[dict[str, tuple[Speaker, Origin]]] = {
    "user": ("user", "person"),
    "assistant": ("assistant", "model"),
    "system": ("system", "tool"),
    "developer": ("system", "tool"),
    "tool": ("tool", "tool"),
}
_EVENT_COPIES: Final[dict[str, tuple[Speaker, Origin, Marks, str]]] = {
    "user_message": ("user", "person", _NO_MARKS, "message"),
    "agent_message": ("assistant", "model", _NO_MARKS, "message"),
    "agent_reasoning": ("assistant", "model", _REASONING, "text"),
    "agent_reasoning_raw_content": ("assistant", "model", _REASONING, "text"),
}
_EVENTS: Final = {
    "token_count": "token count",
    "thread_rolled_back": "rollback event",
    "task_started": "turn event",
    "task_complete": "turn event",
    "turn_aborted": "turn event",
    "context_compacted": "turn event",
}
_UNKNOWN_EVENT: Final = "event without content of its own"


@dataclass(frozen=True, slots=True)
class _Turn:
    id: str
    time: datetime | None
    marks: Marks
    speaker: Speaker = "assistant"
    origin: Origin = "model"


@dataclass(slots=True)
class Rollout:
    """A session under construction: its parts so far and what its first line says about it."""

    parts: list[Part] = field(default_factory=list)
    meta: dict[str, object] = field(default_factory=dict)
    started: datetime | None = None
    records: int = 0
    _copies: list[int] = field(default_factory=list)
    _prompts: list[int] = field(default_factory=list)
    _tool_names: dict[str, str] = field(default_factory=dict)

    def add(self, line: dict[str, object], turn_id: str) -> str:
        """Take one line; "" when it was imported, else the reason to skip it. Raises `Invalid` if unreadable."""
        kind = line.get("type")
        if "payload" in line:
            payload = line["payload"]
        else:
            kind, payload = _old_form(line)
        if not isinstance(kind, str):
            raise Invalid("the record has no type")
        if not isinstance(payload, dict):
            raise Invalid("the payload is not an object")
        subagent = "subagent" in mapping(self.meta.get("source"))
        turn = _Turn(turn_id, instant(line.get("timestamp")), _SIDECHAIN if subagent else _NO_MARKS)
        first = len(self.parts)
        read = _LINES.get(kind)
        try:
            reason = read(self, payload, turn) if read else "unknown record type"
        except Invalid:
            del self.parts[first:]
            raise
        if not reason:
            self.records += 1
        return reason

    def finish(self) -> tuple[Part, ...]:
        """Mark the screen copies whose original is in the session, and hand out all parts."""
        copies = set(self._copies)
        originals = {(part.speaker, part.text.strip()) for at, part in enumerate(self.parts) if at not in copies}
        for at in self._copies:
            part = self.parts[at]
            if (part.speaker, part.text.strip()) in originals:
                self.parts[at] = replace(part, marks=part.marks | _DUPLICATE)
        return tuple(self.parts)

    # What follows reads one type of line each.

    def read_meta(self, payload: dict[str, object], turn: _Turn) -> str:
        """Read what the session is; a forked session repeats the line of the one it came from."""
        if not self.meta:
            self.meta = payload
            self.started = instant(payload.get("timestamp")) or turn.time
        instructions = payload.get("base_instructions", payload.get("instructions"))
        text = string(instructions) or string(mapping(instructions).get("text"))
        self._append(replace(turn, speaker="system", origin="tool"), "0", text, marks=_CONTEXT)
        return ""

    def read_context(self, payload: dict[str, object], turn: _Turn) -> str:
        """Read a turn's settings; some versions repeat the person's instructions in them."""
        turn = replace(turn, speaker="system", origin="tool")
        texts = [string(payload.get(key)) for key in ("user_instructions", "developer_instructions")]
        for number, text in enumerate(texts):
            self._append(turn, str(number), text, marks=_CONTEXT)
        return "" if any(texts) else "turn context"

    def read_event(self, payload: dict[str, object], turn: _Turn) -> str:
        """Read what the screen showed: copies of messages, and events without content."""
        kind = string(payload.get("type"))
        if kind == "thread_rolled_back":
            self._roll_back(payload.get("num_turns"))
        if kind not in _EVENT_COPIES:
            return _EVENTS.get(kind, _UNKNOWN_EVENT)
        speaker, origin, marks, key = _EVENT_COPIES[kind]
        text = payload.get(key)
        if not isinstance(text, str):
            raise Invalid("the event has no text")
        if text:
            self._copies.append(len(self.parts))
            self._text(replace(turn, speaker=speaker, origin=origin, marks=turn.marks | marks), "0", text)
        return ""

    def read_compacted(self, payload: dict[str, object], turn: _Turn) -> str:
        """Read a compaction: a summary and the history that replaces what came before."""
        history = payload.get("replacement_history")
        if not isinstance(payload.get("message"), str) and not isinstance(history, list):
            raise Invalid("the compaction has neither a message nor a history")
        turn = replace(turn, marks=turn.marks | _SUMMARY)
        self._append(turn, "0", string(payload.get("message")))
        for number, item in enumerate(sequence(history), 1):
            if not isinstance(item, dict):
                raise Invalid("an item of the replacement history is not an object")
            self.read_item(item, replace(turn, id=f"{turn.id}/{number}"))
        return ""

    def read_item(self, payload: dict[str, object], turn: _Turn) -> str:
        """Read one item of the model's history."""
        kind = payload.get("type", "message" if "role" in payload else None)
        if not isinstance(kind, str):
            raise Invalid("the item has no type")
        if kind == "message":
            self._message(payload, turn)
        elif kind == "reasoning":
            self._reasoning(payload, turn)
        elif kind.endswith("_output"):
            self._output(payload, turn)
        elif kind.endswith("_call"):
            name = string(payload.get("name")) or kind.removesuffix("_call")
            self._tool_names[string(payload.get("call_id"))] = name
            given = next((payload[key] for key in ("arguments", "input", "action", "summary") if key in payload), "")
            self._append(turn, "0", arguments_text(given), name=name, marks=_PAYLOAD)
        elif kind in ("compaction", "compaction_summary", "context_compaction"):
            self._append(turn, "0", "", marks=_ENCRYPTED | _SUMMARY, always=True)
        else:
            return "unknown item type"
        return ""

    def _message(self, payload: dict[str, object], turn: _Turn) -> None:
        role = string(payload.get("role"))
        if role not in _SPEAKERS:
            raise Invalid("the message has no known role")
        speaker, origin = _SPEAKERS[role]
        marks = turn.marks | (_CONTEXT if speaker == "system" else _NO_MARKS)
        if turn.marks and origin == "person":
            origin = "model"  # a subagent's or a summary's user turn is not the person's
        turn = replace(turn, speaker=speaker, origin=origin, marks=marks)
        content = payload.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        if not isinstance(content, list):
            raise Invalid("the message has no content")
        first = len(self.parts)
        for number, block in enumerate(content):
            if not isinstance(block, dict):
                raise Invalid("a content block is not an object")
            self._block(turn, str(number), block)
        if any(part.origin in ("person", "file") for part in self.parts[first:]):
            self._prompts.append(first)

    def _block(self, turn: _Turn, key: str, block: dict[str, object]) -> None:
        kind = string(block.get("type"))
        if isinstance(text := block.get("text"), str):
            self._text(turn, key, text)
        elif "image" in kind or "file" in kind or "audio" in kind:
            data: DataClass = "image" if "image" in kind else "voice" if "audio" in kind else "file"
            if turn.origin == "person":
                turn = replace(turn, origin="file")
            self._append(turn, key, "", data=data, name=string(block.get("filename")), always=True)
        elif kind == "encrypted_content":
            self._append(turn, key, "", marks=_ENCRYPTED, always=True)
        else:
            raise Invalid("a content block has neither text nor media")

    def _text(self, turn: _Turn, key: str, text: str) -> None:
        if turn.speaker == "user" and text.lstrip().startswith(_CONTEXT_PREFIXES):
            turn = replace(turn, origin="tool", marks=turn.marks | _CONTEXT)
        self._append(turn, key, text)

    def _reasoning(self, payload: dict[str, object], turn: _Turn) -> None:
        pieces = [*sequence(payload.get("summary")), *sequence(payload.get("content"))]
        for number, piece in enumerate(pieces):
            self._append(turn, str(number), string(mapping(piece).get("text")), marks=_REASONING)
        if payload.get("encrypted_content"):
            self._append(turn, "encrypted", "", marks=_REASONING | _ENCRYPTED, always=True)

    def _output(self, payload: dict[str, object], turn: _Turn) -> None:
        name = self._tool_names.get(string(payload.get("call_id")), "")
        turn = replace(turn, speaker="tool", origin=tool_origin(name))
        output = payload.get("output", payload.get("tools"))
        blocks = output if isinstance(output, list) else [output]
        texts: list[str] = []
        for number, block in enumerate(blocks):
            if isinstance(block, dict) and "image" in string(block.get("type")):
                self._append(turn, f"image-{number}", "", data="image", marks=_PAYLOAD, always=True)
            elif isinstance(block, dict) and isinstance(text := block.get("text", block.get("content")), str):
                texts.append(text)
            elif block is not None:
                texts.append(json_text(block))
        self._append(turn, "0", "\n".join(texts), name=name, marks=_PAYLOAD)

    def _roll_back(self, turns: object) -> None:
        """Mark the person's last turns, and all that followed them, as abandoned."""
        if not isinstance(turns, int) or not 0 < turns <= len(self._prompts):
            return
        for at in range(self._prompts[-turns], len(self.parts)):
            self.parts[at] = replace(self.parts[at], marks=self.parts[at].marks | {"abandoned"})
        del self._prompts[-turns:]

    def _append(
        self,
        turn: _Turn,
        key: str,
        text: str,
        *,
        data: DataClass = "text",
        name: str = "",
        marks: Marks = _NO_MARKS,
        always: bool = False,
    ) -> None:
        if text or always:
            self.parts.append(
                Part(
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
            )


def _old_form(line: dict[str, object]) -> tuple[object, object]:
    """Give a line without a payload the form of today: items and the session's own line."""
    if "record_type" in line:
        return "state", line
    if "type" not in line and "id" in line and "timestamp" in line:
        return "session_meta", line
    kind = line.get("type")
    return ("response_item" if kind in _ITEMS or "role" in line else kind), line


_ITEMS: Final = frozenset({"message", "reasoning", "function_call", "function_call_output", "local_shell_call"})

_LINES: Final[dict[str, Callable[[Rollout, dict[str, object], _Turn], str]]] = {
    "session_meta": Rollout.read_meta,
    "turn_context": Rollout.read_context,
    "event_msg": Rollout.read_event,
    "compacted": Rollout.read_compacted,
    "response_item": Rollout.read_item,
}
