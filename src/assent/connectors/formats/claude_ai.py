"""Claude.ai data exports: `conversations.json` with one list of messages per conversation.

A record is a message. Its blocks stand in `content`; older exports have only `text`, and
either may be empty while the other is full. The account's id is the only identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from assent.connectors.formats.chats import (
    ABANDONED,
    NO_CONTENT,
    NO_MARKS,
    NO_MESSAGES,
    PAYLOAD,
    REASONING,
    SEEN_BEFORE,
    SUMMARY,
    Marks,
    dated,
    media,
    numbered,
    source_id,
    unlike,
)
from assent.connectors.formats.exports import heads, read_chats
from assent.connectors.formats.fields import instant, json_text, mapping, sequence, string, tool_origin
from assent.connectors.formats.port import Importer, Malformed, Record, Skipped, Source
from assent.connectors.formats.trees import path_to
from assent.domain.conversation import Conversation, Origin, Part, Speaker
from assent.domain.errors import Invalid, Place

_CHATS: Final = re.compile(r"(?:^|/)conversations(?:-\d+)?\.jsonl?$")
_REASONS: Final = {
    "users.json": "account data",
    "projects.json": "project knowledge, not a conversation",
    "memories.json": "memories, not a conversation",
}
_SENDERS: Final[dict[object, tuple[Speaker, Origin]]] = {
    "human": ("user", "person"),
    "user": ("user", "person"),
    "assistant": ("assistant", "model"),
}
# Blocks of the product's bookkeeping: nobody said them.
_BOOKKEEPING: Final = ("token_budget", "flag")
_CONNECTOR_KEYS: Final = ("integration_name", "integration_icon_url", "mcp_server_url")


class ClaudeAi:
    """The importer of Claude.ai data exports."""

    name = "claude-ai"
    summary = "Claude.ai data export"

    def sniff(self, path: Path) -> bool:
        """Look for a conversation with `chat_messages`."""
        single = path.is_file() and path.suffix != ".zip"
        return any(b'"chat_messages"' in head for head in heads(path, lambda name: single or bool(_CHATS.search(name))))

    def read(self, source: Source) -> Iterator[Record]:
        """Yield the conversations, then what else the export holds."""
        return read_chats(source, lambda name: bool(_CHATS.search(name)), _read_chat, _REASONS)


def _read_chat(value: object, place: Place, seen: set[str]) -> Iterator[Record]:
    if not isinstance(value, dict):
        yield Malformed(place, "a conversation is not an object")
        return
    messages = value.get("chat_messages")
    if messages is not None and not isinstance(messages, list):
        yield Malformed(place, "a conversation's messages are not a list")
        return
    if not messages:
        yield Skipped(place, NO_MESSAGES)
        return
    identity = source_id(value, "uuid", "id")
    if identity in seen:
        yield Skipped(place, SEEN_BEFORE, len(messages))
        return
    seen.add(identity)
    parts: list[Part] = []
    records = 0
    current = _current(value, messages)
    turns: set[str] = set()
    for number, message in enumerate(messages):
        turn = string(mapping(message).get("uuid")) or str(number)
        turn = unlike(turn, turns, number)
        turns.add(turn)
        try:
            parts += _message(message, turn, NO_MARKS if not current or turn in current else ABANDONED)
        except Invalid as error:
            yield Malformed(place, error.message)
        else:
            records += 1
    if not parts:
        if records:
            yield Skipped(place, NO_CONTENT, records)
        return
    yield dated(_conversation(value, identity, parts, records))


def _conversation(value: dict[str, object], identity: str, parts: list[Part], records: int) -> Conversation:
    if summary := string(value.get("summary")):
        time = parts[-1].created_at
        parts.append(Part("summary", "summary", "assistant", "model", "text", summary, time, marks=SUMMARY))
    project = mapping(value.get("project"))
    return Conversation(
        id=f"claude-ai:{identity}",
        source="claude-ai",
        parts=tuple(parts),
        subject=string(mapping(value.get("account")).get("uuid")) or None,
        title=string(value.get("name")),
        mode="private" if value.get("is_temporary") is True else "normal",
        created_at=instant(value.get("created_at")),
        project=string(project.get("uuid")) or string(value.get("project_uuid")),
        records=records,
    )


def _current(value: dict[str, object], messages: list[object]) -> set[str]:
    """Find the messages of the current branch; empty where the export names no parents."""
    parents: dict[str, str] = {}
    for message in messages:
        fields = mapping(message)
        if turn := string(fields.get("uuid")):
            parents[turn] = string(fields.get("parent_message_uuid"))
    if not any(parent in parents for parent in parents.values()):
        return set()
    leaf = string(value.get("current_leaf_message_uuid"))
    # Without a leaf it is the last message: the export lists them in the order in which they came.
    return set(path_to(leaf if leaf in parents else next(reversed(parents)), parents))


def _message(message: object, turn: str, marks: Marks) -> list[Part]:
    """Read one message into parts. Raises `Invalid` with a fixed phrase."""
    if not isinstance(message, dict):
        raise Invalid("a message is not an object")
    sender = message.get("sender")
    if not isinstance(sender, str) or sender not in _SENDERS:
        raise Invalid("a message has no known sender")
    content = message.get("content")
    if content is not None and not isinstance(content, list):
        raise Invalid("a message's content is not a list")
    speaker, origin = _SENDERS[sender]
    base = Part(f"{turn}/0", turn, speaker, origin, "text", "", instant(message.get("created_at")), marks=marks)
    found: list[Part] = []
    spoken = False
    connectors: dict[str, str] = {}
    for block in content or ():
        if not isinstance(block, dict):
            raise Invalid("a content block is not an object")
        if part := _block(block, base, connectors):
            found.append(part)
            spoken = spoken or not part.marks & (PAYLOAD | REASONING)
    text = message.get("text")
    if not spoken and isinstance(text, str) and text:
        found.append(replace(base, text=text))
    found += _files(message, base)
    found += _rating(message, base)
    return numbered(found, turn)


def _block(block: dict[str, object], base: Part, connectors: dict[str, str]) -> Part | None:
    """Read one block, None for an empty one; `connectors` collects which calls went to a connector."""
    kind = block.get("type")
    if kind in ("tool_use", "tool_result"):
        return _tool(block, base, connectors)
    if kind == "image":
        return replace(base, data="image", origin="file" if base.origin == "person" else base.origin)
    text = string(block.get("text"))
    if kind == "voice_note":
        return replace(base, data="voice", text=text, name=string(block.get("title")))
    marks = base.marks
    if kind == "thinking":
        text = string(block.get("thinking")) or text
        marks |= REASONING
    elif not text and "text" not in block and block and kind not in _BOOKKEEPING:
        text = json_text(block)
        marks |= PAYLOAD
    return replace(base, text=text, marks=marks) if text else None


def _tool(block: dict[str, object], base: Part, connectors: dict[str, str]) -> Part:
    name = string(block.get("name"))
    marks = base.marks | PAYLOAD
    if any(string(block.get(key)) for key in _CONNECTOR_KEYS):
        connectors[string(block.get("id")) or string(block.get("tool_use_id"))] = name
    if block["type"] == "tool_use":
        return replace(base, text=json_text(block.get("input", {})), name=name, marks=marks)
    origin = "connector" if string(block.get("tool_use_id")) in connectors else tool_origin(name)
    return replace(base, speaker="tool", origin=origin, text=_result(block.get("content")), name=name, marks=marks)


def _result(content: object) -> str:
    """Join the texts of a result; what is no text stays as JSON."""
    if content is None or isinstance(content, str):
        return content or ""
    texts = [string(mapping(block).get("text")) for block in sequence(content)]
    return "\n".join(texts) if texts and all(texts) else json_text(content)


def _files(message: dict[str, object], base: Part) -> Iterator[Part]:
    origin: Origin = "file" if base.origin == "person" else base.origin
    names: set[str] = set()
    for attachment in sequence(message.get("attachments")):
        fields = mapping(attachment)
        name, text = string(fields.get("file_name")), string(fields.get("extracted_content"))
        if name or text:
            names.add(name)
            yield replace(base, origin=origin, data="file", text=text, name=name)
    for file in sequence(message.get("files")):
        fields = mapping(file)
        name = string(fields.get("file_name")) or string(fields.get("file_uuid"))
        # The same upload is listed again here, without its text.
        if name and name not in names:
            names.add(name)
            kind = "image/" if fields.get("file_kind") == "image" else ""
            yield replace(base, origin=origin, data=media(kind, name), name=name)


def _rating(message: dict[str, object], base: Part) -> Iterator[Part]:
    rating = message.get("chat_feedback")
    if isinstance(rating, dict):
        said = {key: rating[key] for key in ("type", "reason") if rating.get(key) is not None}
        if said:
            time = instant(rating.get("created_at"))
            kind = string(rating.get("type"))
            yield Part(
                f"{base.turn}/0", base.turn, "user", "person", "feedback", json_text(said), time, kind, base.marks
            )


IMPORTER: Importer = ClaudeAi()
