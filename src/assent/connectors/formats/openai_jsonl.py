"""Fine-tuning files of OpenAI: JSON lines with chat messages or with a preference between two answers.

A file has no ids, persons or times. Lineage of exported data stands in a manifest beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assent.connectors.formats.datasets import read_rows, row_keys
from assent.connectors.formats.fields import json_text
from assent.connectors.formats.messages import ABANDONED, Identities, Reader, conversation
from assent.connectors.formats.port import Record, Source
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid

_CHAT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions", "response_format"})


class OpenAiJsonl:
    """The importer of OpenAI fine-tuning files."""

    name = "openai-jsonl"
    summary = "OpenAI fine-tuning files: chat messages or preference pairs, .jsonl"

    def sniff(self, path: Path) -> bool:
        """Look for lines with messages and nothing unknown, or for a preference pair."""
        return any(
            ("messages" in keys and keys <= _CHAT_KEYS) or {"input", "preferred_output"} <= keys
            for keys in row_keys(path)
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield each line as one conversation, named by a digest of its content."""
        return read_rows(source, self.name, _build)


def _build(row: dict[str, object], identities: Identities) -> Conversation | None:
    if "preferred_output" in row or "non_preferred_output" in row:
        prompt = row.get("input")
        if not isinstance(prompt, dict):
            raise Invalid("the input of the preference is not an object")
        parts = [
            *_tools(prompt.get("tools")),
            *Reader().parts(prompt.get("messages")),
            *Reader(prefix="preferred-").parts(row.get("preferred_output")),
            *Reader(prefix="other-", marks=ABANDONED).parts(row.get("non_preferred_output")),
        ]
    elif "messages" in row:
        parts = [*_tools(row.get("tools", row.get("functions"))), *Reader().parts(row["messages"])]
    else:
        raise Invalid("the record has neither messages nor a preference")
    identity = identities.claim(row)
    return conversation("openai-jsonl", identity, parts) if identity else None


def _tools(tools: object) -> list[Part]:
    """Keep what the model was told about its tools: it belongs to the system's context."""
    if not tools:
        return []
    text = json_text(tools)
    return [Part("tools", "tools", "system", "tool", "text", text, marks=frozenset({"system-context"}))]


IMPORTER = OpenAiJsonl()
