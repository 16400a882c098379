"""Keeping answers given under a key: whoever waits at the same moment shares one transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from anyio import to_thread

if TYPE_CHECKING:
    from assent.store.port import Answers
    from assent.store.records import Answered


class AnswerBook:
    """Writes answers in groups: under load one commit serves many requests, and alone a request waits for nobody."""

    def __init__(self, store: Answers) -> None:
        """Keep answers in this store."""
        self._store = store
        self._waiting: list[tuple[Answered, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, row: Answered) -> None:
        """Return when the answer is kept durably."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            problem: Exception | None = None
            try:
                await to_thread.run_sync(self._store.add_answers, [row for row, _ in group])
            except Exception as error:  # noqa: BLE001 - each of those who wait gets it
                problem = error
            for _, done in group:
                if done.cancelled():
                    continue
                done.set_result(None) if problem is None else done.set_exception(problem)
