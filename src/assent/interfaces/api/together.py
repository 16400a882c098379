"""Reading for everybody who asks at the same moment: one thread and one transaction serve them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from anyio import to_thread

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

AT_ONCE: Final = 200


class Together(Generic[K, V]):
    """Reads values by key. Alone, a request waits for nobody; while one group is read, the next one gathers."""

    def __init__(self, read: Callable[[Sequence[K]], Mapping[K, V]]) -> None:
        """Take what reads the values of up to `AT_ONCE` keys, in a thread."""
        self._read = read
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def of(self, key: K) -> V:
        """Return the value of a key as it is after this was called. Raises what reading raised."""
        if key not in self._waiting:
            self._waiting[key] = asyncio.get_running_loop().create_future()
        found = self._waiting[key]
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._work())
        # one who hangs up takes nothing from the others that wait for the same
        return await asyncio.shield(found)

    async def _work(self) -> None:
        while self._waiting:
            group = {key: self._waiting.pop(key) for key in list(self._waiting)[:AT_ONCE]}
            try:
                read = await to_thread.run_sync(self._read, list(group))
            except Exception as problem:  # noqa: BLE001 - each of those who wait gets it
                for waiting in group.values():
                    waiting.set_exception(problem)
            else:
                for key, waiting in group.items():
                    waiting.set_result(read[key])
