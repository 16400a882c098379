"""The lock of one conversation: whether it may be used for a purpose, why, and when it is erased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from assent.domain.errors import NotFound
from assent.services.choose.examples import ExampleStore, decided, kept_apart, next_message, place_of, told
from assent.services.choose.snapshot import SnapshotStore, check_target
from assent.services.choose.standing import acts_at, acts_of, policy_today, standing_before

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.decision import Decision
    from assent.domain.facts import Facts
    from assent.policy.model import Policy
    from assent.store.records import ConversationEntry

Why = Literal[
    "counts",
    "counts in part",
    "deleted",
    "business",
    "private",
    "kept out",
    "not allowed",
    "not continued",
    "rule",
]
"""Why a conversation may be used, or not: one word for the person; `rule` is explained by the policy's sentences."""


class LockStore(ExampleStore, SnapshotStore, Protocol):
    """What a lock asks of a store."""


@dataclass(frozen=True, slots=True)
class Lock:
    """What holds for one conversation and one purpose.

    `counts`: some of it may be used now. `erase_by` is when the last of it must be gone (None: no end is set, or it is
    `held`). `rules` are sentences of the policy that keep it out, where `why` is `rule`. `resumes`: the next message
    would make it count, and it does not yet; `kept_out`: the person said so of this conversation.
    """

    counts: bool
    why: Why
    rules: tuple[str, ...]
    erase_by: datetime | None
    held: bool
    resumes: bool
    kept_out: bool


def lock_of(
    store: LockStore, policies: Sequence[Policy], subject: str, conversation: str, purpose: str, now: datetime
) -> Lock:
    """Look at one conversation of a person. Raises `NotFound` for one that is not theirs."""
    check_target(store, subject, "conversation", conversation)
    stored = store.conversation(conversation)
    facts = store.shown_facts_of([conversation]).get(conversation, [])
    if stored is None or not facts:
        raise NotFound("nothing of this conversation is kept", "look at the list of your conversations")
    decisions = [decided(fact, policies, now) for fact in facts]
    acts = [act for act in acts_of(store, subject) if act.at <= now]
    here = acts_at(store, acts, "conversation", conversation)
    kept_out = kept_apart(here, purpose)
    allowed = standing_before(here, purpose) == "allowed"
    counted = sum(purpose in decision.eligible for decision in decisions)
    resumes = not counted and allowed and stored.entry.deleted_at is None
    if resumes:
        writes = next_message(facts, told(acts, place_of(stored.entry, facts), purpose, "allow", now), now)
        resumes = purpose in decided(writes, policies, now).eligible
    ends = [decision.erase_by for decision in decisions]
    why: Why = "counts" if counted == len(decisions) else "counts in part"
    if not counted:
        today = policy_today(store, policies, subject, now)
        why = _why(stored.entry, facts, today, kept_out=kept_out, allowed=allowed, resumes=resumes)
    return Lock(
        counts=counted > 0,
        why=why,
        rules=_rules(decisions) if why == "rule" else (),
        erase_by=None if None in ends else max(end for end in ends if end is not None),
        held=any(decision.held for decision in decisions),
        resumes=resumes,
        kept_out=kept_out,
    )


def _why(
    entry: ConversationEntry, facts: Sequence[Facts], today: Policy, *, kept_out: bool, allowed: bool, resumes: bool
) -> Why:
    if entry.deleted_at is not None:
        return "deleted"
    if any(fact.plan in today.business_plans for fact in facts):
        return "business"
    if entry.mode == "private":
        return "private"
    if kept_out:
        return "kept out"
    if not allowed:
        return "not allowed"
    return "not continued" if resumes else "rule"


def _rules(decisions: Sequence[Decision]) -> tuple[str, ...]:
    kinds = ("veto", "gap", "cap", "none")
    return tuple(dict.fromkeys(one.text for decision in decisions for one in decision.reasons if one.kind in kinds))
