"""Training: labelled texts in, the files of a detector out, in minutes on one processor.

The linear stage is learned anew. An encoder is taken from a detector that has one: its body stays as it is, and its
heads are learned anew when asked for (docs/adr/0031-harm-detectors.md says how the body was made).
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from assent.domain.digests import digest_bytes
from assent.domain.errors import Refused
from assent.learn.harm.bands import bands
from assent.learn.harm.calibrate import platt
from assent.learn.harm.cascade import (
    ALONE,
    HEADS,
    LINEAR,
    MODEL,
    WITH_ENCODER,
    Cascade,
    kind_of,
    load_encoder,
    load_linear,
    signals,
)
from assent.learn.harm.categories import SCORED
from assent.learn.harm.extra import needing
from assent.learn.harm.features import BUCKETS, entries
from assent.learn.harm.labelled import UNKNOWN
from assent.learn.harm.manifest import CategoryMix, Costs, Manifest, Mix, Source
from assent.learn.harm.normalise import fold
from assent.learn.harm.pairs import pairs_digest
from assent.learn.harm.port import SURFACES, Piece
from assent.learn.harm.windows import windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

    from assent.learn.harm.labelled import Labelled

_STRENGTH: Final = 6.0
_LEAST: Final = 8
"""Texts of a category from which it is learned; below, its head says a steady no."""
_NEVER: Final = -6.0
_ENCODER_SHARE: Final = 0.75
"""How much of a category's score the encoder has."""
_ALONE_BY: Final = (1.0, 0.0, 0.3)
_WITH_ENCODER_BY: Final = (0.5, 0.0, 0.3, 1.0, 0.5)
"""How much each signal counts beside the others (`cascade.signals`). Few, round and fixed: learned from tuning texts,
they follow whatever source has most of them (docs/adr/0031)."""
_LEFT: Final = {"short": 0.998, "long": 0.95}
"""Share of harmful texts that the first stage must leave to the second: nearly all prompts, which are quickly read."""
_CLEARED_HIGHEST: Final = {"short": 0.02, "long": 0.4}
"""Where the first stage may clear at most, however well it did."""


class Terms(NamedTuple):
    """What is trained: name and version, costs, and the shares of harmless texts that bands allow."""

    name: str
    version: str
    costs: Costs = Costs(false_flag=20.0, miss=(1.0, 3.0, 10.0))
    flag: float = 0.001
    review: float = 0.01


class Trained(NamedTuple):
    """A detector's manifest and files."""

    manifest: Manifest
    files: Mapping[str, bytes]


def fit(
    rows: Sequence[Labelled],
    terms: Terms,
    base: Mapping[str, bytes],
    licences: Mapping[str, str],
    told: Callable[[str], None],
) -> Trained:
    """Train a detector. `base` holds the files of another whose encoder and prior are taken over (its manifest too).

    `told` takes one line on each step. Raises `Refused` where there is too little of anything to learn from.
    """
    learn = [row for row in rows if row.use == "learn"]
    tune = [row for row in rows if row.use == "tune"]
    for what, some in (("learn from", learn), ("tune with", tune)):
        if min(sum(bool(row.harms) for row in some), sum(not row.harms for row in some)) < _LEAST:
            raise Refused(f"there are too few texts to {what}", f"label {_LEAST} harmful and {_LEAST} harmless ones")
    told(f"linear stage: {len(learn):,} texts")
    files = {**base, LINEAR: _linear(learn, base)}
    linear = load_linear(files)
    encoder = load_encoder(files) if MODEL in files else None
    told(f"mix and thresholds: {len(tune):,} texts")
    spread = _spread(tune)
    first = linear.score(spread.texts)
    mixes = {ALONE: _mix(signals(first, None), spread, _ALONE_BY)}
    second = None
    if encoder is not None:
        second = encoder.score([fold(text).text for text in spread.texts])
        mixes[WITH_ENCODER] = _mix(signals(first, second), spread, _WITH_ENCODER_BY)
    manifest = Manifest(
        name=terms.name,
        version=terms.version,
        files={name: digest_bytes(content) for name, content in sorted(files.items())},
        mix=mixes,
        categories=_categories(first, second, spread),
        cleared_below={},
        bands={},
        costs=terms.costs,
        false_flags_allowed=terms.flag,
        review_allowed=terms.review,
        languages=("en",),
        pairs=pairs_digest(),
        sources=_sources(rows, licences),
        seeds=_seeds(base),
        figures={},
    )
    return Trained(_laid(manifest, files, tune, terms), files)


def _matrix(texts: Sequence[str]) -> csr_matrix:
    with needing("training"):
        from scipy.sparse import csr_matrix  # noqa: PLC0415
    buckets: list[int] = []
    values: list[float] = []
    ends = [0]
    for text in texts:
        for bucket, value in entries(text):
            buckets.append(bucket)
            values.append(value)
        ends.append(len(buckets))
    return csr_matrix((np.array(values, np.float32), buckets, ends), shape=(len(texts), BUCKETS))


def _linear(rows: Sequence[Labelled], base: Mapping[str, bytes]) -> bytes:
    """Learn a weight for every bucket and head, and write it as whole numbers from -127 to 127."""
    with needing("training"):
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # noqa: PLC0415
    # a text counts once, however many windows it has
    cut = [(window, row, row.weight / len(found)) for row in rows for found in [windows(row.text)] for window in found]
    by_text = _matrix([window for window, _, _ in cut])
    weights = np.array([weight for _, _, weight in cut])
    columns: list[NDArray[np.float64]] = []
    bias: list[float] = []
    for head in ("any", *SCORED):
        target, known = _target([row for _, row, _ in cut], head)
        if target.sum() < _LEAST:
            columns.append(np.zeros(BUCKETS))
            bias.append(_NEVER)
            continue
        learner = LogisticRegression(C=_STRENGTH, solver="liblinear", max_iter=200)
        learner.fit(by_text[known], target[known], sample_weight=weights[known])
        columns.append(learner.coef_[0])
        bias.append(float(learner.intercept_[0]))
    real = np.column_stack(columns)
    scale = np.maximum(np.abs(real).max(axis=0), 1e-9) / 127
    with np.load(io.BytesIO(base[LINEAR]), allow_pickle=False) as found:
        prior = {name: found[name] for name in ("prior", "prior_scale", "prior_words")}
    arrays = {
        "weights": np.round(real / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "bias": np.array(bias, np.float32),
        **prior,
    }
    return packed(arrays)


def _target(rows: Sequence[Labelled], head: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which texts a head is to find, and of which it is known."""
    if head == "any":
        return np.array([bool(row.harms) for row in rows]), np.ones(len(rows), np.bool_)
    return np.array([head in row.harms for row in rows]), np.array([UNKNOWN not in row.harms for row in rows])


class Spread(NamedTuple):
    """Windows of texts, with what is known of each: the label and surface of its text, and how much it counts."""

    texts: list[str]
    rows: list[Labelled]
    weights: NDArray[np.float64]


def _spread(rows: Sequence[Labelled]) -> Spread:
    found = [(window, row, row.weight) for row in rows for window in windows(row.text)[:2]]
    return Spread([one for one, _, _ in found], [row for _, row, _ in found], np.array([by for _, _, by in found]))


def _mix(heard: NDArray[np.float64], spread: Spread, weights: tuple[float, ...]) -> Mix:
    """Fit the line through the weighted signals that makes the score right: slope and height are learned."""
    harmful = np.array([bool(row.harms) for row in spread.rows])
    slope, height = platt(heard @ np.array(weights), harmful)
    return Mix(weights=tuple(slope * weight for weight in weights), bias=dict.fromkeys(SURFACES, height))


def _categories(
    first: NDArray[np.float32], second: NDArray[np.float32] | None, spread: Spread
) -> dict[str, CategoryMix]:
    found: dict[str, CategoryMix] = {}
    share = 0.0 if second is None else _ENCODER_SHARE
    for place, name in enumerate(SCORED, 1):
        target, known = _target(spread.rows, name)
        logits = first[:, place].astype(np.float64)
        if second is not None:
            logits = (1 - share) * logits + share * second[:, place]
        slope, height = platt(logits[known], target[known], pull=5.0) if target.sum() >= _LEAST else (1.0, 0.0)
        found[name] = CategoryMix(encoder=share, slope=max(slope, 0.1), height=height)
    return found


def _laid(manifest: Manifest, files: Mapping[str, bytes], tune: Sequence[Labelled], terms: Terms) -> Manifest:
    """Set from where the encoder is asked, then lay the bands on what harmless texts score."""
    alone = Cascade(manifest, load_linear(files), None)
    texts = [Piece(row.text, row.surface) for row in tune]
    rough = alone.score(texts)
    kinds = [kind_of(piece) for piece in texts]
    cleared = {}
    for kind, share in _LEFT.items():
        harmful = sorted(one.score for one, row, of in zip(rough, tune, kinds, strict=True) if row.harms and of == kind)
        lowest = harmful[int(len(harmful) * (1 - share))] if harmful else 0.0
        cleared[kind] = min(lowest, _CLEARED_HIGHEST[kind])
    manifest = manifest.model_copy(update={"cleared_below": cleared})
    whole = Cascade(manifest, alone.linear, load_encoder(files) if MODEL in files else None)
    scores = [scored.score for scored in whole.score(texts)]
    prompts, answers = (
        [s for s, row in zip(scores, tune, strict=True) if not row.harms and row.surface == surface]
        for surface in ("prompt", "answer")
    )
    harmless = {"prompt": prompts, "pasted": prompts, "answer": answers or prompts, "tool": answers or prompts}
    return manifest.model_copy(update={"bands": bands(terms.costs, harmless, terms.flag, terms.review)})


def _sources(rows: Sequence[Labelled], licences: Mapping[str, str]) -> tuple[Source, ...]:
    learned = [row for row in rows if row.use != "judge"]
    names = sorted({row.source for row in learned})
    return tuple(
        Source(
            name=name,
            licence=licences.get(name, "not stated"),
            harmful=sum(bool(row.harms) for row in learned if row.source == name),
            harmless=sum(not row.harms for row in learned if row.source == name),
        )
        for name in names
    )


def _seeds(base: Mapping[str, bytes]) -> tuple[int, ...]:
    """Return the seeds of the encoder that is taken over; the rest of the training draws nothing by chance."""
    if HEADS not in base:
        return ()
    with np.load(io.BytesIO(base[HEADS]), allow_pickle=False) as heads:
        return tuple(int(seed) for seed in heads["seeds"])


def packed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Write arrays as an archive that carries no time, so that equal arrays are equal bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in sorted(arrays.items()):
            one = io.BytesIO()
            np.lib.format.write_array(one, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), one.getvalue(), zipfile.ZIP_DEFLATED)
    return whole.getvalue()
