"""LibreChat exports: one conversation per file, arrays of them, or documents of its MongoDB.

A record is a message. Messages are flat with `parentMessageId`, or nested in `children`
(`recursive` exports). MongoDB writes times as `{"$date": ...}` and ids as `{"$oid": ...}`.
The format does not say which branch was current, so it is the one of the newest message.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from assent.connectors.formats.chats import (
    ABANDONED,
    CONTEXT,
    NO_CONTENT,
    NO_MARKS,
    NO_MESSAGES,
    SEEN_BEFORE,
    SIDECHAIN,
    Marks,
    dated,
    source_id,
    unlike,
)
from assent.connectors.formats.exports import any_json, heads, read_chats
from assent.connectors.formats.fields import mapping, string
from assent.connectors.formats.librechat_messages import message_parts, moment, object_id
from assent.connectors.formats.port import Importer, Malformed, Record, Skipped, Source
from assent.connectors.formats.trees import newest_leaf, path_to
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid, Place

_ELSEWHERE: Final = "message that is only referred to"
_ALONE: Final = "message without its conversation"


class LibreChat:
    """The importer of LibreChat exports."""

    name = "librechat"
    summary = "LibreChat export"

    def sniff(self, path: Path) -> bool:
        """Look for a conversation id beside messages."""
        return any(
            b'"conversationId"' in head and (b'"messages"' in head or b'"messagesTree"' in head)
            for head in heads(path, any_json)
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield the conversations of every JSON file of the source."""
        return read_chats(source, any_json, read_chat, {})


def read_chat(value: object, place: Place, seen: set[str]) -> Iterator[Record]:
    """Read one conversation with its messages, unless its id was `seen` before."""
    if not isinstance(value, dict):
        yield Malformed(place, "a conversation is not an object")
        return
    content = value.get("messages", value.get("messagesTree"))
    if isinstance(content, dict):
        content = [content] if "messageId" in content else content.get("children")
    if content is not None and not isinstance(content, list):
        yield Malformed(place, "a conversation's messages are not a list")
        return
    if not content:
        yield Skipped(place, _ALONE if "messageId" in value else NO_MESSAGES)
        return
    messages = list(_flat(content))
    identity = object_id(value.get("_id")) if "conversationId" not in value else ""
    identity = identity or source_id(value, "conversationId")
    if identity in seen:
        yield Skipped(place, SEEN_BEFORE, len(messages))
        return
    seen.add(identity)
    yield from _read_messages(value, messages, identity, place)


def _flat(content: list[object]) -> Iterator[tuple[object, str]]:
    """Yield every message with the id of its parent, parents first; nesting may be deep, so no recursion."""
    waiting: list[tuple[object, str]] = [(message, "") for message in reversed(content)]
    while waiting:
        message, above = waiting.pop()
        fields = mapping(message)
        yield message, string(fields.get("parentMessageId")) or above
        children = fields.get("children")
        if isinstance(children, list):
            turn = _turn(message)
            waiting += [(child, turn) for child in reversed(children)]


def _turn(message: object) -> str:
    fields = mapping(message)
    return string(fields.get("messageId")) or object_id(fields.get("_id"))


def _read_messages(
    value: dict[str, object], messages: list[tuple[object, str]], identity: str, place: Place
) -> Iterator[Record]:
    tree = _Tree(messages)
    shared: Marks = SIDECHAIN if value.get("subagentThread") else NO_MARKS
    parts = list(_instructions(value))
    context = len(parts)
    records = 0
    for turn in tree.order:
        message = tree.messages[turn]
        if isinstance(message, str) or (isinstance(message, dict) and "$oid" in message):
            yield Skipped(place, _ELSEWHERE)
            continue
        try:
            parts += message_parts(message, turn, shared | (NO_MARKS if turn in tree.path else ABANDONED))
        except Invalid as error:
            yield Malformed(place, error.message)
        else:
            records += 1
    if len(parts) == context:
        if records:
            yield Skipped(place, NO_CONTENT, records)
        return
    owners = (string(mapping(message).get("user")) for message, _parent in messages)
    yield dated(
        Conversation(
            id=f"librechat:{identity}",
            source="librechat",
            parts=tuple(parts),
            subject=object_id(value.get("user")) or next(filter(None, owners), None),
            title=string(value.get("title")),
            mode="private" if _is_private(value, messages) else "normal",
            created_at=moment(value.get("createdAt")),
            project=object_id(value.get("chatProjectId")),
            records=records,
        )
    )


class _Tree:
    """The messages by id, those of the current branch first."""

    def __init__(self, messages: list[tuple[object, str]]) -> None:
        self.messages: dict[str, object] = {}
        parents: dict[str, str] = {}
        for number, (message, parent) in enumerate(messages):
            turn = unlike(_turn(message) or str(number), self.messages, number)
            self.messages[turn] = message
            parents[turn] = parent
        self.path: dict[str, None] = dict.fromkeys(self.messages)
        if any(parent in parents for parent in parents.values()):
            times = {turn: moment(mapping(message).get("createdAt")) for turn, message in self.messages.items()}
            self.path = dict.fromkeys(path_to(newest_leaf(parents, times), parents))
        self.order = [*self.path, *(turn for turn in self.messages if turn not in self.path)]


def _is_private(value: dict[str, object], messages: list[tuple[object, str]]) -> bool:
    """Tell temporary chats: they, or their messages, carry a date on which the product drops them."""
    return any(
        fields.get("isTemporary") is True or fields.get("expiredAt") is not None
        for fields in (value, *(mapping(message) for message, _parent in messages))
    )


def _instructions(value: dict[str, object]) -> Iterator[Part]:
    options = mapping(value.get("options"))
    for key in ("promptPrefix", "system", "instructions"):
        if text := string(options.get(key)) or string(value.get(key)):
            yield Part(f"options-{key}", "options", "system", "person", "text", text, name=key, marks=CONTEXT)


IMPORTER: Importer = LibreChat()
