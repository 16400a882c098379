"""What a notice has to say and does not decide: the values that follow from the policy, free of any language.

A manifest words these values through placeholders, so it cannot promise what the policy does
not keep. Which rules reach the person asked is found the way the lints find it: by looking
for a situation in which a rule and the grant that is asked for hold together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, get_args

from assent.domain.conversation import DataClass
from assent.domain.digests import digest
from assent.domain.durations import Duration
from assent.domain.errors import Invalid
from assent.policy.build import build, meaning
from assent.policy.model import CLASSES, Condition, Membership
from assent.policy.segments import witness
from assent.services.notice.asked import purposes_asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.policy.document import Document
    from assent.policy.model import Cap, Grant, Policy

FACTS: Final = {
    "who_asks": "who asks",
    "data_kinds": "which kinds of data",
    "purposes": "what for, each purpose by itself",
    "retention_allowed": "how long it is kept if allowed",
    "retention_declined": "how long it is kept if not allowed",
    "exceptions": "what is kept in spite of the answer",
    "resume": "what counts when an old chat goes on",
    "withdrawal": "what taking it back does to future data, stored data, started runs and finished models",
    "no_answer": "what no answer means",
    "deadline": "by when to answer",
    "review": "whether people read it",
    "recipients": "who else gets it",
}
"""The twelve facts that every notice states (R12)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How long something is kept after `anchor`. `length` None: no set end."""

    length: Duration | None
    bound: Literal["up to", "at least"]
    anchor: str


@dataclass(frozen=True, slots=True)
class Survivor:
    """What is kept whatever the answer.

    `about` is a word such as `flagged` or `feedback`; `trains`: it may enter training sets.
    """

    rule: str
    about: str
    kept: Kept
    trains: bool


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """Everything about one purpose of one policy that a notice words.

    `declined` is None if nothing is kept without the choice. `by_default` tells that the data
    is used until the person says no, `trains` that it may enter training sets. `deletion` and
    `withdrawal_retention` are a length, `at once` or `keep`; `deletion` is `none` if deleting
    shortens nothing.
    """

    policy: str
    digest: str
    purpose: str
    data_kinds: tuple[DataClass, ...]
    allowed: Kept
    declined: Kept | None
    survivors: tuple[Survivor, ...]
    feedback: Kept | None
    feedback_trains: bool
    trains: bool
    resume: Literal["whole conversation", "new turns"]
    withdrawal: dict[str, str]
    withdrawal_retention: Duration | str
    deletion: Duration | str
    no_answer: str
    by_default: bool
    deadline: datetime | None
    max_defers: int
    defer_cooldown: Duration
    business: bool

    def lengths(self) -> set[Duration]:
        """List every length that a notice may mention."""
        kept = [self.allowed, self.declined, self.feedback, *(survivor.kept for survivor in self.survivors)]
        found = [every.length if every else None for every in kept]
        return {
            value
            for value in (*found, self.withdrawal_retention, self.deletion, self.defer_cooldown)
            if isinstance(value, Duration)
        }


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A document that is the same as another if its digest is: the digest names every value of it."""

    digest: str
    document: Document = field(compare=False)


def facts_of(document: Document, purpose: str) -> PolicyFacts:
    """Derive the facts of one purpose. Raises `Invalid` if no grant of the policy asks for it."""
    return _derived(_Meaning(digest(meaning(document)), document), purpose)


@lru_cache(maxsize=256)
def _derived(meant: _Meaning, purpose: str) -> PolicyFacts:
    document = meant.document
    policy = build(document)
    asked = [g for g in policy.grants if any(c.purpose == purpose for c in g.choices)]
    if not asked:
        known = purposes_asked([policy])
        fix = f"use one of {', '.join(known)}" if known else "this policy asks for nothing"
        raise Invalid(f"no grant of `{policy.name}` asks for `{purpose}`", fix)
    always = [g for g in policy.grants if g.kind == "grant" and not g.choices and _beside(policy, asked, g)]
    anyway = [g for g in policy.grants if g.kind == "exception" and _beside(policy, asked, _of_any_data(g))]
    feedback = [g for g in anyway if g.anchor == "feedback"]
    parameters, withdrawal = document.parameters, document.withdrawal
    return PolicyFacts(
        policy=policy.name,
        digest=policy.digest,
        purpose=purpose,
        data_kinds=_data_kinds(asked),
        allowed=_longest([*asked, *always]),
        declined=_longest(always) if always else None,
        survivors=_survivors(anyway, policy.cut_purposes),
        feedback=_longest(feedback) if feedback else None,
        trains=any(g.purpose in policy.cut_purposes for g in asked),
        feedback_trains=any(g.purpose in policy.cut_purposes for g in feedback),
        resume=parameters.resume_scope,
        withdrawal={
            name: str(getattr(withdrawal, name))
            for name in ("future_data", "stored_data", "started_runs", "finished_models")
        },
        withdrawal_retention=parameters.retention_on_withdrawal,
        deletion=_deletion(policy, asked),
        no_answer=parameters.no_answer,
        by_default=any(c.by_default and len(g.choices) == 1 for g in asked for c in g.choices),
        deadline=parameters.answer_deadline,
        max_defers=parameters.max_defers,
        defer_cooldown=parameters.defer_cooldown,
        business=bool(policy.business_plans),
    )


def _beside(policy: Policy, asked: Iterable[Grant], rule: Grant) -> bool:
    """Tell whether a rule can hold for a part that the choice is about."""
    return any(witness(policy, [grant.when, rule.when], [veto.when for veto in grant.vetoes]) for grant in asked)


def _of_any_data(rule: Grant) -> Grant:
    """Forget which data an exception is about: scores of a chat belong to the chat."""
    when = rule.when
    tests = tuple(test for test in when.tests if test.key != "data")
    # what happened to the part is what the exception is about, not a condition of being asked
    return replace(rule, when=Condition(tests, era=when.era))


def _data_kinds(asked: Iterable[Grant]) -> tuple[DataClass, ...]:
    every: tuple[DataClass, ...] = get_args(DataClass)
    named: set[object] = set()
    for grant in asked:
        tests = [test for test in grant.when.tests if isinstance(test, Membership) and test.key == "data"]
        named |= {kind for kind in every if all((kind in test.values) is not test.negated for test in tests)}
    return tuple(kind for kind in every if kind in named and kind not in ("score", "feedback"))


def _kept(rule: Grant) -> Kept:
    length = rule.use_for.default
    if length is not None and rule.erase_after is not None:
        after = rule.erase_after
        length = Duration(length.months + after.months, length.days + after.days, length.seconds + after.seconds)
    return Kept(length, "at least" if rule.floor else "up to", rule.anchor)


def _longest(rules: Sequence[Grant]) -> Kept:
    kept = [_kept(rule) for rule in rules]
    endless = [every for every in kept if every.length is None]
    return endless[0] if endless else max(kept, key=lambda every: every.length.shortest())  # type: ignore[union-attr]


def _survivors(rules: Iterable[Grant], cut_purposes: Sequence[str]) -> tuple[Survivor, ...]:
    """List what is kept anyway, the longest of each kind once, in file order."""
    found: dict[str, Grant] = {}
    for rule in rules:
        about = about_of(rule)
        held = found.get(about)
        if held is None or _longest([held, rule]) == _kept(rule):
            found[about] = rule
    return tuple(Survivor(rule.id, about, _kept(rule), rule.purpose in cut_purposes) for about, rule in found.items())


def about_of(rule: Grant) -> str:
    """Say what an exception is about: one of the words that locales have, else its own id."""
    if CLASSES[rule.rank] == "statutory retention":
        return "statutory"
    if rule.anchor == "flagged":
        tests = [test for test in rule.when.tests if isinstance(test, Membership) and test.key == "data"]
        scores = any(test.values == {"score"} and not test.negated for test in tests)
        return "score" if scores else "flagged"
    return rule.anchor if rule.anchor in ("feedback", "reviewed") else rule.id


def _deletion(policy: Policy, asked: Sequence[Grant]) -> Duration | str:
    caps = [cap for cap in policy.caps if cap.key == "deleted_at" and any(cap in grant.caps for grant in asked)]
    return _cap_length(caps[0]) if caps else "none"


def _cap_length(cap: Cap) -> Duration | str:
    if cap.keeps:
        return "keep"
    parts = [part for part in (cap.use_after, cap.erase_after) if part is not None]
    if not parts:
        return "at once"
    return Duration(sum(p.months for p in parts), sum(p.days for p in parts), sum(p.seconds for p in parts))
