"""Train a version from what people decided, and the same again with something left out, to see how steady it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from assent.domain.errors import Refused
from assent.learn.harm import card
from assent.learn.harm.bias import measured_bias
from assent.learn.harm.cascade import load
from assent.learn.harm.fit import fit
from assent.learn.harm.labelled import without_copies
from assent.learn.harm.manifest import FILE, write_manifest
from assent.learn.harm.report import Measured, measured, score_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from assent.learn.harm.fit import Terms, Trained
    from assent.learn.harm.labelled import Labelled
    from assent.learn.harm.manifest import Manifest
    from assent.learn.harm.port import Detector

SEEDS: Final = "seeds"
"""The folder, inside a version's, of what was trained beside it."""
_LEFT_OUT: Final = 10
"""One family in so many is left out of each training beside the first."""


def train(
    folder: Path,
    rows: Sequence[Labelled],
    terms: Terms,
    base: Mapping[str, bytes],
    *,
    licences: Mapping[str, str],
    seeds: int,
    told: Callable[[str], None],
) -> Trained:
    """Train a version into a new folder, and `seeds - 1` others beside it, each without a tenth of the families.

    Training is steady: the same texts give the same files. What varies from seed to seed is what is learned from.
    Raises `Refused` for a folder that is not empty, and what `fit` raises.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"`{folder.name}` is not empty", "name a new folder; a trained detector is never written over")
    plain = without_copies(rows)
    for seed in range(1, seeds):
        told(f"seed {seed + 1} of {seeds}")
        write(folder / SEEDS / str(seed + 1), fit(_without(plain, seed), terms, base, licences, told))
    told(f"seed 1 of {seeds}: everything")
    made = fit(plain, terms, base, licences, told)
    write(folder, made)
    return made


def write(folder: Path, made: Trained) -> None:
    """Write a detector's files and its card, and its manifest last: a folder without one is no detector."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    (folder / card.FILE).write_text(card.card(made.manifest), "utf-8")
    (folder / FILE).write_bytes(write_manifest(made.manifest))


def write_measured(folder: Path, made: Trained, rows: Sequence[Labelled]) -> Manifest:
    """Measure a detector that is in a folder, and write what came of it into its manifest and card."""
    detector = load(str(folder))
    told = {"figures": figures_of(detector, rows), "bias": measured_bias(detector, made.manifest)}
    whole = made._replace(manifest=made.manifest.model_copy(update=told))
    write(folder, whole)
    return whole.manifest


def figures_of(detector: Detector, rows: Sequence[Labelled]) -> dict[str, dict[str, float]]:
    """Measure a detector on each source of some texts, and on all of them."""
    scores = score_all(detector, rows)
    harmful = np.array([bool(row.harms) for row in rows], np.bool_)
    sources = np.array([row.source for row in rows])
    found = {
        name: measured(Measured(detector.name, scores[sources == name], harmful[sources == name]))
        for name in sorted(set(sources.tolist()))
    }
    return found | {"all": measured(Measured(detector.name, scores, harmful))}


def _without(rows: Sequence[Labelled], seed: int) -> list[Labelled]:
    left = [crc32(f"{seed} {row.family}".encode()) % _LEFT_OUT == 0 for row in rows]
    return [row for row, out in zip(rows, left, strict=True) if row.use != "learn" or not out]
