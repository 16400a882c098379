"""A person's conversations in pages, however many there are: only the rows of a page are decided."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.choices import TITLED, Place, project_target
from assent.domain.errors import NotFound
from assent.services.centre.rows import Weigher, locked
from assent.services.choose.standing import StandingStore, acts_of
from assent.services.notice import purposes_asked
from assent.store.port import Conversations
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import Policy
    from assent.services.centre.rows import Row
    from assent.store.records import ConversationEntry, StoredConversation

TITLES_AT_ONCE: Final = 2_000
"""How many titles one search opens, each under a key of its own: about 20 ms. The next search goes on behind them."""

PARTS_AT_ONCE: Final = 2_000
"""How many parts are decided for one page; a row that goes beyond them says so, and its own page decides it."""


class ChatStore(StandingStore, Conversations, Protocol):
    """What listing asks of a store."""


@dataclass(frozen=True, slots=True)
class Chats:
    """One page of rows. `after`: where to look on. `cut_short`: a search ended before it had looked at everything."""

    rows: tuple[Row, ...]
    after: str | None
    cut_short: bool = False


def weigher(store: StandingStore, policies: Sequence[Policy], subject: str, now: datetime) -> Weigher:
    """Read what deciding the conversations of a person needs."""
    acts = [act for act in acts_of(store, subject) if act.at <= now]
    return Weigher(policies, acts, purposes_asked(policies), now)


def list_chats(store: ChatStore, weighing: Weigher, which: ConversationFilter, page: Page) -> Chats:
    """List conversations as the person may know them, the newest turn first.

    One whose end has come is left out: it is being erased, and nobody is told what else may still hold it.
    """
    found = store.find_conversations(which, page, look_at=TITLES_AT_ONCE)
    return Chats(tuple(_decided(store, weighing, found.items)), found.after, found.cut_short)


def list_kept_out(store: ChatStore, weighing: Weigher, subject: str, page: Page) -> Chats:
    """List the conversations that a person keeps out by a lock of their own, the last locked first."""
    names = list(locked(weighing.acts, weighing.asked))
    start = _place(page)
    chosen = names[start : start + page.limit]
    stored = store.conversations_of(chosen)
    entries = [stored[name].entry for name in chosen if name in stored and stored[name].entry.subject == subject]
    after = str(start + page.limit) if start + page.limit < len(names) else None
    return Chats(tuple(_decided(store, weighing, entries)), after)


def own(store: ChatStore, subject: str, conversation: str) -> StoredConversation:
    """Return a conversation of this person, or of a device of theirs. Raises `NotFound` for any other, known or not."""
    stored = store.conversation(conversation)
    owners = {subject, *(link.device for link in store.devices_of(subject))}
    if stored is None or stored.entry.subject not in owners:
        raise NotFound("there is no such conversation of yours", "look at the list of your conversations")
    return stored


def place_of(entry: ConversationEntry, facts: Sequence[Facts]) -> Place:
    """Say where a conversation stands for the acts of its owner."""
    project = project_target(entry.project) if entry.project else None
    return Place(entry.id, project, not entry.project and all(fact.data not in TITLED for fact in facts))


def _decided(store: Conversations, weighing: Weigher, entries: Sequence[ConversationEntry]) -> list[Row]:
    budget, near = PARTS_AT_ONCE, []
    for entry in entries:
        budget -= entry.parts
        if budget >= 0 or entry is entries[0]:
            near.append(entry.id)
    facts = store.shown_facts_of(near)
    rows = [
        weighing.row(entry, facts[entry.id], place_of(entry, facts[entry.id]))
        if entry.id in facts
        else weighing.undecided(entry)
        for entry in entries
    ]
    return [row for row in rows if not row.due]


def _place(page: Page) -> int:
    try:
        start = json.loads(page.after or "0")
    except ValueError:
        start = 0
    return start if isinstance(start, int) and start > 0 else 0
