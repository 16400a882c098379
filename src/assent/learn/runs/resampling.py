"""Figures with intervals over people: whoever is drawn brings all their conversations.

Conversations of one person resemble each other; intervals over conversations or tokens would be too narrow.
Percentile bootstrap over clusters: A. C. Davison, D. V. Hinkley, *Bootstrap Methods and their Application* (1997).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDS: Final = 2_000
_MIDDLE: Final = (2.5, 97.5)
_EXACT: Final = 12
"""People up to whom every way to swap signs is looked at (4,096), and not a sample of them."""
_SWAPS: Final = 10_000


class Figure(NamedTuple):
    """A figure and the middle 95 % of it over samples of people; no interval of fewer than two people."""

    value: float
    low: float | None = None
    high: float | None = None

    def through(self, function: Callable[[float], float]) -> Figure:
        """Return the figure on another scale; `function` must rise."""
        return Figure(function(self.value), *(None if end is None else function(end) for end in self[1:]))

    def record(self) -> dict[str, float | None]:
        """Return it as reports write it, rounded to what can be told."""
        low, high = (None if end is None else round(end, 4) for end in (self.low, self.high))
        return {"value": round(self.value, 4), "low": low, "high": high}


class Crowd:
    """The people of some rows, and the same samples of them for every figure, so that figures can be subtracted."""

    def __init__(self, people: Sequence[str], seed: int) -> None:
        """Name the person of each row."""
        names, self._person = np.unique(np.asarray(people, dtype=str), return_inverse=True)
        self.people = len(names)
        chance = np.random.default_rng(seed)
        even = np.full(self.people, 1 / max(self.people, 1))
        self._draws = chance.multinomial(self.people, even, ROUNDS).astype(np.float64) if self.people > 1 else None

    def sums(self, column: Floats) -> Floats:
        """Add up a column of the rows for each person."""
        return np.bincount(self._person, column, self.people).astype(np.float64)

    def ratio(self, above: Floats, below: Floats) -> Figure:
        """Return the sum of one column over the sum of another."""
        return self.difference(above, np.zeros(len(above)), below)

    def difference(self, one: Floats, other: Floats, below: Floats) -> Figure:
        """Return how much larger one ratio is than another with the same column below."""
        above, under = self.sums(one - other), self.sums(below)
        value = float(above.sum() / under.sum())
        if self._draws is None:
            return Figure(value)
        drawn = self._draws @ under
        some = drawn > 0
        low, high = np.percentile((self._draws @ above)[some] / drawn[some], _MIDDLE)
        return Figure(value, float(low), float(high))


def chance_of_difference(differences: Floats, seed: int) -> float:
    """Return how often a difference at least as large comes about where which is which means nothing (two-sided).

    One difference a person; their signs are swapped (the permutation test of pairs, R. A. Fisher, 1935): in every way
    for a few people, in 10,000 drawn ways for more.
    """
    people = len(differences)
    if people <= _EXACT:
        ways = np.arange(1 << people)[:, None] >> np.arange(people) & 1
        swapped = (1 - 2.0 * ways) @ differences
        return float((np.abs(swapped) >= abs(differences.sum()) * (1 - 1e-12)).mean())
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (_SWAPS, people))
    larger = int((np.abs(signs @ differences) >= abs(differences.sum()) * (1 - 1e-12)).sum())
    return (larger + 1) / (_SWAPS + 1)
