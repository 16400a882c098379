"""Three-valued conditions: true, false, or unknown (None), after Kleene.

An unknown fact makes a condition unknown only if no other test already makes it false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import Condition, Policy


def happened(facts: Facts, key: str, at: datetime, policy: Policy) -> datetime | None:
    """Return the instant of an event, or None if it has not happened by `at` or was undone.

    A flag that was reversed counts as never raised, if the policy says so.
    """
    instant: datetime | None = getattr(facts, key)
    if instant is None or instant > at:
        return None
    if key == "flagged_at" and policy.reversal_ends_flag:
        undone = facts.flag_reversed_at
        if undone is not None and undone <= at:
            return None
    return instant


def effective_for(facts: Facts, policy: Policy, at: datetime) -> datetime:
    """Return when the policy began to bind this subject: its date, or the acknowledgement if earlier.

    What was acknowledged before this version was announced was another version.
    """
    seen = facts.acknowledged_at
    if not policy.acknowledgement_counts or seen is None or seen > at:
        return policy.effective
    if policy.announced is not None and seen < policy.announced:
        return policy.effective
    return min(seen, policy.effective)


def holds_for(condition: Condition, facts: Facts, policy: Policy, at: datetime) -> tuple[bool, frozenset[str]]:
    """Tell whether the condition may hold, and which unknown facts stand between "may" and "does".

    (True, {}) is true, (True, {"age"}) is unknown for want of the age, (False, {}) is false.
    """
    missing: set[str] | None = None
    for test in condition.tests:
        answer = test(facts)
        if answer is False:
            return _FALSE
        if answer is None:
            missing = missing or set()
            missing.add(test.key)
    for key in condition.happened:
        if happened(facts, key, at, policy) is None:
            return _FALSE
    for key in condition.absent:
        if happened(facts, key, at, policy) is not None:
            return _FALSE
    if condition.era is not None:
        clock: datetime | None = getattr(facts, policy.part_clock)
        if clock is None:
            missing = missing or set()
            missing.add(policy.part_clock)
        elif (clock >= effective_for(facts, policy, at)) is not (condition.era == "since effective"):
            return _FALSE
    return (True, frozenset(missing)) if missing else _TRUE


_TRUE: tuple[bool, frozenset[str]] = (True, frozenset())
_FALSE: tuple[bool, frozenset[str]] = (False, frozenset())
