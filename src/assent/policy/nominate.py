"""Nomination: which parts *may* be due, from clocks, categorical facts and what is surely permitted.

The index of a store only nominates; the decision is taken again on all facts. Nomination
may therefore be early, and must never be late: every part that is due under `decide`
satisfies `clock <= now - after` for one of its bounds. Flags, holds, reviews and
acknowledgements are not looked at, so none of them makes a stored bound stale. Of choices
only what lasts is used, and only where the store knows that no other act was made since
(docs/adr/0050-nomination.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assent.policy.model import CLOCKS
from assent.policy.standing import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.domain.durations import Duration
    from assent.domain.facts import Facts
    from assent.policy.model import Condition, Grant, Policy
    from assent.policy.standing import Permitted

_AT_ONCE = timedelta()


@dataclass(frozen=True, slots=True)
class Bound:
    """Parts whose `clock` (a key of `Facts`) lies at least `after` back are nominated."""

    clock: str
    after: timedelta


def nominate(policy: Policy, state: Facts, permitted: Permitted = UNKNOWN) -> tuple[Bound, ...] | None:
    """Return the bounds for all parts with these categorical facts; None if every one of them must be looked at.

    Only plan, region, age, signed_in, role, surface, mode, data and origin of `state` are
    read. An empty tuple means that no part with these facts is ever due. With `permitted` the
    bounds hold for those parts of which that is true, at any instant behind the acts that made it so.

    One grant that surely counts is enough: a due part has outlived each of its grants, this
    one too, by its own end or by one of its caps. The grant with the longest own end is taken.
    """
    sure = [
        (_own_length(grant), grant)
        for grant in _decisive(policy, state)
        if _surely_counts(grant, state) and all(permitted.surely(rule, policy.part_clock) for rule in grant.choices)
    ]
    if not sure:
        return None
    length, grant = max(sure, key=lambda pair: (pair[0] is None, pair[0] or _AT_ONCE))
    own = [] if length is None else [Bound(CLOCKS[grant.anchor], length)]
    return (*own, *_cap_bounds(grant))


def nominate_versions(
    policies: Sequence[Policy], state: Facts, permitted: Permitted = UNKNOWN
) -> tuple[Bound, ...] | None:
    """Nominate under several versions at once: a part may be due under any one of them (`versions.stricter`)."""
    shortest: dict[str, timedelta] = {}
    for policy in policies:
        bounds = nominate(policy, state, permitted)
        if bounds is None:
            return None
        for bound in bounds:
            shortest[bound.clock] = min(bound.after, shortest.get(bound.clock, bound.after))
    return tuple(Bound(clock, after) for clock, after in shortest.items())


def _decisive(policy: Policy, state: Facts) -> Iterator[Grant]:
    """Yield the grants whose end `erase_by` can never undercut if they count.

    That is every ceiling, because a floor can only replace the latest ceiling by something
    later; and every floor, if no ceiling that may count is strong enough to beat one.
    """
    possible = [grant for grant in policy.grants if _may_hold(grant.when, state)]
    strongest_ceiling = max((grant.rank for grant in possible if not grant.floor), default=-1)
    weakest_floor = min((grant.rank for grant in possible if grant.floor), default=-1)
    for grant in possible:
        if not grant.floor or weakest_floor > strongest_ceiling:
            yield grant


def _surely_counts(grant: Grant, state: Facts) -> bool:
    """Tell whether the grant, if permitted, counts (live or possible) for every part with this state."""
    when = grant.when
    return (
        grant.anchor in CLOCKS
        and not when.happened
        and not when.absent
        and when.era is None
        and not any(_may_be_certain(veto.when, state) for veto in grant.vetoes)
    )


def _may_hold(condition: Condition, state: Facts) -> bool:
    return all(test(state) is not False for test in condition.tests)


def _may_be_certain(condition: Condition, state: Facts) -> bool:
    # an unknown fact never lets a veto take a purpose away, see `decide._basis`
    return all(test(state) is True for test in condition.tests)


def _own_length(grant: Grant) -> timedelta | None:
    """Return the shortest time from the anchor to the erasure that any pick of the person gives; None: no end."""
    lengths = [length for length in (grant.use_for.default, *grant.use_for.picks.values()) if length is not None]
    if not lengths:
        return None
    return min(length.shortest() for length in lengths) + _shortest(grant.erase_after)


def _cap_bounds(grant: Grant) -> Iterator[Bound]:
    for cap in grant.caps:
        floor_wins = grant.floor and grant.rank > cap.rank
        if not cap.keeps and not floor_wins:
            yield Bound(cap.key, _shortest(cap.use_after) + _shortest(cap.erase_after))


def _shortest(length: Duration | None) -> timedelta:
    return length.shortest() if length is not None else _AT_ONCE
