"""Proofs: what shows that a part may be used for a purpose, by name. A default shows nothing.

A part is eligible because a policy says so; it enters a cut only if a person's own act, or
the event that an exception speaks of, is in the store and covers it (docs/how-to/cut.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from assent.domain.instants import format_instant
from assent.policy.conditions import happened
from assent.policy.decide import decide
from assent.policy.model import CLASSES
from assent.settings import MAX_PAGE_ROWS
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import ChoiceRule, Grant, Policy
    from assent.store.port import Choices, Flags
    from assent.store.records import Choice

ProofKind = Literal["choice", "flag", "feedback"]

_SAFETY: Final = CLASSES.index("safety exception")
_FEEDBACK: Final = CLASSES.index("feedback exception")
_SEVERAL: Final = " + "


class Proof(NamedTuple):
    """What was relied on: choices of the subject by id, a flag by id, or the instant of the feedback."""

    kind: ProofKind
    receipt: str


@dataclass(frozen=True, slots=True)
class _Alone:
    """A grant, and its policy without any other: who decides under that asks whether this grant is enough."""

    grant: Grant
    policy: Policy


class Proofs:
    """Finds proofs for one purpose, in the conversations that it was told to remember."""

    def __init__(self, choices: Choices, flags: Flags, purpose: str, at: datetime) -> None:
        """Look in these parts of a store for what was known at `at`."""
        self._store = choices
        self._flags = flags
        self._purpose = purpose
        self._at = at
        self._alone: dict[str, tuple[_Alone, ...]] = {}
        self._acts: dict[str, tuple[Choice, ...]] = {}
        self._flagged: tuple[Facts, str | None] | None = None

    def remember(self, conversations: Collection[str]) -> None:
        """Read the choices that count for these conversations at once; those of earlier ones are forgotten."""
        self._acts = {name: tuple(found) for name, found in self._store.choices_for_several(conversations).items()}

    def of(self, facts: Facts, governing: Sequence[Policy]) -> Proof | None:
        """Find the proof for an eligible part: one under each version that governs it, named under the newest."""
        found = None
        for policy in governing:
            found = self._under(facts, policy)
            if found is None:
                return None
        return found

    def _under(self, facts: Facts, policy: Policy) -> Proof | None:
        provable = self._provable(policy)
        # what is eligible under the whole policy, whose one grant for the purpose this is, is so by that grant
        only = len(provable) == 1 == sum(grant.purpose == self._purpose for grant in policy.grants)
        for alone in provable:
            if only or self._purpose in decide(facts, alone.policy, self._at).eligible:
                proof = self._proof(facts, alone)
                if proof is not None:
                    return proof
        return None

    def _provable(self, policy: Policy) -> tuple[_Alone, ...]:
        found = self._alone.get(policy.digest)
        if found is None:
            grants = [grant for grant in policy.grants if grant.purpose == self._purpose]
            found = tuple(
                _Alone(grant, replace(policy, grants=(grant,)))
                for grant in grants
                if grant.choices or grant.rank in (_SAFETY, _FEEDBACK)
            )
            self._alone[policy.digest] = found
        return found

    def _proof(self, facts: Facts, alone: _Alone) -> Proof | None:
        grant, policy = alone.grant, alone.policy
        if grant.rank == _FEEDBACK and (sent := happened(facts, "feedback_at", self._at, policy)) is not None:
            return Proof("feedback", format_instant(sent))
        if grant.rank == _SAFETY and happened(facts, "flagged_at", self._at, policy) is not None:
            flag = self._flag(facts)
            return None if flag is None else Proof("flag", flag)
        if not grant.choices or facts.subject is None:
            return None
        acts = [self._allowed(facts, rule, policy) for rule in grant.choices]
        ids = [act.id for act in acts if act is not None]
        return Proof("choice", _SEVERAL.join(dict.fromkeys(ids))) if len(ids) == len(acts) else None

    def _allowed(self, facts: Facts, rule: ChoiceRule, policy: Policy) -> Choice | None:
        """Find the act in force at the part's time, if it allows. That it still stands is the decision's business."""
        clock: datetime | None = getattr(facts, policy.part_clock)
        moment = self._at if clock is None or clock > self._at or rule.covers == "now" else clock
        in_force = None
        for choice in self._acts.get(facts.conversation or "", ()):
            if choice.at > moment:
                break
            if choice.purpose == rule.purpose and choice.act != "defer":
                in_force = choice
        return in_force if in_force is not None and in_force.act == "allow" else None

    def _flag(self, facts: Facts) -> str | None:
        # the parts of a conversation share its flag
        if self._flagged is None or self._flagged[0].conversation != facts.conversation:
            self._flagged = facts, self._standing_flag(facts)
        return self._flagged[1]

    def _standing_flag(self, facts: Facts) -> str | None:
        page: Page | None = Page(limit=MAX_PAGE_ROWS)
        while page is not None:
            listing = self._flags.flags(page, facts.conversation)
            for flag in listing.items:
                if flag.at == facts.flagged_at and flag.reversed_at == facts.flag_reversed_at:
                    return flag.id
            page = Page(limit=MAX_PAGE_ROWS, after=listing.after) if listing.after else None
        return None
