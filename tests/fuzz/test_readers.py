"""Every reader reads what is hostile to all, what broke it once, and a few changed seeds: it answers or names a fix.

`make check-fuzz` looks for more, guided by what its inputs reach; what it finds is read here from then on.
"""

from __future__ import annotations

import random
import re
import time

import pytest

from tests.fuzz.target import FOUND, GROUPS, HOSTILE, WITHIN_S, Target, targets

READERS = [(group, one) for group in GROUPS[:-1] for one in targets(group)]
every_reader = pytest.mark.parametrize("target", [one for _, one in READERS], ids=lambda one: one.name)
CHANGED = 12
LONGEST = 20_000


def changed(data: bytes, chance: random.Random) -> bytes:
    """Change an input as a fuzzer does: flip, cut, repeat, put something hostile in the middle."""
    at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    made = (
        lambda: data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
        lambda: data[:at],
        lambda: data[:at] + data[to:],
        lambda: data[:to] + data[at:to] * chance.choice((1, 2, 50)) + data[to:],
        lambda: data[:at] + chance.choice(HOSTILE) + data[at:],
        lambda: re.sub(rb"\d+", lambda _: chance.choice((b"-1", b"0", b"9" * 30)), data, count=1),
        lambda: data.replace(b'"', b"", 1),
    )
    return chance.choice(made)()[:LONGEST]


def reads(target: Target, data: bytes) -> None:
    began = time.perf_counter()
    target.run(data)
    assert time.perf_counter() - began < WITHIN_S


@every_reader
def test_a_reader_answers_to_what_is_hostile_and_to_what_broke_it_once(target: Target) -> None:
    for data in target.inputs():
        reads(target, data)


@pytest.mark.parametrize("count", [CHANGED, pytest.param(2_000, marks=pytest.mark.deep)], ids=["some", "many"])
@every_reader
def test_a_reader_answers_to_seeds_that_were_changed(target: Target, count: int) -> None:
    chance, seeds = random.Random(target.name), target.given()
    for _ in range(count):
        reads(target, changed(chance.choice(seeds), chance))


@every_reader
def test_a_reader_takes_a_seed(target: Target) -> None:
    for data in target.given():
        try:
            target.read(data)
        except Exception:  # noqa: BLE001 - another seed may be taken
            continue
        return
    pytest.fail("every seed is refused, so nothing behind the first check is looked at")


def test_names_of_readers_are_their_own_and_what_was_found_belongs_to_one() -> None:
    names = [one.name for _, one in READERS]
    assert len(set(names)) == len(names)
    assert {path.name for path in FOUND.glob("*")} <= {*names}


def test_a_fault_that_is_planted_is_one() -> None:
    (planted,) = targets(GROUPS[-1])
    planted.run(b"as")
    with pytest.raises(KeyError):
        planted.run(b"ask!")
