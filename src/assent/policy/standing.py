"""Standing: what a subject's choices amount to, at an instant and for a part.

Standing is derived from the acts, never stored. `allow` permits; `decline` and `withdraw`
refuse; `defer` decides nothing. A default ("unless declined") permits until a refusal.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from assent.domain.facts import ChoiceAct, Facts
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


class Lasting(NamedTuple):
    """What acts permit until another one is made: purposes with the instant since which nothing refused them.

    `unrefused`: no purpose was ever refused, so that whatever a default permits is permitted.
    """

    since: Mapping[str, datetime]
    unrefused: bool

    def of(self, clocks: Mapping[str, datetime | None]) -> Permitted:
        """Say what lasts for a part: purposes permitted at the time of one of its clocks and ever since."""
        known = [(clock, instant) for clock, instant in clocks.items() if instant is not None]
        pairs = ((purpose, clock) for purpose, since in self.since.items() for clock, at in known if since <= at)
        return Permitted(frozenset(pairs), self.unrefused)


class Permitted(NamedTuple):
    """What permits a part whatever time goes by, until another act: pairs of a purpose and a clock (`Facts` keys).

    A pair says that the purpose was permitted at that clock of the part, and never refused since.
    """

    pairs: frozenset[tuple[str, str]] = frozenset()
    unrefused: bool = False

    def surely(self, rule: ChoiceRule, part_clock: str) -> bool:
        """Tell whether `permission` permits under this rule, without an end, at any instant behind the last act."""
        return (rule.purpose, part_clock) in self.pairs or (rule.by_default and self.unrefused)


UNKNOWN = Permitted()
"""Nothing is known of what was chosen, so nothing is sure."""


def lasting(acts: Sequence[ChoiceAct]) -> Lasting:
    """Say what acts, in their order (`Facts.choices`), amount to for as long as no other is made."""
    since: dict[str, datetime] = {}
    unrefused = True
    for act in acts:
        if act.act == "allow":
            since.setdefault(act.purpose, act.at)
        elif act.act != "defer":
            since.pop(act.purpose, None)
            unrefused = False
    return Lasting(since, unrefused)


_REFUSED = Permission(Answer.REFUSED)
_UNDECIDED = Permission(Answer.UNDECIDED)
