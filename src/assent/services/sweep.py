"""Sweep: carry out one plan, deciding every part again, and go on where a stopped sweep ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assent.domain.errors import Incomplete, NotFound, Refused
from assent.policy.versions import decide_versions, governing
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from assent.domain.decision import Decision
    from assent.domain.facts import Facts
    from assent.policy.model import Policy
    from assent.store.port import Store
    from assent.store.records import Plan


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did: parts erased, parts kept because they are no longer due, parts that were gone already.

    `clean` tells that nothing kept the store from dropping what erased content left behind (`checkpoint` of the port).
    """

    sweep: int
    plan: str
    erased: int
    kept: int
    gone: int
    clean: bool


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
    policies: Sequence[Policy],
    plan: Plan,
    *,
    now: datetime,
    valid: timedelta,
    batch_rows: int,
    on_rows: Callable[[int], None],
) -> SweepReport:
    """Erase what the plan names and is still due.

    Stopping it anywhere is safe: run it again with the same plan. Raises `Refused` when the
    policies changed, or when the plan is older than `valid` and no sweep of it has begun.
    """
    if tuple(policy.digest for policy in policies) != plan.policies:
        raise Refused("the policies changed since the plan was made", "run `assent plan` again and look at it")
    if now < plan.at:
        raise Refused("the clock stands before the plan", "correct the clock; a sweep never runs backwards in time")
    if now - plan.at > valid and not _begun(store, plan):
        hours = int(valid.total_seconds() // 3600)
        raise Refused(f"the plan is older than {hours} hours", "run `assent plan` again and look at it")

    def redecide(facts: Facts) -> Decision:
        return decide_versions(facts, governing(policies, facts, now), now)

    sweep = store.begin_sweep(plan.digest, now)
    after, gone = sweep.after, 0
    while items := store.plan_items(plan.digest, after, batch_rows):
        keys = [item.part for item in items]
        gone += store.erase(sweep.id, redecide, keys, erased_at=now).gone
        after = keys[-1]
        on_rows(len(keys))
    done = store.finish_sweep(sweep.id, now)
    return SweepReport(done.id, plan.digest, done.erased, done.kept, gone, clean=store.checkpoint())


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


def require_clean(report: SweepReport) -> None:
    """Raise `Incomplete` while a log of the database still holds erased bytes."""
    if not report.clean:
        raise Incomplete("a reader kept the log of the store open", "run the same sweep again to clear the log")
