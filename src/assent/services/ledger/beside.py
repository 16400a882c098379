"""A worker that is a process of its own: it and the event loop do not wait for the one lock of one interpreter.

A thread that talks to a database gives that lock away and asks for it again a hundred times a
group; each time it waits for the loop, and the loop for it. The loop itself writes a group to the
process and reads its answers: a thread in between would have to be woken twice.
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import socket
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
_LENGTH: Final = 8
"""Bytes in which the length of a group or of its answers stands before them."""

_BUFFER: Final = 1 << 20
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

        Work may have a method `meanwhile(quiet_s)` for what nobody waits for. It is called when no group came for
        `quiet_s` seconds, at first for none, does a little, and says for how many seconds none must come until it is
        called again; None: not before the next group. `on_death` hears of every process that ended untold.
        """
        self._make = make
        self._on_death = on_death
        self._process: BaseProcess | None = None
        self._socket: socket.socket
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def begin(self) -> None:
        """Begin the process, so that the first group need not wait for it."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_work_off, args=(self._make, theirs), name="groups", daemon=True)
        self._process.start()
        theirs.close()
        self._socket = socket.fromfd(ours.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
        ours.close()

    async def __call__(self, items: Sequence[In]) -> Sequence[Out | Exception]:
        for _ in range(_ATTEMPTS):
            try:
                told = await self._exchange(pickle.dumps(items, pickle.HIGHEST_PROTOCOL))
            except (EOFError, OSError):
                self._forget()
                self._on_death()
                continue
            except asyncio.CancelledError:
                # its answer is still to come, and would be taken for that to another group
                self._forget()
                raise
            if isinstance(told, Raised):
                raise told.again()
            return [one.again() if isinstance(one, Raised) else one for one in told]
        raise AssentError("the process that writes choices ends again and again", "look at what it wrote to the record")

    async def close(self) -> None:
        """End the process; what it has begun it finishes."""
        process = self._process
        self._hang_up()
        if process is not None:
            await asyncio.to_thread(process.join, STOP_S)

    async def _exchange(self, group: bytes) -> list[Out | Raised] | Raised:
        """Send a group and wait for its answers: on the loop, for a thread in between would have to wait for it."""
        if self._process is None:
            self.begin()
        if self._streams is None:
            self._streams = await asyncio.open_connection(sock=self._socket, limit=_BUFFER)
        answers, groups = self._streams
        groups.write(len(group).to_bytes(_LENGTH, "big") + group)
        await groups.drain()
        length = int.from_bytes(await answers.readexactly(_LENGTH), "big")
        told: list[Out | Raised] | Raised = pickle.loads(await answers.readexactly(length))  # noqa: S301 - of a process of ours
        return told

    def _forget(self) -> None:
        """Let go of a process that died, or that nobody understands any more."""
        process = self._process
        self._hang_up()
        if process is not None:
            process.kill()
            process.join()

    def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        elif self._process is not None:
            self._socket.close()
        self._process = self._streams = None


def _work_off(make: Callable[[], Work[In, Out]], theirs: Connection) -> None:
    """Work on one group after the other, until the other process closes the connection, or is gone."""
    # whoever presses Ctrl-C means the server, which ends this one when it is done
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work = make()
    groups, answers = (open(theirs.fileno(), mode, closefd=False) for mode in ("rb", "wb"))  # noqa: SIM115
    with suppress(BrokenPipeError, ConnectionResetError, EOFError, pickle.UnpicklingError):
        while True:
            quiet_s: float | None = 0.0
            while quiet_s is not None and not theirs.poll(quiet_s):
                quiet_s = _meanwhile(work, quiet_s)
            if not (length := groups.read(_LENGTH)):
                return
            group = pickle.loads(groups.read(int.from_bytes(length, "big")))  # noqa: S301 - of who began this process
            told = pickle.dumps(_told(work, group), pickle.HIGHEST_PROTOCOL)
            answers.write(len(told).to_bytes(_LENGTH, "big") + told)
            answers.flush()


def _meanwhile(work: Work[In, Out], quiet_s: float) -> float | None:
    try:
        found: float | None = getattr(work, "meanwhile", lambda _quiet_s: None)(quiet_s)
    except Exception:  # noqa: BLE001 - nobody waits for it; it is tried again after the next group
        return None
    return found


def _told(work: Work[In, Out], items: Sequence[In]) -> list[Out | Raised] | Raised:
    try:
        return [Raised.of(one) if isinstance(one, Exception) else one for one in work(items)]
    except Exception as problem:  # noqa: BLE001 - the other process decides what becomes of it
        return Raised.of(problem)
