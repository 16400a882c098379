"""What a person does by hand meets the guards of the daemon: a sweep, a release, settings that do not fit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.guard_world import ACME, DAY, HOUR, T0, GuardWorld, day, guard_world, parsed

from assent.domain.errors import Refused
from assent.services.erase.carry_out import carry_out
from assent.services.guard.by_hand import ByHand
from assent.services.guard.health import health
from assent.services.guard.limits import limits_of
from assent.services.guard.permit import Under
from assent.services.guard.promise import check_settings, lead_of
from assent.services.guard.radius import GuardTripped
from assent.services.guard.release import guard_release
from assent.services.sweep import SweepReport, SweepTerms, find_plan
from assent.settings import Settings
from assent.store.records import Hold


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[GuardWorld]:
    with guard_world(tmp_path) as made:
        made.keep(1, day(-31), "first")
        made.round(T0)
        made.keep(10, T0, "young")
        made.keep(8, day(-31), "old")
        yield made


def sweep(acme: GuardWorld, digest: str) -> SweepReport:
    terms = SweepTerms(3 * DAY, lead_of(acme.settings))
    policies = [policy for policy, _ in acme.policies]
    hand = ByHand(acme.store, acme.columns, policies, acme.erasing, acme.settings, terms, "hand")
    return hand.sweep(find_plan(acme.store, digest), acme.clock, lambda _rows: None)


def test_a_plan_goes_as_a_whole_and_leaves_a_heartbeat(acme: GuardWorld) -> None:
    plan = acme.plan().digest
    report = sweep(acme, plan)
    assert (report.erased, report.finished) == (8, True)
    last = acme.store.last_round()
    assert (last.holder, last.stage, last.due, last.erased, last.overdue) == ("hand", "whole", 8, 8, 0)
    assert (last.plan, last.policies) == (plan, tuple(policy.digest for policy, _ in acme.policies))
    assert (last.began_at, last.ended_at) == (acme.clock, acme.clock)
    assert not health(acme.store, acme.clock + 2 * HOUR).well  # the daemon's promise stands


def test_whoever_sweeps_after_the_daemon_has_gone_takes_over(acme: GuardWorld) -> None:
    acme.clock += 2 * HOUR
    sweep(acme, acme.plan().digest)
    assert acme.store.last_round().next_by is None
    assert health(acme.store, acme.clock + 90 * DAY).well  # nobody promised another round


def test_beyond_a_guard_it_takes_a_second_person(acme: GuardWorld) -> None:
    acme.set(guard_most_parts=5)
    plan = acme.plan().digest
    with pytest.raises(GuardTripped, match="`8` parts are due, more than the 5 of a plan") as stop:
        sweep(acme, plan)
    assert f"assent approve ask exceed {plan[7:19]}" in stop.value.fix
    acme.agree("exceed", plan)
    assert sweep(acme, plan).erased == 8


def test_a_few_parts_go_first_by_hand_too_and_the_rest_only_if_they_were_due(acme: GuardWorld) -> None:
    plan = acme.plan().digest
    acme.use_again(plan, 2, "old", day(-31))
    assert sweep_stops(acme, plan) == "canary"
    assert acme.parts() == 1 + 10 + 8 + 1  # nothing went: one, ten and eight, and what was written since


def test_what_the_day_has_no_room_for_is_left_for_tomorrow(acme: GuardWorld) -> None:
    acme.set(day_budget_parts=6)
    plan = acme.plan().digest
    assert (sweep(acme, plan).erased, sweep_stops(acme, plan)) == (5, "budget")
    acme.clock += DAY + HOUR
    assert sweep(acme, plan).finished


def sweep_stops(acme: GuardWorld, plan: str) -> str:
    with pytest.raises(GuardTripped) as stop:
        sweep(acme, plan)
    return " ".join(stop.value.guards)


@pytest.mark.fault("clock that jumps")
def test_a_clock_that_was_turned_back_stops_a_sweep_by_hand(acme: GuardWorld) -> None:
    sweep(acme, acme.plan().digest)
    acme.clock -= DAY
    assert sweep_stops(acme, acme.plan().digest) == "clock"
    acme.clock += 40 * DAY  # ahead is what a person sees in the plan
    acme.keep(1, day(5), "later")
    assert sweep(acme, acme.plan().digest).erased > 0


def test_a_release_says_what_it_makes_due_and_a_sweep_of_it_meets_the_guards(acme: GuardWorld) -> None:
    acme.store.place_hold(Hold("h", "m", "person", "old", T0, "desk", "order", T0 + DAY))
    assert acme.round().stage == "idle"
    acme.set(guard_most_percent=10)
    under = Under([policy for policy, _ in acme.policies], lead_of(acme.settings), limits_of(acme.settings))

    def release() -> str:
        acme.store.release_hold("h", at=acme.clock, by="ada, bo")
        return "released"

    done, freed = guard_release(acme.store, acme.columns, under, acme.clock, release)
    assert (done, freed.parts, [trip.guard for trip in freed.trips]) == ("released", 8, ["share"])
    assert acme.round().stopped_by == "share"
    assert carry_out(acme.store, acme.erasing, now=acme.clock).finished == 0


def test_a_release_of_far_more_than_goes_on_a_day_says_so(acme: GuardWorld) -> None:
    for number in range(7):
        acme.keep(1, day(number - 30), f"d{number}")
    acme.store.place_hold(Hold("h", "m", "person", "old", T0, "desk", "order", T0 + DAY))
    for number in range(7):
        acme.round(day(number) + HOUR)
    acme.clock = day(7) + HOUR
    acme.set(guard_times_mean=2)
    under = Under([policy for policy, _ in acme.policies], lead_of(acme.settings), limits_of(acme.settings))
    _, freed = guard_release(
        acme.store, acme.columns, under, acme.clock, lambda: acme.store.release_hold("h", at=acme.clock, by="ada, bo")
    )
    assert (freed.parts, [trip.guard for trip in freed.trips]) == (8, ["mean"])


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, None),
        ({"quarantine_days": 15}, 31),
        ({"key_backup_days": 30}, 46),
        ({"slack_days": 8}, 37),
        ({"slack_days": 0, "quarantine_days": 15}, None),
        ({"quarantine_days": 0, "sweep_lag_days": 0, "key_backup_days": 0, "slack_days": 0}, None),
    ],
)
def test_settings_that_cannot_keep_the_promise_are_refused(settings: dict[str, int], needed: int | None) -> None:
    found = replace(Settings(Path(), Path("x")), **settings)
    policy = parsed(ACME)
    if needed is None:
        assert check_settings(found, [policy]) == lead_of(found)
        return
    with pytest.raises(Refused, match=f"gone within 30 days, and the settings need {needed}"):
        check_settings(found, [policy])


def test_a_policy_that_promises_sooner_needs_settings_that_are_quicker() -> None:
    week = parsed(
        ACME.replace('use_after = "at once"\nerase_after = "P30D"', 'use_after = "at once"\nerase_after = "P7D"')
    )
    with pytest.raises(Refused, match="gone within 7 days, and the settings need 30"):
        check_settings(Settings(Path(), Path("x")), [week])
