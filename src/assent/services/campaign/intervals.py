"""The arithmetic behind the alarm: score intervals of a share and of the difference of two shares.

Wilson's interval (E. B. Wilson, 1927) and the hybrid of two of them for a difference (R. G.
Newcombe, 1998, method 10) hold their level for small counts and for shares near 0 and 1.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.95
"""How sure an interval is, of all comparisons of one alarm together."""


class Interval(NamedTuple):
    """A share, or a difference of shares, with its lower and upper bound; all between -1 and 1."""

    value: float
    low: float
    high: float


def share(part: int, whole: int, comparisons: int = 1) -> Interval:
    """Return part / whole with Wilson's score interval. `whole` is above zero."""
    z = _z(comparisons)
    value = part / whole
    middle = value + z * z / (2 * whole)
    spread = z * sqrt(value * (1 - value) / whole + z * z / (4 * whole * whole))
    size = 1 + z * z / whole
    return Interval(value, max(0.0, (middle - spread) / size), min(1.0, (middle + spread) / size))


def difference(one: tuple[int, int], other: tuple[int, int], comparisons: int = 1) -> Interval:
    """Return the first share minus the second, each as (part, whole), with Newcombe's hybrid score interval.

    With several `comparisons` each interval is wider (Bonferroni), so that all of them hold together at LEVEL.
    """
    first, second = share(*one, comparisons), share(*other, comparisons)
    value = first.value - second.value
    below = sqrt((first.value - first.low) ** 2 + (second.high - second.value) ** 2)
    above = sqrt((first.high - first.value) ** 2 + (second.value - second.low) ** 2)
    return Interval(value, max(-1.0, value - below), min(1.0, value + above))


def _z(comparisons: int) -> float:
    return NormalDist().inv_cdf(1 - (1 - LEVEL) / (2 * comparisons))
