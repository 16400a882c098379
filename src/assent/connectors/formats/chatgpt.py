"""ChatGPT data exports: `conversations.json`, or its shards `conversations-000.json` and so on.

A record is a node of a conversation's tree. The tree is read from `current_node` to the root;
everything else was edited or regenerated away. Ratings stand in `message_feedback.json`, the
person's id in `user.json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from assent.connectors.formats.chatgpt_messages import Unknown, message_parts
from assent.connectors.formats.chats import (
    ABANDONED,
    NO_CONTENT,
    NO_MARKS,
    NO_MESSAGES,
    SEEN_BEFORE,
    dated,
    source_id,
)
from assent.connectors.formats.exports import ExportFile, heads, json_records, open_export, others, small_json, wanted
from assent.connectors.formats.fields import instant, json_text, mapping, sequence, string
from assent.connectors.formats.port import Importer, Malformed, Record, Skipped, Source
from assent.connectors.formats.trees import newest_leaf, path_to
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid, Place

_CHATS: Final = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")
_FEEDBACK: Final = "message_feedback.json"
_RENDERED: Final = "chat.html"
_REASONS: Final = {
    _FEEDBACK: "",
    "user.json": "account data",
    "user_settings.json": "account data",
    "shared_conversations.json": "list of shared links",
    "model_comparisons.json": "answers compared by the product",
}
_PROJECT_PREFIX: Final = "g-p-"
_PRIVATE: Final = ("is_do_not_remember", "is_temporary", "is_temporary_chat")


@dataclass(slots=True)
class _Account:
    """What stands beside the conversations, and which of them were met already."""

    subject: str | None = None
    ratings: dict[str, list[tuple[Place, dict[str, object]]]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


class ChatGpt:
    """The importer of ChatGPT data exports."""

    name = "chatgpt"
    summary = "ChatGPT data export"

    def sniff(self, path: Path) -> bool:
        """Look for a conversation with a tree."""
        single = path.is_file() and path.suffix != ".zip"
        return any(
            b'"mapping"' in head and (b'"create_time"' in head or b'"current_node"' in head)
            for head in heads(path, lambda name: single or bool(_CHATS.search(name)))
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield the conversations of all shards, then what else the export holds."""
        with open_export(source.path) as files:
            chats = wanted(files, source.path, lambda name: bool(_CHATS.search(name)))
            account = _Account()
            yield from _read_account(files, account)
            for file in chats:
                for place, value in json_records(file, source.on_bytes):
                    if isinstance(value, Malformed):
                        yield value
                        continue
                    try:
                        yield from _read_chat(value, place, account)
                    except Invalid as error:
                        yield Malformed(place, error.message)
            for ratings in account.ratings.values():
                for place, _rating in ratings:
                    yield Skipped(place, "rating of a conversation that is not in the export")
            yield from others(files, chats, _REASONS)
            source.side_copies.extend(file.path for file in files if file.path and file.base == _RENDERED)


def _read_account(files: list[ExportFile], account: _Account) -> Iterator[Record]:
    for file in files:
        if file.base == "user.json":
            account.subject = string(mapping(small_json(file)).get("id")) or None
        elif file.base == _FEEDBACK:
            for number, rating in enumerate(sequence(small_json(file)), 1):
                place = Place(file.name, number)
                if isinstance(rating, dict):
                    account.ratings.setdefault(string(rating.get("conversation_id")), []).append((place, rating))
                else:
                    yield Malformed(place, "a rating is not an object")


def _read_chat(value: object, place: Place, account: _Account) -> Iterator[Record]:
    if not isinstance(value, dict):
        yield Malformed(place, "a conversation is not an object")
        return
    nodes = value.get("mapping")
    if nodes is not None and not isinstance(nodes, dict):
        yield Malformed(place, "a conversation's mapping is not an object")
        return
    if not nodes:
        yield Skipped(place, NO_MESSAGES)
        return
    identity = source_id(value, "conversation_id", "id")
    if identity in account.seen:
        yield Skipped(place, SEEN_BEFORE, len(nodes))
        return
    account.seen.add(identity)
    yield from _read_nodes(value, nodes, identity, place, account)


def _read_nodes(
    value: dict[str, object], nodes: dict[str, object], identity: str, place: Place, account: _Account
) -> Iterator[Record]:
    parts: list[Part] = []
    records = 0
    path = _path(value, nodes)
    on_path = set(path)
    for node_id in [*path, *(node_id for node_id in nodes if node_id not in on_path)]:
        node = nodes[node_id]
        if not isinstance(node, dict):
            yield Malformed(place, "a node of a conversation is not an object")
            continue
        message = node.get("message")
        if message is None:
            yield Skipped(place, "node without a message")
            continue
        try:
            found = message_parts(message, node_id, NO_MARKS if node_id in on_path else ABANDONED)
        except Unknown as unknown:
            yield Skipped(place, unknown.message)
        except Invalid as error:
            yield Malformed(place, error.message)
        else:
            parts += found
            records += 1
    if not parts:
        if records:
            yield Skipped(place, NO_CONTENT, records)
        return
    ratings = account.ratings.pop(identity, [])
    parts += (_rating(rating, number) for number, (_place, rating) in enumerate(ratings))
    gizmo = string(value.get("gizmo_id"))
    conversation = Conversation(
        id=f"chatgpt:{identity}",
        source="chatgpt",
        parts=tuple(parts),
        subject=account.subject,
        title=string(value.get("title")),
        surface="voice" if string(value.get("voice")) else "chat",
        mode="private" if any(value.get(key) is True for key in _PRIVATE) else "normal",
        created_at=instant(value.get("create_time")),
        project=gizmo if gizmo.startswith(_PROJECT_PREFIX) else "",
        records=records + len(ratings),
    )
    yield dated(conversation)


def _path(value: dict[str, object], nodes: dict[str, object]) -> list[str]:
    parents = {node_id: string(mapping(node).get("parent")) for node_id, node in nodes.items()}
    leaf = string(value.get("current_node"))
    if leaf not in nodes:
        times = {key: instant(mapping(mapping(node).get("message")).get("create_time")) for key, node in nodes.items()}
        leaf = newest_leaf(parents, times)
    return path_to(leaf, parents)


def _rating(rating: dict[str, object], number: int) -> Part:
    message = string(rating.get("message_id")) or string(rating.get("id"))
    said = {key: rating[key] for key in ("rating", "content", "tags") if rating.get(key) is not None}
    return Part(
        id=f"feedback-{number}",
        turn=message or "feedback",
        speaker="user",
        origin="person",
        data="feedback",
        text=json_text(said),
        created_at=instant(rating.get("create_time")),
        name=string(rating.get("rating")),
    )


IMPORTER: Importer = ChatGpt()
