"""LMSYS-Chat-1M and WildChat: real chats with moderation labels, as parquet or JSON lines.

WildChat's hashed addresses and request headers are personal data, and a country narrows a
person down: these columns are never imported. Moderation labels become parts of class
`score`, one for each message, so that a detector can be measured against them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from assent.connectors.formats.datasets import read_rows, row_keys
from assent.connectors.formats.fields import instant, json_text, mapping, sequence
from assent.connectors.formats.messages import Identities, Reader, conversation
from assent.connectors.formats.port import Record, Source
from assent.domain.conversation import Conversation, Mark, Part
from assent.domain.errors import Invalid

_IDS: Final = ("conversation_id", "conversation_hash")
_LABELS: Final = ("openai_moderation", "detoxify_moderation")
_HIDDEN: Final[frozenset[Mark]] = frozenset({"hidden"})


class LmsysWildchat:
    """The importer of LMSYS-Chat-1M and WildChat."""

    name = "lmsys-wildchat"
    summary = "LMSYS-Chat-1M and WildChat, .parquet or .jsonl"

    def sniff(self, path: Path) -> bool:
        """Look for a conversation with an id and moderation labels."""
        return any(
            "conversation" in keys and not keys.isdisjoint(_IDS) and not keys.isdisjoint((*_LABELS, "turn"))
            for keys in row_keys(path)
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield each row as one conversation, without what identifies a person."""
        return read_rows(source, self.name, _build)


def _build(row: dict[str, object], identities: Identities) -> Conversation | None:
    messages = row.get("conversation")
    if not isinstance(messages, list) or not messages:
        raise Invalid("the record has no conversation")
    ended = _time(row.get("timestamp"))
    times = _times(messages, ended)
    parts: list[Part] = []
    for number, message in enumerate(messages):
        if not isinstance(message, dict):
            raise Invalid(f"message {number + 1}: it is not an object")
        spoken = {"role": message.get("role"), "content": message.get("content")}
        try:
            parts += Reader(time=times[number]).message(spoken, str(number), {})
        except Invalid as error:
            raise Invalid(f"message {number + 1}: {error.message}") from None
        if scores := _scores(row, message, number):
            text = json_text(scores)
            parts.append(
                Part(f"{number}/score", str(number), "system", "tool", "score", text, times[number], marks=_HIDDEN)
            )
    given = next((row[key] for key in _IDS if row.get(key)), None)
    identity = identities.claim([[part.id, part.speaker, part.text] for part in parts], given)
    if not identity:
        return None
    return conversation("lmsys-wildchat", identity, parts)


def _scores(row: dict[str, object], message: dict[str, object], number: int) -> dict[str, object]:
    """Collect the yes-or-no labels of one message; their raw probabilities are not kept."""
    scores: dict[str, object] = {}
    for column in _LABELS:
        labels = sequence(row.get(column))
        label = mapping(labels[number]) if number < len(labels) else {}
        flags: dict[str, object] = {key: value for key, value in label.items() if isinstance(value, bool)}
        if categories := {
            key: value for key, value in mapping(label.get("categories")).items() if isinstance(value, bool)
        }:
            flags["categories"] = categories
        if flags:
            scores[column] = flags
    if isinstance(toxic := message.get("toxic"), bool):
        scores["toxic"] = toxic
    return scores


def _times(messages: list[object], ended: datetime | None) -> list[datetime | None]:
    """Time the messages: WildChat times answers only, and a row by its last turn.

    A prompt takes the time of the answer to it, the last turn that of the row.
    """
    times = [_time(mapping(message).get("timestamp")) for message in messages]
    after = ended
    for at in range(len(times) - 1, -1, -1):
        if times[at] is None and (mapping(messages[at]).get("role") == "user" or at == len(times) - 1):
            times[at] = after
        after = times[at]
    return times


def _time(value: object) -> datetime | None:
    """Read a time; the sets write UTC without saying so."""
    return instant(value) or (instant(f"{value}Z") if isinstance(value, str) else None)


IMPORTER = LmsysWildchat()
