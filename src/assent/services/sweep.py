"""Sweep: carry out one plan, deciding every part again, and go on where a stopped sweep ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.decision import NO_LEAD
from assent.domain.errors import AssentError, Incomplete, NotFound, Refused
from assent.ledger.erasure import SALT_BYTES
from assent.services.erase.carry_out import CarriedOut, carry_out
from assent.services.erase.redecide import redecide
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime, timedelta

    from assent.policy.model import Policy
    from assent.services.erase.world import ErasureWorld
    from assent.store.columns import Columns
    from assent.store.port import Store
    from assent.store.records import Lease, Plan


@dataclass(frozen=True, slots=True)
class SweepTerms:
    """How a plan is carried out.

    `valid`: how old a plan may be that no sweep has begun. `lead`: how long before their
    `erase_by` parts are ripe. `batch_rows`: parts decided and erased in one transaction, which
    holds up other writers that long. `lease`: the lease under which this runs, if there is one.
    `budget`: parts that may be erased. `most`: items of the plan to look at before the sweep
    stops, to be gone on with later.
    """

    valid: timedelta
    lead: timedelta = NO_LEAD
    batch_rows: int = 5_000
    lease: Lease | None = None
    budget: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did: parts erased, parts kept because they are no longer due, parts that were gone already.

    `erased` and `kept` count since the sweep began, also before it was stopped. `finished` is
    false if `most` ended it. `carried` says what became of keys, copies and receipts.
    """

    sweep: int
    plan: str
    erased: int
    kept: int
    gone: int
    finished: bool
    carried: CarriedOut


def find_plan(store: Store, named: str) -> Plan:
    """Find a plan by its digest or a beginning of it (8 digits or more). Raises `NotFound` or `Refused`."""
    wanted = named.removeprefix("sha256:")
    page: str | None = None
    found: list[Plan] = []
    while len(wanted) >= 8:
        listing = store.plans(Page(limit=500, after=page))
        found += [plan for plan in listing.items if plan.digest.removeprefix("sha256:").startswith(wanted)]
        page = listing.after
        if page is None:
            break
    if not found:
        raise NotFound(f"no plan `{named}`", "run `assent plan` and use the digest it prints")
    if len(found) > 1:
        raise Refused(f"`{named}` names {len(found)} plans", "give more digits")
    return found[0]


def sweep_plan(
    store: Store,
    columns: Columns,
    policies: Sequence[Policy],
    plan: Plan,
    world: ErasureWorld,
    *,
    now: datetime,
    terms: SweepTerms,
    on_rows: Callable[[int], None],
) -> SweepReport:
    """Erase what the plan names and is still ripe, down to the keys and every copy.

    Stopping it anywhere is safe: run it again with the same plan. Raises `Refused` when the
    policies changed, when the plan is older than `valid` and no sweep of it has begun, when more
    than the budget is due, or when the lease is lost; what was decided to go until then is
    carried out all the same.
    """
    _look_over(store, policies, plan, now, terms)
    decide = redecide(columns, policies, now, terms.lead)
    sweep = store.begin_sweep(plan.digest, now)
    after, seen, erased, gone = sweep.after, 0, 0, 0
    try:
        while keys := store.plan_keys(plan.digest, after, _next(terms, seen)):
            budget = None if terms.budget is None else terms.budget - erased
            salt = world.new_salts(1)[:SALT_BYTES]
            intent = store.intend(sweep.id, decide, keys, at=now, salt=salt, lease=terms.lease, budget=budget)
            after, seen = keys[-1], seen + len(keys)
            erased, gone = erased + intent.erased, gone + intent.gone
            on_rows(len(keys))
    except AssentError:
        carry_out(store, world, now=now)
        raise
    finished = not store.plan_keys(plan.digest, after, 1)
    done = store.finish_sweep(sweep.id, now) if finished else store.sweep(sweep.id) or sweep
    carried = carry_out(store, world, now=now)
    return SweepReport(done.id, plan.digest, done.erased, done.kept, gone, finished, carried)


def _next(terms: SweepTerms, seen: int) -> int:
    return terms.batch_rows if terms.most is None else min(terms.batch_rows, max(terms.most - seen, 0))


def _look_over(store: Store, policies: Sequence[Policy], plan: Plan, now: datetime, terms: SweepTerms) -> None:
    if tuple(policy.digest for policy in policies) != plan.policies:
        raise Refused("the policies changed since the plan was made", "run `assent plan` again and look at it")
    if now < plan.at:
        raise Refused("the clock stands before the plan", "correct the clock; a sweep never runs backwards in time")
    if now - plan.at > terms.valid and not _begun(store, plan):
        hours = int(terms.valid.total_seconds() // 3600)
        raise Refused(f"the plan is older than {hours} hours", "run `assent plan` again and look at it")


def _begun(store: Store, plan: Plan) -> bool:
    """Tell whether a sweep of this plan was stopped: it may go on however late, since every part is decided again."""
    page: str | None = None
    while True:
        listing = store.sweeps(Page(limit=200, after=page))
        if any(sweep.plan == plan.digest and sweep.finished_at is None for sweep in listing.items):
            return True
        page = listing.after
        if page is None:
            return False


def require_done(carried: CarriedOut, connected: Collection[str] = ()) -> None:
    """Raise `Incomplete` while an erasure has no receipt, saying what it waits for and what to do.

    `connected` are the systems that are looked into: nobody can answer for one in which copies were found.
    """
    if carried.waiting:
        names = ", ".join(f"`{name}` ({count})" for name, count in sorted(carried.waiting.items()))
        looked_into = sorted(carried.waiting.keys() & set(connected))
        fixes = [f"`{name}` was asked, and copies are still there: see to it" for name in looked_into]
        if len(looked_into) < len(carried.waiting):
            fixes.append("when it is gone there: `assent derived ack ERASURE --store NAME --state removed`")
        raise Incomplete(f"erasures wait for an answer of {names}", f"{'; '.join(fixes)}, then `assent sweep --redo`")
    if carried.problems:
        fix = "correct it, then `assent sweep --redo`: it goes on where this ended"
        raise Incomplete(carried.problems[0], fix)
