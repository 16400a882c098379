"""Talks as a ChatGPT data export: the files of one person's ZIP.

Beside the conversations stand `user.json` (whose `id` is the only identity) and
`message_feedback.json`. What the product puts into `conversations.json.index` is not known;
here it lists the shards. The rendered copy `chat.html` is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from assent.domain.instants import format_instant
from assent.services.demo.calendar import Feedback
from assent.services.demo.people import Person
from assent.services.demo.turns import CONNECTOR, Block, Talk, Turn

SHARD_TALKS: Final = 8
"""Conversations per shard; the product takes more, but a person here has few."""

MODEL: Final = "lantern-3"
Content = dict[str, object]

_ROOT: Final = "client-created-root"
_OUTPUT: Final = frozenset({"python"})


def chatgpt_files(person: Person, talks: Sequence[Talk], feedback: Sequence[Feedback]) -> dict[str, bytes]:
    """Give the files of the export by name."""
    shards = [talks[at : at + SHARD_TALKS] for at in range(0, len(talks), SHARD_TALKS)]
    files = {
        f"conversations-{number:03d}.json": _dump([_conversation(talk) for talk in shard])
        for number, shard in enumerate(shards)
    }
    files["conversations.json.index"] = _dump({"files": list(files)})
    files["message_feedback.json"] = _dump([_rating(rating) for rating in feedback])
    born = {} if person.age is None else {"birth_year": 2025 - person.age}
    files["user.json"] = _dump(
        {"id": person.id, "email": f"{person.id}@lantern.example", "chatgpt_plus_user": person.plan != "free", **born}
    )
    return files


def _dump(value: object) -> bytes:
    """Write JSON as this product does: ASCII only, with spaces."""
    return json.dumps(value).encode()


def _conversation(talk: Talk) -> dict[str, object]:
    nodes = _nodes(talk)
    return {
        "title": talk.title,
        "create_time": talk.turns[0].at.timestamp(),
        "update_time": talk.turns[-1].at.timestamp(),
        "mapping": nodes,
        "moderation_results": [],
        "current_node": talk.turns[-1].id,
        "plugin_ids": None,
        "conversation_id": talk.id,
        "conversation_template_id": None,
        "gizmo_id": None,
        "gizmo_type": None,
        "is_archived": False,
        "is_starred": None,
        "safe_urls": [],
        "blocked_urls": [],
        "default_model_slug": MODEL,
        "conversation_origin": None,
        "voice": None,
        "async_status": None,
        "disabled_tool_ids": [],
        "is_do_not_remember": talk.private,
        "memory_scope": "global_enabled",
        "context_scopes": None,
        "id": talk.id,
    }


def _nodes(talk: Talk) -> dict[str, dict[str, object]]:
    """Lay the turns out as a tree; a turn of several blocks is a chain that ends in the turn's own id."""
    nodes: dict[str, dict[str, object]] = {_ROOT: _node(_ROOT, None, None)}
    parent = _ROOT
    for message in _opening(talk):
        parent = _append(nodes, parent, message)
    beginning = parent
    for turn in talk.turns:
        parent = turn.parent or beginning
        for message in _messages(turn):
            parent = _append(nodes, parent, message)
    return nodes


def _node(identity: str, parent: str | None, message: dict[str, object] | None) -> dict[str, object]:
    return {"id": identity, "message": message, "parent": parent, "children": []}


def _append(nodes: dict[str, dict[str, object]], parent: str, message: dict[str, object]) -> str:
    identity = str(message["id"])
    nodes[identity] = _node(identity, parent, message)
    children = nodes[parent]["children"]
    if isinstance(children, list):
        children.append(identity)
    return identity


def _opening(talk: Talk) -> Iterator[dict[str, object]]:
    """Write the nodes that nobody sees: an empty system message, and custom instructions if there are any."""
    hidden: Content = {"is_visually_hidden_from_conversation": True}
    identity = str(uuid5(NAMESPACE_URL, f"{talk.id}/system"))
    yield _message(identity, "system", None, {"content_type": "text", "parts": [""]}, metadata=hidden, weight=0.0)
    if talk.instructions:
        identity = str(uuid5(NAMESPACE_URL, f"{talk.id}/instructions"))
        content: Content = {"content_type": "user_editable_context", "user_instructions": talk.instructions}
        metadata = hidden | {"is_user_system_message": True}
        yield _message(identity, "user", None, content, metadata=metadata)


def _messages(turn: Turn) -> list[dict[str, object]]:
    """Write one turn as messages: the person's in one, the model's as thoughts, calls and an answer."""
    if turn.by == "person":
        return [_asked(turn)]
    contents = [content for block in turn.blocks for content in _answered(block)]
    ids = [str(uuid5(NAMESPACE_URL, f"{turn.id}/{number}")) for number in range(len(contents) - 1)]
    metadata: dict[str, object] = {"model_slug": MODEL, "default_model_slug": MODEL, "message_type": "next"}
    return [
        _message(identity, role, turn.at, content, name=name, recipient=recipient, metadata=metadata)
        for identity, (role, name, recipient, content) in zip([*ids, turn.id], contents, strict=True)
    ]


def _asked(turn: Turn) -> dict[str, object]:
    parts = [block.text for block in turn.blocks if block.kind == "text"]
    attachments = [
        {
            "id": f"file-{uuid5(NAMESPACE_URL, f'{turn.id}/{block.name}').hex[:22]}",
            "name": block.name,
            "mime_type": "text/csv",
            "size": len(block.text.encode()),
        }
        for block in turn.blocks
        if block.kind == "file"
    ]
    metadata: dict[str, object] = {"attachments": attachments} if attachments else {}
    return _message(turn.id, "user", turn.at, {"content_type": "text", "parts": parts}, metadata=metadata)


def _answered(block: Block) -> list[tuple[str, str | None, str, Content]]:
    """Give (role, name, recipient, content) of the messages that one block becomes."""
    if block.kind == "reasoning":
        thought = {"summary": "Working it out", "content": block.text, "chunks": [], "finished": True}
        return [("assistant", None, "all", {"content_type": "thoughts", "thoughts": [thought]})]
    if block.kind != "call":
        return [("assistant", None, "all", {"content_type": "text", "parts": [block.text]})]
    # A connector's tool is written `server.tool` here.
    name = block.name.removeprefix(CONNECTOR).replace("__", ".")
    arguments = dict(block.arguments)
    sent = arguments["code"] if name in _OUTPUT else json.dumps(arguments)
    language = "python" if name in _OUTPUT else "json"
    asked: Content = {"content_type": "code", "language": language, "response_format_name": None, "text": sent}
    back: Content = {"content_type": "text", "parts": [block.text]}
    if name in _OUTPUT:
        back = {"content_type": "execution_output", "text": block.text}
    return [("assistant", None, name, asked), ("tool", name, "all", back)]


def _message(
    identity: str,
    role: str,
    at: datetime | None,
    content: Content,
    *,
    metadata: dict[str, object],
    name: str | None = None,
    recipient: str = "all",
    weight: float = 1.0,
) -> dict[str, object]:
    return {
        "id": identity,
        "author": {"role": role, "name": name, "metadata": {}},
        "create_time": at and at.timestamp(),
        "update_time": None,
        "content": content,
        "status": "finished_successfully",
        "end_turn": True if role == "assistant" and recipient == "all" else None,
        "weight": weight,
        "metadata": metadata,
        "recipient": recipient,
        "channel": None,
    }


def _rating(feedback: Feedback) -> dict[str, object]:
    return {
        "id": feedback.turn,
        "conversation_id": feedback.conversation.partition(":")[2],
        "user_id": feedback.subject,
        "rating": f"thumbs_{feedback.rating}",
        "create_time": format_instant(feedback.at),
        "content": "{}",
    }
