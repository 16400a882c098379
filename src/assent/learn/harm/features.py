"""What the linear stage sees of a text: words, pieces of words and pairs of words, each by the bucket it falls in.

Buckets come from CRC-32, so the same text has the same features on every machine.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

import numpy as np

from assent.learn.harm.normalise import Folded, fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BUCKETS: Final = 1 << 17
"""How many features there are; two that fall into one bucket share its weights."""
SMALL: Final = 6
"""Added to the number of words when their weights are averaged, so that two words alone are no strong belief."""
MOST_WORDS: Final = 2_000
"""Words of one text that are read."""

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_PIECES: Final = (3, 4, 5)
_REMEMBERED: Final = 1 << 17
_PAIR: Final = np.uint32(0x9E3779B1)
_MIX: Final = np.uint32(0x85EBCA6B)


class Words(NamedTuple):
    """The words of a text as they are read, and where each stands in the text."""

    words: tuple[str, ...]
    places: tuple[tuple[int, int], ...]


def words_of(text: str) -> list[str]:
    """Read the words of a text; no text has none."""
    return _WORD.findall(fold(text).text)[:MOST_WORDS] or [""]


def words_in_place(text: str) -> Words:
    """Read the words of a text together with where they stand in it."""
    folded: Folded = fold(text)
    found = list(_WORD.finditer(folded.text))[:MOST_WORDS]
    return Words(tuple(word[0] for word in found), tuple(folded.place(*word.span()) for word in found))


@lru_cache(maxsize=_REMEMBERED)
def hash_of(word: str) -> int:
    """Hash a word."""
    return crc32(word.encode("utf-8", "replace"))


def pieces_of(word: str) -> list[int]:
    """Tell the buckets of a word's pieces: three to five letters, its edges marked."""
    marked = f"<{word}>"
    cuts = {marked[at : at + size] for size in _PIECES for at in range(len(marked) - size + 1)}
    return [crc32(b"#" + cut.encode("utf-8", "replace")) % BUCKETS for cut in sorted(cuts)]


def pairs_of(hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Tell the buckets of neighbouring words."""
    mixed = (hashes[:-1] * _PAIR) ^ hashes[1:]
    mixed = (mixed ^ (mixed >> np.uint32(15))) * _MIX
    buckets: NDArray[np.int64] = ((mixed ^ (mixed >> np.uint32(13))) % np.uint32(BUCKETS)).astype(np.int64)
    return buckets


def gapped_of(hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Tell the buckets of words with one word between them."""
    mixed = (hashes[:-2] * _MIX) ^ (hashes[2:] * _PAIR)
    mixed = (mixed ^ (mixed >> np.uint32(16))) * _PAIR
    buckets: NDArray[np.int64] = ((mixed ^ (mixed >> np.uint32(14))) % np.uint32(BUCKETS)).astype(np.int64)
    return buckets


def entries(text: str) -> Iterator[tuple[int, float]]:
    """Give every feature of a text: its bucket and value; for training, where speed matters less."""
    words = words_of(text)
    once = list(dict.fromkeys(words))
    hashes = np.array([hash_of(word) for word in words], np.uint32)
    pairs = np.unique(np.concatenate([pairs_of(hashes), gapped_of(hashes)]))
    scale = 1.0 / float(np.sqrt(len(once) + SMALL))
    for word in once:
        yield hash_of(word) % BUCKETS, scale
        pieces = pieces_of(word)
        for bucket in pieces:
            yield bucket, scale / float(np.sqrt(len(pieces)))
    for bucket in pairs:
        yield int(bucket), scale
