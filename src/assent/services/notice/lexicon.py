"""Finding words of a list in a text, whatever capitals, accents and apostrophes it is written with."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from assent.domain.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.services.notice.words import Lexicon

# Arabic writes "and", "with", "for" and "the" together with the word.
_GLUED: Final = r"(?:[وفبلك]?(?:ال|لل)?)?"
_ARABIC: Final = re.compile(r"[\u0600-\u06ff]")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_FIRST_YEAR, _LAST_YEAR = 1990, 2199


def plain(text: str) -> str:
    """Write a text in small letters, without accents and vowel marks, with one kind of apostrophe and space."""
    bare = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(letter for letter in bare if unicodedata.category(letter) != "Mn")
    return re.sub(r"\s+", " ", kept.replace("’", "'"))


def without_placeholders(text: str) -> str:
    """Leave out what stands in braces: it becomes a value of the policy."""
    return _PLACEHOLDER.sub(" ", text)


@cache
def _pattern(entry: str) -> re.Pattern[str]:
    words = [r"\S+" if word == "*" else re.escape(word) for word in plain(entry).split(" ")]
    glued = _GLUED if _ARABIC.search(entry) else ""
    return re.compile(rf"(?<!\w){glued}{' '.join(words)}(?!\w)")


def found(text: str, entries: Sequence[str]) -> list[str]:
    """List the entries that occur in a text, each as often as it occurs."""
    said = plain(text)
    return [entry for entry in entries for _ in _pattern(entry).findall(said)]


def durations_in(text: str, lexicon: Lexicon) -> Iterator[Duration]:
    """Read the durations that a text spells out, in digits or in words: `30 days`, `five-year`, `18 Monate`."""
    numbers = {plain(word): value for word, value in lexicon.numbers.items()}
    units = {plain(word): unit for unit, words in lexicon.units.items() for word in words}
    count = "|".join(map(re.escape, sorted(numbers, key=len, reverse=True)))
    unit = "|".join(map(re.escape, sorted(units, key=len, reverse=True)))
    for match in re.finditer(rf"(?<![\w.,])(\d{{1,6}}|{count})[ -]({unit})(?!\w)", plain(text)):
        number = int(match[1]) if match[1].isdigit() else numbers[match[1]]
        if number:
            yield length_of(number, units[match[2]])


def length_of(number: int, unit: str) -> Duration:
    """Make a duration of a number and a unit (`year`, `month`, `week`, `day` or `hour`)."""
    return {
        "year": Duration(months=12 * number),
        "month": Duration(months=number),
        "week": Duration(days=7 * number),
        "day": Duration(days=number),
        "hour": Duration(seconds=3600 * number),
    }[unit]


def years_in(text: str) -> list[int]:
    """List the calendar years that a text names in digits."""
    numbers = (int(digits) for digits in re.findall(r"(?<!\d)\d{4}(?!\d)", text))
    return [number for number in numbers if _FIRST_YEAR <= number <= _LAST_YEAR]
