"""Forecast: what will be due when, by the rule that sets the date, as things stand now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.decision import NO_LEAD
from assent.domain.instants import in_utc
from assent.store.answers import answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.store.columns import Columns
    from assent.store.port import FactColumns

Step = Literal["day", "week", "month", "year"]

_LABELS: Final = {"year": "%Y", "month": "%Y-%m"}


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

    @property
    def rules(self) -> list[str]:
        """List the rules, the one that ends most parts first."""
        totals: dict[str, int] = {}
        for bucket in self.buckets:
            for rule, parts in bucket.parts.items():
                totals[rule] = totals.get(rule, 0) + parts
        return sorted(totals, key=lambda rule: (-totals[rule], rule))

    def label(self, bucket: Bucket) -> str:
        """Name the step that a bucket stands for."""
        return bucket.start.strftime(_LABELS.get(self.step, "%Y-%m-%d"))


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
        return from_ends(found.ends(step), at, step, count)


def from_ends(ends: Iterable[tuple[datetime | None, str, int]], at: datetime, step: Step, count: int) -> Forecast:
    """Put counts of ends (`Answers.ends` by this step) into `count` buckets."""
    buckets: dict[datetime, dict[str, int]] = {start: {} for start in _starts(at, step, count)}
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
