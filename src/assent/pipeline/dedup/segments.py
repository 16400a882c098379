"""Where a text is cut into segments: a pinned table of the Unicode 3.2 categories, which every Python carries.

Words are runs of letters, digits, marks and underscores, in lower case. Scripts that are written
without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar, Tibetan) and symbols (emoji, mathematics,
currency) give a segment per character, so that two replies of different emoji or ideographs are
never one. Spaces, control characters and punctuation separate and are no segments. A character
that Unicode 3.2 did not know is a segment of its own, also every one above U+FFFF. The old
version is on purpose: a newer Python knows more characters, and must not make other segments.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from unicodedata import ucd_3_2_0

import numpy as np
import numpy.typing as npt

SEPARATES: Final = 0
WORD: Final = 1
ALONE: Final = 2
IGNORED: Final = 3
"""Format characters (joiners, marks of direction, variation selectors) change how a text looks, not what it says."""

_UNSPACED: Final = (
    (0x0E01, 0x0E5B),  # Thai
    (0x0E81, 0x0EDD),  # Lao
    (0x0F00, 0x0FCF),  # Tibetan
    (0x1000, 0x1059),  # Myanmar
    (0x1780, 0x17E9),  # Khmer
    (0x2E80, 0x2FFF),  # radicals
    (0x3005, 0x3007),  # ideographic marks
    (0x3041, 0x31FF),  # Kana, Bopomofo
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility
    (0xFF66, 0xFF9F),  # Kana, half width
)
_VARIATION: Final = range(0xFE00, 0xFE10)
_SEPARATORS: Final = ("P", "Z", "Cc", "Cs")
_WORDS: Final = ("L", "M", "N", "Pc")


def _kind(character: str) -> int:
    category = ucd_3_2_0.category(character)
    if category == "Cf" or ord(character) in _VARIATION:
        return IGNORED
    if category.startswith(_WORDS):
        return ALONE if any(first <= ord(character) <= last for first, last in _UNSPACED) else WORD
    return SEPARATES if category.startswith(_SEPARATORS) else ALONE


def _lower(character: str) -> int:
    small = character.lower() if ucd_3_2_0.category(character) != "Cn" else character
    return ord(small) if len(small) == 1 else ord(character)


@cache
def segment_tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]:
    """Return the kind and the lower case of every character up to U+FFFF."""
    characters = [chr(number) for number in range(0x10000)]
    kinds = np.array([_kind(character) for character in characters], np.uint8)
    lowers = np.array([_lower(character) for character in characters], np.uint32)
    return kinds, lowers
