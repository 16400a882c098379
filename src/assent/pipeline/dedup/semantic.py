"""A report, never a filter: texts that use the same words about as often, whatever their order.

Leaving out what only means the same takes away different answers to one question: on real
dialogues the usual settings remove four in ten (docs/explanation/how-dedup-works.md). So this
counts and gives ids to look at, and nothing reads it to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assent.pipeline.dedup.elect import Election
from assent.pipeline.dedup.kernels import mix
from assent.pipeline.dedup.sketch import Sketches

_FEATURES: Final = 4096
_PLANES: Final = 256
_BANDS: Final = 16
_MOST_COMPARED: Final = 64
"""A text is compared with so many of its neighbours in a bucket: a report may miss some, and must end."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What a report says: texts looked at, texts with another one as alike, and pairs of ids to look at."""

    texts: int
    alike: int
    samples: tuple[tuple[Any, Any, float], ...]

    def to_record(self) -> dict[str, Any]:
        """Write the object of a manifest; similarities as text, for digests know no floats."""
        pairs = [{"one": one, "other": other, "cosine": f"{cosine:.3f}"} for one, other, cosine in self.samples]
        return {"texts": self.texts, "alike": self.alike, "samples": pairs}


def semantic_report(
    ids: Sequence[Any], words: Sketches, *, least: float = 0.9, samples: int = 20, election: Election | None = None
) -> Alike:
    """Report texts whose words, weighted by rarity, have a cosine of at least `least`.

    `words` are sketches with shingles of one segment (`DedupTerms(words=1)`). With an `election`
    only texts that it keeps are looked at, so that near-duplicates are not told again.
    """
    rows = np.arange(len(words)) if election is None else np.flatnonzero(election.keep)
    vectors = _vectors(words.take(rows))
    pairs = _neighbours(vectors, least)
    alike = np.unique(np.array([row for one, other, _ in pairs for row in (one, other)], np.int64))
    shown = sorted(pairs, key=lambda pair: (-round(pair[2], 6), pair[0], pair[1]))[:samples]
    named = tuple((ids[rows[one]], ids[rows[other]], cosine) for one, other, cosine in shown)
    return Alike(len(rows), len(alike), named)


def _vectors(words: Sketches) -> npt.NDArray[np.float32]:
    """Weigh words by their rarity and project them to `_PLANES` directions that their hashes give, length one."""
    hashed = words.shingles.astype(np.uint64)
    features = (hashed % np.uint64(_FEATURES)).astype(np.int64)
    often = np.bincount(features, minlength=_FEATURES)
    weights = np.log((1 + len(words)) / (1 + often)).astype(np.float32)
    signs = _signs()
    found = np.zeros((len(words), _PLANES), np.float32)
    for row, (start, stop) in enumerate(zip(words.begins, words.begins[1:], strict=False)):
        mine = features[start:stop]
        found[row] = weights[mine] @ signs[mine]
    lengths: npt.NDArray[np.float32] = np.linalg.norm(found, axis=1, keepdims=True)
    return np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 0)


def _signs() -> npt.NDArray[np.float32]:
    """Return a fixed direction of +1 and -1 for each feature."""
    bits = [[mix(np.uint64(feature * 4 + block + 1)) for block in range(_PLANES // 64)] for feature in range(_FEATURES)]
    spread: npt.NDArray[np.uint8] = np.unpackbits(np.array(bits, np.uint64).view(np.uint8), axis=1)
    return spread.astype(np.float32) * 2 - 1


def _neighbours(vectors: npt.NDArray[np.float32], least: float) -> list[tuple[int, int, float]]:
    """Return pairs of rows that share a bucket of signs and are as alike as asked, each once."""
    signs = np.packbits(vectors > 0, axis=1).reshape(len(vectors), _BANDS, -1)
    there = np.abs(vectors).sum(axis=1) > 0
    found: dict[tuple[int, int], float] = {}
    for band in range(_BANDS):
        buckets: dict[bytes, list[int]] = {}
        for row in np.flatnonzero(there).tolist():
            buckets.setdefault(signs[row, band].tobytes(), []).append(row)
        for rows in buckets.values():
            for place, one in enumerate(rows):
                others = rows[place + 1 : place + 1 + _MOST_COMPARED]
                for other, cosine in zip(others, (vectors[others] @ vectors[one]).tolist(), strict=True):
                    if cosine >= least:
                        found[one, other] = cosine
    return [(one, other, cosine) for (one, other), cosine in found.items()]
