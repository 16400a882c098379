"""How hard a text is to read, by the measure that is established for its language (spec/notice.md, section 6).

en  Flesch-Kincaid grade       0.39 words/sentence + 11.8 syllables/word - 15.59            at most 8
de  Wiener Sachtextformel 4    0.2656 words/sentence + 0.2744 % words of 3+ syllables - 1.693   at most 8
fr  Kandel-Moles ease          207 - 1.015 words/sentence - 73.6 syllables/word             at least 60
es  Fernández Huerta ease      206.84 - 1.02 words/sentence - 60 syllables/word             at least 60

The first two are school years; on both ease scales 60 is where grade 8 ends. For other languages
no measure is established that needs no vowel marks or dictionary: only the mean length of
sentences is looked at, and the lint says that the grade was not measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import pyphen

from assent.services.notice.lexicon import plain

if TYPE_CHECKING:
    from assent.services.notice.wording import Question

MAX_WORDS: Final = 200
"""Words of the first layer: question, headings, sentences and labels (R13)."""
MAX_GRADE: Final = 8.0
MIN_EASE: Final = 60.0
MAX_SENTENCE: Final = 15.0
"""Mean words a sentence where nothing better is known (a proposal, not a finding)."""

_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_END: Final = re.compile(r"[.!?؟…]+(?:\s|$)")
_VOWELS: Final = re.compile(r"[aeiouyœæ]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text reads: by which measure, how it came out, and the limit. `good` None: the grade was not measured."""

    words: int
    measure: str
    value: float
    limit: float
    good: bool | None


def words_in(text: str) -> list[str]:
    """Split a text into words; numbers count, `don't` is one."""
    return _WORD.findall(text)


def first_layer(question: Question) -> list[str]:
    """List every text of the first layer: what is read before answering. Names and digests below it do not count."""
    headings = [section.heading for section in question.sections]
    lines = [line.text for section in question.sections for line in section.lines]
    labels = [question.labels[act] for act in ("allow", "decline", "defer") if act in question.labels]
    return [text for text in (question.text, *headings, *lines, *labels) if text]


def read(question: Question) -> Reading:
    """Measure the first layer: all of its words, and the grade of its sentences."""
    said = [question.text, *(line.text for section in question.sections for line in section.lines)]
    sentences = [words for text in said for part in _END.split(text) if (words := words_in(part))]
    count = sum(len(words_in(text)) for text in first_layer(question))
    language = question.locale.partition("-")[0]
    per_sentence = sum(map(len, sentences)) / max(len(sentences), 1)
    syllables = [syllables_of(word, language) for words in sentences for word in words]
    per_word = sum(syllables) / max(len(syllables), 1)
    if language == "en":
        return _grade(count, "Flesch-Kincaid grade", 0.39 * per_sentence + 11.8 * per_word - 15.59)
    if language == "de":
        long = 100 * sum(number >= 3 for number in syllables) / max(len(syllables), 1)
        return _grade(count, "Wiener Sachtextformel 4", 0.2656 * per_sentence + 0.2744 * long - 1.693)
    if language == "fr":
        return _ease(count, "Kandel-Moles ease", 207 - 1.015 * per_sentence - 73.6 * per_word)
    if language == "es":
        return _ease(count, "Fernández Huerta ease", 206.84 - 1.02 * per_sentence - 60 * per_word)
    good = None if per_sentence <= MAX_SENTENCE else False
    return Reading(count, "mean words a sentence", per_sentence, MAX_SENTENCE, good)


def _grade(count: int, measure: str, value: float) -> Reading:
    return Reading(count, measure, value, MAX_GRADE, value <= MAX_GRADE)


def _ease(count: int, measure: str, value: float) -> Reading:
    return Reading(count, measure, value, MIN_EASE, value >= MIN_EASE)


def syllables_of(word: str, language: str) -> int:
    """Count syllables: the larger of the hyphenation's and the vowel groups', so that no text is flattered."""
    bare = plain(word)
    if bare.isdigit():
        return 1
    groups = len(_VOWELS.findall(bare))
    # a final silent e, as in `time` or `porte`, is no syllable
    silent = language in ("en", "fr") and re.search(r"[^aeiouyl]es?$", bare) is not None
    return max(_hyphenated(word.casefold(), language), groups - 1 if silent and groups > 1 else groups, 1)


def _hyphenated(word: str, language: str) -> int:
    hyphens = _dictionary(language)
    return 1 if hyphens is None else len(hyphens.positions(word)) + 1


@cache
def _dictionary(language: str) -> pyphen.Pyphen | None:
    return pyphen.Pyphen(lang=language) if pyphen.language_fallback(language) else None
