"""The inner loops of an election: who shares a band, whether they are alike indeed, and who belongs together."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from assent.pipeline.dedup.compiled import compiled
from assent.pipeline.dedup.kernels import mix
from assent.pipeline.dedup.terms import BANDS

Digests: TypeAlias = npt.NDArray[np.uint64]
"""SHA-256 as four numbers a row."""

Arrays: TypeAlias = tuple[Digests, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
"""Digests, band keys, where each row's shingles begin (one more than rows), and the shingles."""

_CROWD = 32
"""So many rows that share a key are compared each with each; more are led by their rare shingles."""


@compiled
def same(digests: Digests, row: int, others: Digests, other: int) -> bool:
    """Tell whether two rows have the same digest."""
    return bool(
        digests[row, 0] == others[other, 0]
        and digests[row, 1] == others[other, 1]
        and digests[row, 2] == others[other, 2]
        and digests[row, 3] == others[other, 3]
    )


@compiled
def alike(one: Arrays, row: int, other: Arrays, other_row: int, threshold: float) -> bool:
    """Tell whether two rows have the same digest, or sets of shingles whose exact Jaccard similarity is enough."""
    digests, _, begins, shingles = one
    other_digests, _, other_begins, other_shingles = other
    if same(digests, row, other_digests, other_row):
        return True
    left, stop = begins[row], begins[row + 1]
    right, other_stop = other_begins[other_row], other_begins[other_row + 1]
    total = (stop - left) + (other_stop - right)
    # one more than may be missing of the two sets together, so that rounding never ends the count early
    spare = total - 2.0 * threshold * total / (1.0 + threshold) + 1.0
    common = 0
    apart = 0
    while left < stop and right < other_stop:
        if shingles[left] == other_shingles[right]:
            common += 1
            left += 1
            right += 1
            continue
        apart += 1
        if apart > spare:
            return False
        if shingles[left] < other_shingles[right]:
            left += 1
        else:
            right += 1
    return common > 0 and common / (total - common) >= threshold


@compiled
def root_of(parents: npt.NDArray[Any], row: int) -> int:
    """Return the smallest row that this one is joined to, and shorten the way there."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@compiled
def join(parents: npt.NDArray[Any], one: int, other: int) -> None:
    """Join two rows: the smaller root stays."""
    one, other = root_of(parents, one), root_of(parents, other)
    parents[max(one, other)] = min(one, other)


@compiled
def join_equals(digests: Digests, parents: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Join rows of the same digest; return which are the first of theirs."""
    rows = len(digests)
    size = 2
    while size < 2 * rows:
        size *= 2
    table = np.full(size, -1, np.int64)
    first = np.zeros(rows, np.bool_)
    for row in range(rows):
        place = np.int64(digests[row, 0] & np.uint64(size - 1))
        while table[place] >= 0 and not same(digests, table[place], digests, row):
            place = (place + 1) & (size - 1)
        if table[place] < 0:
            table[place] = row
            first[row] = True
        else:
            join(parents, table[place], row)
    return first


@compiled
def counted(arrays: Arrays, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Count in how many of the rows each shingle is, by its last bits; the length is a power of two."""
    _, _, begins, shingles = arrays
    total = 0
    for row in rows:
        total += begins[row + 1] - begins[row]
    size = 2
    while size < total:
        size *= 2
    often = np.zeros(size, np.int32)
    for row in rows:
        for at in range(begins[row], begins[row + 1]):
            often[shingles[at] & (size - 1)] += 1
    return often


@compiled
def rarest(arrays: Arrays, row: int, often: npt.NDArray[Any], threshold: float) -> npt.NDArray[np.uint64]:
    """Return the rarest shingles of a row, as many as two sets that are alike cannot both do without.

    Two sets with a Jaccard similarity of t have at least t of the larger one in common. So if each is put in
    one order and gives its first n - t * n + 1, the two share one of these (prefix filtering).
    """
    _, _, begins, shingles = arrays
    mine = shingles[begins[row] : begins[row + 1]]
    ranked = np.empty(len(mine), np.uint64)
    for at in range(len(mine)):
        ranked[at] = np.uint64(often[mine[at] & (len(often) - 1)]) << np.uint64(32) | np.uint64(mine[at])
    ranked.sort()
    return ranked[: len(mine) - np.int64(np.ceil(threshold * len(mine) - 1e-6)) + 1] & np.uint64(0xFFFFFFFF)


@compiled
def join_crowd(arrays: Arrays, rows: npt.NDArray[Any], threshold: float, parents: npt.NDArray[Any]) -> None:
    """Join the rows that are alike among many that have much in common; they come by size, the smallest first.

    Only rows that share a rare shingle are compared, which leaves out none that are alike. While all
    rows with a shingle belong together, being alike one of them settles it.
    """
    _, _, begins, _ = arrays
    # shingles of one place count together and lead to each other: that costs a comparison, no more
    often = counted(arrays, rows)
    size = len(often)
    last = np.full(size, -1, np.int64)
    united = np.ones(size, np.bool_)
    entries = []
    entries.append((np.int64(-1), np.int64(-1)))
    compared = np.full(len(rows), -1, np.int64)
    for turn in range(len(rows)):
        row = rows[turn]
        enough = threshold * (begins[row + 1] - begins[row]) - 1e-6
        for shingle in rarest(arrays, row, often, threshold):
            place = np.int64(mix(shingle) & np.uint64(size - 1))
            entry = last[place]
            while entry >= 0:
                other_turn, earlier = entries[entry]
                other = rows[other_turn]
                if begins[other + 1] - begins[other] < enough:
                    break
                joined = root_of(parents, other) == root_of(parents, row)
                if not joined and compared[other_turn] != turn:
                    compared[other_turn] = turn
                    if alike(arrays, row, arrays, other, threshold):
                        join(parents, row, other)
                        joined = True
                if joined and united[place]:
                    break
                entry = earlier
            if last[place] >= 0 and root_of(parents, rows[entries[last[place]][0]]) != root_of(parents, row):
                united[place] = False
            entries.append((np.int64(turn), last[place]))
            last[place] = len(entries) - 1


@compiled
def join_band(arrays: Arrays, band: int, rows: npt.NDArray[Any], threshold: float, parents: npt.NDArray[Any]) -> None:
    """Join rows that share the key of a band and are alike. `rows` come by size of their sets, the smallest first.

    Each row walks back through those with its key, largest first, to where they are too small to be
    alike. Where too many share a key (texts of one template) their rare shingles lead instead.
    """
    _, bands, begins, _ = arrays
    size = 2
    while size < 2 * len(rows):
        size *= 2
    last = np.full(size, -1, np.int64)
    sharing = np.zeros(size, np.int64)
    before = np.full(len(rows), -1, np.int64)
    for at in range(len(rows)):
        row = rows[at]
        key = bands[row, band]
        place = np.int64(key & np.uint64(size - 1))
        while last[place] >= 0 and bands[rows[last[place]], band] != key:
            place = (place + 1) & (size - 1)
        before[at] = last[place]
        last[place] = at
        sharing[place] += 1
        if sharing[place] > _CROWD:
            continue
        enough = threshold * (begins[row + 1] - begins[row]) - 1e-6
        seen = before[at]
        while seen >= 0:
            other = rows[seen]
            if begins[other + 1] - begins[other] < enough:
                break
            if root_of(parents, other) != root_of(parents, row) and alike(arrays, row, arrays, other, threshold):
                join(parents, row, other)
            seen = before[seen]
    for crowded in range(size):
        if sharing[crowded] > _CROWD:
            crowd = np.empty(sharing[crowded], np.int64)
            member = last[crowded]
            for turn in range(sharing[crowded] - 1, -1, -1):
                crowd[turn] = rows[member]
                member = before[member]
            join_crowd(arrays, crowd, threshold, parents)


@compiled
def roots_of(parents: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the smallest row of each row's component."""
    return np.array([root_of(parents, row) for row in range(len(parents))], np.int64)


@compiled
def keys_of(bands: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a table of all band keys, for `place_of`: each entry is row * BANDS + band, or -1."""
    size = 2
    while size < 2 * len(bands) * BANDS:
        size *= 2
    table = np.full(size, -1, np.int64)
    for entry in range(len(bands) * BANDS):
        place = place_of(table, bands, bands[entry // BANDS, entry % BANDS])
        if table[place] < 0:
            table[place] = entry
    return table


@compiled
def place_of(table: npt.NDArray[Any], bands: npt.NDArray[Any], key: Any) -> Any:
    """Return where a key stands in a table of keys, or would stand."""
    place = np.int64(mix(key) & np.uint64(len(table) - 1))
    while table[place] >= 0 and bands[table[place] // BANDS, table[place] % BANDS] != key:
        place = (place + 1) & (len(table) - 1)
    return place


@compiled
def share_key(bands: npt.NDArray[Any], asked: npt.NDArray[np.bool_], others: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell which of the rows asked for share a band key with any of `others`; the rows need no index of their own."""
    table = keys_of(others)
    found = np.zeros(len(bands), np.bool_)
    for row in range(len(bands)):
        if asked[row]:
            for band in range(BANDS):
                if table[place_of(table, others, bands[row, band])] >= 0:
                    found[row] = True
                    break
    return found


@compiled
def have_alike(one: Arrays, others: Arrays, threshold: float) -> npt.NDArray[np.bool_]:
    """Tell which rows share a band with a row of `others` that is alike."""
    _, bands, _, _ = one
    _, other_bands, _, _ = others
    table = keys_of(other_bands)
    last = np.full(len(table), -1, np.int64)
    before = np.full(len(other_bands) * BANDS, -1, np.int64)
    for entry in range(len(before)):
        place = place_of(table, other_bands, other_bands[entry // BANDS, entry % BANDS])
        before[entry] = last[place]
        last[place] = entry
    compared = np.full(len(other_bands), -1, np.int64)
    found = np.zeros(len(bands), np.bool_)
    for row in range(len(bands)):
        for band in range(BANDS):
            entry = last[place_of(table, other_bands, bands[row, band])]
            while entry >= 0 and not found[row]:
                other = entry // BANDS
                if compared[other] != row:
                    compared[other] = row
                    found[row] = alike(one, row, others, other, threshold)
                entry = before[entry]
    return found
