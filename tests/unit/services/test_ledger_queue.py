"""Group commit: many callers, one append; everybody gets an answer of their own."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.unit.services.ledger_world import NOW, choice, choices, holds, ledger, log_of

from assent.domain.errors import Incomplete, Refused
from assent.services.ledger.append import Appended, append
from assent.services.ledger.queue import GroupQueue, OwnThread
from assent.store.port import Store
from assent.store.records import Choice

LOG = log_of()
Queue = GroupQueue[Choice, Appended]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Gated:
    """Appends to a real ledger, but only once it is let; remembers the size of every group."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gate = threading.Event()
        self.busy = threading.Event()
        self.groups: list[int] = []

    def __call__(self, group: Sequence[Choice]) -> list[Appended | Exception]:
        self.busy.set()
        assert self.gate.wait(10)
        self.groups.append(len(group))
        if any(one.id == "c77" for one in group):
            raise RuntimeError("poison")
        return [*append(self.store, LOG, group, now=NOW)]


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[Gated]:
    with ledger(tmp_path) as store:
        yield Gated(store)


async def handed_in(queue: Queue, items: Sequence[Choice]) -> list["asyncio.Task[Appended]"]:
    """Hand items in, and return when all of them wait."""
    tasks = [asyncio.create_task(queue.of(one)) for one in items]
    await asyncio.sleep(0)
    return tasks


async def held_up(gated: Gated, queue: Queue) -> "asyncio.Task[Appended]":
    """Hand in one choice and wait until the worker is busy with it."""
    (first,) = await handed_in(queue, [choice(0)])
    assert await asyncio.to_thread(gated.busy.wait, 10)
    return first


async def test_choices_that_come_meanwhile_share_one_append(gated: Gated) -> None:
    queue = Queue(OwnThread(gated))
    first = await held_up(gated, queue)
    others = await handed_in(queue, choices(1, 30))
    gated.gate.set()
    assert holds(await first, LOG).size == 1
    found = await asyncio.gather(*others)
    assert [one.choice.id for one in found] == [f"c{n}" for n in range(1, 31)]
    assert {holds(one, LOG).size for one in found} == {31}
    assert gated.groups == [1, 30]
    await queue.close()


async def test_a_group_has_a_limit(gated: Gated) -> None:
    queue = Queue(OwnThread(gated), at_once=10)
    await held_up(gated, queue)
    others = await handed_in(queue, choices(1, 25))
    gated.gate.set()
    assert [one.number for one in await asyncio.gather(*others)] == list(range(1, 26))
    assert gated.groups == [1, 10, 10, 5]
    await queue.close()


async def test_one_that_cannot_be_appended_fails_alone(gated: Gated) -> None:
    append(gated.store, LOG, [choice(20)], now=NOW)
    queue = Queue(OwnThread(gated))
    await held_up(gated, queue)
    sent = (*choices(1, 15), choice(77), choice(20, "decline"), choice(21))
    others = await handed_in(queue, sent)
    gated.gate.set()
    for one, other in zip(sent, others, strict=True):
        if one.id == "c77":
            with pytest.raises(RuntimeError, match="poison"):
                await other
        elif one.id == "c20":
            with pytest.raises(Refused, match="`c20`"):
                await other
        else:
            assert holds(await other, LOG).size > 1
    assert gated.store.staged() == 1 + 1 + 15 + 1
    await queue.close()


async def test_an_answer_that_is_a_problem_is_raised_and_leaves_the_others_alone() -> None:
    queue = GroupQueue[int, int](OwnThread(lambda group: [Refused("odd", "send even") if n % 2 else n for n in group]))
    found = await asyncio.gather(*(queue.of(n) for n in range(6)), return_exceptions=True)
    assert [str(one) if isinstance(one, Refused) else one for one in found] == [0, "odd", 2, "odd", 4, "odd"]
    await queue.close()


async def test_a_full_queue_says_so_at_once_and_loses_nothing(gated: Gated) -> None:
    queue = Queue(OwnThread(gated), waiting=3)
    await held_up(gated, queue)
    others = await handed_in(queue, choices(1, 3))
    with pytest.raises(Incomplete, match="too many choices wait"):
        await queue.of(choice(4))
    gated.gate.set()
    assert [one.number for one in await asyncio.gather(*others)] == [1, 2, 3]
    assert (await queue.of(choice(4))).number == 4
    await queue.close()


async def test_a_caller_who_left_is_left_out(gated: Gated) -> None:
    queue = Queue(OwnThread(gated))
    await held_up(gated, queue)
    left, stayed = await handed_in(queue, choices(1, 2))
    left.cancel()
    await asyncio.sleep(0)
    gated.gate.set()
    assert (await stayed).number == 1
    assert gated.store.logged("c1") is None
    await queue.close()


async def test_closing_works_on_what_waits_and_takes_no_more(gated: Gated) -> None:
    queue = Queue(OwnThread(gated))
    await held_up(gated, queue)
    others = await handed_in(queue, choices(1, 5))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    with pytest.raises(Incomplete, match="being closed"):
        await queue.of(choice(6))
    gated.gate.set()
    await closing
    assert [one.result().number for one in others] == [1, 2, 3, 4, 5]
    await queue.close()
