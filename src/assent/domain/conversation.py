"""What people and models said: conversations and their parts.

A part is the unit of decision: a piece of a conversation with one data class, one origin
and one set of facts. A coding session is a conversation whose surface is `coding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Surface = Literal["chat", "coding", "browser", "voice", "api"]
Mode = Literal["normal", "private"]
DataClass = Literal["text", "voice", "image", "file", "score", "feedback"]
Origin = Literal["person", "model", "tool", "connector", "file"]
Speaker = Literal["user", "assistant", "system", "tool"]

Mark = Literal[
    "abandoned",  # on a branch that was edited or regenerated away
    "hidden",  # the product never showed it to the person
    "system-context",  # system prompt, custom instructions, profile, environment text
    "reasoning",  # the model's thinking, readable
    "encrypted",  # content that only the provider can read
    "tool-payload",  # arguments of a tool call, or its result
    "summary",  # a machine summary that repeats earlier content
    "duplicate",  # the same content stands in another record of the same source
    "sidechain",  # said by or to a subagent, not by the person
    "error",  # an error text of the product, not of the model
]
MARKS: tuple[Mark, ...] = get_args(Mark)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a conversation.

    `id` is unique in the conversation and stable across imports of the same source;
    `turn` groups the parts of one message; `created_at` is None when the source has no
    time; `text` is the readable content (JSON text for tool payloads, "" for media that
    the export names but does not hold); `name` is a file or tool name, if any.
    """

    id: str
    turn: str
    speaker: Speaker
    origin: Origin
    data: DataClass
    text: str
    created_at: datetime | None = None
    name: str = ""
    marks: frozenset[Mark] = frozenset()


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as its source states it.

    `id` is `<format>:<source id>`, so that importing the same source twice meets the same
    conversation; `subject` is the person's id in the source, or None where the format has
    none. `last_turn_at` is the newest turn *of the person*, never a row's update time
    (products move that when a chat is pinned or filed); None when the source has no times.
    `records` counts the source records that became this conversation, for the import's account.
    """

    id: str
    source: str
    parts: tuple[Part, ...]
    subject: str | None = None
    title: str = ""
    surface: Surface = "chat"
    mode: Mode = "normal"
    created_at: datetime | None = None
    last_turn_at: datetime | None = None
    deleted_at: datetime | None = None
    feedback_at: datetime | None = None
    project: str = ""
    records: int = 1


def last_turn(parts: tuple[Part, ...]) -> datetime | None:
    """Find the newest turn of the person, skipping what the person did not do on this path.

    Subagent prompts, system context, hidden nodes and summaries carry a user speaker in
    some formats but are not acts of the person, and a rating is no turn. Abandoned edits
    count: the person typed them.
    """
    return max(
        (
            part.created_at
            for part in parts
            if part.origin in ("person", "file")
            and part.data != "feedback"
            and part.speaker == "user"
            and part.created_at is not None
            and not part.marks & {"sidechain", "system-context", "hidden", "summary", "error"}
        ),
        default=None,
    )
