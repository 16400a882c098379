"""The inner loops: text to segments, segments to sorted shingles and bands.

Nothing here knows Arrow or files; arrays in, arrays out. Hashes are our own and pinned
(`terms.SKETCH_VERSION`), for those of libraries change between releases.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from assent.pipeline.dedup.compiled import compiled
from assent.pipeline.dedup.segments import ALONE, IGNORED, SEPARATES, WORD
from assent.pipeline.dedup.terms import BANDS, BINS

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Shingles = npt.NDArray[np.uint32]
Tables = tuple[Bytes, npt.NDArray[Any]]

_PER_BAND = BINS // BANDS
_SEED = np.uint64(0x243F6A8885A308D3)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_ROLL = np.uint64(0xD6E8FEB86659FD93)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_U1 = np.uint64(1)
_U27 = np.uint64(27)
_U30 = np.uint64(30)
_U31 = np.uint64(31)
_U32 = np.uint64(32)


@compiled
def mix(value: Any) -> Any:
    """Spread 64 bits (the finaliser of SplitMix64)."""
    value = (value ^ (value >> _U30)) * _MIX_1
    value = (value ^ (value >> _U27)) * _MIX_2
    return value ^ (value >> _U31)


@compiled
def segments_of(data: Bytes, start: int, stop: int, tables: Tables, out: Hashes, filled: int) -> int:
    """Write the hash of each segment of the UTF-8 bytes `start` to `stop` behind `filled` others; return how many."""
    kinds, lowers = tables
    word = _SEED
    inside = False
    code: Any
    small: Any
    kind: Any
    at = start
    while at < stop:
        first = np.int64(data[at])
        if first < 0x80:
            code, at = first, at + 1
        elif first < 0xE0:
            code, at = (first & 0x1F) << 6 | (data[at + 1] & 0x3F), at + 2
        elif first < 0xF0:
            code, at = (first & 0xF) << 12 | (data[at + 1] & 0x3F) << 6 | (data[at + 2] & 0x3F), at + 3
        else:
            code = (first & 7) << 18 | (data[at + 1] & 0x3F) << 12 | (data[at + 2] & 0x3F) << 6 | (data[at + 3] & 0x3F)
            at += 4
        if code < 0x10000:
            kind, small = np.int64(kinds[code]), np.uint64(lowers[code])
        else:
            kind, small = (IGNORED if code >= 0xE0000 and code < 0xF0000 else ALONE), np.uint64(code)
        if kind == WORD:
            word = (word ^ small) * _STEP
            inside = True
            continue
        if kind == IGNORED:
            continue
        if inside:
            out[filled] = mix(word)
            filled += 1
            word = _SEED
            inside = False
        if kind != SEPARATES:
            out[filled] = mix((_SEED ^ small) * _STEP)
            filled += 1
    if inside:
        out[filled] = mix(word)
        filled += 1
    return filled


@compiled
def roll(segments: Hashes, count: int, words: int, out: Hashes) -> int:
    """Write the 64-bit hash of each run of `words` segments, of all there are if fewer; return how many."""
    if count == 0:
        return 0
    words = min(words, count)
    power = _U1
    for _ in range(words):
        power *= _ROLL
    rolled = np.uint64(0)
    for at in range(count):
        rolled = rolled * _ROLL + segments[at]
        if at >= words:
            rolled -= segments[at - words] * power
        if at >= words - 1:
            out[at - words + 1] = mix(rolled)
    return count - words + 1


@compiled
def sort_unique(hashes: Hashes, count: int, table: Shingles, out: Shingles, filled: int) -> int:
    """Write the upper halves of hashes behind `filled` others, sorted and each once; return where they end.

    Even hashes need no sorting: each goes to its place in a table twice as large, or just
    behind it, and what was displaced is put right on the way out. `table` is zeros before and after.
    """
    bits = 1
    while (1 << bits) < 2 * count:
        bits += 1
    shift = np.uint64(32 - bits) if bits < 32 else np.uint64(0)
    left = 0
    place: Any
    for at in range(count):
        value = np.uint32(hashes[at] >> _U32)
        if value == 0:
            value = np.uint32(1)
        place = np.int64(np.uint64(value) >> shift)
        while table[place] != 0 and table[place] != value:
            place += 1
        if table[place] == 0:
            table[place] = value
            left += 1
    begin = filled
    place = 0
    while left > 0:
        value = table[place]
        if value != 0:
            table[place] = 0
            left -= 1
            slot = filled
            while slot > begin and out[slot - 1] > value:
                out[slot] = out[slot - 1]
                slot -= 1
            out[slot] = value
            filled += 1
        place += 1
    return filled


@compiled
def bands_of(shingles: Shingles, start: int, stop: int, rows: int, bins: Shingles, out: Hashes) -> None:
    """Write the band keys of a sorted set: one permutation, cut into bins, each bin's least value.

    The set is sorted by hash, so a bin's least value is the first of its stretch. An empty bin
    borrows from another, chosen by its own number alone, as densified one-permutation hashing does.
    """
    bins[:] = 0
    for at in range(start, stop):
        which = np.int64(np.uint64(shingles[at]) * np.uint64(BINS) >> _U32)
        if bins[which] == 0:
            bins[which] = shingles[at]
    for band in range(BANDS):
        key = np.uint64(band + 1)
        for wanted in range(band * _PER_BAND, band * _PER_BAND + rows):
            lender = np.int64(wanted)
            draw = np.uint64(wanted) << _U32
            while bins[lender] == 0:
                draw += _U1
                lender = np.int64((mix(draw * _STEP) >> _U32) * np.uint64(BINS) >> _U32)
            key = mix(key * _STEP ^ np.uint64(bins[lender]))
        out[band] = key


@compiled
def sketch_texts(
    data: Bytes, offsets: Places, groups: Places, shape: tuple[int, int], tables: Tables
) -> tuple[Shingles, Places, npt.NDArray[Any]]:
    """Sketch texts that lie in one buffer: the shingles of all, where each begins, and the band keys.

    Text i is made of the pieces `groups[i]` to `groups[i + 1]`; piece k lies from byte `offsets[k]` to
    `offsets[k + 1]`. A segment never crosses pieces. `shape` is how many segments make a shingle,
    and how many values a band. The bands of a text without segments are zeros.
    """
    words, rows = shape
    count = len(groups) - 1
    largest = 0
    for text in range(count):
        largest = max(largest, offsets[groups[text + 1]] - offsets[groups[text]])
    segments = np.empty(largest + 1, np.uint64)
    rolled = np.empty(largest + 1, np.uint64)
    table = np.zeros(5 * largest + 16, np.uint32)
    bins = np.empty(BINS, np.uint32)
    shingles = np.empty(offsets[groups[count]] - offsets[groups[0]] + count, np.uint32)
    begins = np.zeros(count + 1, np.int64)
    bands = np.zeros((count, BANDS), np.uint64)
    filled = 0
    for text in range(count):
        found = 0
        for piece in range(groups[text], groups[text + 1]):
            found = segments_of(data, offsets[piece], offsets[piece + 1], tables, segments, found)
        end = sort_unique(rolled, roll(segments, found, words, rolled), table, shingles, filled)
        if end > filled:
            bands_of(shingles, filled, end, rows, bins, bands[text])
        filled = end
        begins[text + 1] = filled
    return shingles[:filled], begins, bands


@compiled
def gather(shingles: Shingles, begins: Places, rows: Places, out_begins: Places) -> Shingles:
    """Return the shingles of some rows, one behind the other; `out_begins` is where each comes to lie."""
    out = np.empty(out_begins[-1], np.uint32)
    for at in range(len(rows)):
        out[out_begins[at] : out_begins[at + 1]] = shingles[begins[rows[at]] : begins[rows[at] + 1]]
    return out
