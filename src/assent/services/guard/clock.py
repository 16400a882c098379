"""A clock that jumps: erasing early cannot be undone, so the sweep stops until somebody has looked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.services.approve import require
from assent.services.guard.radius import GuardTripped, Trip
from assent.store.port import Approvals, Guards

if TYPE_CHECKING:
    from datetime import datetime

SKEW: Final = timedelta(minutes=5)
"""By how much the clocks of machines that share a database may differ before one of them is taken to run backwards."""


class ClockStore(Guards, Approvals, Protocol):
    """What watching the clock asks of a store."""


def check_clock(store: ClockStore, now: datetime, ahead: timedelta | None) -> None:
    """Go by `now` from here on. Raises `GuardTripped` if the clock stands before the newest instant that was seen.

    And if it ran on by more than `ahead` since then: None where a person has looked at a plan for this instant.
    After a jump two people can say that the clock is right: they approve `clock` for the day, as 2026-01-31.
    """
    seen = store.clock_seen()
    day = format_instant(now)[:10]
    if seen is not None:
        problem = ""
        if now < seen - SKEW:
            problem = f"the clock stands at `{format_instant(now)}`, before `{format_instant(seen)}`, which was seen"
        elif ahead is not None and now - seen > ahead:
            hours = int(ahead.total_seconds() // 3600)
            problem = f"the clock ran on from `{format_instant(seen)}` to `{format_instant(now)}`, over {hours} hours"
        if problem:
            try:
                require(store, act="clock", target=day, now=now)
            except Refused as refused:
                fix = f"correct the clock; if it is right: {refused.fix}"
                raise GuardTripped([Trip("clock", problem)], fix) from None
            store.see_clock(now)
            return
    if seen is None or now > seen:
        store.see_clock(now)
