"""Every guard trips, says why, erases nothing, and lets pass what goes the right way and nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.guard_world import ACME, DAY, EVERY, HOUR, T0, GuardWorld, day, guard_world

from assent.domain.errors import Refused
from assent.services.approve import approve
from assent.services.guard.limits import waiting
from assent.services.guard.radius import average_day
from assent.services.guard.world import Stopping
from assent.store.records import Page, Round

KEPT = 40
DUE = 10


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[GuardWorld]:
    """Parts that were never asked to go so far: a policy that has swept before, and a lot that is kept."""
    with guard_world(tmp_path) as made:
        made.keep(1, day(-31), "first")
        assert made.round(T0).stage == "whole"
        made.keep(KEPT, T0, "young")
        yield made


def ready(acme: GuardWorld, count: int = DUE) -> None:
    """Make some parts due, more than the floor."""
    acme.keep(count, day(-30.5), "old")


def stopped(done: Round, *guards: str) -> None:
    assert (done.stage, tuple(done.stopped_by.split()), done.erased) == ("stopped", guards, 0)


# -- how much -----------------------------------------------------------------------------------------


def test_what_is_below_the_floor_goes_whatever_share_it_is(acme: GuardWorld) -> None:
    acme.keep(4, day(-31), "old")
    acme.set(guard_most_percent=1)
    done = acme.round()
    assert (done.stage, done.erased, done.overdue) == ("whole", 4, 0)


@pytest.mark.parametrize(("limit", "guard"), [("guard_most_parts", "parts"), ("guard_most_percent", "share")])
def test_more_than_a_limit_stops_and_takes_a_second_person(acme: GuardWorld, limit: str, guard: str) -> None:
    ready(acme)
    acme.set(**{limit: 9})
    done = acme.round()
    stopped(done, guard)
    assert acme.parts() == KEPT + DUE
    asked = acme.ask("exceed", done.plan)
    stopped(acme.round(), guard)
    with pytest.raises(Refused):
        approve(acme.store, asked, by="ada", now=acme.clock)  # not by the same person
    stopped(acme.round(), guard)
    approve(acme.store, asked, by="bo", now=acme.clock)
    assert (acme.round().stage, acme.round().stage) == ("canary", "whole")
    assert acme.parts() == KEPT


def test_agreeing_to_one_plan_lets_no_other_one_pass(acme: GuardWorld) -> None:
    ready(acme)
    acme.set(guard_most_percent=10)
    first = acme.round()
    stopped(first, "share")
    acme.agree("exceed", first.plan)
    assert [acme.round().stage for _ in range(2)] == ["canary", "whole"]
    acme.keep(DUE, day(-30.5), "more")
    second = acme.round()
    stopped(second, "share")
    assert second.plan != first.plan


def test_far_more_than_an_average_day_stops(acme: GuardWorld) -> None:
    for number in range(8):
        acme.keep(2, day(number - 31), f"d{number}")
    for number in range(8):
        assert acme.round(day(number) + HOUR).overdue == 0
    acme.set(guard_times_mean=4)
    assert 1 < average_day(acme.store, day(8)) <= 2.5
    acme.keep(8, day(-31), "old")
    assert [acme.round(day(8) + HOUR).stage, acme.round().stage] == ["canary", "whole"]
    acme.keep(15, day(-31), "older")
    stopped(acme.round(day(9)), "mean")


def test_an_average_needs_a_week(acme: GuardWorld) -> None:
    assert average_day(acme.store, day(3)) is None


# -- the first share, and the day ---------------------------------------------------------------------


def test_a_few_parts_go_first_and_the_rest_a_round_later(acme: GuardWorld) -> None:
    ready(acme)
    first = acme.round()
    assert (first.stage, first.erased, first.due) == ("canary", 2, DUE)
    second = acme.round()
    assert (second.stage, second.erased, second.plan) == ("whole", DUE - 2, first.plan)


def test_a_first_share_that_was_no_longer_due_ends_the_plan(acme: GuardWorld) -> None:
    ready(acme)
    first = acme.plan()
    acme.store.begin_sweep(first.digest, acme.clock)
    acme.use_again(first.digest, 2, "old", day(-30.5))
    done = [acme.round() for _ in range(2)]
    assert done[0].stage == "canary"
    stopped(done[1], "canary")
    assert [acme.round().stage for _ in range(2)] == ["canary", "whole"]
    assert acme.parts() == KEPT + 4


def test_a_day_has_room_for_so_many_and_the_next_one_again(acme: GuardWorld) -> None:
    ready(acme)
    acme.set(day_budget_parts=6)
    assert [acme.round().erased, acme.round().erased] == [2, 3]  # one went in the fixture
    stopped(acme.round(), "budget")
    assert acme.parts() == KEPT + 5
    acme.rounds_until(day(1.5), 4 * HOUR)
    assert acme.parts() == KEPT


# -- rounds that do not come to their end -------------------------------------------------------------


def test_a_round_that_fails_tells_the_kind_of_the_fault_and_quotes_nothing(acme: GuardWorld) -> None:
    ready(acme)

    def fails(*_rest: object, **_more: object) -> None:
        raise ValueError("what somebody wrote")

    done = acme.round(erase=fails)
    assert (done.stage, done.stopped_by, done.erased) == ("failed", "ValueError", 0)
    assert acme.parts() == KEPT + DUE


def test_what_was_decided_before_the_daemon_is_stopped_goes_all_the_way(acme: GuardWorld) -> None:
    ready(acme)
    carried: list[object] = []

    def stops(*_rest: object, **_more: object) -> None:
        carried.append("stopped")
        raise Stopping

    with pytest.raises(Stopping):
        acme.round(erase=stops, carry_out=lambda now: carried.append(now) or 0)
    assert carried == [acme.clock, "stopped", acme.clock]


# -- policies and limits that change ------------------------------------------------------------------


def test_a_shorter_policy_waits_three_days_or_for_a_second_person(acme: GuardWorld) -> None:
    acme.clock = day(10)
    acme.store.see_clock(acme.clock)
    acme.texts = [ACME.replace('use_for = "P30D"', 'use_for = "P5D"')]
    done = acme.round()
    stopped(done, "policy")
    event = acme.store.events(Page(10), type="assent.sweep.stopped").items[0]
    assert f"`{KEPT}` parts are due only because the policies changed" in event.data
    for later in acme.rounds_until(day(13), 18 * HOUR):
        stopped(later, "policy")
    acme.rounds_until(day(14.6), 18 * HOUR)
    assert acme.parts() == 0


def test_a_second_person_shortens_the_wait(acme: GuardWorld) -> None:
    acme.clock = day(10)
    acme.store.see_clock(acme.clock)
    acme.texts = [ACME.replace('use_for = "P30D"', 'use_for = "P5D"')]
    acme.agree("exceed", acme.round().plan)
    assert [acme.round().stage, acme.round().stage] == ["canary", "whole"]


def test_a_looser_limit_waits_and_a_stricter_one_counts_at_once(acme: GuardWorld) -> None:
    ready(acme)
    acme.set(guard_most_percent=10)
    stopped(acme.round(), "share")
    acme.set(guard_most_percent=100)
    stopped(acme.round(), "share")
    assert [(one.name, one.wanted) for one in waiting(acme.store)] == [("guard_most_percent", 100)]
    acme.agree("loosen", "guard_most_percent=90")  # that was not asked for
    stopped(acme.round(), "share")
    acme.agree("loosen", "guard_most_percent=100")
    assert acme.round().stage == "canary"
    acme.set(guard_most_percent=1)
    stopped(acme.round(), "share")


def test_a_looser_limit_counts_when_it_has_cooled_off(acme: GuardWorld) -> None:
    acme.set(guard_most_percent=10)
    acme.round()
    acme.set(guard_most_percent=100, cool_off_hours=1)
    for done in acme.rounds_until(T0 + 2 * DAY, 12 * HOUR):
        assert done.stage == "idle"
    assert acme.store.safeguards()["guard_most_percent"].value == 10
    acme.rounds_until(T0 + 4 * DAY, 12 * HOUR)
    assert acme.store.safeguards()["guard_most_percent"].value == 100


# -- the clock ----------------------------------------------------------------------------------------


@pytest.mark.fault("clock that jumps")
@pytest.mark.parametrize("jump", [-HOUR, 25 * HOUR], ids=["back", "ahead"])
def test_a_clock_that_jumps_stops_the_sweep_until_two_people_say_it_is_right(acme: GuardWorld, jump: timedelta) -> None:
    acme.keep(2, day(-31), "old")
    at = acme.clock + jump
    stopped(acme.round(at), "clock")
    acme.ask("clock", f"{at:%Y-%m-%d}")
    stopped(acme.round(at), "clock")
    acme.agree("clock", f"{at:%Y-%m-%d}")
    assert acme.round(at).erased == 2
    assert acme.round(at + EVERY).stage == "idle"


def test_a_clock_that_was_wrong_and_is_right_again_needs_nobody(acme: GuardWorld) -> None:
    stopped(acme.round(day(300)), "clock")
    assert acme.round(T0 + EVERY).stage == "idle"


@pytest.mark.fault("clock that jumps")
def test_a_limit_does_not_cool_off_by_a_clock_that_jumped(acme: GuardWorld) -> None:
    acme.round()
    acme.set(clock_ahead_hours=10_000)
    stopped(acme.round(day(100)), "clock")
    assert acme.store.safeguards()["clock_ahead_hours"].value == 24
