"""Coding sessions as the home folder of Claude Code, one for each person.

No line names the person: whose session it is follows from the folder alone. Prompts stand a
second time in `history.jsonl` and the plan of a session in `todos`: side copies, as in the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import orjson

from assent.services.demo.turns import Block, Talk, Turn

MODEL: Final = "lantern-3-code"
_VERSION: Final = "2.0.14"
_STEP: Final = timedelta(seconds=3)


def claude_code_files(talks: Sequence[Talk]) -> dict[str, bytes]:
    """Give the files of one home folder by their path in it."""
    files: dict[str, bytes] = {}
    history: list[dict[str, object]] = []
    for talk in talks:
        project = f"projects/{talk.folder.replace('/', '-')}"
        files[f"{project}/{talk.id}.jsonl"] = _lines(_transcript(talk))
        if aside := [turn for turn in talk.turns if turn.aside]:
            agent = uuid5(NAMESPACE_URL, f"{talk.id}/agent").hex[:8]
            lines = [line | {"agentId": agent} for line in _session_lines(talk, aside)]
            files[f"{project}/{talk.id}/subagents/agent-{agent}.jsonl"] = _lines(lines)
        files[f"todos/{talk.id}-agent-{talk.id}.json"] = orjson.dumps(_plan(talk))
        history += [_prompt(talk, turn) for turn in talk.main if turn.by == "person"]
    history.sort(key=lambda line: str(line["timestamp"]))
    files["history.jsonl"] = _lines(history)
    return files


def _lines(values: Sequence[object]) -> bytes:
    return b"".join(orjson.dumps(value) + b"\n" for value in values)


def _prompt(talk: Talk, turn: Turn) -> dict[str, object]:
    return {
        "display": turn.blocks[0].text,
        "pastedContents": {},
        "timestamp": int(turn.at.timestamp() * 1000),
        "project": talk.folder,
        "sessionId": talk.id,
    }


def _plan(talk: Talk) -> list[dict[str, object]]:
    return [
        {"content": turn.blocks[0].text, "status": "completed", "activeForm": "Working on it"}
        for turn in talk.main
        if turn.by == "person"
    ]


def _transcript(talk: Talk) -> list[dict[str, object]]:
    first = talk.turns[0]
    snapshot = {"messageId": first.id, "trackedFileBackups": {}, "timestamp": _time(first.at)}
    return [
        {"type": "summary", "summary": talk.title, "leafUuid": talk.turns[-1].id},
        {"type": "file-history-snapshot", "messageId": first.id, "snapshot": snapshot, "isSnapshotUpdate": False},
        *_session_lines(talk, talk.main),
    ]


def _session_lines(talk: Talk, turns: Sequence[Turn]) -> list[dict[str, object]]:
    """Write turns as lines that each name their parent; the last line of a turn has the turn's id."""
    return [line for turn in turns for line in _turn_lines(talk, turn)]


def _turn_lines(talk: Talk, turn: Turn) -> Iterator[dict[str, object]]:
    messages = [message for number, block in enumerate(turn.blocks) for message in _messages(turn, block, number)]
    ids = [str(uuid5(NAMESPACE_URL, f"{turn.id}/{number}")) for number in range(len(messages) - 1)]
    parent = turn.parent or None
    for number, (identity, (message, more)) in enumerate(zip([*ids, turn.id], messages, strict=True)):
        yield {
            "parentUuid": parent,
            "isSidechain": turn.aside,
            "userType": "external",
            "cwd": talk.folder,
            "sessionId": talk.id,
            "version": _VERSION,
            "gitBranch": "main",
            "type": message["role"],
            "message": message,
            **more,
            "uuid": identity,
            "timestamp": _time(turn.at + number * _STEP),
        }
        parent = identity


Message = tuple[dict[str, object], dict[str, object]]
"""A message, and the fields that stand beside it in its line."""


def _messages(turn: Turn, block: Block, number: int) -> list[Message]:
    """Write one block: a call is a line of the model and a line with the tool's result."""
    if turn.by == "person":
        return [({"role": "user", "content": block.text}, {})]
    if block.kind == "text":
        return [_said(turn, number, {"type": "text", "text": block.text})]
    if block.kind == "reasoning":
        return [_said(turn, number, {"type": "thinking", "thinking": block.text, "signature": ""})]
    use = f"toolu_{uuid5(NAMESPACE_URL, f'{turn.id}/use/{number}').hex[:24]}"
    asked: dict[str, object] = {"type": "tool_use", "id": use, "name": block.name, "input": dict(block.arguments)}
    back = {"tool_use_id": use, "type": "tool_result", "content": block.text, "is_error": False}
    return [
        _said(turn, number, asked),
        ({"role": "user", "content": [back]}, {"toolUseResult": {"stdout": block.text, "stderr": ""}}),
    ]


def _said(turn: Turn, number: int, content: dict[str, object]) -> Message:
    message: dict[str, object] = {
        "id": f"msg_{uuid5(NAMESPACE_URL, f'{turn.id}/message/{number}').hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [content],
        "stop_reason": "tool_use" if content["type"] == "tool_use" else None,
        "stop_sequence": None,
        "usage": {"input_tokens": 900 + 7 * number, "output_tokens": len(str(content)) // 4},
    }
    return message, {"requestId": f"req_{uuid5(NAMESPACE_URL, f'{turn.id}/request/{number}').hex[:24]}"}


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
