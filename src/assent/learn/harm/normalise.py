"""One way of writing for words that are written in many: what a detector reads, and where it stood in the text.

Compatibility forms, signs without width, letters of other scripts that look Latin, digits in place of letters and
letters set apart by blanks are common ways round a list of words. Unicode names the forms (UAX #15, NFKC); the
look-alikes here are the Latin ones of Unicode's confusables (UTS #39) among Cyrillic and Greek letters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

_INVISIBLE: Final = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"\U000e0000-\U000e0fff]"
)
_LOOKS_LIKE: Final = {
    **dict(zip("асеорхуіјѕԁһӏԛԝвкмнтгп", "aceopxyijsdhlqwbkmhtrn", strict=True)),
    **dict(zip("αβεικνορτυχγω", "abeikvoptuxyw", strict=True)),
}
_PLAIN: Final = {"\u0131": "i", "ł": "l", "ø": "o", "đ": "d", "\u2019": "'"}
_DIGITS: Final = str.maketrans("0134578@$", "oieastbas")
_SPELLED: Final = re.compile(
    r"(?<![a-z0-9])(?:[a-z0-9@$]{2,}[013457@$][a-z]+|[a-z][0134@$][a-z@$0134]+)(?![a-z0-9_.@])"
)
_APART: Final = re.compile(r"(?<![a-z])(?:[a-z][ .\-_*]){3,}[a-z](?![a-z])")
_LATIN: Final = re.compile(r"[a-z]")
_WORD: Final = re.compile(r"[^\W\d_]+")


class Folded(NamedTuple):
    """A text as a detector reads it; `starts[i]` is where its letter number `i` stood (None: nothing moved)."""

    text: str
    starts: tuple[int, ...] | None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of the original text that a stretch of this one was read from."""
        if self.starts is None:
            return start, end
        return self.starts[start], self.starts[end - 1] + 1


def fold(text: str) -> Folded:
    """Write a text in small letters and in one way; remember where every letter stood."""
    if text.isascii():
        plain = text.lower()
        starts = None
    else:
        plain, starts = _composed(text)
    if _SPELLED.search(plain):
        plain = _SPELLED.sub(_respelled, plain)
    if _APART.search(plain):
        return _together(plain, starts)
    return Folded(plain, starts)


def _composed(text: str) -> tuple[str, tuple[int, ...]]:
    letters: list[str] = []
    starts: list[int] = []
    for place, sign in enumerate(text):
        if _INVISIBLE.match(sign):
            continue
        for part in unicodedata.normalize("NFKD", sign).lower():
            if not unicodedata.combining(part):
                letters.append(_PLAIN.get(part, part))
                starts.append(place)
    plain = "".join(letters)
    foreign = sum(sign in _LOOKS_LIKE for sign in letters)
    # in a text of another script, letters of that script are meant
    if foreign and len(_LATIN.findall(plain)) > foreign:
        plain = _WORD.sub(_unmasked, plain)
    return plain, tuple(starts)


def _unmasked(word: re.Match[str]) -> str:
    """Read a word in Latin letters if all of its others look like some."""
    read = "".join(_LOOKS_LIKE.get(sign, sign) for sign in word[0])
    return read if read.isascii() else word[0]


def _respelled(word: re.Match[str]) -> str:
    # "v3.1" and "x86" are no words; two letters that are some must be there
    return word[0].translate(_DIGITS) if sum(sign.isalpha() for sign in word[0]) >= 2 else word[0]


def _together(plain: str, starts: tuple[int, ...] | None) -> Folded:
    kept = [True] * len(plain)
    for found in _APART.finditer(plain):
        for place in range(found.start(), found.end()):
            kept[place] = plain[place].isalpha()
    places = [place for place, keep in enumerate(kept) if keep]
    was = starts or range(len(plain))
    return Folded("".join(plain[place] for place in places), tuple(was[place] for place in places))
