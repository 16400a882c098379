"""Whatever write fails, and however two writers interleave: nothing acknowledged is lost, and the log never forks.

A failing write is either refused (nothing was stored) or refused but stored (it was, and the
answer got lost). Writers go on by calling again, as a caller that got no answer does.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from assent.domain.errors import AssentError
from assent.services.ledger.append import Appended, append
from assent.services.ledger.audit import audit_copy, audit_store
from assent.services.ledger.publish import OvertakenError, publish
from assent.services.ledger.rotate import retire, rotate
from assent.services.ledger.seal import keys_ever, seal
from assent.store.objects import open_objects
from assent.store.port import Store, TileStore
from tests.unit.services.ledger_world import NOW, SIGNED, choices, holds, ledger, log_of, roots_signed, signer

WRITES = frozenset({"stage", "swap", "add_cosignature", "erase_salts", "put", "replace"})
MODES = ("refused", "refused but stored")


HEADS: list[int] = []
"""How long the log was under its checkpoint after every swap, in order."""


class LostError(Exception):
    """The answer to a write."""


class Fragile:
    """A store, or a place of publication, in which certain writes fail; `turn` is called before every call."""

    def __init__(self, inner: Any, faults: dict[int, str], turn: Callable[[], None] = lambda: None) -> None:
        self._inner = inner
        self._faults = faults
        self._turn = turn
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._turn()
            if name not in WRITES:
                return method(*arguments, **named)
            self.writes += 1
            fault = self._faults.pop(self.writes, None)
            if fault == "refused":
                raise LostError
            result = method(*arguments, **named)
            if name == "swap":
                HEADS.append(self._inner.head().size)
            if fault is not None:
                raise LostError
            return result

        return call


def insist(act: Callable[[], Any], *also: type[Exception]) -> Any:
    """Do it again until it is answered."""
    for _ in range(50):
        with suppress(LostError, *also):
            return act()
    raise AssertionError("never answered")


@contextmanager
def begun(folder: Path) -> Iterator[Store]:
    SIGNED.clear()
    HEADS.clear()
    with ledger(folder) as store:
        yield store


def whole(store: Store, acknowledged: list[Appended]) -> None:
    """Everything that must hold, whatever happened."""
    log = log_of()
    checkpoint = seal(store, log, now=NOW)
    audit = audit_store(store, log)
    assert audit.faults == ()
    assert audit.waiting == 0
    assert all(len(roots) == 1 for roots in roots_signed().values())
    assert sorted(HEADS) == HEADS
    numbers = {}
    for one in acknowledged:
        found = store.logged(one.choice.id)
        assert found is not None
        assert (found[0], found[1].number, found[1].salt) == (one.choice, one.number, one.salt)
        assert numbers.setdefault(one.number, one.choice.id) == one.choice.id
        assert holds(one, log).size <= checkpoint.size
    assert checkpoint.size == store.counts().choices == store.staged()


@pytest.mark.parametrize("mode", MODES)
def test_every_write_of_an_append_may_fail(tmp_path: Path, mode: str) -> None:
    for nth in count(1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        with begun(folder) as store:
            fragile = Fragile(store, {nth: mode})
            acts = [partial(append, fragile, log_of(), choices(2 * n, 2), now=NOW) for n in range(3)]
            got = [one for act in acts for one in insist(act)]
            assert [one.number for one in got] == list(range(6))
            whole(store, got)
            if fragile.writes < nth:
                break
    assert nth == 7  # three appends of two writes each, all of which failed once


@pytest.mark.parametrize("mode", MODES)
def test_what_nobody_retries_is_sealed_by_the_next_who_comes(tmp_path: Path, mode: str) -> None:
    with begun(tmp_path) as store:
        with pytest.raises(LostError):
            append(Fragile(store, {2: mode}), log_of(), choices(0, 3), now=NOW)
        (late,) = append(store, log_of(), choices(3, 1), now=NOW)
        assert late.number == 3
        whole(store, [late])
        assert store.staged() == 4


@pytest.mark.parametrize("mode", MODES)
def test_every_write_of_a_publication_may_fail(tmp_path: Path, mode: str) -> None:
    with begun(tmp_path) as store:
        log = log_of()
        for nth in count(1):
            target = open_objects("memory:")
            append(store, log, choices(300 * nth, 300), now=NOW)
            publish(store, log, target)
            append(store, log, choices(300 * nth + 100_000, 290), now=NOW)
            fragile = Fragile(target, {nth: mode})
            try:
                publish(store, log, fragile)
            except LostError:
                assert audit_copy(target, log.origin).faults == ()  # what is published is whole at every moment
                publish(store, log, target)
            assert audit_copy(target, log.origin).faults == ()
            assert audit_copy(target, log.origin).size == store.staged()
            if fragile.writes < nth:
                break
        assert nth > 5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", ["rotate", "retire"])
def test_every_write_of_a_change_of_keys_may_fail(tmp_path: Path, mode: str, step: str) -> None:
    with begun(tmp_path) as store:
        append(store, log_of(), choices(0, 3), now=NOW)
        both = log_of(signer(0), signer(1))
        if step == "retire":
            rotate(store, log_of(), signer(1), now=NOW)
        act = {
            "rotate": lambda it: rotate(it, log_of(), signer(1), now=NOW),
            "retire": lambda it: retire(it, both, now=NOW),
        }
        with pytest.raises(LostError):
            act[step](Fragile(store, {1: mode}))
        change = act[step](store)
        assert [key.public_key for key in change.verifiers] == [
            one.verifier.public_key for one in ([signer(0), signer(1)] if step == "rotate" else [signer(1)])
        ]
        assert len(store.key_changes()) == (2 if step == "rotate" else 3)
        after = log_of(signer(1)) if step == "retire" else both
        (last,) = append(store, after, choices(3, 1), now=NOW)
        holds(last, log_of(signer(1)))
        assert audit_store(store, after).faults == ()


class Turns:
    """Lets one of several threads go on at a time, drawn by lot at every call into the store."""

    def __init__(self, lot: random.Random) -> None:
        self._lot = lot
        self._condition = threading.Condition()
        self._waiting: set[int] = set()
        self._running = 0
        self._next: int | None = None

    def run(self, *acts: Callable[[Callable[[], None]], None]) -> None:
        problems: list[BaseException] = []
        self._running = len(acts)

        def one(number: int) -> None:
            try:
                acts[number](lambda: self._wait(number))
            except BaseException as problem:  # noqa: BLE001 - raised again in the thread of the test
                problems.append(problem)
            finally:
                with self._condition:
                    self._running -= 1
                    self._draw()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(acts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if problems:
            raise problems[0]

    def _wait(self, number: int) -> None:
        with self._condition:
            self._waiting.add(number)
            self._draw()
            self._condition.wait_for(lambda: self._next == number)
            self._next = None
            self._waiting.discard(number)

    def _draw(self) -> None:
        if self._next is None and self._waiting and len(self._waiting) == self._running:
            self._next = self._lot.choice(sorted(self._waiting))
            self._condition.notify_all()


def two_writers(folder: Path, seed: int) -> None:
    lot = random.Random(seed)
    folder.mkdir()
    with begun(folder) as store:
        acknowledged: list[Appended] = []
        target = open_objects("memory:")

        def writer(first: int) -> Callable[[Callable[[], None]], None]:
            faults = {lot.randint(1, 9): lot.choice(MODES) for _ in range(lot.randint(0, 4))}
            batches = [choices(first + 3 * n, lot.randint(1, 3)) for n in range(3)]
            same = lot.random() < 0.3  # both writers were handed the same choices

            def act(turn: Callable[[], None]) -> None:
                fragile = Fragile(store, dict(faults), turn)
                for batch in batches:
                    sent = choices(900, 2) if same else batch
                    acknowledged.extend(insist(lambda sent=sent: append(fragile, log_of(), sent, now=NOW)))

            return act

        def publisher(turn: Callable[[], None]) -> None:
            broken: TileStore = Fragile(target, {lot.randint(1, 12): lot.choice(MODES)}, turn)
            for _ in range(2):
                insist(lambda: publish(Fragile(store, {}, turn), log_of(), broken), OvertakenError)

        Turns(lot).run(writer(0), writer(100), publisher, publisher)
        whole(store, acknowledged)
        assert audit_copy(target, log_of().origin, keys_ever(store)[0]).faults == ()
        publish(store, log_of(), target)
        assert audit_copy(target, log_of().origin).size == store.staged()


@pytest.mark.parametrize("seeds", range(4))
def test_two_writers_and_a_publisher_may_interleave_and_fail_anyhow(tmp_path: Path, seeds: int) -> None:
    for seed in range(10 * seeds, 10 * seeds + 10):
        two_writers(tmp_path / str(seed), seed)


@pytest.mark.deep
def test_two_writers_and_a_publisher_may_interleave_and_fail_anyhow_many_times(tmp_path: Path) -> None:
    for seed in range(1_000, 1_500):
        two_writers(tmp_path / str(seed), seed)
        shutil.rmtree(tmp_path / str(seed))


def test_an_error_of_the_store_reaches_the_caller_as_it_is(tmp_path: Path) -> None:
    with begun(tmp_path) as store:
        append(store, log_of(), choices(0, 2), now=NOW)
        with store._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM tile")
        with pytest.raises(AssentError, match="tile `0/0`"):
            append(store, log_of(), choices(2, 1), now=NOW)
