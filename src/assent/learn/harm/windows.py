"""Long texts are read in windows, so that one harmful sentence in a long harmless text is seen."""

from __future__ import annotations

import re
from typing import Final

WORDS: Final = 32
"""Words of a window: few, so that one sentence weighs in it."""
WHOLE: Final = 72
"""Words up to which a text is also read as a whole; about as many as the encoder reads at once."""
MOST_WINDOWS: Final = 128
"""Windows of one text; of a longer one the beginning and the end are read."""

_WORD: Final = re.compile(r"\S+")


def windows(text: str) -> list[str]:
    """Cut a text into windows that overlap by a quarter; a text that can be read as a whole comes first as it is."""
    places = [word.span() for word in _WORD.finditer(text)]
    if len(places) <= WORDS + WORDS // 4:
        return [text]
    firsts = range(0, len(places) - WORDS // 4, WORDS - WORDS // 4)
    cut = [text[places[first][0] : places[min(first + WORDS, len(places)) - 1][1]] for first in firsts]
    half = MOST_WINDOWS // 2
    kept = cut if len(cut) <= MOST_WINDOWS else [*cut[:half], *cut[-half:]]
    return [text, *kept] if len(places) <= WHOLE else kept


def is_whole(text: str) -> bool:
    """Tell whether a text can be read as a whole."""
    return sum(1 for _ in _WORD.finditer(text)) <= WHOLE
