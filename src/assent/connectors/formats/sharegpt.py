"""ShareGPT files: `{conversations: [{from, value}]}` as a JSON array or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from assent.connectors.formats.datasets import read_rows, row_keys
from assent.connectors.formats.fields import instant, json_text, string
from assent.connectors.formats.messages import Identities, Reader, conversation
from assent.connectors.formats.port import Record, Source
from assent.domain.conversation import Conversation, Mark, Part
from assent.domain.errors import Invalid

_LISTS: Final = ("conversations", "conversation", "items")
_CONTEXT: Final[frozenset[Mark]] = frozenset({"system-context"})


class ShareGpt:
    """The importer of ShareGPT files."""

    name = "sharegpt"
    summary = "ShareGPT sets: {conversations: [{from, value}]}, .json/.jsonl, plain or gzip"

    def sniff(self, path: Path) -> bool:
        """Look for a list of conversations."""
        return any("conversations" in keys for keys in row_keys(path))

    def read(self, source: Source) -> Iterator[Record]:
        """Yield each entry as one conversation, named by its own id or a digest of its content."""
        return read_rows(source, self.name, _build)


def _build(row: dict[str, object], identities: Identities) -> Conversation | None:
    messages = next((row[key] for key in _LISTS if key in row), None)
    if messages is None:
        raise Invalid("the record has no conversations")
    time = instant(row.get("created_at", row.get("timestamp")))
    # Some sets keep the messages of chat APIs under ShareGPT's name.
    plain = isinstance(messages, list) and any(isinstance(item, dict) and "role" in item for item in messages)
    reader = Reader(time=time) if plain else Reader("from", "value", time=time)
    parts = [*_context(row), *reader.parts(messages)]
    identity = identities.claim(row, row.get("id"))
    if not identity:
        return None
    return conversation("sharegpt", identity, parts, created_at=time, title=string(row.get("title")))


def _context(row: dict[str, object]) -> list[Part]:
    """Keep the system prompt and tool descriptions that stand beside the messages."""
    return [
        Part(key, key, "system", "tool", "text", json_text(text), marks=_CONTEXT)
        for key in ("system", "tools")
        if (text := row.get(key))
    ]


IMPORTER = ShareGpt()
