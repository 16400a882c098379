"""What is kept about a person, for the person: which kinds, how much, what was chosen and where it went."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from assent.domain.instants import format_instant
from assent.services.run.reach import reached
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.store.port import Store
    from assent.store.records import ConversationEntry


def summary_of(store: Store, subject: str, exercise: str) -> dict[str, Any]:
    """Summarise what is kept about a subject; `access:categories` asks for the kinds alone.

    It holds no text of a conversation: who wants those downloads them as the person that wrote them.
    """
    account = store.account(subject)
    kinds: Counter[str] = Counter()
    parts = 0
    listed = []
    for entry in _conversations(store, subject):
        kinds[f"{entry.source}, {entry.surface}"] += 1
        parts += entry.parts
        listed.append(_conversation(entry))
    found: dict[str, Any] = {
        "account": None if account is None else {"plan": account.plan, "region": account.region},
        "categories": dict(sorted(kinds.items())),
        "conversations": len(listed),
        "parts": parts,
        "erased_parts": store.tombstones(Page(limit=1), subject=subject).total,
    }
    if exercise != "access:categories":
        found["choices"] = [
            {"purpose": choice.purpose, "act": choice.act, "at": format_instant(choice.at), "surface": choice.surface}
            for choice in store.choices(subject)
        ]
        found["cuts"] = [
            {"name": cut.name, "number": cut.number, "at": format_instant(cut.created_at)}
            for cut in store.cuts_with_person(subject)
        ]
        found["runs"] = [one.to_record() for one in reached(store, subjects=[subject])]
        found["each_conversation"] = listed
    return found


def _conversation(entry: ConversationEntry) -> dict[str, Any]:
    instants = {"created_at": entry.created_at, "last_turn_at": entry.last_turn_at, "deleted_at": entry.deleted_at}
    told = {name: None if at is None else format_instant(at) for name, at in instants.items()}
    return {"id": entry.id, "source": entry.source, "surface": entry.surface, "parts": entry.parts, **told}


def _conversations(store: Store, subject: str) -> Iterator[ConversationEntry]:
    after: str | None = None
    while True:
        page = store.conversations(ConversationFilter(subject=subject), Page(limit=1_000, after=after))
        yield from page.items
        if page.after is None:
            return
        after = page.after
