"""The source of chance that every room here takes as an argument.

`random.Random` fits; only `assent.wiring` makes one. The methods asked for give the same
numbers for the same seed in every supported Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

T = TypeVar("T")


class Chance(Protocol):
    """What a seeded generator must be able to do."""

    def random(self) -> float: ...
    def getrandbits(self, k: int, /) -> int: ...
    def randrange(self, start: int, stop: int, /) -> int: ...
    def choice(self, seq: Sequence[T], /) -> T: ...
    def choices(self, population: Sequence[T], weights: Sequence[float], *, k: int) -> list[T]: ...
    def sample(self, population: Sequence[T], k: int) -> list[T]: ...


def new_uuid(chance: Chance) -> str:
    """Draw a version 4 UUID, the id that all four products use."""
    return str(UUID(int=chance.getrandbits(128), version=4))


def instant_between(chance: Chance, start: datetime, end: datetime) -> datetime:
    """Draw a full second in [start, end); `start` when the span is empty."""
    seconds = int((end - start).total_seconds())
    return start + timedelta(seconds=chance.randrange(0, seconds)) if seconds > 0 else start


def shuffled(chance: Chance, items: Sequence[T]) -> list[T]:
    """Put items into a drawn order."""
    return chance.sample(items, len(items))


def weighted(chance: Chance, weights: dict[T, int]) -> T:
    """Draw one key, each as often as its weight says."""
    return chance.choices(list(weights), list(weights.values()), k=1)[0]


def shares(weights: dict[T, int], count: int) -> list[T]:
    """Deal `count` places by weight, at least one for each key, in the order of the keys."""
    total = sum(weights.values())
    dealt = [key for key, weight in weights.items() for _ in range(max(1, count * weight // total))]
    heaviest = max(weights, key=lambda key: weights[key])
    missing = count - len(dealt)
    if missing >= 0:
        return dealt + [heaviest] * missing
    for _ in range(-missing):
        dealt.remove(heaviest)
    return dealt
