"""What was erased of a person: names and instants, and the proof of each erasure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.errors import NotFound
from assent.store.records import Listing, Page

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.port import Erasures
    from assent.store.records import Tombstone


@dataclass(frozen=True, slots=True)
class Gone:
    """Parts of one conversation that one erasure took, when, and by which rule of which policy."""

    conversation: str
    erasure: int
    at: datetime
    parts: int
    rule: str


def erased_of(store: Erasures, subject: str, page: Page) -> Listing[Gone]:
    """List what was erased of a person in the order of erasure; `total` counts parts."""
    listing = store.tombstones(page, subject=subject)
    return Listing(tuple(_together(listing.items)), listing.total, listing.after)


def erased_conversation(store: Erasures, subject: str, conversation: str) -> list[Gone]:
    """Return the erasures that took parts of a conversation of this person. Raises `NotFound` where none did."""
    listing = store.tombstones(Page(1_000), conversation=conversation)
    found = _together([stone for stone in listing.items if stone.subject == subject])
    if not found:
        raise NotFound("there is no such conversation of yours", "look at the list of your conversations")
    return found


def _together(stones: tuple[Tombstone, ...] | list[Tombstone]) -> list[Gone]:
    found: dict[tuple[str, int], Gone] = {}
    for stone in stones:
        key = (stone.conversation, stone.erasure)
        before = found.get(key)
        parts = 1 if before is None else before.parts + 1
        found[key] = Gone(stone.conversation, stone.erasure, stone.erased_at, parts, stone.rule)
    return list(found.values())
