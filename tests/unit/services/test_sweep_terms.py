"""The terms of a sweep: how much goes at once and in all, under which lease, how old the plan may be, what it says."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from provider import DAY, NEW, VALID, Provider, day, policies, provider, talk

from assent.domain.errors import Incomplete, NotFound, Refused
from assent.services.erase.carry_out import CarriedOut
from assent.services.sweep import find_plan, require_done
from assent.store.records import Plan

NOW = day(50)
HOUR = timedelta(hours=1)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    """Four conversations that are due at NOW, two parts each."""
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(*(talk(f"old{number}") for number in range(4)))
        yield made


# -- how much ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_rows", [2, 3, 8])
def test_a_budget_for_all_that_is_due_lets_all_go(acme: Provider, batch_rows: int) -> None:
    assert acme.sweep(acme.plan(NOW).digest, NOW, batch_rows=batch_rows, budget=8).erased == 8


@pytest.mark.parametrize(("budget", "gone"), [(7, 6), (5, 4), (4, 4), (1, 0), (0, 0)])
def test_a_budget_ends_the_sweep_before_the_batch_that_would_exceed_it(acme: Provider, budget: int, gone: int) -> None:
    digest = acme.plan(NOW).digest
    with pytest.raises(Refused, match=f"`2` of these parts are due and `{budget - gone}` may go"):
        acme.sweep(digest, NOW, batch_rows=2, budget=budget)
    assert len(acme.stones()) == gone
    assert len(acme.names()) == 8 - gone


def test_what_went_before_a_sweep_was_refused_is_carried_out_all_the_same(acme: Provider) -> None:
    with pytest.raises(Refused):
        acme.sweep(acme.plan(NOW).digest, NOW, batch_rows=2, budget=3)
    erasure = acme.store.erasure(1)
    assert erasure is not None
    assert (erasure.parts, erasure.finished_at) == (2, NOW)
    assert erasure.receipt is not None


def test_a_sweep_may_look_at_so_many_and_goes_on_later(acme: Provider) -> None:
    digest, told = acme.plan(NOW).digest, []
    first = acme.sweep(digest, NOW, batch_rows=2, most=5, on_rows=told.append)
    assert told == [2, 2, 1]
    assert (first.sweep, first.erased, first.kept, first.gone, first.finished) == (1, 5, 0, 0, False)
    assert acme.store.sweep(1).finished_at is None
    second = acme.sweep(digest, NOW + HOUR, batch_rows=2, most=5, on_rows=told.append)
    assert told == [2, 2, 1, 2, 1]
    assert (second.sweep, second.erased, second.kept, second.gone, second.finished) == (1, 8, 0, 0, True)
    assert acme.store.sweep(1).finished_at == NOW + HOUR


def test_a_sweep_that_looked_at_the_very_last_part_is_finished(acme: Provider) -> None:
    report = acme.sweep(acme.plan(NOW).digest, NOW, most=8)
    assert (report.erased, report.finished) == (8, True)


def test_a_sweep_that_may_look_at_nothing_erases_nothing(acme: Provider) -> None:
    report = acme.sweep(acme.plan(NOW).digest, NOW, most=0)
    assert (report.erased, report.finished, len(acme.stones())) == (0, False, 0)


def test_parts_that_are_gone_already_are_counted_over_all_batches(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    acme.sweep(digest, NOW)
    report = acme.sweep(digest, NOW, batch_rows=3)
    assert (report.erased, report.kept, report.gone) == (0, 0, 8)


def test_every_intent_has_a_salt_of_its_own(acme: Provider) -> None:
    acme.sweep(acme.plan(NOW).digest, NOW, batch_rows=2)
    salts = [acme.store.erasure(number).salt for number in range(1, 5)]
    assert {len(salt) for salt in salts} == {32}
    assert len(set(salts)) == 4


# -- under which lease ------------------------------------------------------------------------------


def test_a_sweep_erases_nothing_under_a_lease_that_is_lost(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    lost = acme.store.take_lease("sweep", holder="one", now=NOW, until=NOW + HOUR)
    held = acme.store.take_lease("sweep", holder="two", now=NOW + 2 * HOUR, until=NOW + 3 * HOUR)
    assert lost is not None
    assert held is not None
    with pytest.raises(Refused):
        acme.sweep(digest, NOW + 2 * HOUR, lease=lost)
    assert acme.stones() == []
    assert acme.sweep(digest, NOW + 2 * HOUR, lease=held).erased == 8


# -- which plan, and how old ------------------------------------------------------------------------


def test_a_plan_that_is_not_found_says_where_to_look(acme: Provider) -> None:
    with pytest.raises(NotFound, match="no plan `deadbeef`") as missing:
        find_plan(acme.store, "deadbeef")
    assert missing.value.fix == "run `assent plan` and use the digest it prints"
    digest = acme.plan(NOW).digest
    for end in ("1", "2"):
        acme.store.save_plan(Plan("sha256:abcdef01" + end, acme.store.plan(digest).policies, NOW, {}, NOW), [])
    with pytest.raises(Refused, match="`abcdef01` names 2 plans") as several:
        find_plan(acme.store, "abcdef01")
    assert several.value.fix == "give more digits"


def test_a_plan_that_cannot_be_carried_out_says_what_to_do(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    again = "run `assent plan` again and look at it"
    with pytest.raises(Refused, match="the plan is older than 72 hours") as old:
        acme.sweep(digest, NOW + VALID + HOUR)
    assert old.value.fix == again
    with pytest.raises(Refused, match="the plan is older than 2 hours"):
        acme.sweep(digest, NOW + VALID, valid=timedelta(minutes=170))
    with pytest.raises(Refused, match="the clock stands before the plan") as early:
        acme.sweep(digest, NOW - HOUR)
    assert early.value.fix == "correct the clock; a sweep never runs backwards in time"
    acme.texts = policies("anthropic/2025-05-01", NEW)
    with pytest.raises(Refused, match="the policies changed since the plan was made") as other:
        acme.sweep(digest, NOW)
    assert other.value.fix == again


def test_a_sweep_that_was_begun_may_go_on_however_late(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    acme.sweep(digest, NOW, most=3)
    assert acme.sweep(digest, NOW + VALID + 9 * DAY).erased == 8
    with pytest.raises(Refused, match="older than 72 hours"):
        acme.sweep(digest, NOW + VALID + 9 * DAY)


def test_a_sweep_of_another_plan_that_was_begun_does_not_let_an_old_one_go_on(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    other = acme.plan(NOW + HOUR).digest
    acme.sweep(other, NOW + HOUR, most=3)
    with pytest.raises(Refused, match="older than 72 hours"):
        acme.sweep(digest, NOW + VALID + HOUR)


# -- what it waits for ------------------------------------------------------------------------------


def carried(**values: object) -> CarriedOut:
    return CarriedOut(**values)


REDO = "then `assent sweep --redo`"
GONE = "when it is gone there: `assent derived ack ERASURE --store NAME --state removed`"


@pytest.mark.parametrize(
    ("waiting", "connected", "message", "fix"),
    [
        ({"index": 2}, (), "erasures wait for an answer of `index` (2)", f"{GONE}, {REDO}"),
        ({"mail": 1, "index": 2}, (), "erasures wait for an answer of `index` (2), `mail` (1)", f"{GONE}, {REDO}"),
        ({"index": 2}, ("index",), "erasures wait for an answer of `index` (2)",
         f"`index` was asked, and copies are still there: see to it, {REDO}"),
        ({"mail": 1, "index": 2, "chat": 1}, ("mail", "index", "other"),
         "erasures wait for an answer of `chat` (1), `index` (2), `mail` (1)",
         ("`index` was asked, and copies are still there: see to it; `mail` was asked, and copies are still there:"
          f" see to it; {GONE}, {REDO}")),
    ],
)  # fmt: skip
def test_an_erasure_that_waits_says_for_whom_and_what_to_do(
    waiting: dict[str, int], connected: tuple[str, ...], message: str, fix: str
) -> None:
    with pytest.raises(Incomplete) as incomplete:
        require_done(carried(waiting=Counter(waiting), problems=["the disk is full"]), connected)
    assert (incomplete.value.message, incomplete.value.fix) == (message, fix)


def test_an_erasure_that_failed_says_the_first_problem_and_that_it_goes_on() -> None:
    with pytest.raises(Incomplete) as incomplete:
        require_done(carried(problems=["the disk is full", "the log is away"]))
    assert incomplete.value.message == "the disk is full"
    assert incomplete.value.fix == "correct it, then `assent sweep --redo`: it goes on where this ended"
    require_done(carried(finished=3))
