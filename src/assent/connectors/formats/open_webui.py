"""Open WebUI exports: an array of rows of its `chat` table.

A record is a message. Messages stand in a tree (`chat.history`, `currentId`) and once more in
a flat list of the current branch, which is read only where the tree is missing. `updated_at`
of the row moves when a chat is pinned or filed, so it is not read at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from assent.connectors.formats.chats import (
    ABANDONED,
    CONTEXT,
    NO_CONTENT,
    NO_MARKS,
    NO_MESSAGES,
    SEEN_BEFORE,
    dated,
    media,
    source_id,
    unlike,
)
from assent.connectors.formats.exports import any_json, heads, read_chats
from assent.connectors.formats.fields import instant, mapping, sequence, string
from assent.connectors.formats.open_webui_messages import file_id, message_parts
from assent.connectors.formats.port import Importer, Malformed, Record, Skipped, Source
from assent.connectors.formats.trees import newest_leaf, path_to
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid, Place

_TEMPORARY_PREFIX: Final = "local:"


class OpenWebUi:
    """The importer of Open WebUI chat exports."""

    name = "open-webui"
    summary = "Open WebUI export"

    def sniff(self, path: Path) -> bool:
        """Look for a chat row with its tree of messages."""
        return any(
            b'"history"' in head and (b'"currentId"' in head or b'"childrenIds"' in head or b'"parentId"' in head)
            for head in heads(path, any_json)
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield the chats of every JSON file of the source."""
        return read_chats(source, any_json, read_chat, {})


def read_chat(value: object, place: Place, seen: set[str]) -> Iterator[Record]:
    """Read one row of the product's `chat` table; `seen` are ids that were read before, and gets its own."""
    if not isinstance(value, dict):
        yield Malformed(place, "a chat is not an object")
        return
    chat = value.get("chat", value)
    if not isinstance(chat, dict):
        yield Malformed(place, "a chat's content is not an object")
        return
    try:
        messages = _messages(chat)
    except Invalid as error:
        yield Malformed(place, error.message)
        return
    if not messages:
        yield Skipped(place, NO_MESSAGES)
        return
    identity = source_id(value, "id")
    if identity in seen:
        yield Skipped(place, SEEN_BEFORE, len(messages))
        return
    seen.add(identity)
    yield from _read_messages(value, chat, messages, identity, place)


def _messages(chat: dict[str, object]) -> dict[str, object]:
    """Give the messages by id: of the tree, or numbered from the flat list. Raises `Invalid`."""
    history = chat.get("history")
    if history is not None and not isinstance(history, dict):
        raise Invalid("a chat's history is not an object")
    tree = mapping(history).get("messages")
    if tree is not None and not isinstance(tree, dict):
        raise Invalid("a chat's history has no messages by id")
    if tree:
        return tree
    flat = chat.get("messages")
    if flat is not None and not isinstance(flat, list):
        raise Invalid("a chat's messages are not a list")
    messages: dict[str, object] = {}
    for number, message in enumerate(flat or ()):
        turn = string(mapping(message).get("id")) or str(number)
        messages[unlike(turn, messages, number)] = message
    return messages


def _read_messages(
    value: dict[str, object], chat: dict[str, object], messages: dict[str, object], identity: str, place: Place
) -> Iterator[Record]:
    records = 0
    path = _path(chat, messages)
    on_path = set(path)
    parts = list(_system(chat))
    context = len(parts)
    uploads: dict[str, int] = {}
    for turn in [*path, *(turn for turn in messages if turn not in on_path)]:
        try:
            found = message_parts(messages[turn], turn, NO_MARKS if turn in on_path else ABANDONED)
        except Invalid as error:
            yield Malformed(place, error.message)
            continue
        for part in found:
            if part.origin == "file" and part.name:
                uploads.setdefault(part.name, len(parts))
            parts.append(part)
        records += 1
    _add_chat_files(chat, parts, uploads)
    if len(parts) == context:
        if records:
            yield Skipped(place, NO_CONTENT, records)
        return
    yield dated(
        Conversation(
            id=f"open-webui:{identity}",
            source="open-webui",
            parts=tuple(parts),
            subject=string(value.get("user_id")) or None,
            title=string(value.get("title")) or string(chat.get("title")),
            mode="private" if identity.startswith(_TEMPORARY_PREFIX) else "normal",
            created_at=instant(value.get("created_at")) or instant(chat.get("timestamp")),
            project=string(value.get("folder_id")),
            records=records,
        )
    )


def _path(chat: dict[str, object], messages: dict[str, object]) -> list[str]:
    parents = {turn: string(mapping(message).get("parentId")) for turn, message in messages.items()}
    if not any(parent in messages for parent in parents.values()):
        return list(messages)
    leaf = string(mapping(chat.get("history")).get("currentId"))
    if leaf not in messages:
        leaf = newest_leaf(parents, {turn: instant(mapping(node).get("timestamp")) for turn, node in messages.items()})
    return path_to(leaf, parents)


def _system(chat: dict[str, object]) -> Iterator[Part]:
    text = string(mapping(chat.get("params")).get("system")) or string(chat.get("system"))
    if text:
        yield Part("system", "system", "system", "tool", "text", text, marks=CONTEXT)


def _add_chat_files(chat: dict[str, object], parts: list[Part], uploads: dict[str, int]) -> None:
    """Add the files of the whole chat; those that a message has already only give it their text."""
    for number, upload in enumerate(sequence(chat.get("files"))):
        fields = mapping(upload)
        file = mapping(fields.get("file"))
        name = file_id(fields)
        text = string(mapping(file.get("data")).get("content"))
        at = uploads.get(name)
        if at is not None and (not text or parts[at].text in ("", text)):
            parts[at] = replace(parts[at], text=text or parts[at].text)
        elif name or text:
            time = instant(file.get("created_at"))
            kind = string(mapping(file.get("meta")).get("content_type"))
            data = "image" if fields.get("type") == "image" else media(kind, name)
            parts.append(Part(f"files-{number}", "files", "user", "file", data, text, time, name))


IMPORTER: Importer = OpenWebUi()
