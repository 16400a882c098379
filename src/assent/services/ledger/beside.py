"""A worker that is a process of its own: it and the event loop do not wait for the one lock of one interpreter.

A thread that talks to a database gives that lock away and asks for it again a hundred times a
group; each time it waits for the loop, and the loop for it.
"""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    Work = Callable[[Sequence["In"]], Sequence["Out | Exception"]]

In = TypeVar("In")
Out = TypeVar("Out")

_ATTEMPTS: Final = 2
_READY: Final = "ready"
STOP_S: Final = 20.0
"""Seconds that a group under way may take when the process is to end."""


class Raised(NamedTuple):
    """An exception on its way from one process to the other: not every class can be made again from its arguments."""

    kind: type[Exception]
    arguments: tuple[object, ...]
    fields: dict[str, object]

    @classmethod
    def of(cls, problem: Exception) -> Raised:
        """Take an exception apart."""
        return cls(type(problem), problem.args, vars(problem))

    def again(self) -> Exception:
        """Put it together."""
        problem: Exception = self.kind.__new__(self.kind, *self.arguments)
        vars(problem).update(self.fields)
        return problem


class OwnProcess(Generic[In, Out]):
    """A worker that is a process. It is begun with the first group at the latest.

    Where it dies, another one does the group again; so the work must be one that may be done twice.
    """

    def __init__(self, make: Callable[[], Work[In, Out]], on_death: Callable[[], object] = lambda: None) -> None:
        """Keep what makes the work, there: it travels to the process, and so do the items and the answers.

        `on_death` hears of every process that ended before it was told to.
        """
        self._make = make
        self._on_death = on_death
        self._process: BaseProcess | None = None
        self._connection: Connection
        self._ready = False
        self._thread = ThreadPoolExecutor(1, "groups")

    def begin(self) -> None:
        """Begin the process, so that the first group need not wait for it."""
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work_off, args=(self._make, theirs), name="groups", daemon=True)
        self._process.start()
        theirs.close()
        self._ready = False

    async def __call__(self, items: Sequence[In]) -> Sequence[Out | Exception]:
        for _ in range(_ATTEMPTS):
            try:
                told = await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, items)
            except (EOFError, OSError):
                continue
            except asyncio.CancelledError:
                # its answer is still to come, and would be taken for that to another group
                if self._process is not None:
                    self._process.kill()
                raise
            if isinstance(told, Raised):
                raise told.again()
            return [one.again() if isinstance(one, Raised) else one for one in told]
        raise AssentError("the process that writes choices ends again and again", "look at what it wrote to the record")

    async def close(self) -> None:
        """End the process; what it has begun it finishes."""
        if self._process is not None:
            self._connection.close()
            await asyncio.to_thread(self._process.join, STOP_S)
            self._process = None
        self._thread.shutdown()

    def _exchange(self, items: Sequence[In]) -> list[Out | Raised] | Raised:
        """Send a group and wait for its answers, in the thread that does nothing else."""
        if self._process is None:
            self.begin()
        try:
            if not self._ready:
                self._ready = self._connection.recv() == _READY
            self._connection.send(items)
            told: list[Out | Raised] | Raised = self._connection.recv()
        except (EOFError, OSError):
            self._forget()
            self._on_death()
            raise
        return told

    def _forget(self) -> None:
        """Let go of a process that died, or that nobody understands any more."""
        self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = None


def _work_off(make: Callable[[], Work[In, Out]], connection: Connection) -> None:
    """Work on one group after the other, until the other process closes the connection, or is gone."""
    # whoever presses Ctrl-C means the server, which ends this one when it is done
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work = make()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(_READY)
        while True:
            connection.send(_told(work, connection.recv()))


def _told(work: Work[In, Out], items: Sequence[In]) -> list[Out | Raised] | Raised:
    try:
        return [Raised.of(one) if isinstance(one, Exception) else one for one in work(items)]
    except Exception as problem:  # noqa: BLE001 - the other process decides what becomes of it
        return Raised.of(problem)
