"""A policy that can decide: the document with groups expanded, anchors resolved and tests ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assent.domain.durations import Duration
    from assent.domain.facts import Facts

CLASSES: Final = (
    "default",
    "choice",
    "withdrawal",
    "deletion",
    "feedback exception",
    "safety exception",
    "origin or class",
    "mode",
    "age or region",
    "contract",
    "statutory retention",
    "hold",
    "statutory ban",
)
"""Classes of rules from weak to strong (spec/policy.md, precedence). The rank is the index."""

HAPPENINGS: Final = {
    "deletion request": "deleted_at",
    "account end": "account_closed_at",
    "move to a business plan": "moved_to_business_at",
    "flagged": "flagged_at",
    "reviewed": "reviewed_at",
    "feedback": "feedback_at",
}
"""Events by the words a policy uses, and the fact that carries their instant."""

CLOCKS: Final = {"created": "created_at", "last turn": "last_turn_at", "recorded": "recorded_at"}
"""Clocks that every part has; a missing one is unknown, not absent."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A test that a fact is in a set (or, negated, known and outside it); unknown facts stay unknown.

    `declared` limits what counts as known: a plan that the policy does not list is unmapped, hence unknown.
    """

    key: str
    values: frozenset[object]
    negated: bool = False
    declared: frozenset[object] | None = None

    def __call__(self, facts: Facts) -> bool | None:
        """Return True, False, or None for unknown."""
        value = getattr(facts, self.key)
        if value is None or (self.declared is not None and value not in self.declared):
            return None
        return (value in self.values) is not self.negated


@dataclass(frozen=True, slots=True)
class AgeTest:
    """A test on full years; an unknown age stays unknown."""

    below: int | None
    at_least: int | None

    key: str = "age"

    def __call__(self, facts: Facts) -> bool | None:
        """Return True, False, or None for unknown."""
        if facts.age is None:
            return None
        return (self.below is None or facts.age < self.below) and (self.at_least is None or facts.age >= self.at_least)


@dataclass(frozen=True, slots=True)
class Condition:
    """The `when` of a rule: tests on state, events that must or must not have happened, and the part's era."""

    tests: tuple[Membership | AgeTest, ...] = ()
    happened: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    era: Literal["since effective", "before effective"] | None = None


@dataclass(frozen=True, slots=True)
class ChoiceRule:
    """Which standing a grant needs, and at which instants (`part and now`, `now`, `part`)."""

    purpose: str
    by_default: bool
    covers: Literal["part and now", "now", "part"]


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a grant lets a part be used: `default` (None: no end), and what the person may pick instead."""

    default: Duration | None
    picks: Mapping[str, Duration | None]


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant or, when `ignores` is not None, an exception."""

    id: str
    says: str
    source: str
    rank: int
    purpose: str
    when: Condition
    anchor: str
    use_for: Lengths
    floor: bool
    erase_after: Duration | None
    choices: tuple[ChoiceRule, ...]
    ignores: frozenset[str] | None
    vetoes: tuple[Veto, ...]
    caps: tuple[Cap, ...]

    @property
    def kind(self) -> Literal["grant", "exception"]:
        """Tell a plain grant from an exception."""
        return "grant" if self.ignores is None else "exception"


@dataclass(frozen=True, slots=True)
class Cap:
    """An event that ends use (`use_after` None: at once) and sets when the bytes must be gone."""

    id: str
    says: str
    source: str
    rank: int
    key: str
    purposes: frozenset[str]
    use_after: Duration | None
    erase_after: Duration | None
    keeps: bool


@dataclass(frozen=True, slots=True)
class Veto:
    """A condition that takes purposes away."""

    id: str
    says: str
    source: str
    rank: int
    when: Condition
    removes: frozenset[str]


class TakingBack(NamedTuple):
    """What a policy says that taking a permission back does to each of the four objects that it can touch."""

    future_data: Literal["not used"]
    stored_data: Literal["not used", "still used"]
    started_runs: Literal["continue", "stop"]
    finished_models: Literal["unchanged", "retrained"]


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one provider's policy, ready to decide.

    `name` is `provider/version`; `digest` names its meaning (comments and layout of the
    file do not count). `part_clock` is the fact that says when a part counts for a choice.
    `business_plans` are the plans of the group `business`, which no cut takes whatever the rules say.
    `taking_back` is for people to be told; decisions read `withdrawal` and the grants' own rules.
    """

    name: str
    digest: str
    announced: datetime | None
    effective: datetime
    acknowledgement_counts: bool
    grants: tuple[Grant, ...]
    vetoes: tuple[Veto, ...]
    caps: tuple[Cap, ...]
    withdrawal: Cap
    part_clock: str
    revives: bool
    silence_refuses_from: datetime | None
    reversal_ends_flag: bool
    cut_purposes: tuple[str, ...]
    plans: frozenset[str]
    business_plans: frozenset[str]
    taking_back: TakingBack
