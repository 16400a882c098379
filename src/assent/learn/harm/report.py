"""A detector's report: figures for each set of labelled texts, with intervals. Curves: `interfaces.charts.detector`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from assent.learn.harm import figures
from assent.learn.harm.categories import SCORED
from assent.learn.harm.labelled import UNKNOWN
from assent.learn.harm.port import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.learn.harm.figures import Bools, Floats
    from assent.learn.harm.labelled import Labelled
    from assent.learn.harm.port import Detector

RECALLS: Final = (0.8, 0.9)
FALSE_FLAGS: Final = (0.001, 0.01, 0.05)
_LEAST: Final = 10
"""Texts of a kind from which a figure says something."""
_AT_ONCE: Final = 256


class Measured(NamedTuple):
    """What one detector scored on one set."""

    name: str
    scores: Floats
    harmful: Bools


def score_all(detector: Detector, rows: Sequence[Labelled]) -> Floats:
    """Score texts, some at a time, so that a large set takes little memory."""
    found: list[float] = []
    for first in range(0, len(rows), _AT_ONCE):
        pieces = [Piece(row.text, row.surface) for row in rows[first : first + _AT_ONCE]]
        found.extend(scored.score for scored in detector.score(pieces))
    return np.array(found, np.float64)


def measured(one: Measured) -> dict[str, float]:
    """Return the figures of one set; a set of one kind only has no curve, and says the mean score instead."""
    yes, no = int(one.harmful.sum()), int((~one.harmful).sum())
    told: dict[str, float] = {"harmful": yes, "harmless": no, "mean": float(one.scores.mean())}
    if min(yes, no) < _LEAST:
        return told
    told["auroc"] = figures.auroc(one.scores, one.harmful)
    told["auprc"] = figures.auprc(one.scores, one.harmful)
    told["auprc_low"], told["auprc_high"] = figures.interval(figures.auprc, one.scores, one.harmful, rounds=200)
    for recall in RECALLS:
        told[f"false_flags_at_recall_{recall:g}"] = figures.false_flags_at(recall, one.scores, one.harmful)
    for share in FALSE_FLAGS:
        told[f"recall_at_false_flags_{share:g}"] = figures.recall_at(share, one.scores, one.harmful)
    told["calibration_error"] = figures.calibration_error(one.scores, one.harmful)
    return {name: round(value, 4) for name, value in told.items()}


def by_category(detector: Detector, rows: Sequence[Labelled]) -> dict[str, dict[str, float]]:
    """Return, for each category with enough texts, how well its own score finds it among all others."""
    rows = [row for row in rows if UNKNOWN not in row.harms]
    scored = [
        one.categories
        for first in range(0, len(rows), _AT_ONCE)
        for one in detector.score([Piece(row.text, row.surface) for row in rows[first : first + _AT_ONCE]])
    ]
    found = {}
    for name in SCORED:
        harmful = np.array([name in row.harms for row in rows], np.bool_)
        if harmful.sum() >= _LEAST:
            scores = np.array([shares.get(name, 0.0) for shares in scored], np.float64)
            found[name] = {
                "texts": float(harmful.sum()),
                "auroc": round(figures.auroc(scores, harmful), 4),
                "auprc": round(figures.auprc(scores, harmful), 4),
            }
    return found
