"""Inclusion paths of many neighbouring leaves at once, as the lines that a proof holds.

One leaf's path shares all but its lowest lines with its neighbour's. Walking down from the
root and handing the lines of the way so far to both children costs about two hashes and
two short strings a leaf, where a path at a time costs twenty of each.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING

from assent.ledger.encoding import HASH_BYTES
from assent.ledger.merkle import node_hash, root
from assent.ledger.tiles import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.ledger.merkle import HashReader


def paths(first: int, end: int, size: int, read: HashReader, tile: Callable[[int, int], bytes]) -> list[str]:
    """Write the inclusion paths of leaves `first` to `end` in a tree of `size`: base64 lines, leaf's sibling first.

    `read` gives hashes of complete subtrees, `tile` the hashes of a whole tile.
    """
    lines: list[str] = []

    def walk(start: int, count: int, tail: str) -> None:
        if start >= end or start + count <= first:
            return
        if count == 1:
            lines.append(tail)
        elif count == WIDTH and first <= start and start + count <= end:
            lines.extend(_full_tile(tile(0, start // WIDTH), tail))
        else:
            left = 1 << ((count - 1).bit_length() - 1)
            walk(start, left, _line(_hash(start + left, count - left, read)) + tail)
            walk(start + left, count - left, _line(_hash(start, left, read)) + tail)

    walk(0, size, "")
    return lines


def _full_tile(hashes: bytes, tail: str) -> list[str]:
    """Write the paths of all leaves of a full tile, whose own path is `tail`."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, WIDTH * HASH_BYTES, HASH_BYTES)]
    rows = [row]
    while len(row) > 2:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        rows.append(row)
    tails = [tail]
    for row in reversed(rows):
        written = [_line(value) for value in row]
        tails = [written[at ^ 1] + tails[at >> 1] for at in range(len(row))]
    return tails


def _hash(start: int, count: int, read: HashReader) -> bytes:
    """Hash `count` leaves from `start`, where a split put them: at a multiple of a power of two >= `count`."""
    return root(count, lambda level, index: read(level, (start >> level) + index))


def _line(value: bytes) -> str:
    return b2a_base64(value).decode("ascii")
