"""Forecast: what will be due when, by the rule that sets the date, as things stand now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from assent.domain.decision import NO_LEAD
from assent.domain.instants import in_utc
from assent.store.answers import answers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.store.columns import Columns
    from assent.store.port import FactColumns

Step = Literal["day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Parts that become ripe in the step that begins at `start`, by rule."""

    start: datetime
    parts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Buckets from now on without gaps; parts that end later, that are held, and that have no end."""

    at: datetime
    step: Step
    buckets: tuple[Bucket, ...]
    later: int
    held: int
    endless: int


def forecast(
    store: FactColumns,
    columns: Columns,
    policies: Sequence[Policy],
    at: datetime,
    step: Step,
    count: int,
    *,
    lead: timedelta = NO_LEAD,
) -> Forecast:
    """Count when everything that is kept becomes ripe, in `count` steps from now. What is ripe counts in the first."""
    with answers(store, columns, policies, at, lead=lead) as found:
        ends = found.ends(step)
    starts = _starts(at, step, count)
    buckets: dict[datetime, dict[str, int]] = {start: {} for start in starts}
    later = held = endless = 0
    for start, rule, parts in ends:
        if rule == "hold" and start is None:
            held += parts
        elif start is None:
            endless += parts
        elif (bucket := buckets.get(in_utc(start))) is not None:
            bucket[rule] = parts
        else:
            later += parts
    return Forecast(at, step, tuple(Bucket(start, parts) for start, parts in buckets.items()), later, held, endless)


def _starts(at: datetime, step: Step, count: int) -> list[datetime]:
    """Begin each step where the database begins it: midnight, Monday, the first, New Year (UTC)."""
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if step == "week":
        start -= timedelta(days=start.weekday())
    elif step != "day":
        start = start.replace(day=1, month=start.month if step == "month" else 1)
    starts = [start]
    while len(starts) < count:
        starts.append(_next(starts[-1], step))
    return starts


def _next(start: datetime, step: Step) -> datetime:
    if step in ("day", "week"):
        return start + timedelta(days=1 if step == "day" else 7)
    month = start.month + 1 if step == "month" else 13
    return start.replace(year=start.year + month // 13, month=(month - 1) % 12 + 1)
