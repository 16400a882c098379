"""A plan that goes from a page: always by two people, whether or not a guard stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.services.approve import require
from assent.services.guard.permit import target_of
from assent.store.records import Page

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.port import Approvals
    from assent.store.records import Approval, Plan


def asked_for(store: Approvals, plan: Plan) -> Approval | None:
    """Return the newest request to carry a plan out."""
    listing = store.approvals(Page(limit=1), act="exceed", target=target_of(plan.digest))
    return listing.items[0] if listing.items else None


def require_two(store: Approvals, plan: Plan, now: datetime) -> None:
    """Use the approval of a plan up, unless it was used before and the plan goes on. Raises `Refused` without one.

    A plan that a guard stops passes it by the same approval (`services.guard.permit`).
    """
    listing = store.approvals(Page(limit=100), act="exceed", target=target_of(plan.digest))
    if not any(one.used_at is not None for one in listing.items):
        require(store, act="exceed", target=target_of(plan.digest), now=now)
