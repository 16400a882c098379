"""Do the work of many callers in groups: a signature, two commits and a wait for the disk serve all who came meanwhile.

A worker takes whatever waits; while it works, the next ones gather. An item that breaks the work
of its group is found by halving, so that it fails alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from assent.domain.errors import Incomplete

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)

WAITING: Final = 2_000
"""Items that may wait at once: some 0.5 s of work. Beyond them a caller is told to come again."""

AT_ONCE: Final = 500
"""Items of one group: more would make the first of them wait for the last."""

GATHER_TIMES: Final = 0.4
"""For how many times as long as the last group took, the next one gathers under load. A group costs nearly the same for
one as for ten: without a pause as much again would be spent on half as many at a time, for 1 ms."""

GATHER_AT_MOST_S: Final = 0.005
"""Seconds for which items gather at most. One that comes alone is worked on at once."""


class Worker(Protocol[In_contra, Out_co]):
    """Works on one group at a time, beside the event loop."""

    async def __call__(self, items: Sequence[In_contra]) -> Sequence[Out_co | Exception]:
        """Answer each item, in order, by a result or by what speaks against this one.

        If it raises, nothing of it is believed: it is called again with halves of the group.
        """
        ...

    async def close(self) -> None:
        """Give back what it holds; it is not called again."""
        ...


class OwnThread(Generic[In, Out]):
    """A worker that is a thread."""

    def __init__(self, work: Callable[[Sequence[In]], Sequence[Out | Exception]]) -> None:
        """Keep what does the work."""
        self._work = work
        self._thread = ThreadPoolExecutor(1, "groups")

    async def __call__(self, items: Sequence[In]) -> Sequence[Out | Exception]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, items)

    async def close(self) -> None:
        self._thread.shutdown()


class GroupQueue(Generic[In, Out]):
    """Works on items in groups, for callers on one event loop; `close` ends it."""

    def __init__(self, worker: Worker[In, Out], *, waiting: int = WAITING, at_once: int = AT_ONCE) -> None:
        """Keep who works on a group; the queue closes it."""
        self._worker = worker
        self._most = waiting
        self._at_once = at_once
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def of(self, item: In) -> Out:
        """Return what came of an item; raise what spoke against it.

        Raises `Incomplete`, and nothing was done, if too many wait or the queue is closed. Of a
        caller who leaves before the group is begun, nothing is done either.
        """
        if self._closed:
            raise Incomplete("the ledger takes no more choices: it is being closed", "try again in a moment")
        if len(self._waiting) >= self._most:
            raise Incomplete("too many choices wait for the ledger", "try again in a moment")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Out] = loop.create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work_off(loop))
        return await future

    async def close(self) -> None:
        """Work on what waits, then end. Items handed in afterwards are refused."""
        self._closed = True
        if self._task is not None and not self._task.done():
            await self._task
        await self._worker.close()

    async def _work_off(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            group = self._group()
            began = loop.time()
            told = await self._answers([item for item, _ in group])
            for (_, future), answer in zip(group, told, strict=True):
                if future.cancelled():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            if self._waiting and not self._closed:
                await asyncio.sleep(min(GATHER_TIMES * (loop.time() - began), GATHER_AT_MOST_S))

    def _group(self) -> list[tuple[In, asyncio.Future[Out]]]:
        group: list[tuple[In, asyncio.Future[Out]]] = []
        while self._waiting and len(group) < self._at_once:
            item, future = self._waiting.popleft()
            if not future.cancelled():
                group.append((item, future))
        return group

    async def _answers(self, items: Sequence[In]) -> Sequence[Out | Exception]:
        if not items:
            return []
        try:
            return await self._worker(items)
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            if len(items) == 1:
                return [problem]
        middle = len(items) // 2
        return [*await self._answers(items[:middle]), *await self._answers(items[middle:])]
