"""The first stage: weights of words, pieces of words and pairs of words are added, for each head.

A word always adds the same, so what a word adds is worked out once and remembered; that makes the stage fast, and
makes its explanations exact: the parts of a score are the score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from assent.learn.harm.categories import SCORED
from assent.learn.harm.features import BUCKETS, SMALL, gapped_of, hash_of, pairs_of, pieces_of, words_in_place, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

HEADS: Final = ("any", *SCORED)
"""What each stage has a head for: harm of any kind, and each category."""
ANY: Final = 0

_GROWTH: Final = 4_096
_MOST: Final = 200_000
"""Words that are remembered; then all are forgotten, for names and numbers never end."""


class Moved(NamedTuple):
    """A stretch of a text, and how much it moved the score (in log-odds; above nought: towards harm)."""

    start: int
    end: int
    by: float


class Linear:
    """Whole-number weights by bucket and head; `scale` makes them real."""

    def __init__(
        self,
        weights: NDArray[np.int8],
        scale: NDArray[np.float32],
        bias: NDArray[np.float32],
        prior: Mapping[str, float],
    ) -> None:
        """Take a matrix of `BUCKETS` rows and a column for each of `HEADS`; `prior` makes one column more.

        The last column is what words alone say by `prior`, rude words above nought.
        """
        self._weights = weights
        self._scale = scale
        self._bias = np.append(bias, np.float32(0.0))
        self._prior = prior
        self._rows: dict[str, int] = {}
        self._table = np.zeros((_GROWTH, len(HEADS) + 1), np.float32)

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the log-odds of each of `HEADS` for each text, and last what the prior says."""
        found = np.empty((len(texts), len(HEADS) + 1), np.float32)
        for place, text in enumerate(texts):
            found[place] = self._one(words_of(text))
        return found

    def explain(self, text: str, head: int = 0) -> list[Moved]:
        """Return what every word adds to one head, by where it stands; together they are the score less the bias."""
        words, places = words_in_place(text)
        if not words:
            return []
        once = list(dict.fromkeys(words))
        norm = float(np.sqrt(len(once) + SMALL))
        alone = {word: float(self._table[self._row(word), head]) for word in once}
        count = {word: words.count(word) for word in once}
        added = [alone[word] / count[word] for word in words]
        hashes = np.array([hash_of(word) for word in words], np.uint32)
        near, apart = pairs_of(hashes), gapped_of(hashes)
        seen: set[int] = set()
        for reach, buckets in ((1, near), (2, apart)):
            for at, bucket in enumerate(buckets.tolist()):
                if bucket not in seen:
                    seen.add(bucket)
                    half = float(self._weights[bucket, head] * self._scale[head]) / 2
                    added[at] += half
                    added[at + reach] += half
        return [Moved(*place, by / norm) for place, by in zip(places, added, strict=True)]

    def _one(self, words: list[str]) -> NDArray[np.float32]:
        once = dict.fromkeys(words)
        rows = self._rows
        if len(rows) > _MOST:
            rows.clear()
        found = [rows[word] if word in rows else self._row(word) for word in once]
        hashes = np.fromiter(map(hash_of, words), np.uint32, len(words))
        pairs = np.concatenate([pairs_of(hashes), gapped_of(hashes)])
        if len(words) > 1:
            pairs = np.unique(pairs)
        both = self._weights[pairs].sum(axis=0, dtype=np.int32) * self._scale
        together: NDArray[np.float32] = self._table[found].sum(axis=0)
        together[:-1] += both
        whole: NDArray[np.float32] = (together / np.sqrt(len(once) + SMALL) + self._bias).astype(np.float32)
        return whole

    def _row(self, word: str) -> int:
        """Work out what a word adds, and remember it."""
        if word in self._rows:
            return self._rows[word]
        row = len(self._rows)
        if row == len(self._table):
            self._table = np.vstack([self._table, np.zeros_like(self._table)])
        pieces = pieces_of(word)
        own = self._weights[hash_of(word) % BUCKETS].astype(np.float32)
        inside = self._weights[pieces].sum(axis=0, dtype=np.int32) / np.sqrt(max(len(pieces), 1))
        self._table[row, :-1] = (own + inside) * self._scale
        self._table[row, -1] = self._prior.get(word, 0.0)
        self._rows[word] = row
        return row
