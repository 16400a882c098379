"""Whether a text is English, the one language that our own detectors were measured in.

A guess from the small words that every sentence has. It is asked only so that a text in another language goes to
people instead of being decided about by numbers that nobody measured.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from assent.learn.harm.normalise import fold

Spoken = Literal["en", "other", "unclear"]

_WORD: Final = re.compile(r"[^\W\d_]+")
_ENGLISH_WORDS: Final = (
    "the a an and or of to in is are was were be been i you he she it we they my your his her its our their this that "
    "these those what which who how why when where do does did can could would should will not no with for from on at "
    "by as if but so me him them us have has had about into than then there here more most all any some just please "
    "write give tell make get want need help use without people like up out im dont "
    # dialects, creoles, people in a hurry: English too, and no reason to be looked at
    "aint yall gonna wanna gotta gimme cuz tho ur r dat dis wid nuh yuh inna weh wah tae ye yer whit aboot oot wee "
    "cannae dinnae abeg wetin dey lah leh"
)
# German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Turkish: their commonest words
_OTHER_WORDS: Final = (
    "der die das und ist nicht ich du wie mit ein eine für auf zu den von wir sie es kann le la les des une est pas je "
    "tu il elle que qui dans pour avec sur comment un el los las una es no yo por con para como qué del se lo che di "
    "non sono mi ti gli della uma não eu você com o os de het een ik niet van voor hoe op er jak się na nie jest och "
    "att det som en på är för bir ve bu için neden ne"
)
_ENGLISH: Final = frozenset(_ENGLISH_WORDS.split())
_OTHERS: Final = frozenset(_OTHER_WORDS.split())
_FEW: Final = 5


def spoken(text: str) -> Spoken:
    """Tell whether a text is English; `unclear` where it is too short to tell."""
    letters = [sign for sign in text[:2_000] if sign.isalpha()]
    if not letters:
        return "unclear"
    if sum(sign > "\u024f" for sign in letters) * 3 > len(letters) and not _latin_when_folded(text):
        return "other"
    words = _WORD.findall(text[:2_000].lower().replace("'", ""))
    english = sum(word in _ENGLISH for word in words)
    others = sum(word in _OTHERS and word not in _ENGLISH for word in words)
    if len(words) < _FEW:
        return "other" if others and not english else "unclear"
    if others > english and others * 8 >= len(words):
        return "other"
    return "en" if english * 12 >= len(words) else "unclear"


def _latin_when_folded(text: str) -> bool:
    """Tell whether strange letters stand for Latin ones, as in a text that hides from word lists."""
    letters = [sign for sign in fold(text[:2_000]).text if sign.isalpha()]
    return sum(sign < "\u0250" for sign in letters) * 2 > len(letters)
