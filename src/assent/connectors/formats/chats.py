"""What the exports of chat products have in common: the marks, and a conversation made of parts."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Final

from assent.connectors.formats.fields import json_text, string
from assent.domain.conversation import Conversation, DataClass, Mark, Part, last_turn
from assent.domain.digests import digest_bytes

Marks = frozenset[Mark]

NO_MARKS: Final[Marks] = frozenset()
ABANDONED: Final[Marks] = frozenset({"abandoned"})
HIDDEN: Final[Marks] = frozenset({"hidden"})
CONTEXT: Final[Marks] = frozenset({"system-context"})
REASONING: Final[Marks] = frozenset({"reasoning"})
PAYLOAD: Final[Marks] = frozenset({"tool-payload"})
SUMMARY: Final[Marks] = frozenset({"summary"})
DUPLICATE: Final[Marks] = frozenset({"duplicate"})
SIDECHAIN: Final[Marks] = frozenset({"sidechain"})
ERROR: Final[Marks] = frozenset({"error"})

NO_ARGUMENTS: Final = "{}"
NO_CONTENT: Final = "conversation without content"
NO_MESSAGES: Final = "conversation without messages"
SEEN_BEFORE: Final = "duplicate of an earlier record"

_ID_CHARACTERS: Final = 32
_IMAGES: Final = ("png", "jpg", "jpeg", "gif", "webp", "heic", "bmp", "svg", "tif", "tiff")
_SOUNDS: Final = ("mp3", "wav", "m4a", "ogg", "oga", "opus", "flac", "aac")


def source_id(record: dict[str, object], *keys: str) -> str:
    """Take the first id that the record has, else a digest of it, so that importing again meets it.

    Raises `Invalid` for a record without an id that is nested too deeply to be written.
    """
    for key in keys:
        if found := string(record.get(key)):
            return found
    return digest_bytes(json_text(record).encode()).removeprefix("sha256:")[:_ID_CHARACTERS]


def media(mime_type: str, name: str) -> DataClass:
    """Tell images and voice from other files by MIME type, else by the end of the name."""
    kind = mime_type.partition("/")[0]
    ending = name.rpartition(".")[2].lower()
    if kind == "image" or (not mime_type and ending in _IMAGES):
        return "image"
    if kind == "audio" or (not mime_type and ending in _SOUNDS):
        return "voice"
    return "file"


def numbered(parts: list[Part], turn: str) -> list[Part]:
    """Give the parts of one message their ids, and leave out texts that are empty."""
    kept = [part for part in parts if part.text or part.data != "text"]
    ids = [f"{turn}/{number}" for number in range(len(kept))]
    return [part if part.id == own else replace(part, id=own) for part, own in zip(kept, ids, strict=True)]


def unlike(turn: str, turns: Container[str], number: int) -> str:
    """Change a message id that was used before, so that parts keep ids of their own."""
    while turn in turns:
        turn = f"{turn}#{number}"
    return turn


def dated(conversation: Conversation) -> Conversation:
    """Fill in the times that follow from the parts.

    A rating is no turn: it neither begins nor resumes a conversation.
    """
    turns = tuple(part for part in conversation.parts if part.data != "feedback")
    ratings = (part.created_at for part in conversation.parts if part.data == "feedback" and part.created_at)
    return replace(
        conversation,
        created_at=conversation.created_at or min((part.created_at for part in turns if part.created_at), default=None),
        last_turn_at=last_turn(turns),
        feedback_at=max(ratings, default=None),
    )
