"""The inner loop of decontamination: which runs of segments stand in a benchmark."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from assent.pipeline.dedup.compiled import compiled
from assent.pipeline.dedup.kernels import Bytes, Hashes, Places, Tables, roll, segments_of

Index = tuple[Hashes, npt.NDArray[np.uint16], int]
"""Sorted hashes, whose each is, and how many owners there are."""

_FILTER_BITS = 20


@compiled
def count_matches(
    data: Bytes, offsets: Places, groups: Places, lengths: Places, index: Index, tables: Tables
) -> npt.NDArray[Any]:
    """Count for each text the different runs that it shares with each owner. Texts lie as for `sketch_texts`.

    A run never crosses pieces. A bit for the first bits of every known hash answers nearly all
    questions, and only what passes is looked up.
    """
    hashes, owners, count = index
    found = np.zeros((len(groups) - 1, count), np.int64)
    shift = np.uint64(64 - _FILTER_BITS)
    known = np.zeros(1 << _FILTER_BITS, np.bool_)
    for value in hashes:
        known[np.int64(value >> shift)] = True
    largest = 0
    for piece in range(len(offsets) - 1):
        largest = max(largest, offsets[piece + 1] - offsets[piece])
    segments = np.empty(largest + 1, np.uint64)
    rolled = np.empty(largest + 1, np.uint64)
    met = np.full(len(hashes), -1, np.int64)
    for text in range(len(groups) - 1):
        for piece in range(groups[text], groups[text + 1]):
            there = segments_of(data, offsets[piece], offsets[piece + 1], tables, segments, 0)
            for words in lengths:
                if there < words:
                    continue
                for at in range(roll(segments, there, words, rolled)):
                    if not known[np.int64(rolled[at] >> shift)]:
                        continue
                    place = np.searchsorted(hashes, rolled[at])
                    if place < len(hashes) and hashes[place] == rolled[at] and met[place] != text:
                        met[place] = text
                        found[text, owners[place]] += 1
    return found
