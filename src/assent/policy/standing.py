"""Standing: what a subject's choices amount to, at an instant and for a part.

Standing is derived from the acts, never stored. `allow` permits; `decline` and `withdraw`
refuse; `defer` decides nothing. A default ("unless declined") permits until a refusal.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import ChoiceRule, Policy


class Answer(Enum):
    """What the choices say for one grant and one part."""

    PERMITTED = "permitted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Permission(NamedTuple):
    """An answer for a grant and a part.

    `since` is when it was given, `ended_at` when it was taken back (None: it was not), and
    `time_unknown` tells that the part's time was unknown, so that the instant stood in for it.
    """

    answer: Answer
    since: datetime | None = None
    ended_at: datetime | None = None
    time_unknown: bool = False


def permissions(rules: Sequence[ChoiceRule], facts: Facts, policy: Policy, at: datetime) -> Permission:
    """Read several choices that a grant needs together: one refusal refuses, then one silence waits."""
    if len(rules) == 1:
        return permission(rules[0], facts, policy, at)
    found = [permission(rule, facts, policy, at) for rule in rules]
    if any(one.answer is Answer.REFUSED for one in found):
        return _REFUSED
    if any(one.answer is Answer.UNDECIDED for one in found):
        return _UNDECIDED
    return Permission(
        Answer.PERMITTED,
        since=max((one.since for one in found if one.since is not None), default=None),
        ended_at=min((one.ended_at for one in found if one.ended_at is not None), default=None),
        time_unknown=any(one.time_unknown for one in found),
    )


def permission(rule: ChoiceRule, facts: Facts, policy: Policy, at: datetime) -> Permission:
    """Read the choices for a grant, at the part's time and since.

    With `part and now` the permission must cover the part's time, and ends for good with the
    first refusal after it, unless the policy lets a new grant revive earlier data (spec/policy.md,
    standing). Acts after `at` are not known yet.
    """
    clock: datetime | None = getattr(facts, policy.part_clock)
    moment = at if clock is None or clock > at or rule.covers == "now" else clock
    before: bool | None = None  # the answer in force at `moment`; None while undecided
    lapsed_at = revived_at = None
    since = ended_at = None  # ended_at: start of the refusal that ended the permission
    now: bool | None = None
    for choice in facts.choices:
        if choice.purpose != rule.purpose or choice.act == "defer":
            continue
        if choice.at > at:
            break
        allows = choice.act == "allow"
        if choice.at <= moment:
            if allows is not before:
                since = choice.at
            before = allows
        elif not allows and ended_at is None:
            # an allow that a refusal overrules at the same instant revived nothing
            ended_at = lapsed_at if choice.at == revived_at else choice.at
        elif allows and policy.revives and ended_at is not None:
            lapsed_at, revived_at, ended_at = ended_at, choice.at, None
        now = allows
    if now is None and not rule.by_default:
        silence_refuses = policy.silence_refuses_from is not None and policy.silence_refuses_from <= at
        return _REFUSED if silence_refuses else _UNDECIDED
    if before is False or (before is None and not rule.by_default):
        return _REFUSED
    return Permission(Answer.PERMITTED, since, None if rule.covers == "part" else ended_at, clock is None)


_REFUSED = Permission(Answer.REFUSED)
_UNDECIDED = Permission(Answer.UNDECIDED)
