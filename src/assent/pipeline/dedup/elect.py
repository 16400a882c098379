"""Which of the texts that say the same is kept: the one with the smallest id of its component.

Two texts are joined when they are the same, or when they share a band and the exact Jaccard
similarity of their shingles reaches the threshold. A component is what is joined, directly or
through others. Whoever is not eligible is not given here at all, so that a kept copy always
belongs to somebody whose texts may be used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from assent.domain.errors import Invalid
from assent.pipeline.dedup.joins import have_alike, join_band, join_equals, roots_of, share_key
from assent.pipeline.dedup.sketch import Sketches
from assent.pipeline.dedup.terms import BANDS, DedupTerms


@dataclass(frozen=True, slots=True)
class Election:
    """What became of each text: whether it is kept, and the position of the one that is kept for it.

    `cluster` is -1 for a text that has a twin among those who declined.
    """

    keep: npt.NDArray[np.bool_]
    cluster: npt.NDArray[np.int64]

    def counts(self) -> dict[str, int]:
        """Count texts that are kept, that repeat a kept one, and that have a declined twin."""
        twins = int((self.cluster < 0).sum())
        kept = int(self.keep.sum())
        return {"kept": kept, "repeats": len(self.keep) - kept - twins, "declined_twins": twins}


def elect(
    ids: Sequence[int] | Sequence[str],
    sketches: Sketches,
    terms: DedupTerms,
    *,
    denied: Sketches | None = None,
    told: Callable[[int], None] | None = None,
) -> Election:
    """Elect among texts whose ids come sorted, smallest first.

    Texts with a near twin among `denied` are set aside before (the strict twin rule). `told`
    is called with how many bands are done, of `terms.BANDS`. Raises `Invalid` for ids out of order.
    """
    check_order(ids, len(sketches))
    if denied is None or not len(denied):
        cluster = components(sketches, terms, told)
    else:
        free = np.flatnonzero(~strict_twins(sketches, denied, terms))
        cluster = np.full(len(sketches), -1, np.int64)
        cluster[free] = free[components(sketches.take(free), terms, told)]
    return Election(cluster == np.arange(len(cluster)), cluster)


def components(
    sketches: Sketches,
    terms: DedupTerms,
    told: Callable[[int], None] | None = None,
    *,
    joined: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int64]:
    """Return for each row the smallest row of its component.

    `joined` is a component that each row is in already, by its smallest row.
    """
    parents = np.arange(len(sketches)) if joined is None else joined.copy()
    first = join_equals(sketches.digests, parents)
    # a text without segments has none but the same to be alike
    sizes = np.diff(sketches.begins)
    rows = np.flatnonzero(first & (sizes > 0))
    rows = rows[np.argsort(sizes[rows], kind="stable")]
    for band in range(BANDS):
        join_band(sketches.arrays, band, rows, terms.threshold, parents)
        if told is not None:
            told(1)
    return roots_of(parents)


def strict_twins(sketches: Sketches, denied: Sketches, terms: DedupTerms) -> npt.NDArray[np.bool_]:
    """Tell which texts are the same as, or near to, one of `denied`: texts of people who declined."""
    found = np.zeros(len(sketches), np.bool_)
    touched = np.flatnonzero(share_key(sketches.bands, ~found, denied.bands))
    if len(touched):
        # whoever is alike is in one component; that leaves few to be compared with each
        component = components(Sketches.joined(sketches.take(touched), denied), terms)
        touched = touched[np.isin(component[: len(touched)], component[len(touched) :])]
        found[touched] = have_alike(sketches.take(touched).arrays, denied.arrays, terms.threshold)
    return found


def check_order(ids: Sequence[Any], rows: int) -> None:
    """Raise `Invalid` unless there is one id for each row, smallest first."""
    if len(ids) != rows:
        raise Invalid(f"there are `{len(ids)}` ids for `{rows}` sketches", "give one id for each")
    for before, after in pairwise(ids):
        if not before < after:
            raise Invalid("the ids are not sorted, or one comes twice", "sort them, and give each once")
