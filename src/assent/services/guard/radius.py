"""The blast radius: what is more than anybody can have meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.services.guard.limits import Limits
    from assent.store.port import Guards

Guard = Literal["parts", "share", "mean", "policy", "clock", "canary", "budget"]

LOOK_BACK: Final = timedelta(days=28)
"""How far back an average day is taken from: four weeks, so that each day of the week counts alike."""

DAYS_KNOWN: Final = 7
"""Days with erasures without which there is no average day."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A guard that stops a sweep, and the sentence that says why. `until`: when it lets go by itself, if it does."""

    guard: Guard
    says: str
    until: datetime | None = None


class GuardTripped(Refused):
    """Guards stopped a sweep; nothing of it was erased."""

    def __init__(self, trips: Sequence[Trip], fix: str) -> None:
        """Say the sentence of each guard."""
        super().__init__("; ".join(trip.says for trip in trips), fix)
        self.guards = tuple(trip.guard for trip in trips)


def too_much(due: int, kept: int, mean: float | None, limits: Limits) -> list[Trip]:
    """Name the guards that `due` parts of `kept` run into; `mean` is an average day's, None where none is known."""
    if due <= limits.guard_floor_parts:
        return []
    trips = []
    if due > limits.guard_most_parts:
        trips.append(Trip("parts", f"`{due:,}` parts are due, more than the {limits.guard_most_parts:,} of a plan"))
    if due * 100 > limits.guard_most_percent * kept:
        share = f"{100 * due / max(kept, due):.0f} %"
        trips.append(Trip("share", f"`{share}` of what is kept is due, more than {limits.guard_most_percent} %"))
    if mean is not None and due > limits.guard_times_mean * mean:
        often = f"`{due:,}` parts are due, more than {limits.guard_times_mean} times"
        trips.append(Trip("mean", f"{often} the {mean:,.0f} of an average day"))
    return trips


def check_budget(left: int, limits: Limits) -> None:
    """Raise `GuardTripped` if the day has no room left."""
    if not left:
        says = f"`{limits.day_budget_parts:,}` parts went within 24 hours, as many as may"
        raise GuardTripped([Trip("budget", says)], "wait, or raise `day_budget_parts`")


def check_canary(erased: int, kept: int, problems: int) -> None:
    """Raise `GuardTripped` if the first share of a plan was not what the plan said, or met problems on its way out."""
    if problems or kept > erased:
        says = (
            f"of the first share of the plan {erased:,} parts went and {kept:,} were no longer due, "
            f"and {problems:,} erasures met a problem"
        )
        raise GuardTripped([Trip("canary", says)], "see why with `assent sweep --redo` and `assent plan`")


def average_day(store: Guards, now: datetime) -> float | None:
    """Return how many parts sweeps erased on an average day with erasures before today; None below DAYS_KNOWN days."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    days: dict[object, int] = {}
    for at, parts in store.erased_by_sweeps(midnight - LOOK_BACK):
        if at < midnight:
            days[at.date()] = days.get(at.date(), 0) + parts
    return sum(days.values()) / len(days) if len(days) >= DAYS_KNOWN else None


def budget_left(store: Guards, limits: Limits, now: datetime) -> int:
    """Return how many parts may still go today: what the 24 hours before `now` left of `day_budget_parts`."""
    gone = sum(parts for _, parts in store.erased_by_sweeps(now - timedelta(days=1)))
    return max(0, limits.day_budget_parts - gone)
