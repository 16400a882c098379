"""A share of a plan, erased by the daemon: stopped between two batches by whoever stops it or changes the rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assent.domain.errors import Refused
from assent.services.guard.world import Stopping
from assent.services.sweep import SweepTerms, sweep_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.erase.world import ErasureWorld
    from assent.store.columns import Columns
    from assent.store.port import Store
    from assent.store.records import Lease, Plan


@dataclass(frozen=True)
class Erasing:
    """Erases shares of plans.

    `rules` reads the texts of settings and policies anew: they are looked at before every batch, so that a policy
    that is taken back while a sweep is under way stops it. `world` opens derived stores anew: one may have been
    registered since the daemon began. `stopping` tells whether the daemon is to end.
    """

    store: Store
    columns: Columns
    world: Callable[[], ErasureWorld]
    terms: Callable[[], SweepTerms]
    rules: Callable[[], object]
    stopping: Callable[[], bool]

    def __call__(self, plan: Plan, policies: Sequence[Policy], now: datetime, *, lease: Lease, limit: int) -> None:
        """Erase up to `limit` parts of the plan; see `Erase`."""
        rules = self.rules()

        def look_up(_rows: int) -> None:
            if self.stopping():
                raise Stopping
            if self.rules() != rules:
                fix = "nothing more was erased; the next round plans anew"
                raise Refused("settings or policies changed while a sweep was under way", fix)

        terms = replace(self.terms(), lease=lease, most=limit)
        sweep_plan(self.store, self.columns, policies, plan, self.world(), now=now, terms=terms, on_rows=look_up)
