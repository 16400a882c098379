"""A plan that a person looked at and sweeps: the same guards as the daemon's, and the same heartbeat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from assent.services.guard.clock import check_clock
from assent.services.guard.health import measure
from assent.services.guard.limits import limits_in_force, limits_of
from assent.services.guard.permit import Under, permit, unfinished, weigh
from assent.services.guard.radius import budget_left, check_budget, check_canary
from assent.services.sweep import SweepReport, sweep_plan
from assent.store.records import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.erase.world import ErasureWorld
    from assent.services.sweep import SweepTerms
    from assent.settings import Settings
    from assent.store.columns import Columns
    from assent.store.port import Store
    from assent.store.records import Plan


@dataclass(frozen=True)
class ByHand:
    """What sweeping a plan by hand works with; `holder` names this process in the round that is written down."""

    store: Store
    columns: Columns
    policies: Sequence[Policy]
    erasing: ErasureWorld
    settings: Settings
    terms: SweepTerms
    holder: str

    def sweep(self, plan: Plan, now: datetime, on_rows: Callable[[int], None]) -> SweepReport:
        """Carry the plan out as far as the guards allow: its first share, and if that went as planned the rest.

        Raises `GuardTripped`, and what `sweep_plan` raises. What the day has no room for is left: the report then says
        that the sweep is not finished, and the same command goes on tomorrow.
        """
        check_clock(self.store, now, None)
        limits = limits_in_force(self.store, limits_of(self.settings), now)
        under = Under(self.policies, self.terms.lead, limits)
        permit(self.store, weigh(self.store, self.columns, plan, under, now), now)
        left = budget_left(self.store, limits, now)
        check_budget(left, limits)
        first = min(left, limits.canary_parts) if sum(plan.counts.values()) > limits.guard_floor_parts else left
        if any(sweep.plan == plan.digest and sweep.after for sweep in unfinished(self.store)):
            first = left
        report = self._share(plan, now, first, on_rows)
        if not report.finished and first < left:
            check_canary(report.erased, report.kept, len(report.carried.problems))
            report = self._share(plan, now, left - first, on_rows)
        self._beat(plan, report, now)
        return report

    def _share(self, plan: Plan, now: datetime, most: int, on_rows: Callable[[int], None]) -> SweepReport:
        terms = replace(self.terms, most=most)
        return sweep_plan(
            self.store, self.columns, self.policies, plan, self.erasing, now=now, terms=terms, on_rows=on_rows
        )

    def _beat(self, plan: Plan, report: SweepReport, now: datetime) -> None:
        """Write the round down. What a daemon promised stands, unless it is broken already and a person took over."""
        last = self.store.last_round()
        promised = last.next_by if last is not None and last.next_by is not None and last.next_by > now else None
        lag = timedelta(days=self.settings.sweep_lag_days)
        found = measure(self.store, self.columns, self.policies, now, lead=self.terms.lead, lag=lag)
        done = Round(
            id=0,
            holder=self.holder,
            began_at=now,
            ended_at=now,
            stage="whole",
            next_by=promised,
            plan=plan.digest,
            policies=plan.policies,
            due=sum(plan.counts.values()),
            erased=report.erased,
            late=found.late,
            overdue=found.overdue,
            oldest_overdue=found.oldest,
            first_end=found.first_end,
        )
        self.store.add_round(done)
