"""Daemons that share a store: the work is done once, and whoever was paused too long is fenced out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as enumerate_threads

import pytest
from tests.guard_world import T0, GuardWorld, day, guard_world
from tests.vaults import vault_in

from assent.domain.errors import Refused
from assent.services.guard.daemon import sweep_on
from assent.services.guard.lease import SWEEPING, VALID, alone
from assent.services.guard.round import sweep_round
from assent.store.port import Store
from assent.store.port.leases import LeaseLost
from assent.store.postgres import PostgresStore
from assent.store.records import Page, Round

EVERY = timedelta(milliseconds=20)
PARTS = 60


class Heard:
    """What one daemon did; it ends when the store is empty."""

    def __init__(self, world: GuardWorld, stop: Event) -> None:
        self.world = world
        self.stop = stop
        self.rounds: list[Round] = []
        self.lost = 0
        self.problems: list[Exception] = []

    def round_ended(self, done: Round) -> None:
        self.rounds.append(done)
        if done.stage == "failed":
            self.problems.append(AssertionError(done.stopped_by))
        if not self.world.parts() or self.problems or len(self.rounds) > 50:
            self.stop.set()

    def stood_by(self) -> None:
        pass

    def lease_lost(self) -> None:
        self.lost += 1

    def failed(self, problem: Exception) -> None:
        self.problems.append(problem)
        self.stop.set()


@pytest.fixture
def shared(tmp_path: Path, postgres_database: str) -> Iterator[Callable[[], GuardWorld]]:
    """Worlds of one PostgreSQL store and one vault, as on two machines."""

    def opened() -> Store:
        return PostgresStore.open(postgres_database, vault_in(tmp_path))

    with ExitStack() as stack:
        yield lambda: stack.enter_context(guard_world(tmp_path, opened))


@pytest.mark.fault("two sweeps at once")
def test_two_share_the_work_and_nothing_is_done_twice(shared: Callable[[], GuardWorld]) -> None:
    worlds = [shared(), shared()]
    for world in worlds:
        world.set(guard_floor_parts=1_000, day_budget_parts=10_000)
    worlds[0].keep(PARTS, day(-31), "old")
    stop, heard = Event(), []
    for number, world in enumerate(worlds):
        watcher = Heard(world, stop)
        heard.append(watcher)
        erase = _a_few_at_a_time(world)
        made = world.world(f"daemon-{number}", erase=erase)
        Thread(target=sweep_on, args=(made, EVERY, stop, watcher), name=f"daemon-{number}").start()
    assert stop.wait(60)
    _join("daemon-")
    assert [problem for watcher in heard for problem in watcher.problems] == []
    assert worlds[0].parts() == 0
    stones = worlds[0].stones()
    assert len(stones) == len(set(stones)) == PARTS
    assert sum(done.erased for watcher in heard for done in watcher.rounds) == PARTS
    assert all(any(done.erased for done in watcher.rounds) for watcher in heard), "one of them did everything"
    assert worlds[0].store.open_erasures(0, 10) == []


def _a_few_at_a_time(world: GuardWorld) -> Callable[..., None]:
    real = world.world().erase
    return lambda *rest, **more: real(*rest, **{**more, "limit": 6})


def _join(prefix: str) -> None:
    for thread in enumerate_threads():
        if thread.name.startswith(prefix):
            thread.join(60)


@pytest.mark.fault("two sweeps at once")
def test_a_daemon_that_was_paused_too_long_is_fenced_out(shared: Callable[[], GuardWorld]) -> None:
    slow, quick = shared(), shared()
    for world in (slow, quick):
        world.set(guard_floor_parts=1_000)
    slow.keep(10, day(-31), "old")
    lease = slow.store.take_lease(SWEEPING, "slow", T0, T0 + VALID)
    went: list[Round] = []

    def meanwhile() -> object:
        """Be paused behind the first batch, while another one takes over and does all of the rest."""
        if slow.parts() < 10 and not went:
            went.append(quick.round(T0 + 2 * VALID, holder="quick"))
            slow.keep(1, day(-31), "late")  # work that is there when the slow one wakes up
        return "the same rules"

    world = slow.world("slow")
    with pytest.raises(LeaseLost):
        sweep_round(replace(world, erase=replace(world.erase, rules=meanwhile)), lease, next_within=VALID)
    assert [(done.holder, done.erased) for done in went] == [("quick", 7)]
    assert slow.parts() == 1
    assert [done.holder for done in slow.store.rounds(Page(10)).items] == ["quick"]
    assert quick.round(T0 + 3 * VALID).erased == 1


def test_on_sqlite_there_is_one(tmp_path: Path) -> None:
    lock = tmp_path / "assent.db.sweeping"
    with alone(lock):
        second = alone(lock)
        with pytest.raises(Refused, match="another daemon sweeps this store already"):
            second.__enter__()
    with alone(lock):
        assert lock.exists()
