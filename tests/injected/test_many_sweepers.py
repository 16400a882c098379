"""Several daemons sweep one PostgreSQL store while some are killed and some paused: each part goes once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.store.samples import day, hold
from tests.injected.sweepers import Herd, herd, wait_until
from tests.simulation.erasing import Home, Truth, anomalies, furnish, unfinished

Injected = Callable[..., None]


@pytest.fixture
def home(tmp_path: Path, postgres_database: str) -> Home:
    return Home(tmp_path / "home", postgres_database)


def place_some(home: Home, truth: Truth, draw: random.Random, held: set[str], number: int) -> None:
    """Place a hold on a conversation that is still here; what was acknowledged must stand to the end."""
    with home.opened() as store:
        left = sorted({name for name, _ in truth.due} - held)
        name = draw.choice(left)
        store.place_hold(hold(f"late{number}", name, day(1)))
        if store.conversation(name) is not None:
            held.add(name)


def everything_went(home: Home, truth: Truth, held: set[str]) -> bool:
    with home.opened() as store:
        stones = store.counts().tombstones
        return stones >= sum(name not in held for name, _ in truth.due) and not store.open_erasures(0, 1)


def sound(home: Home, truth: Truth, made: Herd) -> None:
    assert anomalies(home, truth) == []
    wrong = [line for line in made.said() if line["stage"] in ("failed", "stopped")]
    assert wrong == []


def live_on(home: Home, seed: int, *, due: int, size: int, kills: int, pauses: int, every_s: float) -> Herd:
    """Let daemons sweep, kill and pause them, place holds meanwhile, and let the last ones end the work."""
    draw, held = random.Random(seed), set[str]()
    truth = furnish(home, due=due, kept=10, held=6, seed=seed)
    with herd(home, seed, size=size) as made:
        wait_until(lambda: len(made.said()) > 0, 300, "the first round")
        acts = ["kill"] * kills + ["pause"] * pauses
        draw.shuffle(acts)
        for number, act in enumerate(acts):
            time.sleep(draw.uniform(0.2, 1.8) * every_s)
            place_some(home, truth, draw, held, number)
            if act == "kill":
                made.kill_one()
            else:
                made.pause_one(2.5)
            sound(home, truth, made)
        wait_until(lambda: everything_went(home, truth, held), 600, "all that is due has gone")
        sound(home, truth, made)
    rest = Truth(truth.places, frozenset(one for one in truth.due if one[0] not in held), truth.plan)
    assert unfinished(home, rest) == []
    assert held, "every hold came too late: nothing was raced"
    return made


@pytest.mark.fault("killed sweeper among several")
def test_of_several_sweepers_one_is_killed_and_each_part_goes_once(home: Home, injected: Injected) -> None:
    made = live_on(home, 3, due=60, size=2, kills=1, pauses=0, every_s=0.3)
    injected(times=made.killed, seed=3)


@pytest.mark.deep
@pytest.mark.fault("killed sweeper among several")
@pytest.mark.parametrize("seed", range(8))
def test_of_several_sweepers_many_are_killed_and_paused_and_each_part_goes_once(
    home: Home, seed: int, injected: Injected
) -> None:
    made = live_on(home, seed, due=600, size=4, kills=15, pauses=3, every_s=2.0)
    injected(times=made.killed + made.paused, seed=seed)
