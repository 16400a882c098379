"""Conversations as chat messages: one JSON line each, as trainers read them (spec/manifest.md, conversations)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

SILENT: Final = frozenset({"score", "feedback"})
"""Classes of data that nobody said in the conversation."""

_COLUMNS: Final = (
    "part", "conversation", "turn", "speaker", "data", "marks", "tool", "text", "decision", "receipt",
)  # fmt: skip
_PARAGRAPH: Final = "\n\n"


@dataclass(slots=True)
class MessageCounts:
    """What became lines and what did not. `left_out` counts conversations, `silent` parts, each by reason."""

    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)


def lines(batch: pa.RecordBatch, counts: MessageCounts) -> Iterator[bytes]:
    """Make one line of every conversation in a batch of PARTS and count what is left out.

    A batch holds whole conversations. One without a message of a user, or without one of an
    assistant, is left out: there is nothing in it to learn an answer from.
    """
    rows = batch.select(_COLUMNS).to_pylist()
    for conversation, parts in groupby(rows, key=lambda row: row["conversation"]):
        line = _line(conversation, list(parts), counts)
        if line is not None:
            counts.written += 1
            yield line


def _line(conversation: str, parts: list[dict[str, Any]], counts: MessageCounts) -> bytes | None:
    said = []
    for part in parts:
        silence = part["data"] if part["data"] in SILENT else None if part["text"] else "no text"
        if silence is None:
            said.append(part)
        else:
            counts.silent[silence] += 1
    messages = list(_messages(said))
    roles = {message["role"] for message in messages}
    for role in ("user", "assistant"):
        if role not in roles:
            counts.left_out[f"no {role} message"] += 1
            return None
    return orjson.dumps(
        {
            "id": conversation,
            "messages": messages,
            "decisions": [part["decision"] for part in said],
            "receipts": list(dict.fromkeys(part["receipt"] for part in said)),
        }
    )


def _messages(parts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Join neighbouring parts of one turn and speaker; every result of a tool is a message of its own."""
    for (_, speaker, _), group in groupby(parts, key=_place):
        if speaker == "assistant":
            yield _answer(list(group))
        elif speaker == "tool":
            for part in group:
                name = {"name": part["tool"]} if part["tool"] else {}
                yield {"role": "tool", **name, "content": part["text"]}
        else:
            yield {"role": speaker, "content": _PARAGRAPH.join(part["text"] for part in group)}


def _place(part: dict[str, Any]) -> tuple[str, str, str]:
    return part["turn"], part["speaker"], part["part"] if part["speaker"] == "tool" else ""


def _answer(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Keep thinking and tool calls apart from what was said, so that a trainer can leave either out."""
    thoughts = [part["text"] for part in parts if "reasoning" in part["marks"]]
    calls = [part for part in parts if "tool-payload" in part["marks"] and "reasoning" not in part["marks"]]
    said = [part["text"] for part in parts if not {"reasoning", "tool-payload"} & set(part["marks"])]
    message: dict[str, Any] = {"role": "assistant", "content": _PARAGRAPH.join(said)}
    if thoughts:
        message["reasoning_content"] = _PARAGRAPH.join(thoughts)
    if calls:
        message["tool_calls"] = [
            {"type": "function", "function": {"name": part["tool"] or "", "arguments": part["text"]}} for part in calls
        ]
    return message
