"""People who take their permission back while a run starts, on one store and from several threads."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.unit.services.run.run_world import Provider

from assent.domain.errors import Refused
from assent.services.ledger.append import append
from assent.services.run.gate import Verified, decide
from assent.services.run.plan import RunOrder, plan
from assent.services.run.state import leaf_of
from assent.store.port import Store
from assent.store.records import Choice, Cut, Run, RunStart

Open = Callable[[], Store]
Gate = Callable[["RunRace", Run, Cut, frozenset[str]], datetime]

START = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Outcome:
    """Trials by how they ended; `violated` runs used a row whose withdrawal had been acknowledged before."""

    started: int = 0
    refused: int = 0
    violated: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.started + other.started, self.refused + other.refused, self.violated + other.violated)


class RunRace:
    """One cut of many people; in each trial the next of them withdraws while a run starts without those before."""

    def __init__(self, open_store: Open, folder: Path, seed: int, people: int) -> None:
        self._began = time.monotonic()
        self.provider = Provider(folder, open_store())
        self.others = open_store()
        self.names = [f"p{number:04}" for number in range(people)]
        self.provider.people(*self.names)
        self.provider.cut()
        self.provider.runs = replace(self.provider.runs, clock=self.clock)
        self._chance = random.Random(seed)

    def clock(self) -> datetime:
        """A clock that runs, and that everybody in this race reads."""
        return START + timedelta(seconds=1 + time.monotonic() - self._began)

    def run(self, gate: Gate) -> Outcome:
        """Try every person once."""
        cut = self.provider.store.cuts_named("spring")[-1]
        total, gone = Outcome(), frozenset[str]()
        with ThreadPoolExecutor(2) as threads:
            for name in self.names:
                run = plan(self.provider.runs, RunOrder("spring", "external", "[run]\n", without=gone))
                pauses = [self._chance.random() * 0.02 for _ in range(2)]
                withdrawn = threads.submit(self._withdraw, name, pauses[0])
                begun = threads.submit(self._start, gate, run, cut, gone, pauses[1])
                acknowledged, started = withdrawn.result(), begun.result()
                total += Outcome(
                    started is not None,
                    started is None,
                    started is not None and acknowledged < started,
                )
                gone |= {f"test:{name}-0"}
        return total

    def _withdraw(self, name: str, pause: float) -> datetime:
        time.sleep(pause)
        at = self.clock()
        choice = Choice(f"withdraw-{name}", name, "training", "withdraw", at, "sha256:notice", "web", "web", at)
        append(self.others, self.provider.log, [choice], now=at)
        return self.clock()

    def _start(self, gate: Gate, run: Run, cut: Cut, gone: frozenset[str], pause: float) -> datetime | None:
        time.sleep(pause)
        try:
            return gate(self, run, cut, gone)
        except Refused:
            return None


def as_assent_does(race: RunRace, run: Run, cut: Cut, gone: frozenset[str]) -> datetime:
    """Read the clock, then the facts, and start at the instant of the clock."""
    world = race.provider.runs
    gate = decide(world, cut, Verified({}, ()), gone)
    if not gate.open:
        raise gate.refusal(cut)
    begun = RunStart(gate.at, "[]", gate.rows, 0, 0, "{}")
    world.store.start_run(run.id, begun, (), leaf_of(world, run, "started", gate.at))
    return gate.at


def decide_then_read_the_clock(race: RunRace, run: Run, cut: Cut, gone: frozenset[str]) -> datetime:
    """Decide first and call the end of it the start: what a careless program does."""
    as_assent_does(race, run, cut, gone)
    return race.clock()
