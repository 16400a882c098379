"""A guard at its very edge: what is exactly at a limit passes, one more does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.guard_world import ACME, DAY, HOUR, T0, GuardWorld, day, guard_world, parsed

from assent.domain.errors import Refused
from assent.services.guard.clock import SKEW, check_clock
from assent.services.guard.health import health, measure, without_rounds
from assent.services.guard.limits import Limits, ahead_in_force, limits_in_force, limits_of, waiting
from assent.services.guard.permit import target_of
from assent.services.guard.promise import check_settings, lead_of
from assent.services.guard.radius import (
    GuardTripped,
    average_day,
    budget_left,
    check_budget,
    check_canary,
    too_much,
)
from assent.settings import Settings
from assent.store.answers import Delays
from assent.store.records import Round

LIMITS = Limits(
    guard_floor_parts=10,
    guard_most_parts=1_000,
    guard_most_percent=20,
    guard_times_mean=3,
    canary_parts=5,
    day_budget_parts=2_000,
    cool_off_hours=72,
    clock_ahead_hours=24,
)
MOMENT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


class Swept(NamedTuple):
    """What sweeps erased, as a store tells it."""

    sweeps: tuple[tuple[datetime, int], ...]

    def erased_by_sweeps(self, since: datetime) -> list[tuple[datetime, int]]:
        return [(at, parts) for at, parts in self.sweeps if at >= since]


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[GuardWorld]:
    with guard_world(tmp_path) as made:
        yield made


# -- how much is too much -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "kept", "mean", "guards"),
    [
        pytest.param(10, 10, 0.0, [], id="the floor is never too much, even if it is everything"),
        pytest.param(11, 11, None, ["share"], id="one above the floor may be"),
        pytest.param(1_000, 5_000, None, [], id="exactly a plan's most, and exactly the share"),
        pytest.param(1_001, 50_000, None, ["parts"], id="one more than a plan's most"),
        pytest.param(201, 1_000, None, ["share"], id="just above the share"),
        pytest.param(30, 1_000, 10.0, [], id="exactly so many times an average day"),
        pytest.param(31, 1_000, 10.0, ["mean"], id="one more than that"),
        pytest.param(31, 1_000, None, [], id="no average is known"),
        pytest.param(31, 1_000, 0.0, ["mean"], id="an average day of nothing is known"),
        pytest.param(1_001, 1_001, 1.0, ["parts", "share", "mean"], id="all three at once"),
        pytest.param(11, 0, None, ["share"], id="a share of nothing that is kept"),
    ],
)
def test_what_is_exactly_at_a_limit_passes(due: int, kept: int, mean: float | None, guards: list[str]) -> None:
    assert [trip.guard for trip in too_much(due, kept, mean, LIMITS)] == guards


def test_a_guard_says_how_much_and_how_much_may_be() -> None:
    parts, share, mean = too_much(4_000, 10_000, 1_200.4, LIMITS)
    assert parts.says == "`4,000` parts are due, more than the 1,000 of a plan"
    assert share.says == "`40 %` of what is kept is due, more than 20 %"
    assert mean.says == "`4,000` parts are due, more than 3 times the 1,200 of an average day"
    assert [trip.until for trip in (parts, share, mean)] == [None] * 3
    assert too_much(11, 0, None, LIMITS)[0].says.startswith("`100 %`")


def test_an_average_is_taken_over_the_days_that_erased_something() -> None:
    week = tuple((day(-number), 10 * number) for number in range(1, 8))
    assert average_day(Swept(week), T0) == 40
    assert average_day(Swept(week[:6]), T0) is None, "six days are no average"
    assert average_day(Swept((*week, (day(-1) + HOUR, 70))), T0) == 50, "two sweeps of one day are one day"


def test_today_and_what_is_older_than_four_weeks_are_no_part_of_an_average() -> None:
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    week = tuple((day(-number), 10) for number in range(1, 8))
    assert average_day(Swept((*week, (midnight, 1_000))), T0) == 10
    assert average_day(Swept((*week, (midnight - MOMENT, 70))), T0) == 20, "yesterday, to its last moment, is"
    assert average_day(Swept((*week, (midnight - 28 * DAY, 90))), T0) == 20
    assert average_day(Swept((*week, (midnight - 28 * DAY - MOMENT, 90))), T0) == 10


def test_what_went_within_24_hours_leaves_less_for_today() -> None:
    assert budget_left(Swept(()), LIMITS, T0) == 2_000
    assert budget_left(Swept(((day(-1), 500), (T0, 700))), LIMITS, T0) == 800
    assert budget_left(Swept(((day(-1) - MOMENT, 500), (T0, 700))), LIMITS, T0) == 1_300
    assert budget_left(Swept(((T0, 2_500),)), LIMITS, T0) == 0


def test_a_day_without_room_stops_and_one_with_room_for_a_single_part_does_not() -> None:
    check_budget(1, LIMITS)
    with pytest.raises(GuardTripped, match=r"^`2,000` parts went within 24 hours, as many as may$") as stop:
        check_budget(0, LIMITS)
    assert stop.value.guards == ("budget",)
    assert "day_budget_parts" in stop.value.fix


@pytest.mark.parametrize(("erased", "kept", "problems"), [(0, 0, 0), (3, 3, 0), (5, 0, 0)])
def test_a_first_share_of_which_half_went_is_as_planned(erased: int, kept: int, problems: int) -> None:
    check_canary(erased, kept, problems)


@pytest.mark.parametrize(("erased", "kept", "problems"), [(2, 3, 0), (5, 0, 1), (0, 1, 0)])
def test_a_first_share_of_which_less_than_half_went_is_not(erased: int, kept: int, problems: int) -> None:
    with pytest.raises(
        GuardTripped, match=f"{erased} parts went and {kept} were no longer due, and {problems}"
    ) as stop:
        check_canary(erased, kept, problems)
    assert stop.value.guards == ("canary",)


# -- limits that change -------------------------------------------------------------------------------


def test_a_looser_limit_counts_from_the_very_end_of_its_wait(acme: GuardWorld) -> None:
    wanted = replace(LIMITS, guard_most_parts=9_000)
    assert limits_in_force(acme.store, LIMITS, T0) == LIMITS
    assert limits_in_force(acme.store, wanted, T0 + HOUR) == LIMITS
    assert limits_in_force(acme.store, wanted, T0 + HOUR + 72 * HOUR - SECOND) == LIMITS
    assert limits_in_force(acme.store, wanted, T0 + HOUR + 72 * HOUR) == wanted
    assert list(waiting(acme.store)) == []


@pytest.mark.parametrize(("name", "stricter", "looser"), [("guard_most_parts", 999, 1_001), ("cool_off_hours", 73, 71)])
def test_stricter_counts_at_once_and_looser_waits(acme: GuardWorld, name: str, stricter: int, looser: int) -> None:
    limits_in_force(acme.store, LIMITS, T0)
    assert limits_in_force(acme.store, replace(LIMITS, **{name: looser}), T0) == LIMITS
    found = replace(LIMITS, **{name: stricter})
    assert limits_in_force(acme.store, found, T0) == found


def test_another_wish_begins_to_wait_anew_and_a_wish_taken_back_is_forgotten(acme: GuardWorld) -> None:
    limits_in_force(acme.store, LIMITS, T0)
    limits_in_force(acme.store, replace(LIMITS, canary_parts=6), T0)
    limits_in_force(acme.store, replace(LIMITS, canary_parts=7), T0 + 71 * HOUR)
    assert [(one.wanted, one.wanted_since) for one in waiting(acme.store)] == [(7, T0 + 71 * HOUR)]
    assert limits_in_force(acme.store, replace(LIMITS, canary_parts=7), T0 + 80 * HOUR).canary_parts == 5
    limits_in_force(acme.store, LIMITS, T0 + 81 * HOUR)
    assert list(waiting(acme.store)) == []


def test_a_shorter_wait_does_not_shorten_itself(acme: GuardWorld) -> None:
    limits_in_force(acme.store, LIMITS, T0)
    hasty = replace(LIMITS, cool_off_hours=0, guard_most_parts=9_000)
    assert limits_in_force(acme.store, hasty, T0) == LIMITS
    assert limits_in_force(acme.store, hasty, T0 + 71 * HOUR) == LIMITS


def test_a_clock_may_run_on_by_the_stricter_of_what_counts_and_what_is_wanted(acme: GuardWorld) -> None:
    assert ahead_in_force(acme.store, LIMITS) == 24 * HOUR
    limits_in_force(acme.store, LIMITS, T0)
    assert ahead_in_force(acme.store, replace(LIMITS, clock_ahead_hours=23)) == 23 * HOUR
    assert ahead_in_force(acme.store, replace(LIMITS, clock_ahead_hours=25)) == 24 * HOUR


def test_every_limit_is_read_from_the_setting_of_its_name() -> None:
    settings = Settings(Path(), Path("x"), guard_floor_parts=1, guard_most_percent=2, canary_parts=3, cool_off_hours=4)
    found = limits_of(settings)
    assert (found.guard_floor_parts, found.guard_most_percent, found.canary_parts, found.cool_off) == (
        1,
        2,
        3,
        4 * HOUR,
    )


# -- the clock ----------------------------------------------------------------------------------------


def test_clocks_may_differ_by_the_skew_and_no_more(acme: GuardWorld) -> None:
    check_clock(acme.store, T0, DAY)
    check_clock(acme.store, T0 - SKEW, DAY)
    assert acme.store.clock_seen() == T0, "an earlier clock is not gone by"
    with pytest.raises(GuardTripped, match=r"the clock stands at `.*`, before `.*`, which was seen"):
        check_clock(acme.store, T0 - SKEW - SECOND, None)


def test_a_clock_may_run_on_by_as_long_as_it_may_and_no_longer(acme: GuardWorld) -> None:
    check_clock(acme.store, T0, DAY)
    with pytest.raises(GuardTripped, match="over 24 hours"):
        check_clock(acme.store, day(1) + SECOND, DAY)
    assert acme.store.clock_seen() == T0
    check_clock(acme.store, day(1), DAY)
    assert acme.store.clock_seen() == day(1)
    check_clock(acme.store, day(300), None)  # somebody looks at a plan for this instant
    assert acme.store.clock_seen() == day(300)


def test_two_people_say_of_one_day_that_its_clock_is_right(acme: GuardWorld) -> None:
    check_clock(acme.store, T0, DAY)
    acme.clock = day(10)
    acme.agree("clock", "2026-01-12")
    with pytest.raises(GuardTripped, match="over 24 hours"):
        check_clock(acme.store, day(10), DAY)
    acme.agree("clock", "2026-01-11")
    check_clock(acme.store, day(10), DAY)
    assert acme.store.clock_seen() == day(10)


# -- promises, and how things stand -------------------------------------------------------------------


def test_settings_fit_to_the_day_and_not_beyond() -> None:
    policy = parsed(ACME)  # gone 30 days after the person deleted it
    fits = Settings(Path(), Path("x"), quarantine_days=14, sweep_lag_days=1, key_backup_days=14, slack_days=1)
    assert check_settings(fits, [policy]) == lead_of(fits) == 16 * DAY
    for name in ("quarantine_days", "sweep_lag_days", "key_backup_days", "slack_days"):
        more = replace(fits, **{name: getattr(fits, name) + 1})
        with pytest.raises(Refused, match=r"is gone within 30 days, and the settings need 31$"):
            check_settings(more, [policy])


def test_a_policy_that_promises_nothing_on_deletion_fits_any_settings() -> None:
    settings = Settings(Path(), Path("x"), quarantine_days=400)
    policy = parsed(ACME)
    assert check_settings(settings, [replace(policy, caps=())]) == lead_of(settings)
    keeps = tuple(replace(cap, keeps=True) for cap in policy.caps)
    assert check_settings(settings, [replace(policy, caps=keeps)]) == lead_of(settings)


def test_a_plan_is_named_by_twelve_digits() -> None:
    assert target_of("sha256:0123456789abcdef") == "0123456789ab"


def test_what_is_ripe_is_late_after_the_lag_and_overdue_after_its_end(acme: GuardWorld) -> None:
    acme.keep(1, T0)
    acme.store.request_deletion("test:s1-010112-0", T0)  # out of use at once, and gone 30 days later
    policies = [policy for policy, _ in acme.policies]

    def counted(at: datetime) -> tuple[int, int, int]:
        found = measure(acme.store, acme.columns, policies, at, lead=16 * DAY, lag=DAY)
        assert found.oldest == (day(30) if found.overdue else None)
        return found.ripe, found.late, found.overdue

    assert counted(day(14) - SECOND) == (0, 0, 0)
    assert counted(day(14)) == counted(day(15) - SECOND) == (1, 0, 0)
    assert counted(day(15) + SECOND) == counted(day(30) - SECOND) == (1, 1, 0)
    assert counted(day(30) + SECOND) == (1, 1, 1)


def written(acme: GuardWorld, **more: object) -> GuardWorld:
    acme.store.add_round(Round(0, "one", T0, T0, **{"stage": "whole", "next_by": T0 + HOUR, **more}))
    return acme


def test_a_promise_of_a_next_round_is_kept_to_its_last_moment(acme: GuardWorld) -> None:
    assert health(acme.store, T0).problems == ()
    assert health(acme.store, T0).last is None
    written(acme)
    assert health(acme.store, T0 + HOUR).well
    found = health(acme.store, T0 + HOUR + MOMENT)
    assert not found.well
    assert found.problems == (
        "no round has ended since 2026-01-01T12:00:00Z, and the next was promised by 2026-01-01T13:00:00Z",
    )


def test_a_round_says_what_is_wrong_one_sentence_each(acme: GuardWorld) -> None:
    written(
        acme,
        stage="stopped",
        stopped_by="parts share",
        late=2_000,
        overdue=1_500,
        oldest_overdue=day(-3),
        first_end=T0 + 30 * HOUR,
    )
    assert health(acme.store, T0 + HOUR).problems == (
        "1,500 parts are overdue, the oldest for 3 days",
        "2,000 parts are ripe for longer than a sweep may lag; 29 hours are left until the first of it must be gone",
        "the last round was stopped by the guards parts, share; 29 hours are left until the first of it must be gone",
    )


def test_one_guard_is_one_guard_and_hours_that_are_over_are_not_counted(acme: GuardWorld) -> None:
    written(acme, stage="stopped", stopped_by="clock", first_end=T0)
    assert health(acme.store, T0).problems == ("the last round was stopped by the guard clock",)
    written(acme, stage="stopped", stopped_by="clock", first_end=T0 + HOUR)
    assert health(acme.store, T0).problems[0].endswith("clock; 1 hours are left until the first of it must be gone")
    written(acme, stage="failed", stopped_by="OSError")
    assert health(acme.store, T0).problems == ("the last round failed: OSError",)


def test_without_any_round_only_what_is_overdue_is_wrong() -> None:
    some = Delays(ripe=5, late=4, overdue=3, oldest=day(-2), first_end=None)
    assert without_rounds(some, T0).problems == (
        "3 parts are overdue, the oldest for 2 days, and no sweep has ever ended",
    )
    none = without_rounds(replace(some, overdue=0, oldest=None), T0)
    assert (none.well, none.problems, none.last) == (True, (), None)
