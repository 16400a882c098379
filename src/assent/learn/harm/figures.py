"""How good a detector is, in the figures that the field uses; numpy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


class Curve(NamedTuple):
    """At each threshold, from the highest score down: the share of harm found, of harmless texts flagged, precision."""

    thresholds: Floats
    recall: Floats
    false_flags: Floats
    precision: Floats


def curve(scores: Floats, harmful: Bools) -> Curve:
    """Walk down the scores; texts of equal score come in together."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], harmful[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    found = np.cumsum(hits)[last].astype(np.float64)
    wrong = (last + 1) - found
    yes, no = max(int(harmful.sum()), 1), max(int((~harmful).sum()), 1)
    return Curve(ranked[last], found / yes, wrong / no, found / (last + 1))


def auroc(scores: Floats, harmful: Bools) -> float:
    """Return the chance that a harmful text scores above a harmless one (ties count half)."""
    drawn = curve(scores, harmful)
    return float(np.trapezoid(np.append(0.0, drawn.recall), np.append(0.0, drawn.false_flags)))


def auprc(scores: Floats, harmful: Bools) -> float:
    """Return average precision: precision at each threshold, weighted by the recall that it adds."""
    drawn = curve(scores, harmful)
    return float((np.diff(np.append(0.0, drawn.recall)) * drawn.precision).sum())


def false_flags_at(recall: float, scores: Floats, harmful: Bools) -> float:
    """Return the share of harmless texts that are flagged where this share of harm is found."""
    drawn = curve(scores, harmful)
    return float(drawn.false_flags[np.searchsorted(drawn.recall, recall - 1e-12)])


def recall_at(false_flags: float, scores: Floats, harmful: Bools) -> float:
    """Return the share of harm that is found where at most this share of harmless texts is flagged."""
    drawn = curve(scores, harmful)
    allowed = drawn.recall[drawn.false_flags <= false_flags + 1e-12]
    return float(allowed[-1]) if len(allowed) else 0.0


def calibration_error(scores: Floats, harmful: Bools, bins: int = 10) -> float:
    """Return the expected calibration error: how far the mean score of each tenth is from its share of harm."""
    at = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        abs(float(scores[at == place].mean()) - float(harmful[at == place].mean())) * float((at == place).mean())
        for place in range(bins)
        if (at == place).any()
    ]
    return float(sum(gaps))


def interval(
    figure: Callable[[Floats, Bools], float], scores: Floats, harmful: Bools, seed: int = 0, rounds: int = 400
) -> tuple[float, float]:
    """Return the middle 95 % of a figure over samples of the texts, harmful and harmless ones drawn apart."""
    chance = np.random.default_rng(seed)
    yes, no = np.flatnonzero(harmful), np.flatnonzero(~harmful)
    found = []
    for _ in range(rounds):
        drawn = np.concatenate([chance.choice(yes, len(yes)), chance.choice(no, len(no))])
        found.append(figure(scores[drawn], harmful[drawn]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
