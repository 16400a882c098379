"""One round of the daemon: finish what is open, plan, ask the guards, erase, and write down how things stand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError
from assent.domain.instants import format_instant
from assent.services.guard.clock import check_clock
from assent.services.guard.health import measure
from assent.services.guard.lease import VALID
from assent.services.guard.limits import ahead_in_force, limits_in_force, limits_of
from assent.services.guard.permit import Under, permit, unfinished, weigh
from assent.services.guard.promise import check_settings, lead_of
from assent.services.guard.radius import LOOK_BACK, GuardTripped, budget_left, check_budget, check_canary
from assent.services.guard.world import Stopping
from assent.services.plan import keep_policies, make_plan
from assent.store.answers import Delays
from assent.store.port.leases import LeaseLost
from assent.store.records import Event, Round

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.guard.limits import Limits
    from assent.services.guard.world import SweepWorld
    from assent.store.port import Store
    from assent.store.records import Lease, Plan, Stage

STOPPED: Final = "assent.sweep.stopped"
"""The event that tells of a guard: others hear of it before anything is erased."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What a round came to, before it is measured."""

    stage: Stage
    plan: str | None = None
    due: int = 0
    stopped_by: str = ""
    says: str = ""
    delays: Delays | None = None
    policies: tuple[str, ...] = ()


def sweep_round(world: SweepWorld, lease: Lease, *, next_within: timedelta) -> Round:
    """Do one round and write it down, also where a guard stops it or something fails.

    `next_within` is how long after this round the next one will have ended. Raises `LeaseLost`; then nothing is
    written down, because the rounds of whoever has the lease count.
    """
    began = world.now()
    before = _erased(world.store, began)
    try:
        done = _work(world, lease, began)
    except LeaseLost:
        raise
    except Stopping:
        # what was decided to go until then goes all the way, and the rest of the plan waits for the next start
        world.carry_out(world.now())
        raise
    except AssentError as problem:
        done = _Done("failed", says=problem.message)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the heartbeat tells it; its text may quote anything
        done = _Done("failed", says=type(problem).__name__)
    ended = world.now()
    try:
        # where nothing was erased, what was counted at the beginning stands
        delays = done.delays or _measured(world, ended)
    except AssentError as problem:  # a policy that cannot be read, say: what the last round measured still stands
        done = _Done("failed", done.plan, done.due, says=problem.message)
        delays = _remembered(world.store)
    written = Round(
        id=0,
        holder=world.holder,
        began_at=began,
        ended_at=ended,
        stage=done.stage,
        next_by=ended + next_within,
        plan=done.plan,
        policies=done.policies,
        stopped_by=done.stopped_by or (done.says if done.stage == "failed" else ""),
        due=done.due,
        erased=_erased(world.store, began) - before,
        late=delays.late,
        overdue=delays.overdue,
        oldest_overdue=delays.oldest,
        first_end=delays.first_end,
    )
    world.store.renew_lease(lease, world.now() + VALID)
    world.store.add_round(written)
    if done.stage == "stopped":
        _tell(world.store, done, delays, ended)
    return written


def _work(world: SweepWorld, lease: Lease, now: datetime) -> _Done:
    store, settings, texts = world.store, world.settings(), world.policies()
    versions = [policy for policy, _ in texts]
    lead = check_settings(settings, versions)
    try:
        check_clock(store, now, ahead_in_force(store, limits_of(settings)))
    except GuardTripped as stop:
        return _stopped(None, stop)
    under = Under(versions, lead, limits_in_force(store, limits_of(settings), now))
    if any(store.policy(policy.digest) is None for policy in versions):
        keep_policies(store, texts, now)  # a later round may have to know what they made due
    # by a clock that nobody trusts no policy has been in force: only from here on the round names them
    return replace(_swept(world, lease, under, now), policies=tuple(policy.digest for policy in versions))


def _swept(world: SweepWorld, lease: Lease, under: Under, now: datetime) -> _Done:
    store, settings, texts, versions = world.store, world.settings(), world.policies(), under.policies
    # what was decided earlier goes first: its keys are late already
    owed = world.carry_out(now)
    lag = timedelta(days=settings.sweep_lag_days)
    delays = measure(store, world.columns, versions, now, lead=under.lead, lag=lag)
    if not delays.ripe:
        return _Done("idle", delays=delays)
    plan = _plan_to_go_on_with(store, versions, now, timedelta(hours=settings.plan_valid_hours))
    if plan is None:
        rows = settings.batch_rows
        digest = make_plan(store, world.columns, texts, at=now, batch_rows=rows, lead=under.lead).digest
        plan = store.plan(digest)
    if plan is None or not plan.counts:
        return _Done("idle")
    try:
        permit(store, weigh(store, world.columns, plan, under, now), now)
        limit, stage = _share(store, plan, under.limits, now, owed=owed)
    except GuardTripped as stop:
        return _stopped(plan, stop)
    world.erase(plan, versions, now, lease=lease, limit=limit)
    world.carry_out(now)
    return _Done(stage, plan.digest, sum(plan.counts.values()))


def _stopped(plan: Plan | None, stop: GuardTripped) -> _Done:
    due = sum(plan.counts.values()) if plan else 0
    return _Done("stopped", plan.digest if plan else None, due, " ".join(stop.guards), stop.message)


def _plan_to_go_on_with(store: Store, versions: Sequence[Policy], now: datetime, valid: timedelta) -> Plan | None:
    """Return the plan that was begun, or that a guard stopped: what a second person agreed to is that very plan.

    A sweep that was begun under other policies is closed; what is still due stands in a new plan.
    """
    digests = tuple(policy.digest for policy in versions)

    for sweep in unfinished(store):
        plan = store.plan(sweep.plan)
        if plan is not None and plan.policies == digests and plan.at <= now:
            return plan
        store.finish_sweep(sweep.id, now)
    last = store.last_round()
    if last is None or last.stage != "stopped" or last.plan is None or "canary" in last.stopped_by:
        return None
    plan = store.plan(last.plan)
    fresh = plan is not None and plan.policies == digests and timedelta() <= now - plan.at <= valid
    return plan if fresh else None


def _share(store: Store, plan: Plan, limits: Limits, now: datetime, *, owed: int) -> tuple[int, Stage]:
    """Say how many parts of the plan may go in this round: the first few alone, and never more than the day allows.

    Raises `GuardTripped` where the day has no room left, and where the first few were not what the plan said.
    """
    left = budget_left(store, limits, now)
    check_budget(left, limits)
    if sum(plan.counts.values()) <= limits.guard_floor_parts:
        return left, "whole"
    begun = next((sweep for sweep in unfinished(store) if sweep.plan == plan.digest), None)
    if begun is None or not begun.after:
        return min(limits.canary_parts, left), "canary"
    try:
        check_canary(begun.erased, begun.kept, owed)
    except GuardTripped:
        store.finish_sweep(begun.id, now)
        raise
    return left, "whole"


def _erased(store: Store, now: datetime) -> int:
    return sum(parts for _, parts in store.erased_by_sweeps(now - LOOK_BACK))


def _remembered(store: Store) -> Delays:
    last = store.last_round()
    if last is None:
        return Delays(0, 0, 0, None, None)
    return Delays(0, last.late, last.overdue, last.oldest_overdue, last.first_end)


def _measured(world: SweepWorld, at: datetime) -> Delays:
    settings = world.settings()
    lag = timedelta(days=settings.sweep_lag_days)
    versions = [policy for policy, _ in world.policies()]
    return measure(world.store, world.columns, versions, at, lead=lead_of(settings), lag=lag)


def _tell(store: Store, done: _Done, delays: Delays, at: datetime) -> None:
    """Keep an event for whoever listens: once for a plan and its guards, or for a day where there is no plan."""
    about = done.plan or format_instant(at)[:10]
    data = {
        "plan": done.plan,
        "guards": done.stopped_by.split(),
        "says": done.says,
        "due": done.due,
        "late": delays.late,
        "overdue": delays.overdue,
        "first_end": delays.first_end and format_instant(delays.first_end),
    }
    name = f"{about} {done.stopped_by}"
    store.add_event(Event(name.replace(" ", "-"), STOPPED, about, json.dumps(data), at))
