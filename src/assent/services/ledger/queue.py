"""Join the choices of many callers into one append: a signature, two commits and a wait for the disk serve them all.

A worker thread takes whatever waits and appends it at once; while it does, the next ones
gather. A choice that cannot be appended is found by halving, so that it fails alone.
"""

from __future__ import annotations

from concurrent.futures import Future
from queue import Full, Queue
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Incomplete

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.services.ledger.append import Appended
    from assent.store.records import Choice

WAITING: Final = 2_000
"""Choices that may wait at once: some 0.1 s of work. Beyond them a caller is told to come again."""

GATHER_S: Final = 0.005
"""Seconds for which choices gather under load. One that comes alone is appended at once."""

AT_ONCE: Final = 500
"""Choices of one append: more would make the first of them wait for the last."""

Waiting = tuple["Choice", "Future[Appended]"]


class AppendQueue:
    """Appends choices in groups. Any number of threads may hand choices in; `close` ends it."""

    def __init__(
        self, append: Callable[[Sequence[Choice]], list[Appended]], *, waiting: int = WAITING, at_once: int = AT_ONCE
    ) -> None:
        """Keep what appends: it stores a group of choices, all of them or none, and may be called again.

        The worker starts with the first choice.
        """
        self._append = append
        self._at_once = at_once
        self._waiting: Queue[Waiting | None] = Queue(waiting)
        self._lock = Lock()
        self._closed = False
        self._worker: Thread | None = None

    def submit(self, choice: Choice) -> Future[Appended]:
        """Hand a choice in; what comes of it is in the future, for asyncio by `asyncio.wrap_future`.

        Raises `Incomplete`, and has done nothing, if too many choices wait or the queue is closed.
        """
        future: Future[Appended] = Future()
        with self._lock:
            if self._closed:
                raise Incomplete("the ledger takes no more choices: it is being closed", "try again in a moment")
            try:
                self._waiting.put_nowait((choice, future))
            except Full:
                raise Incomplete("too many choices wait for the ledger", "try again in a moment") from None
            if self._worker is None:
                self._worker = Thread(target=self._work, name="ledger", daemon=True)
                self._worker.start()
        return future

    def append(self, choice: Choice) -> Appended:
        """Append one choice with whatever else waits, and wait for it. Raises what `append` raised for this choice."""
        return self.submit(choice).result()

    def close(self) -> None:
        """Append what waits, then end. Choices handed in afterwards are refused."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._worker is not None:
            self._waiting.put(None)
            self._worker.join()

    def _work(self) -> None:
        more = True
        while more:
            group, more = self._group()
            self._settle([(choice, future) for choice, future in group if future.set_running_or_notify_cancel()])

    def _group(self) -> tuple[list[Waiting], bool]:
        """Wait for a choice and take all that came with it; says False when none will follow."""
        group: list[Waiting] = []
        if not self._waiting.empty():
            # they came during the last append, so more will: an append costs the same for one as for ten
            sleep(GATHER_S)
        while True:
            found = self._waiting.get()
            if found is None:
                return group, False
            group.append(found)
            if self._waiting.empty() or len(group) >= self._at_once:
                return group, True

    def _settle(self, group: list[Waiting]) -> None:
        if not group:
            return
        try:
            appended = self._append([choice for choice, _ in group])
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            self._divide(group, problem)
        else:
            for (_, future), one in zip(group, appended, strict=True):
                future.set_result(one)

    def _divide(self, group: list[Waiting], problem: Exception) -> None:
        if len(group) == 1:
            group[0][1].set_exception(problem)
            return
        middle = len(group) // 2
        self._settle(group[:middle])
        self._settle(group[middle:])
