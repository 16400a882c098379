"""Permission to carry a plan out: what stops it, and who or what may let it pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.services.approve import require
from assent.services.guard.newly import Changed, changed, newly_due
from assent.services.guard.radius import GuardTripped, Trip, average_day, too_much
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from assent.policy.model import Policy
    from assent.services.guard.limits import Limits
    from assent.store.columns import Columns
    from assent.store.port import Store
    from assent.store.records import Plan, Sweep


class Under(NamedTuple):
    """What a plan is weighed under: the policies in force, oldest first, the lead, and the limits that count."""

    policies: Sequence[Policy]
    lead: timedelta
    limits: Limits


@dataclass(frozen=True, slots=True)
class Weighed:
    """A plan and the guards it runs into. `newly` parts are due only because the policies changed."""

    plan: str
    due: int
    newly: int
    trips: tuple[Trip, ...]


def weigh(store: Store, columns: Columns, plan: Plan, under: Under, now: datetime) -> Weighed:
    """Hold a plan against the guards. What is below the floor passes them all."""
    due = sum(plan.counts.values())
    if due <= under.limits.guard_floor_parts:
        return Weighed(plan.digest, due, 0, ())
    gone = sum(sweep.erased for sweep in unfinished(store) if sweep.plan == plan.digest)
    trips = too_much(due, store.counts().parts + gone, average_day(store, now), under.limits)
    newly = 0
    if (change := changed(store, plan.policies, under.limits.cool_off, now)) is not None:
        newly = newly_due(store, columns, change.before, under.policies, now, under.lead)
        trips += _cooling(change, newly, under.limits, now)
    return Weighed(plan.digest, due, newly, tuple(trips))


def target_of(digest: str) -> str:
    """Name a plan the way `assent plan` shows it: by the first twelve digits of its digest."""
    return digest.removeprefix("sha256:")[:12]


def unfinished(store: Store) -> list[Sweep]:
    """List the sweeps among the last hundred that were not carried out to their end."""
    return [sweep for sweep in store.sweeps(Page(limit=100)).items if sweep.finished_at is None]


def permit(store: Store, weighed: Weighed, now: datetime) -> None:
    """Let a plan pass that no guard stops, or that a second person let pass. Raises `GuardTripped`.

    An approval of `exceed` for the plan (`target_of` names it) holds until the plan is carried out, however many
    rounds that takes, and for no other one.
    """
    target = target_of(weighed.plan)
    if not weighed.trips or _let_pass(store, target):
        return
    try:
        require(store, act="exceed", target=target, now=now)
    except Refused as refused:
        until = [trip.until for trip in weighed.trips]
        waits = [instant for instant in until if instant is not None]
        fix = refused.fix
        if len(waits) == len(until):
            fix = f"wait until {format_instant(max(waits))}, or correct the policy; to go on now: {fix}"
        raise GuardTripped(weighed.trips, fix) from None


def _let_pass(store: Store, target: str) -> bool:
    """Tell whether an approval was used for this plan before: it was begun with it."""
    listing = store.approvals(Page(limit=100), act="exceed", target=target)
    return any(one.used_at is not None for one in listing.items)


def _cooling(change: Changed, newly: int, limits: Limits, now: datetime) -> list[Trip]:
    """Stop a change of the policies that makes more than the floor due, until it has been there for a while."""
    if newly <= limits.guard_floor_parts:
        return []
    until = (change.since or now) + limits.cool_off
    if until <= now:
        return []
    return [Trip("policy", f"`{newly:,}` parts are due only because the policies changed", until)]
