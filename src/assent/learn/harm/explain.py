"""Which words moved a score, for the people who review it.

The linear stage is a sum, so its parts are exact. The encoder is not: each word is left out in turn, and what the
score loses is what the word gave (occlusion). Words are named by where they stand; nothing is repeated.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final

from assent.learn.harm.cascade import CLEARED_MOST
from assent.learn.harm.features import words_in_place
from assent.learn.harm.linear import Moved
from assent.learn.harm.port import Piece

if TYPE_CHECKING:
    from assent.learn.harm.cascade import Cascade
    from assent.learn.harm.port import Detector

MOST_WORDS: Final = 96
"""Words that are left out in turn; of a longer text those that the linear stage finds most telling."""
_EDGE: Final = 1e-4
_TELLING: Final = 0.02


def moved(detector: Cascade, piece: Piece, most: int = 8) -> list[Moved]:
    """Return the words that moved the score of a piece most, the strongest first; `by` is in log-odds."""
    exact = detector.linear.explain(piece.text)
    if detector.encoder is not None and detector.score([piece])[0].score > CLEARED_MOST:
        telling = sorted(exact, key=lambda word: -abs(word.by))[:MOST_WORDS]
        exact = occluded(detector, piece, sorted(telling))
    strongest = sorted((word for word in exact if abs(word.by) >= _TELLING), key=lambda word: (-abs(word.by), word))
    return strongest[:most]


def occluded(detector: Detector, piece: Piece, words: list[Moved] | None = None) -> list[Moved]:
    """Return what the score of a piece loses without each of its words; works with any detector."""
    if words is None:
        words = [Moved(start, end, 0.0) for start, end in words_in_place(piece.text).places[:MOST_WORDS]]
    without = [piece._replace(text=f"{piece.text[: word.start]} {piece.text[word.end :]}") for word in words]
    whole, *rest = detector.score([piece, *without])
    return [
        Moved(word.start, word.end, _log_odds(whole.score) - _log_odds(found.score))
        for word, found in zip(words, rest, strict=True)
    ]


def _log_odds(share: float) -> float:
    held = min(max(share, _EDGE), 1 - _EDGE)
    return log(held / (1 - held))
