"""Quarantine: what a person deleted is out of use at once, and can be brought back until its time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import NotFound, Refused
from assent.domain.instants import format_instant
from assent.services.approve import require
from assent.store.port import Approvals, Conversations

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.store.records import ConversationEntry


class QuarantineStore(Conversations, Approvals, Protocol):
    """What deleting and bringing back ask of a store."""


def hide(store: Conversations, conversation: str, *, now: datetime) -> datetime:
    """Record that a person deletes a conversation: every use of it ends as the policy says, the bytes go later.

    Returns when it was deleted, which is earlier than `now` if it was before. Raises `NotFound`.
    """
    store.request_deletion(conversation, now)
    return _entry(store, conversation).deleted_at or now


def undelete(
    store: QuarantineStore, conversation: str, *, by: str, now: datetime, window: timedelta
) -> ConversationEntry:
    """Bring back what was deleted less than `window` ago: the owner alone, or with the approval of two others.

    Who is not its subject needs an approval for `undelete` of this conversation, which this uses
    up. Raises `NotFound` for what is not here (any more), and `Refused` if it was not deleted, if
    the window is over, or without the approval.
    """
    entry = _entry(store, conversation)
    if entry.deleted_at is None:
        raise Refused(f"conversation `{conversation}` is not deleted", "there is nothing to bring back")
    over = entry.deleted_at + window
    if now >= over:
        fix = "it may be here still, but a sweep is free to take it; what is to stay needs a hold"
        raise Refused(f"conversation `{conversation}` could be brought back until {format_instant(over)}", fix)
    if by != entry.subject:
        require(store, act="undelete", target=conversation, now=now)
    if not store.withdraw_deletion(conversation, entry.deleted_at):
        raise Refused(f"conversation `{conversation}` changed meanwhile", "look at it, and ask again")
    return _entry(store, conversation)


def _entry(store: Conversations, conversation: str) -> ConversationEntry:
    found = store.conversation(conversation)
    if found is None:
        raise NotFound(f"there is no conversation `{conversation}`", "it may have been erased, which nothing undoes")
    return found.entry
