"""Our own detector: a fast linear stage reads everything, a small encoder reads what that does not clear.

text -> windows -> linear stage -> (cleared) -----------------------------.
                               `-> encoder on the most suspicious windows -+-> mix -> probability, by category
"""

from __future__ import annotations

import io
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from assent.domain.errors import Invalid
from assent.learn.harm.calibrate import probability
from assent.learn.harm.categories import SCORED
from assent.learn.harm.encoder import Encoder
from assent.learn.harm.linear import ANY, Linear
from assent.learn.harm.manifest import read_files, read_manifest
from assent.learn.harm.normalise import fold
from assent.learn.harm.port import Piece, Scored
from assent.learn.harm.windows import is_whole, windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

    from assent.learn.harm.manifest import Manifest

LINEAR, MODEL, WORDS, HEADS = "linear.npz", "encoder.onnx", "words.txt", "heads.npz"
"""The files of a detector's folder beside its manifest; the last three only where it has an encoder."""

WITH_ENCODER, ALONE = "with_encoder", "alone"
"""The names of the two mixes: of both stages, and of the first alone."""

MOST_READ: Final = 2
"""Windows of one text that the encoder reads: those that the first stage finds most suspicious."""
CLEARED_MOST: Final = 0.02
"""How likely harm is said to be at most where the encoder did not read."""
_LIMIT: Final = 8.0
"""Log-odds beyond which a stage is not believed."""
_ROUND: Final = 5


class Cascade:
    """A detector from a folder."""

    def __init__(self, manifest: Manifest, linear: Linear, encoder: Encoder | None) -> None:
        """Put the stages together; without an encoder the first stage speaks alone."""
        self.manifest = manifest
        self.linear = linear
        self.encoder = encoder

    @property
    def name(self) -> str:
        return self.manifest.title

    def score(self, pieces: Sequence[Piece]) -> list[Scored]:
        """Score pieces; a short one is also read after what was said before it, and the worse reading counts."""
        texts: list[str] = []
        owners: list[int] = []
        limits: list[float] = []
        for place, piece in enumerate(pieces):
            readings = windows(piece.text)
            if piece.before:
                readings = [*readings, f"{piece.before}\n{piece.text}"]
            texts.extend(readings)
            owners.extend([place] * len(readings))
            limits.extend([self.manifest.cleared_below.get(kind_of(piece), 0.0)] * len(readings))
        surfaces = [pieces[owner].surface for owner in owners]
        overall, categories = self._read(texts, np.array(owners, np.int64), np.array(limits), surfaces)
        found: list[Scored] = []
        edges = np.searchsorted(owners, np.arange(len(pieces) + 1))
        for first, last in pairwise(edges.tolist()):
            score = float(overall[first:last].max())
            # a category is never likelier than harm of any kind
            shares = np.minimum(categories[first:last].max(axis=0), score)
            named = {name: round(float(share), _ROUND) for name, share in zip(SCORED, shares, strict=True)}
            found.append(Scored(round(score, _ROUND), named))
        return found

    def _read(
        self, texts: Sequence[str], owners: NDArray[np.int64], limits: NDArray[np.float64], surfaces: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        first = self.linear.score(texts)
        overall = self._mixed(ALONE, signals(first, None), surfaces)
        categories = self._by_category(first, None)
        if self.encoder is not None:
            asked = suspicious(overall, owners, limits)
            second = self.encoder.score([fold(texts[place]).text for place in asked])
            where = [surfaces[place] for place in asked]
            overall[asked] = self._mixed(WITH_ENCODER, signals(first[asked], second), where)
            categories[asked] = self._by_category(first[asked], second)
            left = np.setdiff1d(np.arange(len(texts)), asked)
            overall[left] = np.minimum(overall[left], CLEARED_MOST)
        return overall, categories

    def _mixed(self, which: str, rows: NDArray[np.float64], surfaces: Sequence[str]) -> NDArray[np.float64]:
        mix = self.manifest.mix[which]
        bias = np.array([mix.bias[surface] for surface in surfaces], np.float64)
        return probability(rows @ np.array(mix.weights) + bias)

    def _by_category(self, first: NDArray[np.float32], second: NDArray[np.float32] | None) -> NDArray[np.float64]:
        mixes = [self.manifest.categories[name] for name in SCORED]
        share = np.array([mix.encoder for mix in mixes])
        own = first[:, 1:-1].astype(np.float64)
        logits = own if second is None else (1 - share) * own + share * second[:, 1:]
        slopes, heights = (np.array([getattr(mix, part) for mix in mixes]) for part in ("slope", "height"))
        return probability(logits * slopes + heights)


def signals(first: NDArray[np.float32], second: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """Say what a mix hears of the stages: harm of any kind, the worst category, and rude words; then the encoder."""
    heard = [first[:, ANY], first[:, 1:-1].max(axis=1), first[:, -1]]
    if second is not None:
        heard += [second[:, ANY], second[:, 1:].max(axis=1)]
    return np.clip(np.column_stack(heard).astype(np.float64), -_LIMIT, _LIMIT)


def suspicious(
    overall: NDArray[np.float64], owners: NDArray[np.int64], limits: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Choose the windows that the encoder reads: of each text the most suspicious that are not cleared."""
    order = np.lexsort((-overall, owners))
    begins = np.concatenate([[0], np.cumsum(np.bincount(owners))[:-1]])[owners[order]]
    chosen = order[(np.arange(len(order)) - begins < MOST_READ) & (overall[order] >= limits[order])]
    return np.sort(chosen)


def kind_of(piece: Piece) -> str:
    """Tell `short` prompts, which the encoder reads in a moment, from `long` ones, and from all that is no prompt."""
    return "short" if piece.surface == "prompt" and is_whole(piece.text) else "long"


SHIPPED: Final = ("default", "linear")
"""Detectors that come with the package: both stages, and the first alone (needs numpy only)."""


def shipped() -> Traversable:
    """Return the folder of the detector that comes with the package."""
    return resources.files("assent.learn.harm").joinpath("default")


def load(name: str = "default") -> Cascade:
    """Load a detector: one of `SHIPPED`, or the folder of that name."""
    folder = shipped() if name in SHIPPED else Path(name)
    manifest = read_manifest(folder)
    files = read_files(folder, manifest)
    encoder = load_encoder(files) if MODEL in files and name != "linear" else None
    if name == "linear":
        manifest = manifest.model_copy(update={"name": f"{manifest.name}-linear"})
    return Cascade(manifest, load_linear(files), encoder)


def load_linear(files: Mapping[str, bytes]) -> Linear:
    """Load the first stage from a detector's files."""
    found = _arrays(files, LINEAR)
    words = bytes(found["prior_words"]).decode().split("\n")
    prior = dict(zip(words, (found["prior"] * found["prior_scale"]).tolist(), strict=True))
    return Linear(found["weights"], found["scale"], found["bias"], prior)


def load_encoder(files: Mapping[str, bytes]) -> Encoder:
    """Load the second stage from a detector's files."""
    heads = _arrays(files, HEADS)
    return Encoder(files[MODEL], files[WORDS], heads["weights"], heads["bias"])


def _arrays(files: Mapping[str, bytes], name: str) -> dict[str, NDArray[Any]]:
    if name not in files:
        raise Invalid(f"the detector has no `{name}`", "train the detector again")
    with np.load(io.BytesIO(files[name]), allow_pickle=False) as found:
        return {key: found[key] for key in found.files}
