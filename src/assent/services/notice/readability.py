"""How hard a text is to read, by the measure that is established for its language (spec/notice.md, section 6).

en  Flesch-Kincaid grade       0.39 words/sentence + 11.8 syllables/word - 15.59            at most 8
de  Wiener Sachtextformel 4    0.2656 words/sentence + 0.2744 % words of 3+ syllables - 1.693   at most 8
fr  Kandel-Moles ease          207 - 1.015 words/sentence - 73.6 syllables/word             at least 60
es  Fernández Huerta ease      206.84 - 1.02 words/sentence - 60 syllables/word             at least 60
it  Gulpease                   89 + (300 sentences - 10 letters)/words                      at least 60
nl  Flesch-Douma ease          206.84 - 0.93 words/sentence - 77 syllables/word             at least 60
pl  FOG-PL                     0.4 (words/sentence + % words of 4+ syllables)               at most 8
pt  Flesch-Martins ease        248.835 - 1.015 words/sentence - 84.6 syllables/word         at least 60
sv  LIX                        words/sentence + % words of 7+ letters                       at most 39

Grade, Wiener Sachtextformel and FOG are school years; on the ease scales 60 is where grade 8 ends (for
Portuguese, whose scale calls 50 to 75 easy, that is on the strict side), below 60 a text is hard with
eight years of school on Gulpease, and a LIX of 36 to 39 is grade 8 (Anderson 1983). FOG-PL counts base
forms; here the words count as they stand, which flatters no text. For other languages no measure is
established that needs no vowel marks or dictionary: only the mean length of sentences is looked at,
and the lint says that the grade was not measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import pyphen

from assent.services.notice.lexicon import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.services.notice.wording import Question

MAX_WORDS: Final = 200
"""Words of the first layer: question, headings, sentences and labels (R13)."""
MAX_GRADE: Final = 8.0
MIN_EASE: Final = 60.0
MAX_LIX: Final = 39.0
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


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the measures are made of, of the sentences of one text."""

    sentences: int
    letters: tuple[int, ...]
    syllables: tuple[int, ...]

    @property
    def words(self) -> int:
        return max(len(self.letters), 1)

    @property
    def per_sentence(self) -> float:
        """Words a sentence."""
        return len(self.letters) / max(self.sentences, 1)

    @property
    def per_word(self) -> float:
        """Syllables a word."""
        return sum(self.syllables) / self.words

    def long(self, syllables: int) -> float:
        """Percent of the words that have so many syllables, or more."""
        return 100 * sum(number >= syllables for number in self.syllables) / self.words

    def of_letters(self, letters: int) -> float:
        """Percent of the words that have so many letters, or more."""
        return 100 * sum(number >= letters for number in self.letters) / self.words


class _Measure(NamedTuple):
    """One measure: its name, how it is worked out, its limit, and whether more is easier."""

    name: str
    value: Callable[[_Counts], float]
    limit: float
    more_is_easier: bool = True


_MEASURES: Final = {
    "en": _Measure(
        "Flesch-Kincaid grade",
        lambda n: 0.39 * n.per_sentence + 11.8 * n.per_word - 15.59,
        MAX_GRADE,
        more_is_easier=False,
    ),
    "de": _Measure(
        "Wiener Sachtextformel 4",
        lambda n: 0.2656 * n.per_sentence + 0.2744 * n.long(3) - 1.693,
        MAX_GRADE,
        more_is_easier=False,
    ),
    "fr": _Measure("Kandel-Moles ease", lambda n: 207 - 1.015 * n.per_sentence - 73.6 * n.per_word, MIN_EASE),
    "es": _Measure("Fernández Huerta ease", lambda n: 206.84 - 1.02 * n.per_sentence - 60 * n.per_word, MIN_EASE),
    "it": _Measure("Gulpease", lambda n: 89 + (300 * n.sentences - 10 * sum(n.letters)) / n.words, MIN_EASE),
    "nl": _Measure("Flesch-Douma ease", lambda n: 206.84 - 0.93 * n.per_sentence - 77 * n.per_word, MIN_EASE),
    "pl": _Measure("FOG-PL", lambda n: 0.4 * (n.per_sentence + n.long(4)), MAX_GRADE, more_is_easier=False),
    "pt": _Measure("Flesch-Martins ease", lambda n: 248.835 - 1.015 * n.per_sentence - 84.6 * n.per_word, MIN_EASE),
    "sv": _Measure("LIX", lambda n: n.per_sentence + n.of_letters(7), MAX_LIX, more_is_easier=False),
}


def read(question: Question) -> Reading:
    """Measure the first layer: all of its words, and the grade of its sentences."""
    said = [question.text, *(line.text for section in question.sections for line in section.lines)]
    sentences = [words for text in said for part in _END.split(text) if (words := words_in(part))]
    count = sum(len(words_in(text)) for text in first_layer(question))
    language = question.locale.partition("-")[0]
    counts = _Counts(
        len(sentences),
        tuple(sum(map(str.isalnum, word)) for words in sentences for word in words),
        tuple(syllables_of(word, language) for words in sentences for word in words),
    )
    measure = _MEASURES.get(language)
    if measure is None:
        good = None if counts.per_sentence <= MAX_SENTENCE else False
        return Reading(count, "mean words a sentence", counts.per_sentence, MAX_SENTENCE, good)
    value = measure.value(counts)
    good = value >= measure.limit if measure.more_is_easier else value <= measure.limit
    return Reading(count, measure.name, value, measure.limit, good)


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
