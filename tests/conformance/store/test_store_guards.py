"""What guards remember: rounds, the clock they went by, and limits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assent.store.port import Store
from assent.store.records import Page, Plan, PolicyText, Round, Safeguard

T0 = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUIET = Round(0, "a:1", T0, T0 + HOUR, "idle", next_by=T0 + 3 * HOUR)
STOPPED = Round(
    0,
    "b:2",
    T0,
    T0 + 2 * HOUR,
    "stopped",
    T0 + 5 * HOUR,
    "sha256:p",
    ("sha256:x", "sha256:y"),
    "share mean",
    due=7,
    erased=3,
    late=2,
    overdue=1,
    oldest_overdue=T0 - HOUR,
    first_end=T0 + HOUR,
)


def test_rounds_come_back_as_they_were_written_down(store: Store) -> None:
    assert store.last_round() is None
    numbers = [store.add_round(QUIET), store.add_round(STOPPED)]
    assert store.last_round() == replace(STOPPED, id=numbers[1])
    listing = store.rounds(Page(limit=1))
    assert (listing.items, listing.total) == ((replace(STOPPED, id=numbers[1]),), 2)
    assert store.rounds(Page(limit=1, after=listing.after)).items == (replace(QUIET, id=numbers[0]),)


def test_rounds_tell_which_policies_were_in_force_when(store: Store) -> None:
    assert store.settled_round(T0) is None

    def add(hour: int, stage: str, *policies: str) -> None:
        store.add_round(replace(QUIET, ended_at=T0 + hour * HOUR, stage=stage, policies=policies))

    def settled(hour: int) -> tuple[str, ...] | None:
        found = store.settled_round(T0 + hour * HOUR)
        return found and found.policies

    add(1, "stopped", "new")
    assert (settled(0), settled(1)) == (None, ("new",))
    add(2, "idle", "old")
    add(3, "failed")
    add(4, "stopped", "new")
    assert [settled(hour) for hour in range(5)] == [("old",), ("new",), ("old",), ("old",), ("new",)]
    assert store.last_round_under_others(["new"]).ended_at == T0 + 2 * HOUR
    assert store.last_round_under_others(["old"]).ended_at == T0 + 4 * HOUR
    assert store.last_round_under_others(["third"]).policies == ("new",)


def test_the_clock_is_the_one_that_was_seen_last(store: Store) -> None:
    assert store.clock_seen() is None
    for at in (T0, T0 + HOUR, T0 - HOUR):
        store.see_clock(at)
        assert store.clock_seen() == at


def test_a_limit_takes_the_place_of_the_one_of_its_name(store: Store) -> None:
    store.put_safeguards([Safeguard("parts", 5), Safeguard("share", 10)])
    store.put_safeguards([Safeguard("parts", 5, 9, T0)])
    store.put_safeguards([])
    assert store.safeguards() == {"parts": Safeguard("parts", 5, 9, T0), "share": Safeguard("share", 10)}


def test_sweeps_that_erased_nothing_count_for_nothing(store: Store) -> None:
    store.add_policy(PolicyText("sha256:x", "p", "text", T0))
    store.save_plan(Plan("sha256:p", ("sha256:x",), T0, {}, T0), [])
    store.begin_sweep("sha256:p", T0)
    assert store.erased_by_sweeps(T0 - HOUR) == []
