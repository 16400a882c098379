r"""Chat sets as published for training: rows with messages, or with a chosen and a rejected answer.

Known shapes of a row, tried in this order:

- `chosen`, `rejected`: dialogues as text ("\n\nHuman: ... \n\nAssistant: ...") or as messages,
  with or without a `prompt`; what only the rejected one has is an abandoned branch
- `messages`, `conversation` or `conversations`: a list of `{role, content}` or `{from, value}`
- `prompt` with `completion` or `response`; `instruction`, `input`, `output`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from assent.connectors.formats.datasets import read_rows, row_keys
from assent.connectors.formats.fields import instant, string
from assent.connectors.formats.messages import ABANDONED, Identities, Reader, conversation
from assent.connectors.formats.port import Record, Source
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid

_LISTS: Final = ("messages", "conversation", "conversations")
_IDS: Final = ("id", "conversation_id", "conversation_hash", "uuid", "prompt_id", "question_id")
_TIMES: Final = ("created", "created_at", "timestamp", "create_time")
_ANSWERS: Final = ("completion", "response", "answer", "output")
_SPOKEN: Final = re.compile(r"\n\n(Human|Assistant|System):")


class HfMessages:
    """The importer of published chat sets."""

    name = "hf-messages"
    summary = "published chat sets: rows with messages or chosen/rejected, .jsonl(.gz)/.json/.parquet"

    def sniff(self, path: Path) -> bool:
        """Look for a row with one of the known shapes."""
        return any(
            not keys.isdisjoint(_LISTS)
            or {"chosen", "rejected"} <= keys
            or ("prompt" in keys and not keys.isdisjoint(_ANSWERS))
            or {"instruction", "output"} <= keys
            for keys in row_keys(path)
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield each row as one conversation, named by its own id or a digest of its content."""
        return read_rows(source, self.name, _build)


def _build(row: dict[str, object], identities: Identities) -> Conversation | None:
    # A row's one time stands for all of its messages: the only one there is.
    time = next((found for key in _TIMES if (found := instant(row.get(key)))), None)
    parts = _row_parts(row, time)
    given = next((row[key] for key in _IDS if row.get(key) not in (None, "")), None)
    identity = identities.claim(_content(parts), given)
    if not identity:
        return None
    return conversation("hf-messages", identity, parts, created_at=time, title=string(row.get("title")))


def _content(parts: list[Part]) -> list[list[str]]:
    """Name what makes two rows the same conversation: who says what, not the columns beside it."""
    return [[part.id, part.speaker, part.name, part.text] for part in parts]


def _row_parts(row: dict[str, object], time: datetime | None) -> list[Part]:
    if "chosen" in row and "rejected" in row:
        return _preference(row, time)
    messages = next((row[key] for key in _LISTS if row.get(key) is not None), None)
    if messages is not None:
        return _reader(messages, time).parts(messages)
    prompt = row.get("prompt", row.get("instruction"))
    answer = next((row[key] for key in _ANSWERS if row.get(key) is not None), None)
    if prompt is None or answer is None:
        raise Invalid("the record has no known shape of a conversation")
    if isinstance(prompt, str) and string(row.get("input")):
        prompt = f"{prompt}\n\n{row['input']}"
    said = [*_said(prompt, "user"), *_said(answer, "assistant")]
    return _reader(said, time).parts(said)


def _preference(row: dict[str, object], time: datetime | None) -> list[Part]:
    """Read the chosen dialogue whole, and of the rejected one what comes after their common start."""
    prompt = _said(row["prompt"], "user") if row.get("prompt") is not None else []
    chosen = _continued(prompt, _said(row["chosen"], "assistant"))
    rejected = _continued(prompt, _said(row["rejected"], "assistant"))
    common = next((at for at, pair in enumerate(zip(chosen, rejected, strict=False)) if pair[0] != pair[1]), None)
    if common is None:
        common = min(len(chosen), len(rejected))
    reader = _reader(chosen, time)
    other = replace(reader, prefix="rejected-", marks=ABANDONED)
    return [*reader.parts(chosen), *other.parts(rejected[common:])]


def _continued(prompt: list[object], dialogue: list[object]) -> list[object]:
    """Put the prompt before an answer, unless the dialogue starts with it already."""
    return dialogue if dialogue[: len(prompt)] == prompt else [*prompt, *dialogue]


def _said(value: object, role: str) -> list[object]:
    """Read a dialogue: a list of messages, marked-up text, or plain text said by `role`."""
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        raise Invalid("a side of the record is neither text nor a list of messages")
    pieces = _SPOKEN.split(value)
    said: list[object] = [{"role": role, "content": pieces[0]}] if pieces[0].strip() else []
    said += [
        {"role": name.lower(), "content": text.strip()} for name, text in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    return said


def _reader(messages: object, time: datetime | None) -> Reader:
    first = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(first, dict) and "from" in first and "role" not in first:
        return Reader("from", "value", time=time)
    return Reader(time=time)


IMPORTER = HfMessages()
