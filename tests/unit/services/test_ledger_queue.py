"""Group commit: many callers, one append; everybody gets an answer of their own."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest
from tests.unit.services.ledger_world import NOW, choice, choices, holds, ledger, log_of

from assent.domain.errors import Incomplete, Refused
from assent.services.ledger.append import Appended, append
from assent.services.ledger.queue import AppendQueue
from assent.store.port import Store
from assent.store.records import Choice

LOG = log_of()


class Gated:
    """Appends to a real ledger, but only once it is let; remembers the size of every group."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gate = threading.Event()
        self.busy = threading.Event()
        self.groups: list[int] = []

    def __call__(self, group: Sequence[Choice]) -> list[Appended]:
        self.busy.set()
        assert self.gate.wait(10)
        self.groups.append(len(group))
        if any(one.id == "c77" for one in group):
            raise RuntimeError("poison")
        return append(self.store, LOG, group, now=NOW)


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[Gated]:
    with ledger(tmp_path) as store:
        yield Gated(store)


def held_up(gated: Gated, queue: AppendQueue) -> Future[Appended]:
    """Hand in one choice and wait until the worker is busy with it."""
    first = queue.submit(choice(0))
    assert gated.busy.wait(10)
    return first


def test_choices_that_come_meanwhile_share_one_append(gated: Gated) -> None:
    queue = AppendQueue(gated)
    first = held_up(gated, queue)
    others = [queue.submit(one) for one in choices(1, 30)]
    gated.gate.set()
    assert holds(first.result(10), LOG).size == 1
    assert [other.result(10).choice.id for other in others] == [f"c{n}" for n in range(1, 31)]
    assert {holds(other.result(), LOG).size for other in others} == {31}
    assert gated.groups == [1, 30]
    queue.close()


def test_a_group_has_a_limit(gated: Gated) -> None:
    queue = AppendQueue(gated, at_once=10)
    held_up(gated, queue)
    others = [queue.submit(one) for one in choices(1, 25)]
    gated.gate.set()
    assert [other.result(10).number for other in others] == list(range(1, 26))
    assert gated.groups == [1, 10, 10, 5]
    queue.close()


def test_one_that_cannot_be_appended_fails_alone(gated: Gated) -> None:
    append(gated.store, LOG, [choice(20)], now=NOW)
    queue = AppendQueue(gated)
    held_up(gated, queue)
    others = {one.id: queue.submit(one) for one in (*choices(1, 15), choice(77), choice(20, "decline"), choice(21))}
    gated.gate.set()
    for name, other in others.items():
        if name == "c77":
            with pytest.raises(RuntimeError, match="poison"):
                other.result(10)
        elif name == "c20":
            with pytest.raises(Refused, match="`c20`"):
                other.result(10)
        else:
            assert holds(other.result(10), LOG).size > 1
    assert gated.store.staged() == 1 + 1 + 15 + 1
    queue.close()


def test_a_full_queue_says_so_at_once_and_loses_nothing(gated: Gated) -> None:
    queue = AppendQueue(gated, waiting=3)
    held_up(gated, queue)
    others = [queue.submit(one) for one in choices(1, 3)]
    with pytest.raises(Incomplete, match="too many choices wait"):
        queue.submit(choice(4))
    gated.gate.set()
    assert [other.result(10).number for other in others] == [1, 2, 3]
    assert queue.append(choice(4)).number == 4
    queue.close()


def test_a_caller_who_left_is_left_out(gated: Gated) -> None:
    queue = AppendQueue(gated)
    held_up(gated, queue)
    left, stayed = queue.submit(choice(1)), queue.submit(choice(2))
    assert left.cancel()
    gated.gate.set()
    assert stayed.result(10).number == 1
    assert gated.store.logged("c1") is None
    queue.close()


def test_closing_appends_what_waits_and_takes_no_more(gated: Gated) -> None:
    queue = AppendQueue(gated)
    held_up(gated, queue)
    others = [queue.submit(one) for one in choices(1, 5)]
    closing = threading.Thread(target=queue.close)
    closing.start()
    gated.gate.set()
    closing.join(10)
    assert [other.result(0).number for other in others] == [1, 2, 3, 4, 5]
    queue.close()
    with pytest.raises(Incomplete, match="being closed"):
        queue.submit(choice(6))


def test_it_can_be_awaited(gated: Gated) -> None:
    gated.gate.set()
    queue = AppendQueue(gated)

    async def many() -> list[Appended]:
        return await asyncio.gather(*(asyncio.wrap_future(queue.submit(one)) for one in choices(0, 40)))

    assert sorted(one.number for one in asyncio.run(many())) == list(range(40))
    queue.close()
