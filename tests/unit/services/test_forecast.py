"""A forecast counts every part that is kept exactly once, in steps without a gap."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from provider import MICROSECOND, NEW, OLD, T0, Provider, crowd, day, provider, talk

from assent.services.forecast import Forecast, Step, forecast

STEPS: tuple[Step, ...] = ("day", "week", "month", "year")
EDGES = [
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2028, 2, 29, 12, tzinfo=UTC),
    datetime(2026, 3, 1, 7, 30, tzinfo=UTC),  # a Sunday
    datetime(2026, 3, 2, tzinfo=UTC),  # a Monday
]


def look(made: Provider, at: datetime, step: Step = "month", count: int = 18) -> Forecast:
    return forecast(made.store, made.columns, made.versions, at, step, count)


def total(ahead: Forecast) -> int:
    inside = sum(sum(bucket.parts.values()) for bucket in ahead.buckets)
    return inside + ahead.later + ahead.held + ahead.endless


def begins(step: Step, moment: datetime) -> bool:
    """Tell whether a step may begin here: midnight, on a Monday, a first, a New Year."""
    first = {
        "day": True,
        "week": moment.weekday() == 0,
        "month": moment.day == 1,
        "year": (moment.month, moment.day) == (1, 1),
    }
    return first[step] and (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)


LONGEST = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}


@pytest.mark.parametrize("step", STEPS)
def test_steps_follow_each_other_without_a_gap(tmp_path: Path, step: Step) -> None:
    with provider(tmp_path / "home") as made:
        for at in EDGES:
            ahead = look(made, at, step, 30)
            starts = [bucket.start for bucket in ahead.buckets]
            assert len(starts) == 30
            assert all(begins(step, start) for start in starts)
            assert starts[0] <= at < starts[1]
            assert all(timedelta() < after - before <= LONGEST[step] for before, after in pairwise(starts))
            shortest = {"month": timedelta(days=28), "year": timedelta(days=365)}.get(step, LONGEST[step])
            assert all(after - before >= shortest for before, after in pairwise(starts))


def test_one_step_is_possible(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(talk("a"), talk("b", "s1", day(40)))
        ahead = look(made, day(31), "day", 1)
        assert [bucket.parts for bucket in ahead.buckets] == [{"base": 2}]
        assert (ahead.later, total(ahead)) == (2, 4)


def test_what_is_overdue_counts_in_the_first_step(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(talk("long ago", "s1", day(-900)), talk("today", "s1", day(-30)), talk("soon", "s1", day(-29)))
        ahead = look(made, T0, "day", 3)
        assert [bucket.parts for bucket in ahead.buckets] == [{"base": 4}, {"base": 2}, {}]


def test_held_endless_and_later_stand_apart(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.person("s2")
        made.person("firm", plan="team")
        made.choose("allow", T0, "s2")
        made.keep(talk("held"), talk("free"), talk("firm's", "firm"), talk("allowed", "s2"), talk("whose", None))
        made.hold("h", "test:held", day(1))
        ahead = look(made, day(2))
        assert (ahead.held, ahead.endless, ahead.later) == (2, 4, 2)
        assert sum(sum(bucket.parts.values()) for bucket in ahead.buckets) == 2
        assert look(made, day(2), "year", 6).later == 0
        made.store.release_hold("h", at=day(3), by="desk")
        assert look(made, day(4)).held == 0


def test_an_end_at_the_edge_of_a_step_belongs_to_the_step_that_begins(tmp_path: Path) -> None:
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    with provider(tmp_path / "home") as made:
        made.person()
        for name, end in (("before", midnight - MICROSECOND), ("at", midnight)):
            made.keep(talk(name, "s1", end - timedelta(days=30)))
        ahead = look(made, datetime(2026, 2, 10, tzinfo=UTC), "month", 2)
        assert [bucket.parts for bucket in ahead.buckets] == [{"base": 2}, {"base": 2}]


@pytest.mark.parametrize("names", [(NEW,), (OLD, NEW)], ids=" ".join)
def test_every_part_is_counted_where_the_reference_puts_its_end(tmp_path: Path, names: tuple[str, ...]) -> None:
    at = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
    with provider(tmp_path / "home", *names) as made:
        crowd(made, at, people=40, seed=11)
        decided = list(made.decided(at).values())
        for step in STEPS:
            ahead = look(made, at, step, 20)
            starts = [bucket.start for bucket in ahead.buckets]
            expected: Counter[object] = Counter()
            for decision in decided:
                if decision.held or decision.erase_by is None:
                    expected["held" if decision.held else "endless"] += 1
                else:
                    expected[[start for start in starts if start <= max(decision.erase_by, at)][-1]] += 1
            last = expected.pop(starts[-1], 0)  # with it is counted what ends later
            found = Counter({b.start: sum(b.parts.values()) for b in ahead.buckets[:-1] if b.parts})
            found += Counter(held=ahead.held, endless=ahead.endless)
            assert found == +expected
            assert sum(ahead.buckets[-1].parts.values()) + ahead.later == last
            assert total(ahead) == len(decided) == made.store.counts().parts
