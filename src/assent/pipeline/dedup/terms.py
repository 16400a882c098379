"""What deduplication depends on, and what must stay as it is for two sketches to be comparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from assent.domain.errors import Invalid

SKETCH_VERSION: Final = 1
"""Changes with anything that changes a sketch: segments, hashes, bins. Sketches of two versions are never compared."""

BANDS: Final = 20
BINS: Final = 100

_ROWS: Final = ((0.75, 5), (0.7, 4), (0.6, 3), (0.5, 2))
"""Two sets of similarity J share a band of r values with probability 1 - (1 - J^r)^20.

The fewest that is: 0.9955 at 0.75 with five, 0.9959 at 0.7 with four, 0.9923 at 0.6 with three,
0.9968 at 0.5 with two. At 0.8 it is 0.9996.
"""


@dataclass(frozen=True, slots=True)
class DedupTerms:
    """How alike two texts are for one of them to be left out.

    `threshold` is the least Jaccard similarity of two sets of shingles, above 0 and at most 1.
    `words` is how many segments make a shingle; a text with fewer is one shingle.
    """

    threshold: float = 0.8
    words: int = 5

    def __post_init__(self) -> None:
        """Refuse what would call everything alike, or nothing."""
        if not 0.5 <= self.threshold <= 1:
            fix = "choose a number from 0.5 to 1; below, candidates would be missed"
            raise Invalid(f"`{self.threshold}` is not a threshold of similarity", fix)
        if not 1 <= self.words <= 50:
            raise Invalid(f"a shingle of `{self.words}` words is not possible", "choose a number from 1 to 50")

    @property
    def rows(self) -> int:
        """Return how many values make a band: fewer where the threshold is low, so that few pairs are missed."""
        return next(rows for least, rows in _ROWS if self.threshold >= least)

    def describe(self) -> dict[str, Any]:
        """Return what an election depends on besides ids and texts, without floats."""
        return {**self.describe_sketch(), "threshold": str(self.threshold)}

    def describe_sketch(self) -> dict[str, Any]:
        """Return what a sketch depends on besides the text."""
        return {"version": SKETCH_VERSION, "words": self.words, "bands": BANDS, "rows": self.rows}
