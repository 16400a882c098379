"""Talks as an Open WebUI export: one array of chat rows for many people, told apart by `user_id`.

As in the product, messages stand in a tree and once more in a flat list, times are whole
seconds, thinking and calls stand in the text as well as in `output`, and `updated_at` of a
pinned chat is later than anything that was said.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import orjson

from assent.services.demo.turns import Block, Talk, Turn

MODEL: Final = "lantern-3"
_PINNED: Final = "0"
"""Chats whose id begins with this digit, one in sixteen, are pinned."""
_PIN_DELAY_S: Final = 5 * 86_400


def open_webui_chats(talks: Sequence[Talk]) -> bytes:
    """Give the export as the bytes of one JSON file."""
    return orjson.dumps([_row(talk) for talk in talks])


def _row(talk: Talk) -> dict[str, object]:
    messages = {turn.id: _message(talk, turn) for turn in talk.turns}
    left = talk.abandoned
    first, last = (int(turn.at.timestamp()) for turn in (talk.turns[0], talk.turns[-1]))
    pinned = talk.id.startswith(_PINNED)
    return {
        "id": talk.id,
        "user_id": talk.subject,
        "title": talk.title,
        "chat": {
            "id": "",
            "title": talk.title,
            "models": [MODEL],
            "params": {},
            "history": {"messages": messages, "currentId": talk.turns[-1].id},
            "messages": [message for turn, message in messages.items() if turn not in left],
            "tags": [],
            "timestamp": first * 1000,
            "files": [file for turn in talk.turns for file in _files(turn)],
        },
        "updated_at": last + _PIN_DELAY_S if pinned else last,
        "created_at": first,
        "share_id": None,
        "archived": False,
        "pinned": pinned,
        "meta": {},
        "folder_id": None,
    }


def _message(talk: Talk, turn: Turn) -> dict[str, object]:
    message: dict[str, object] = {
        "id": turn.id,
        "parentId": turn.parent or None,
        "childrenIds": [other.id for other in talk.turns if other.parent == turn.id],
        "role": "user" if turn.by == "person" else "assistant",
        "content": "".join(_shown(block, f"{turn.id}/{number}") for number, block in enumerate(turn.blocks)),
        "timestamp": int(turn.at.timestamp()),
    }
    if turn.by == "person":
        files = _files(turn)
        return message | {"models": [MODEL]} | ({"files": files} if files else {})
    message |= {"model": MODEL, "modelName": "Lantern 3", "modelIdx": 0, "done": True}
    if any(block.kind != "text" for block in turn.blocks):
        message["output"] = [
            item for number, block in enumerate(turn.blocks) for item in _output(block, f"{turn.id}/{number}")
        ]
    if turn.thumb:
        feedback = str(uuid5(NAMESPACE_URL, f"{turn.id}/feedback"))
        message |= {"annotation": {"rating": 1 if turn.thumb == "up" else -1}, "feedbackId": feedback}
    return message


def _files(turn: Turn) -> list[dict[str, object]]:
    return [
        {
            "type": "file",
            "file": {
                "id": str(uuid5(NAMESPACE_URL, f"{turn.id}/{block.name}")),
                "filename": block.name,
                "data": {"content": block.text},
                "meta": {"name": block.name, "content_type": "text/csv", "size": len(block.text.encode())},
                "created_at": int(turn.at.timestamp()),
            },
            "name": block.name,
            "status": "uploaded",
        }
        for block in turn.blocks
        if block.kind == "file"
    ]


def _shown(block: Block, key: str) -> str:
    """Write a block as the interface keeps it in the text."""
    if block.kind == "text":
        return block.text
    if block.kind == "file":
        return ""
    if block.kind == "reasoning":
        quoted = "\n".join(f"> {html.escape(line)}" for line in block.text.splitlines())
        return (
            '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n'
            f"{quoted}\n</details>\n"
        )
    arguments = html.escape(json.dumps(_arguments(block)))
    result = html.escape(json.dumps(block.text, ensure_ascii=False))
    return (
        f'<details type="tool_calls" done="true" id="{_call_id(key)}" name="{block.name}" arguments="{arguments}" '
        f'result="{result}" files="" embeds="">\n<summary>Tool Executed</summary>\n</details>\n'
    )


def _output(block: Block, key: str) -> list[dict[str, object]]:
    """Write a block as the typed items that newer versions keep beside the text."""
    item: dict[str, object] = {"id": f"item_{uuid5(NAMESPACE_URL, key).hex[:24]}", "status": "completed"}
    if block.kind == "text":
        return [
            item | {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": block.text}]}
        ]
    if block.kind == "reasoning":
        content = [{"type": "output_text", "text": block.text}]
        return [item | {"type": "reasoning", "summary": [], "content": content, "duration": 3}]
    tied = {"call_id": _call_id(key)}
    return [
        item | tied | {"type": "function_call", "name": block.name, "arguments": _arguments(block)},
        item | tied | {
            "type": "function_call_output", "name": block.name, "output": [{"type": "input_text", "text": block.text}],
        },
    ]  # fmt: skip


def _arguments(block: Block) -> str:
    return json.dumps(dict(block.arguments), ensure_ascii=False)


def _call_id(key: str) -> str:
    return f"call_{uuid5(NAMESPACE_URL, f'{key}/call').hex[:24]}"
