"""Several daemons on one PostgreSQL store, each a process, on a clock so fast that a lease ends in seconds."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Event

from assent.services.erase.world import ErasureWorld
from assent.services.guard import lease
from assent.services.guard.daemon import sweep_on
from assent.store.port import Store
from assent.store.records import Round
from tests.conformance.store.samples import POLICY_FILE
from tests.guard_world import GuardWorld
from tests.simulation.erasing import NOW, Home

TIMES = 60
"""How much faster than ours their clock runs: a lease of two minutes is over after two seconds."""

EVERY = timedelta(milliseconds=100)
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


class SharedWorld(GuardWorld):
    """A daemon's world on a home that others share, at an instant that runs."""

    def __init__(self, home: Home, store: Store, began: float) -> None:
        self._began = began
        super().__init__(home.folder, store)
        self._home = home
        self.texts = [POLICY_FILE.read_text("utf-8")]
        self.set(guard_floor_parts=100_000, day_budget_parts=1_000_000, batch_rows=8)

    @property
    def clock(self) -> datetime:
        return NOW + timedelta(seconds=TIMES * (time.time() - self._began))

    @clock.setter
    def clock(self, _at: datetime) -> None:
        """Leave the clock alone: it runs."""

    @property
    def erasing(self) -> ErasureWorld:
        return self._home.world(self.store)


@dataclass
class Told:
    """Writes what a daemon does into a file of its own, a line an event."""

    path: Path

    def say(self, **what: object) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(what) + "\n")

    def round_ended(self, done: Round) -> None:
        self.say(stage=done.stage, erased=done.erased, why=done.stopped_by)

    def stood_by(self) -> None:
        pass

    def lease_lost(self) -> None:
        self.say(stage="lease lost")

    def failed(self, problem: Exception) -> None:
        self.say(stage="failed", why=f"{type(problem).__name__}: {problem}")


def daemon(folder: str, address: str, holder: str, began: float, share: int) -> None:
    """Sweep until somebody kills this process; at most `share` parts a round, so that there are many rounds."""
    lease._RENEW_S = lease.VALID.total_seconds() / TIMES / 4  # type: ignore[misc]
    home = Home(Path(folder), address)
    with home.opened() as store:
        world = SharedWorld(home, store, began)
        made = world.world(holder)
        few = replace(made, erase=lambda *rest, **more: made.erase(*rest, **{**more, "limit": share}))
        sweep_on(few, EVERY, Event(), Told(home.folder / f"{holder}.said"))


@dataclass
class Herd:
    """The daemons of a home: some are killed, some paused for longer than a lease lasts, and others are born."""

    home: Home
    draw: random.Random
    share: int = 16
    began: float = field(default_factory=time.time)
    born: int = 0
    killed: int = 0
    paused: int = 0
    alive: list[ForkServerProcess] = field(default_factory=list)

    def add(self) -> None:
        given = (str(self.home.folder), self.home.address, f"daemon-{self.born}", self.began, self.share)
        one = PROCESSES.Process(target=daemon, args=given, daemon=True)
        one.start()
        self.born += 1
        self.alive.append(one)

    def kill_one(self) -> None:
        """Kill any of them, and have another one born in its place."""
        one = self.alive.pop(self.draw.randrange(len(self.alive)))
        one.kill()
        one.join(60)
        assert one.exitcode == -signal.SIGKILL, "it had ended before"
        self.killed += 1
        self.add()

    def pause_one(self, seconds: float) -> None:
        """Stop any of them in the middle of whatever it does, and let it go on when its lease is over."""
        one = self.draw.choice(self.alive)
        assert one.pid is not None
        os.kill(one.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(one.pid, signal.SIGCONT)
        self.paused += 1

    def said(self) -> list[dict[str, object]]:
        files = sorted(self.home.folder.glob("daemon-*.said"))
        lines = (line for file in files for line in file.read_text().splitlines())
        return [json.loads(line) for line in lines if line.endswith("}")]


@contextmanager
def herd(home: Home, seed: int, *, size: int, share: int = 16) -> Iterator[Herd]:
    """Let so many daemons sweep a home; all of them end with the block."""
    made = Herd(home, random.Random(seed), share)
    try:
        for _ in range(size):
            made.add()
        yield made
    finally:
        for one in made.alive:
            one.kill()
        for one in made.alive:
            one.join(60)


def wait_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
