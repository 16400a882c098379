"""Whether erasing goes on, measured by what is still there and never by what a sweep says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.instants import format_instant
from assent.services.plan import nominations
from assent.store.answers import answers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from assent.policy.model import Policy
    from assent.store.answers import Delays
    from assent.store.columns import Columns
    from assent.store.port import Guards, Store
    from assent.store.records import Round


@dataclass(frozen=True, slots=True)
class Health:
    """How the last round went, and what is wrong, one sentence each; nothing of it names a person."""

    last: Round | None
    problems: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.problems


def measure(
    store: Store, columns: Columns, policies: Sequence[Policy], at: datetime, *, lead: timedelta, lag: timedelta
) -> Delays:
    """Count what is ripe, late and overdue, from the facts alone: no sweep, plan or round is asked."""
    with answers(store, columns, policies, at, nominations(store, policies, at), lead=lead) as found:
        return found.delays(lag)


def without_rounds(delays: Delays, now: datetime) -> Health:
    """Judge a store in which no round was ever written down, by what `measure` counted."""
    if not delays.overdue or delays.oldest is None:
        return Health(None, ())
    return Health(None, (f"{_overdue(delays.overdue, delays.oldest, now)}, and no sweep has ever ended",))


def health(store: Guards, now: datetime) -> Health:
    """Judge by the newest heartbeat. Without any there is nothing to say: see `without_rounds`."""
    last = store.last_round()
    if last is None:
        return Health(None, ())
    found = []
    if last.next_by is not None and now > last.next_by:
        ended = format_instant(last.ended_at)
        found.append(f"no round has ended since {ended}, and the next was promised by {format_instant(last.next_by)}")
    if last.overdue and last.oldest_overdue is not None:
        found.append(_overdue(last.overdue, last.oldest_overdue, now))
    if last.late:
        found.append(f"{last.late:,} parts are ripe for longer than a sweep may lag{_left(last, now)}")
    if last.stage == "stopped":
        found.append(f"the last round was stopped by {_guards(last)}{_left(last, now)}")
    if last.stage == "failed":
        found.append(f"the last round failed: {last.stopped_by}")
    return Health(last, tuple(found))


def _overdue(parts: int, oldest: datetime, now: datetime) -> str:
    return f"{parts:,} parts are overdue, the oldest for {(now - oldest).days} days"


def _guards(last: Round) -> str:
    names = last.stopped_by.split()
    return f"the guard{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _left(last: Round, now: datetime) -> str:
    """Say how long a guard or a delay may last before a promise breaks."""
    if last.first_end is None:
        return ""
    hours = (last.first_end - now).total_seconds() / 3600
    return f"; {hours:,.0f} hours are left until the first of it must be gone" if hours > 0 else ""
