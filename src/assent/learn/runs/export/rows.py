"""Conversations as other trainers read them: one Parquet file a split, so that no reader has to guess the columns.

A trainer that meets a conversation it cannot read stops, or prints the conversation into its log. So what it cannot
read is left out beforehand, and counted by reason.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from assent.learn.runs.data import Talk

Form = Literal["plain", "tools"]
"""`plain`: questions and answers in turn, nothing else. `tools`: thinking, calls of tools and their results too."""

Message = dict[str, Any]

_CALL: Final = pa.struct(
    [("type", pa.string()), ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())]))]
)
_PLAIN: Final = pa.struct([("role", pa.string()), ("content", pa.string())])
_TOOLS: Final = pa.struct(
    [*_PLAIN, ("reasoning_content", pa.string()), ("name", pa.string()), ("tool_calls", pa.list_(_CALL))]
)
_ROWS_AT_ONCE: Final = 256
_PARAGRAPH: Final = "\n\n"


@dataclass(slots=True)
class Written:
    """How many conversations became rows, and how many were left out, by reason."""

    conversations: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


class Unreadable(Exception):  # noqa: N818 - an answer, no error
    """A conversation that a trainer cannot read; the message is the reason."""


def write_rows(talks: Iterable[Talk], path: Path, form: Form) -> Written:
    """Write one row a conversation, for its owner's eyes only; memory is bounded by a batch. Replaces the file."""
    written = Written()
    shape, made = _FORMS[form]
    schema = pa.schema([("messages", pa.list_(shape))])
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        readable = _readable(talks, made, written)
        while rows := list(islice(readable, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist([{"messages": row} for row in rows], schema=schema))
    return written


def count_rows(talks: Iterable[Talk], form: Form) -> Written:
    """Count what `write_rows` would write and leave out; nothing is written."""
    written = Written()
    for _ in _readable(talks, _FORMS[form][1], written):
        pass
    return written


def _readable(
    talks: Iterable[Talk], made: Callable[[list[Message]], list[Message]], written: Written
) -> Iterator[list[Message]]:
    for talk in talks:
        try:
            row = made(talk.messages)
        except Unreadable as reason:
            written.left_out[str(reason)] += 1
            continue
        written.conversations += 1
        yield row


def plain(messages: list[Message]) -> list[Message]:
    """Make questions and answers in turn, after at most one message of the system; thinking is left off.

    Neighbours of one role become one message, and a last question that nobody answered is left off. Raises
    `Unreadable` for what cannot be told this way.
    """
    if any(message["role"] == "tool" or message.get("tool_calls") for message in messages):
        raise Unreadable("calls a tool")
    turns = [
        {"role": role, "content": _PARAGRAPH.join(text for message in same if (text := message["content"]))}
        for role, same in groupby(messages, key=lambda message: message["role"])
    ]
    if turns and turns[-1]["role"] == "user":
        turns.pop()
    spoken = turns[1:] if turns and turns[0]["role"] == "system" else turns
    if any(turn["role"] == "system" for turn in spoken):
        raise Unreadable("system message in the middle")
    if not spoken or spoken[0]["role"] != "user":
        raise Unreadable("no question before the answer")
    if not all(turn["content"] for turn in spoken):
        raise Unreadable("empty message")
    return turns


def with_tools(messages: list[Message]) -> list[Message]:
    """Keep everything. Raises `Unreadable` where the arguments of a call are no JSON object, as chat templates need."""
    for message in messages:
        for call in message.get("tool_calls") or ():
            if not _is_object(call["function"]["arguments"]):
                raise Unreadable("arguments of a tool call are no JSON object")
    return messages


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


_FORMS: Final = {"plain": (_PLAIN, plain), "tools": (_TOOLS, with_tools)}
