"""Fingerprints: telling in one comparison that a conversation comes in unchanged."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from assent.domain.instants import to_micros

if TYPE_CHECKING:
    from datetime import datetime

    from assent.domain.conversation import Conversation


def fingerprint(item: Conversation) -> str:
    """Digest everything of a conversation that intake would store.

    Each value is preceded by its length, so that no two conversations give the same bytes.
    Raises `ValueError` for text that not every database can hold, see `encodable`.
    """
    state = hashlib.sha256()
    clocks = (item.created_at, item.last_turn_at, item.deleted_at, item.feedback_at)
    head = (item.id, item.source, item.subject or "", item.title, item.project, item.surface, item.mode)
    state.update(_kept(_framed(*head, *map(_micros, clocks))))
    for part in item.parts:
        marks = ",".join(sorted(part.marks))
        body = part.text.encode()
        named = (part.id, part.turn, part.speaker, part.origin, part.data, part.name, marks)
        state.update(_kept(_framed(*named, _micros(part.created_at), str(len(body)))))
        state.update(_kept(body))
    return "sha256:" + state.hexdigest()


def encodable(item: Conversation) -> Conversation:
    """Return the conversation, with halves of split characters (lone surrogates) joined or replaced by U+FFFD.

    JSON can carry them (a product cut a text inside an emoji); UTF-8 cannot. U+0000 becomes
    U+FFFD too: JSON and SQLite can carry it, PostgreSQL cannot.
    """
    parts = tuple(
        replace(part, id=_mended(part.id), turn=_mended(part.turn), text=_mended(part.text), name=_mended(part.name))
        for part in item.parts
    )
    return replace(
        item,
        id=_mended(item.id),
        subject=None if item.subject is None else _mended(item.subject),
        title=_mended(item.title),
        project=_mended(item.project),
        parts=parts,
    )


def _framed(*values: str) -> bytes:
    return "".join([f"{len(value)}:{value}" for value in values]).encode()


def _kept(text: bytes) -> bytes:
    if b"\0" in text:
        raise ValueError("U+0000")
    return text


def _micros(instant: datetime | None) -> str:
    return "" if instant is None else str(to_micros(instant))


def _mended(value: str) -> str:
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")
