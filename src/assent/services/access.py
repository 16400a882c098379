"""Read content for a purpose: only what the purpose may still have, and never without a reason that is kept.

What is held is set apart. Once its use for a purpose has ended, only `legal` may read it; until
then the purposes that still have it may go on, except for training and other cuts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Invalid, NotFound, Refused
from assent.policy.versions import decide_versions, governing
from assent.store.port import Accesses, Conversations
from assent.store.records import Access

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from assent.domain.decision import Decision
    from assent.policy.model import Policy
    from assent.store.records import StoredPart


class AccessStore(Conversations, Accesses, Protocol):
    """What reading for a purpose asks of a store."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: parts with their content, in the order of the source, and how many were `withheld`."""

    conversation: str
    purpose: str
    parts: tuple[tuple[StoredPart, str], ...]
    withheld: int


def read_for(
    store: AccessStore,
    policies: Sequence[Policy],
    conversation: str,
    *,
    purpose: str,
    by: str,
    reason: str,
    now: datetime,
) -> Reading:
    """Read the parts of a conversation that a purpose may have at `now`; the access is recorded before the reading.

    Raises `NotFound`, `Invalid` without a reader or a reason, and `Refused` if the purpose may have none of it.
    """
    if not by.strip() or not reason.strip():
        raise Invalid("reading needs a reader and a reason", "say who reads and why, without quoting content")
    stored = store.conversation(conversation)
    if stored is None:
        raise NotFound("no such conversation is kept", "look at `assent explain --all` for the ids of what is kept")
    facts = store.facts_of(conversation)
    decided = [decide_versions(fact, governing(policies, fact, now), now) for fact in facts]
    cuts = frozenset(name for policy in policies for name in policy.cut_purposes)
    pairs = list(zip(stored.parts, decided, strict=True))
    allowed = [part for part, one in pairs if may_read(one, purpose, cuts)]
    if not allowed:
        others = sorted({name for one in decided for name in one.use_until if may_read(one, name, cuts)})
        fix = f"it may be read for {', '.join(others)}" if others else "no purpose may read it any more"
        raise Refused(f"nothing of this conversation may be read for `{purpose}`", fix)
    store.log_access(Access(conversation, purpose, by, reason, len(allowed), now))
    texts = store.content_of([part.key for part in allowed])
    read = tuple((part, texts[part.key]) for part in allowed if part.key in texts)
    return Reading(conversation, purpose, read, len(stored.parts) - len(read))


def may_read(decision: Decision, purpose: str, cuts: Collection[str]) -> bool:
    """Tell whether a purpose may read the part now: it has a use that has not ended. `cuts` are purposes of cuts."""
    if purpose in cuts:
        return purpose in decision.eligible
    if purpose not in decision.use_until:
        return False
    end = decision.use_until[purpose]
    return end is None or decision.at < end
