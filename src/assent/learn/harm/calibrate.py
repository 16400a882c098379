"""From a score to a probability: plain numbers that are written into the detector's manifest.

Platt scaling is a line through the log-odds; isotonic regression is the nearest rising staircase (pool adjacent
violators). Which one is used is decided by the number of labelled texts: a staircase of few steps tells too much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MANY: Final = 500
"""Reviewed texts of one's own from which a staircase is trusted."""


def probability(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn log-odds into probabilities."""
    found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(logits, -40.0, 40.0)))
    return found


class Staircase(NamedTuple):
    """A rising function, straight between its corners."""

    scores: tuple[float, ...]
    shares: tuple[float, ...]

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(scores, self.scores, self.shares)


def isotonic(scores: Sequence[float], harmful: Sequence[bool], weights: Sequence[float] | None = None) -> Staircase:
    """Fit the rising staircase nearest to what was reviewed; `weights` undo a sampling that was not even."""
    order = np.argsort(np.asarray(scores, np.float64), kind="stable")
    given = np.ones(len(order)) if weights is None else np.asarray(weights, np.float64)
    steps: list[list[float]] = []
    for place in order:
        steps.append([float(harmful[place]), float(given[place]), float(scores[place]), float(scores[place])])
        while len(steps) > 1 and steps[-2][0] >= steps[-1][0]:
            mean, weight, _, last = steps.pop()
            held = steps[-1]
            held[0] = (held[0] * held[1] + mean * weight) / (held[1] + weight)
            held[1] += weight
            held[3] = last
    corners = [(at, mean) for mean, _, first, last in steps for at in sorted({first, last})]
    return Staircase(tuple(at for at, _ in corners), tuple(mean for _, mean in corners))


def platt(logits: NDArray[np.float64], harmful: NDArray[np.bool_], pull: float = 1.0) -> tuple[float, float]:
    """Fit slope and height of the line through log-odds (Newton; targets softened as Platt did in 1999).

    `pull` holds the slope near 1 where there are few texts.
    """
    yes, no = float(harmful.sum()), float((~harmful).sum())
    target = np.where(harmful, (yes + 1) / (yes + 2), 1 / (no + 2))
    rows = np.column_stack([logits, np.ones(len(logits))])

    def loss(line: NDArray[np.float64]) -> float:
        said = rows @ line
        return float((np.logaddexp(0.0, said) - target * said).sum() + pull * (line[0] - 1.0) ** 2 / 2)

    line = np.array([1.0, 0.0])
    for _ in range(100):
        p = probability(rows @ line)
        slope = rows.T @ (p - target) + pull * np.array([line[0] - 1.0, 0.0])
        bend = (rows * (p * (1 - p))[:, None]).T @ rows + np.diag([pull + 1e-6, 1e-6])
        step = np.linalg.solve(bend, slope)
        # a whole step overshoots where most texts are far from the middle
        while loss(line - step) > loss(line) and float(np.abs(step).max()) > 1e-9:
            step = step / 2
        line = line - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return float(line[0]), float(line[1])
