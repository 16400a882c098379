"""How much more harm a detector sees in a text because of a dialect, or of a word for a group of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from assent.learn.harm.bands import find
from assent.learn.harm.port import Piece
from assent.learn.harm.probes import probes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.learn.harm.figures import Floats
    from assent.learn.harm.manifest import Manifest
    from assent.learn.harm.port import Detector, Scored

_ROUNDS: Final = 2_000


def measured_bias(detector: Detector, manifest: Manifest | None = None) -> dict[str, dict[str, float]]:
    """Score every probe and its twin, and return figures by group, named `dialect, scots` or `identity, religion`.

    `texts` counts the probes, `mean` and `twin_mean` are mean scores, `difference` is how much higher the probes score
    and `difference_low` to `difference_high` its 95 % interval, by a bootstrap over pairs: wholly above nought, the
    group is treated worse. With a manifest, `called` and `twin_called` are the shares that its thresholds leave to
    people or flag.
    """
    asked = list(probes())
    texts, twins = [probe.text for probe in asked], [probe.twin for probe in asked]
    scored = detector.score([Piece(text) for text in (*texts, *twins)])
    here, there = scored[: len(asked)], scored[len(asked) :]
    groups = np.array([f"{probe.kind}, {probe.group}" for probe in asked])
    called = _called(manifest, here, texts), _called(manifest, there, twins)
    told = {}
    for group in dict.fromkeys(groups.tolist()):
        mask = groups == group
        told[group] = _compared(_scores(here)[mask], _scores(there)[mask])
        if manifest is not None:
            told[group] |= {"called": float(called[0][mask].mean()), "twin_called": float(called[1][mask].mean())}
    return {group: {name: round(value, 4) for name, value in figures.items()} for group, figures in told.items()}


def _scores(scored: Sequence[Scored]) -> Floats:
    return np.array([one.score for one in scored], np.float64)


def _called(manifest: Manifest | None, scored: Sequence[Scored], texts: Sequence[str]) -> Floats:
    if manifest is None:
        return np.zeros(len(texts))
    found = [find(manifest, one, "prompt", text).outcome for one, text in zip(scored, texts, strict=True)]
    return np.array([outcome != "clear" for outcome in found], np.float64)


def _compared(here: Floats, there: Floats) -> dict[str, float]:
    differences = here - there
    drawn = np.random.default_rng(0).integers(len(differences), size=(_ROUNDS, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return {
        "texts": float(len(differences)),
        "mean": float(here.mean()),
        "twin_mean": float(there.mean()),
        "difference": float(differences.mean()),
        "difference_low": float(low),
        "difference_high": float(high),
    }
