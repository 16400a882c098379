"""Conversations for benchmarks that store very many and say little in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assent.domain.conversation import Conversation, Part


def conversation(
    name: str, subject: str, texts: Sequence[str], *, at: datetime, deleted_at: datetime | None = None
) -> Conversation:
    """Make one in which the person typed these texts, a part and a turn each, all at one instant."""
    parts = tuple(
        Part(id=f"p{n}", turn=f"t{n}", speaker="user", origin="person", data="text", text=text, created_at=at)
        for n, text in enumerate(texts)
    )
    return Conversation(
        id=name,
        subject=subject,
        source="bench",
        title="",
        surface="chat",
        mode="normal",
        created_at=at,
        last_turn_at=at,
        deleted_at=deleted_at,
        parts=parts,
    )
