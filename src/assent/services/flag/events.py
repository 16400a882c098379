"""What others are told of a flag: the product, which tells the person."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from assent.domain.digests import canonical
from assent.store.records import Event

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.records import Flag, ReviewDecision

UPHELD: Final = "assent.flag.upheld"
REVERSED: Final = "assent.flag.reversed"
APPEALED: Final = "assent.flag.appealed"
DECIDED: Final = "assent.flag.decided"


def event_of(kind: str, flag: Flag, at: datetime, decision: ReviewDecision | None = None, *, of: str = "") -> Event:
    """Make an event about a flag; the same happening again is the same event. `of` tells happenings of a kind apart.

    It names the conversation, by which the product knows the person, and says nothing of the content.
    """
    said = {"flag": flag.id, "conversation": flag.conversation, "category": flag.category, "decision": decision}
    name = sha256(f"{kind}\n{flag.id}\n{decision}\n{of}".encode()).hexdigest()[:32]
    return Event(name, kind, f"flag/{flag.id}", canonical(said).decode(), at)
