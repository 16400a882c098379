"""Failures of other systems that a guard, a heartbeat or an independent count stops here, each told in one line."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.guard_world import ACME, DAY, HOUR, T0, GuardWorld, day, guard_world

from assent.domain.errors import Invalid, NotFound, Refused
from assent.interfaces.cli.app import run
from assent.interfaces.cli.init import make_home
from assent.policy.parse import parse_policy
from assent.services.guard.health import Health, health
from assent.services.guard.limits import limits_of
from assent.services.guard.permit import Under, weigh
from assent.services.guard.promise import lead_of
from assent.services.guard.world import Stopping
from assent.services.sweep import find_plan
from assent.settings import Settings, from_table
from assent.store.records import Page, Plan
from assent.wiring import Wiring

FOR_FREE_ONLY = ACME.replace(
    'purpose = "service"\nanchor = "retention anchor"\nuse_for = "P30D"',
    'purpose = "service"\nwhen = { plan = ["pro"] }\nanchor = "retention anchor"\nuse_for = "P400D"',
).replace(
    "[[exception]]",
    """[[grant]]
id = "short"
says = "Chats of people on the free plan are kept for 5 days"
source = "terms"
class = "default"
purpose = "service"
when = { plan = ["free"] }
anchor = "retention anchor"
use_for = "P5D"
bound = "up to"
erase_after = "at once"

[[exception]]""",
)
FOR_EVERYBODY = FOR_FREE_ONLY.replace('when = { plan = ["pro"] }', 'when = { plan = ["free"] }').replace(
    'when = { plan = ["free"] }\nanchor = "retention anchor"\nuse_for = "P5D"',
    'when = { plan = ["consumer"] }\nanchor = "retention anchor"\nuse_for = "P5D"',
)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[GuardWorld]:
    """A provider whose policy has swept before."""
    with guard_world(tmp_path) as made:
        made.keep(1, day(-31), "first")
        assert made.round(T0).erased == 1
        yield made


def well(acme: GuardWorld) -> Health:
    return health(acme.store, acme.clock)


def test_f01_a_rule_for_one_person_becomes_a_rule_for_everybody(tmp_path: Path) -> None:
    """KPMG: taking one account out of a retention rule applied it to all 145,000."""
    with guard_world(tmp_path) as acme:
        acme.texts = [FOR_FREE_ONLY]
        acme.keep(1, day(-6), "one", plan="free")
        acme.keep(30, day(-6), "all")
        assert (acme.round(T0).erased, acme.parts()) == (1, 30)
        acme.texts = [FOR_EVERYBODY]
        done = acme.round()
        assert (done.stage, done.stopped_by, done.due, done.erased) == ("stopped", "policy", 30, 0)
        acme.ask("exceed", done.plan)  # one person alone changes nothing
        assert acme.round().stage == "stopped"
        acme.texts = [FOR_FREE_ONLY]
        assert (acme.round().stage, acme.parts()) == ("idle", 30)


def test_f02_numbers_of_another_kind_and_no_pause(acme: GuardWorld) -> None:
    """Atlassian: ids of sites were taken for ids of apps, and 883 sites were gone in 23 minutes."""
    acme.keep(20, day(-30.5), "old")
    acme.set(day_budget_parts=10)
    plan = acme.plan()
    strange = [item.part + 1_000 for item in acme.store.plan_items(plan.digest, 0, 3)]
    sweep = acme.store.begin_sweep(plan.digest, acme.clock)
    with pytest.raises(Refused, match="does not name `3` of these parts"):
        acme.store.intend(sweep.id, lambda batch: batch, strange, at=acme.clock, salt=bytes(32))
    acme.store.finish_sweep(sweep.id, acme.clock)
    first = acme.round()
    assert (first.stage, first.erased) == ("canary", acme.settings.canary_parts)
    acme.rounds_until(acme.clock + 3 * HOUR, HOUR)
    assert acme.parts() == 20 - 9  # of the day's ten one went before


@pytest.mark.parametrize("length", ["", "P0D", "PT0S", "null", "0"])
def test_f03_a_blank_or_zero_length_is_no_length(length: str) -> None:
    """UniSuper: a blank field became a term of one year, and then everything was deleted."""
    with pytest.raises(Invalid):
        parse_policy(ACME.replace('use_for = "P30D"', f'use_for = "{length}"'), "acme.toml")
    with pytest.raises(Invalid):
        parse_policy(ACME.replace('use_for = "P30D"\n', ""), "acme.toml")
    for value in (length, 0, None):
        with pytest.raises(Invalid):
            from_table(Path(), {"cool_off_hours": value})


def test_f04_a_policy_by_accident_is_noticed_before_anything_is_gone(acme: GuardWorld) -> None:
    """Zulip: a 30-day policy was switched on by accident, noticed after a week; the archive kept 7 days."""
    acme.keep(20, T0, "young")
    acme.clock = day(6)
    acme.store.see_clock(day(6))
    acme.texts = [ACME.replace('use_for = "P30D"', 'use_for = "P5D"')]
    acme.round()
    told = [json.loads(event.data) for event in acme.store.events(Page(10), type="assent.sweep.stopped").items]
    assert [(one["guards"], one["due"]) for one in told] == [(["policy"], 20)]
    for done in acme.rounds_until(day(8.9), 12 * HOUR):
        assert (done.stage, done.erased) == ("stopped", 0)
    assert not well(acme).well
    assert acme.parts() == 20
    assert Settings(Path(), Path()).quarantine_days >= 14  # and what people delete themselves has a window of its own


def test_f05_what_a_policy_will_delete_is_counted_first_and_kept(acme: GuardWorld) -> None:
    """Mattermost: nobody was told how much a change of the retention would delete."""
    acme.keep(20, T0, "young")
    acme.clock = day(6)
    acme.texts = [ACME.replace('use_for = "P30D"', 'use_for = "P5D"')]
    shown = acme.plan()
    kept = find_plan(acme.store, shown.digest)
    assert (kept.counts, kept.policies) == ({"base": 20}, (acme.policies[0][0].digest,))
    policies = [policy for policy, _ in acme.policies]
    under = Under(policies, lead_of(acme.settings), limits_of(acme.settings))
    assert weigh(acme.store, acme.columns, kept, under, acme.clock).newly == 20
    assert acme.store.policy(kept.policies[0]).text == acme.texts[0]
    with pytest.raises(NotFound):
        acme.store.begin_sweep("sha256:nobody-has-seen-this", acme.clock)


def _fails(plan: Plan, *_: object, **__: object) -> None:
    raise AttributeError(plan.digest)


def test_f17_a_sweep_that_raises_is_seen_by_the_age_of_what_is_left(acme: GuardWorld) -> None:
    """Synapse: the purge raised AttributeError for every room; clients saw nothing, and the rows stayed."""
    acme.keep(3, day(-30.5), "old")
    acme.round(erase=_fails)
    last = acme.store.last_round()
    assert (last.stage, last.stopped_by, last.overdue) == ("failed", "AttributeError", 3)
    acme.rounds_until(day(3), 12 * HOUR)
    acme.keep(3, day(-30.5), "again")
    for _ in range(6):
        acme.round(acme.clock + 12 * HOUR, erase=_fails)
    assert [problem.split(",")[0] for problem in well(acme).problems] == [
        "3 parts are overdue",
        "3 parts are ripe for longer than a sweep may lag",
        "the last round failed: AttributeError",
    ]
    assert "the oldest for 6 days" in well(acme).problems[0]


def test_f18_a_policy_that_nobody_ever_swept_by_is_an_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Synapse: the policy was stored and its purge never scheduled."""
    home = tmp_path / "home"
    made = make_home(Wiring(clock=T0), home, ("anthropic/2025-10-08",))
    GuardWorld(home, made.store).keep(2, day(-400))
    made.store.close()
    assert run(["status"], Wiring(home, T0)) == 2
    assert "2 parts are overdue" in capsys.readouterr().err


def test_f21_a_daemon_that_died_is_missed(acme: GuardWorld) -> None:
    """pg_partman: the maintenance had crashed months before, and partitions piled up."""
    assert acme.round().stage == "idle"
    assert well(acme).well
    acme.clock += 2 * HOUR
    assert not well(acme).well
    assert well(acme).problems[0].startswith("no round has ended since 2026-01-01T12:15:00Z")
    acme.round()
    assert well(acme).well


def test_f23_where_nothing_new_arrives_nothing_goes_early(acme: GuardWorld) -> None:
    """pg_partman: the last partition was dropped because no new data had come."""
    acme.keep(2, T0, "quiet")
    for done in acme.rounds_until(day(29.9), 23 * HOUR):
        assert (done.stage, done.erased) == ("idle", 0)
    assert acme.parts() == 2
    acme.rounds_until(day(31), 23 * HOUR)
    assert acme.parts() == 0
    assert acme.round().stage == "idle"  # and an empty store is well


def test_f28_a_sweep_that_silently_leaves_some_out_is_seen(acme: GuardWorld) -> None:
    """Kafka: retention stopped for some partitions, and no log had a line about it."""
    acme.keep(2, day(-30.5), "lost")

    def nothing(*_: object, **__: object) -> None:
        """Do nothing, and say that all went well."""

    done = acme.round(erase=nothing)
    assert (done.stage, done.overdue) == ("whole", 2)
    assert well(acme).problems[0].startswith("2 parts are overdue")


def test_f29_a_policy_that_was_withdrawn_erases_nothing_after_a_restart(acme: GuardWorld) -> None:
    """Elasticsearch: a delete step hung after a restart, and went on later under a policy that was switched off."""
    acme.keep(10, day(-30.5), "old")
    real = acme.world().erase

    def stopped(plan: Plan, *rest: object, **more: object) -> None:
        real(plan, *rest, **more)
        raise Stopping

    with pytest.raises(Stopping):
        acme.round(erase=stopped)
    assert acme.parts() == 10 - acme.settings.canary_parts
    acme.texts = [ACME.replace('use_for = "P30D"', 'use_for = "P90D"')]
    for done in acme.rounds_until(T0 + 5 * DAY, DAY):
        assert (done.stage, done.erased) == ("idle", 0)
    acme.texts = [ACME]
    assert acme.round().stopped_by == "policy"  # to switch it on again is a change like any other
    assert acme.parts() == 8


def test_f38_a_policy_that_changes_while_a_plan_is_erased_stops_it(tmp_path: Path) -> None:
    """KiroCrew: retention was switched off while a listing was under way, and the deletion went ahead."""
    with guard_world(tmp_path) as acme:
        acme.set(guard_floor_parts=100)
        acme.keep(10, day(-30.5), "old")
        looks = iter([acme.texts, acme.texts, ["switched off"]])
        done = acme.round(T0, erase=replace(acme.world().erase, rules=lambda: next(looks)))
        assert (done.stage, acme.parts()) == ("failed", 10 - 2 * acme.settings.batch_rows)
        assert "changed while a sweep was under way" in done.stopped_by


def test_f40_time_alone_makes_things_due(tmp_path: Path) -> None:
    """SD Maid: pruning ran only when the setting changed, never when time went by."""
    for seed in range(2):
        chance = random.Random(seed)
        with guard_world(tmp_path / str(seed)) as acme:
            acme.set(guard_floor_parts=100, clock_ahead_hours=31 * 24)
            acme.round(T0)
            ends = []
            for number in range(4):
                at = T0 - timedelta(hours=chance.randrange(0, 30 * 24))
                acme.keep(1, at, f"s{number}")
                ends.append(at + 30 * DAY)
            while acme.clock < T0 + 30 * DAY and (jumps := [end for end in ends if end > acme.clock]):
                tick = min(jumps) + chance.choice([-1, 0, 1]) * timedelta(microseconds=1)
                acme.round(max(tick, acme.clock + timedelta(microseconds=1)))
                assert acme.parts() == sum(end > acme.clock for end in ends), acme.clock
                assert acme.store.last_round().overdue == 0
