"""Several versions live at once: which ones govern a part, and the stricter answer of them.

Old data stays under the terms it was recorded under, and today's terms bind today's use;
so a part is decided by the version in force at its time *and* by the one in force now, and
the stricter answer counts. A later version can therefore never widen what an earlier one
allowed for the same part without a new choice (requirements R30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.decision import Decision
from assent.domain.digests import digest
from assent.policy.conditions import effective_for
from assent.policy.decide import decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import Policy


def in_force(versions: Sequence[Policy], facts: Facts, moment: datetime, at: datetime) -> Policy:
    """Return the newest version that bound this subject at `moment`, as known at `at`; before the first, the first.

    `versions` is ordered by date, oldest first (`by_date`).
    """
    bound = [policy for policy in versions if effective_for(facts, policy, at) <= moment]
    return bound[-1] if bound else versions[0]


def by_date(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Order versions by the date from which they bind, oldest first."""
    return tuple(sorted(policies, key=lambda policy: policy.effective))


def governing(versions: Sequence[Policy], facts: Facts, at: datetime) -> tuple[Policy, ...]:
    """Return the versions that govern a part at `at`: the one of its time and today's, oldest first, once each.

    `versions` is ordered by date, oldest first (`by_date`).
    """
    today = in_force(versions, facts, at, at)
    clock: datetime | None = getattr(facts, today.part_clock)
    then = in_force(versions, facts, at if clock is None or clock > at else clock, at)
    return (then,) if then is today else (then, today)


def decide_versions(facts: Facts, policies: Sequence[Policy], at: datetime) -> Decision:
    """Decide a part under every one of `policies` and return the stricter answer."""
    return stricter([decide(facts, policy, at) for policy in policies])


def stricter(decisions: Sequence[Decision]) -> Decision:
    """Combine decisions on one part: use only what all allow, erase as soon as any says, name every reason.

    With one decision, return it. `policy` joins the names, `digest` names the list of digests.
    """
    first = decisions[0]
    if len(decisions) == 1:
        return first
    shared = [p for p in first.use_until if all(p in decision.use_until for decision in decisions)]
    held = any(decision.held for decision in decisions)
    ends = [decision.erase_by for decision in decisions if decision.erase_by is not None]
    erase_by = None if held else min(ends, default=None)
    return Decision(
        part=first.part,
        at=first.at,
        eligible=tuple(p for p in first.eligible if all(p in decision.eligible for decision in decisions)),
        use_until={p: _earliest([*(d.use_until[p] for d in decisions), erase_by]) for p in shared},
        erase_by=erase_by,
        held=held,
        gap=tuple(sorted({key for decision in decisions for key in decision.gap})),
        conflicts=tuple(dict.fromkeys(c for decision in decisions for c in decision.conflicts)),
        reasons=tuple(dict.fromkeys(reason for decision in decisions for reason in decision.reasons)),
        policy=" + ".join(decision.policy for decision in decisions),
        digest=digest([decision.digest for decision in decisions]),
        may_use_until=_all_use_until(decisions),
    )


def _all_use_until(decisions: Sequence[Decision]) -> datetime | None:
    """Take the earliest of the ends; without a use under one of the versions there is none."""
    ends = [decision.may_use_until for decision in decisions]
    return None if None in ends else _earliest(ends)


def _earliest(ends: Iterable[datetime | None]) -> datetime | None:
    return min((end for end in ends if end is not None), default=None)
