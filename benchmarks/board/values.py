"""What a headline is, and what measuring it gave: plain values, kept as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Spread:
    """The median of several rounds with the smallest and the largest; all three are equal for a single figure."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Take the median and the ends of some rounds, each to four significant digits."""
        return cls(*(float(f"{one:.4g}") for one in (statistics.median(values), min(values), max(values))))

    @classmethod
    def single(cls, value: float) -> Spread:
        """Take one figure that has no rounds: a count, a peak, a score."""
        return cls.of([value])


@dataclass(frozen=True)
class Aim:
    """What a figure should reach."""

    how: Literal["at most", "at least"]
    value: float

    def reached_by(self, spread: Spread) -> bool:
        """Tell whether the median reaches the aim."""
        return spread.median <= self.value if self.how == "at most" else spread.median >= self.value


@dataclass(frozen=True)
class Figure:
    """One thing that was measured. A ratio is a figure without a unit."""

    name: str
    spread: Spread
    unit: str = ""
    aim: Aim | None = None


@dataclass(frozen=True)
class Growth:
    """What one item costs at several sizes of the work; a flat line means that the work grows with its size only."""

    name: str
    unit: str
    sizes: str
    """What the sizes count, as `parts`."""
    points: tuple[tuple[float, Spread], ...]

    @property
    def factor(self) -> float:
        """The cost of an item at the largest size over that at the smallest."""
        return self.points[-1][1].median / self.points[0][1].median


@dataclass(frozen=True)
class Table:
    """Figures that need more columns than a name and a value; cells are Markdown."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Result:
    """What one run of a headline gave.

    Each of `ratios` is what `assent` costs over what the peer costs, worked out round by round: less is better, and 1
    is the same. They are what is compared with the record, because a ratio travels between machines and seconds do not.
    """

    figures: tuple[Figure, ...] = ()
    ratios: tuple[Figure, ...] = ()
    growth: tuple[Growth, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    """What was found out on the way, in whole sentences."""
    absent: tuple[str, ...] = ()
    """Peers and data that were not there, each as `what: why, or how to have it`."""


@dataclass(frozen=True)
class Words:
    """What a headline says about itself."""

    title: str
    work: str
    """What is done, on how much, and what must be the same on both sides before a time counts."""
    peer: str = ""
    alone: str = ""
    """Why there is no peer, where there is none."""
    remarks: tuple[str, ...] = ()
    """What a reader must know in order not to think too well of the figures."""
    repeat: str = ""
    """What measures it, where that is not `make bench`."""

    def __post_init__(self) -> None:
        """Refuse a headline that has neither a peer nor a reason, or both."""
        if bool(self.peer) == bool(self.alone):
            raise ValueError(f"`{self.title}` names neither a peer nor why it has none, or both")


@dataclass(frozen=True)
class Headline:
    """One benchmark: its words, the distributions whose versions matter, and what measures it."""

    words: Words
    measure: Callable[[], Result]
    uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A result as it is kept: with its headline's words, and the day, machine and sizes that it was measured with."""

    name: str
    words: Words
    day: str
    machine: str
    settings: dict[str, float]
    result: Result
