"""Talks as a Claude.ai data export: one ZIP for many people, told apart by `account.uuid`.

Lantern's account ids are the slugs of its people, so `account.uuid` is the subject. The
format has no model, and no content but the last branch's order in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import orjson

from assent.services.demo.calendar import Feedback
from assent.services.demo.people import Person
from assent.services.demo.turns import CONNECTOR, Block, Talk, Turn

_NO_PARENT: Final = "00000000-0000-4000-8000-000000000000"


def claude_ai_files(people: Sequence[Person], talks: Sequence[Talk], feedback: Sequence[Feedback]) -> dict[str, bytes]:
    """Give the files of the export by name."""
    rated = {rating.turn: rating for rating in feedback}
    users = [
        {
            "uuid": person.id,
            "full_name": "",
            "email_address": f"{person.id}@lantern.example",
            "verified_phone_number": None,
        }
        for person in people
    ]
    return {
        "conversations.json": orjson.dumps([_conversation(talk, rated) for talk in talks]),
        "users.json": orjson.dumps(users),
        "projects.json": orjson.dumps([_starter(person) for person in people[:1]]),
    }


def _starter(person: Person) -> dict[str, object]:
    return {
        "uuid": str(uuid5(NAMESPACE_URL, f"{person.id}/project")),
        "name": "How to use projects",
        "description": "An example that every account starts with",
        "is_private": False,
        "is_starter_project": True,
        "prompt_template": "",
        "created_at": "2025-06-01T08:00:00.000000+00:00",
        "updated_at": "2025-06-01T08:00:00.000000+00:00",
        "creator": {"uuid": person.id, "full_name": ""},
        "docs": [],
    }


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _conversation(talk: Talk, rated: dict[str, Feedback]) -> dict[str, object]:
    return {
        "uuid": talk.id,
        "name": talk.title,
        "summary": "",
        "created_at": _time(talk.turns[0].at),
        "updated_at": _time(talk.turns[-1].at),
        **({"is_temporary": True} if talk.private else {}),
        "account": {"uuid": talk.subject},
        "chat_messages": [_message(turn, rated.get(turn.id)) for turn in talk.turns],
    }


def _message(turn: Turn, rating: Feedback | None) -> dict[str, object]:
    files = [block for block in turn.blocks if block.kind == "file"]
    message: dict[str, object] = {
        "uuid": turn.id,
        "text": "\n\n".join(block.text for block in turn.blocks if block.kind == "text"),
        "content": [
            content
            for number, block in enumerate(turn.blocks)
            for content in _content(block, f"{turn.id}/{number}", turn.at)
        ],
        "sender": "human" if turn.by == "person" else "assistant",
        "created_at": _time(turn.at),
        "updated_at": _time(turn.at),
        "attachments": [
            {
                "file_name": block.name,
                "file_size": len(block.text.encode()),
                "file_type": "text/csv",
                "extracted_content": block.text,
            }
            for block in files
        ],
        "files": [{"file_name": block.name} for block in files],
        "parent_message_uuid": turn.parent or _NO_PARENT,
    }
    if rating is not None:
        kind = "upvote" if rating.rating == "up" else "flag"
        message["chat_feedback"] = {"type": kind, "reason": None, "created_at": _time(rating.at)}
    return message


def _content(block: Block, key: str, at: datetime) -> list[dict[str, object]]:
    """Write one block; a call is two, the use and the result, tied by an id."""
    times = {"start_timestamp": _time(at), "stop_timestamp": _time(at)}
    if block.kind == "text":
        return [{**times, "type": "text", "text": block.text, "citations": []}]
    if block.kind == "reasoning":
        return [{**times, "type": "thinking", "thinking": block.text, "summaries": [], "cut_off": False}]
    if block.kind == "file":
        return []
    server, _, tool = block.name.removeprefix(CONNECTOR).rpartition("__")
    use = f"toolu_{uuid5(NAMESPACE_URL, key).hex[:24]}"
    shared: dict[str, object] = {
        "name": tool,
        "message": None,
        "integration_name": server or None,
        "integration_icon_url": None,
        "display_content": None,
    }
    result = {"type": "text", "text": block.text, "uuid": str(uuid5(NAMESPACE_URL, f"{key}/result"))}
    return [
        {**times, "type": "tool_use", "id": use, "input": dict(block.arguments), **shared},
        {**times, "type": "tool_result", "tool_use_id": use, "content": [result], "is_error": False, **shared},
    ]
