"""Explain: what happens to a conversation, in words a person understands, and as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from assent.domain.errors import NotFound
from assent.domain.facts import ChoiceAct
from assent.policy.versions import decide_versions, governing
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.domain.decision import Decision
    from assent.policy.model import Policy
    from assent.store.port import Conversations
    from assent.store.records import ConversationEntry, StoredPart


@dataclass(frozen=True, slots=True)
class Group:
    """Parts of a conversation that share one answer."""

    parts: tuple[StoredPart, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Explanation:
    """A conversation and the answers for its parts, grouped, the largest group first."""

    entry: ConversationEntry
    at: datetime
    groups: tuple[Group, ...]


def explain_conversation(
    store: Conversations, policies: Sequence[Policy], conversation: str, at: datetime, *, shown: bool = False
) -> Explanation:
    """Decide every part of a conversation and group equal answers. Raises `NotFound`.

    With `shown` as the person may see it: as if no hold under a gag were there.
    """
    stored = store.conversation(conversation)
    if stored is None:
        fix = "look at `assent explain --all` for the ids of what is kept"
        raise NotFound("no such conversation is kept", fix)
    facts = store.shown_facts_of([conversation])[conversation] if shown else store.facts_of(conversation)
    decided = [
        (part, decide_versions(fact, governing(policies, fact, at), at))
        for part, fact in zip(stored.parts, facts, strict=True)
    ]
    decided.sort(key=lambda pair: (_answer(pair[1]), pair[0].ordinal))
    groups = []
    for _, pairs in groupby(decided, key=lambda pair: _answer(pair[1])):
        members = list(pairs)
        groups.append(Group(tuple(part for part, _ in members), members[0][1]))
    return Explanation(stored.entry, at, tuple(sorted(groups, key=lambda group: -len(group.parts))))


def what_if(
    store: Conversations, policies: Sequence[Policy], subject: str, at: datetime, purpose: str = "training"
) -> dict[str, tuple[int, int, int]]:
    """Count a person's conversations as (trainable, due, kept) under answers that were not given. Records nothing.

    The person reads this answer: holds under a gag are left out.
    """
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    answers = {
        "as it stands": None,
        "had you not allowed it": (ChoiceAct(purpose, "decline", long_ago),),
        "had you allowed it all along": (ChoiceAct(purpose, "allow", long_ago),),
    }
    counts = dict.fromkeys(answers, (0, 0, 0))
    page: str | None = None
    while True:
        listing = store.conversations(ConversationFilter(subject=subject), Page(200, page))
        for entry in listing.items:
            facts = store.shown_facts_of([entry.id]).get(entry.id, [])
            for label, choices in answers.items():
                changed = [fact if choices is None else replace(fact, choices=choices) for fact in facts]
                found = [decide_versions(fact, governing(policies, fact, at), at) for fact in changed]
                trainable = any(purpose in decision.eligible for decision in found)
                due = all(decision.due() for decision in found)
                before = counts[label]
                counts[label] = (before[0] + trainable, before[1] + due, before[2] + (not due))
        page = listing.after
        if page is None:
            return counts


def _answer(decision: Decision) -> str:
    """Name what a decision says apart from the part it says it of."""
    record = decision.to_record()
    del record["part"]
    return repr(record)
