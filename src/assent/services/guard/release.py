"""What the release of a hold makes due, and whether the guards will let a sweep take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from assent.services.guard.radius import Trip, average_day, too_much
from assent.services.plan import nominations
from assent.store.answers import answers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from assent.services.guard.permit import Under
    from assent.store.columns import Columns
    from assent.store.port import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Freed:
    """Parts that became due by a release, and the guards that will stop a sweep of them."""

    parts: int
    trips: tuple[Trip, ...]


def guard_release(
    store: Store, columns: Columns, under: Under, now: datetime, release: Callable[[], T]
) -> tuple[T, Freed]:
    """Release by `release`, and count what that makes due.

    Two people decided to release, which is not to decide that so much may go: nothing is erased here, and the plan
    of the next sweep meets the same guards.
    """
    nominated = nominations(store, under.policies, now)
    with answers(store, columns, under.policies, now, nominated, lead=under.lead) as before:
        before.remember_ripe()
    done = release()
    with answers(store, columns, under.policies, now, nominated, lead=under.lead) as after:
        parts = after.ripe_since()
    trips = too_much(parts, store.counts().parts, average_day(store, now), under.limits)
    return done, Freed(parts, tuple(trips))
