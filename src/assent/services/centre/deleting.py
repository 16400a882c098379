"""Delete and bring back: what a person marked, or one conversation, always their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import AssentError
from assent.services.centre.chats import own
from assent.services.erase.quarantine import hide, undelete

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from assent.services.centre.chats import ChatStore
    from assent.services.erase.quarantine import QuarantineStore
    from assent.store.records import ConversationEntry


def chosen(store: ChatStore, subject: str, conversations: Sequence[str]) -> list[ConversationEntry]:
    """Return conversations of this person in the order given, each once. Raises `NotFound` for any other among them."""
    return [own(store, subject, one).entry for one in dict.fromkeys(conversations)]


def hide_chosen(store: ChatStore, subject: str, conversations: Sequence[str], *, now: datetime) -> int:
    """Delete these conversations: their use ends, the bytes go later. Returns how many; those deleted before count.

    Raises `NotFound` if one of them is not the person's, and has then deleted none.
    """
    entries = chosen(store, subject, conversations)
    for entry in entries:
        hide(store, entry.id, now=now)
    return len(entries)


def bring_back(
    chats: ChatStore,
    store: QuarantineStore,
    subject: str,
    conversations: Sequence[str],
    *,
    now: datetime,
    window: timedelta,
) -> tuple[int, list[AssentError]]:
    """Bring these conversations back; returns how many are, and why each other one is not."""
    problems: list[AssentError] = []
    entries = chosen(chats, subject, conversations)
    for entry in entries:
        try:
            undelete(store, entry.id, by=entry.subject or "", now=now, window=window)
        except AssentError as problem:
            problems.append(problem)
    return len(entries) - len(problems), problems
