"""Hold an existing page against a policy: which sentences it contradicts, confirms, or leaves unjudged.

Two rules, both fixed (spec/notice.md, section 9). A sentence that is worded as the policy
words it must have the policy's numbers. Any other sentence is judged by its topic: a length
by the topic of its clause, the rest by what it says or denies. English only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.durations import Duration
from assent.domain.errors import Invalid, Place
from assent.policy.render import render as statements_of
from assent.services.notice.lexicon import plain
from assent.services.notice.page_topics import CLAIMS, LENGTH_TOPICS, answers_of
from assent.services.notice.sentences import (
    Sentence,
    counted,
    language_of,
    quantities_in,
    sentences_of,
    words_without_quantities,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.policy.document import Document
    from assent.services.notice.page_topics import PolicyAnswers

Answer = Literal["contradicted", "confirmed", "not judged"]

SAME_WORDING: Final = 0.75
"""Share of words in common from which a sentence counts as a sentence of the policy (numbers apart)."""

_FEWEST_WORDS: Final = 4
_CLAUSE: Final = re.compile(
    r"[;:()]|, | - | – | — |\binstead of\b|\brather than\b|\bversus\b|\bvs\b\.?|\bwhile\b|\bwhereas\b|\bbut\b"
    r"|\botherwise\b|\band\b"
)
_OPPOSITE: Final = frozenset({"instead of", "rather than", "versus", "vs.", "vs", "whereas", "otherwise"})
_OTHER: Final = {"allowed": "declined", "declined": "allowed"}
_TURNS: Final = frozenset({"not", "never", "no", "unless", "only", "cannot", "don't", "doesn't", "except", "none"})
_MATTERS: Final = re.compile(
    r"\btrain|\bdelet|\bretain|\bretention|\bkept\b|\bkeep\b|\bopt(?:ed|s|ing)?[ -](?:in|out)|\bflagged\b"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One statement of a page: what came out, what it is about, why, and where it stands."""

    sentence: str
    place: Place
    answer: Answer
    about: str
    reason: str

    def to_record(self) -> dict[str, object]:
        """Write it as the JSON object of `assent notice compare --json`."""
        return {
            "answer": self.answer,
            "about": self.about,
            "sentence": self.sentence,
            "reason": self.reason,
            "line": self.place.line,
        }


@dataclass(frozen=True, slots=True)
class _Own:
    """A sentence of the policy itself."""

    statement: str
    text: str
    words: frozenset[str]


def compare_page(page: str, policy: Document, name: str) -> list[Judged]:
    """Judge every statement of a page, HTML or text. `name` is how places call it.

    Raises `Invalid` for a page that declares another language than English.
    """
    language = language_of(page)
    if language and not language.startswith("en"):
        raise Invalid(f"the page is in `{language}`, and only English is compared", "compare its English version")
    answers = answers_of(policy)
    own = [
        _Own(statement.id, sentence.text, words_without_quantities(sentence.text))
        for statement in statements_of(policy)
        for sentence in sentences_of(statement.text)
    ]
    judged = [found for sentence in sentences_of(page) for found in _judge(sentence, own, answers, name)]
    return list(dict.fromkeys(judged))


def _judge(sentence: Sentence, own: list[_Own], answers: PolicyAnswers, name: str) -> Iterator[Judged]:
    place = Place(name, sentence.line)
    found = list(_by_wording(sentence.text, own)) or [
        *_by_length(sentence, answers),
        *_by_claim(sentence.text, answers),
    ]
    if not found and _MATTERS.search(plain(sentence.text)):
        found = [("not judged", "", "no rule reads this sentence")]
    for answer, about, reason in found:
        yield Judged(sentence.text, place, answer, about, reason)


def _by_wording(text: str, own: list[_Own]) -> Iterator[tuple[Answer, str, str]]:
    """Judge a sentence that is worded as one of the policy: it must have the policy's numbers and its nots."""
    words = words_without_quantities(text)
    if len(words) < _FEWEST_WORDS:
        return
    scored = [(len(words & every.words) / len(words | every.words), every) for every in own]
    best = max((score for score, _ in scored), default=0.0)
    if best < SAME_WORDING:
        return
    numbers = counted(quantities_in(text))
    meant = [every for score, every in scored if score == best]
    for every in meant:
        if numbers <= counted(quantities_in(every.text)) and words & _TURNS == every.words & _TURNS:
            yield "confirmed", every.statement, f"the policy says: {every.text}"
            return
    yield "contradicted", meant[0].statement, f"the policy says: {meant[0].text}"


def _by_length(sentence: Sentence, answers: PolicyAnswers) -> Iterator[tuple[Answer, str, str]]:
    said, heading = plain(sentence.text), plain(sentence.heading)
    for quantity in quantities_in(sentence.text):
        if isinstance(quantity.value, Duration):
            yield _length(quantity.value, _topic(said, quantity.at, heading), answers)


def _length(length: Duration, topic: str | None, answers: PolicyAnswers) -> tuple[Answer, str, str]:
    if topic is None:
        return "not judged", "", f"no rule knows what {length.words()} belongs to"
    lengths, endless = answers.lengths(topic)
    if length in lengths:
        return "confirmed", topic, f"the policy has {length.words()} for it"
    if any(_alike(length, other) for other in lengths):
        return "not judged", topic, f"{length.words()} may mean {_listed(lengths)}"
    if lengths or endless:
        means = " or ".join([*([_listed(lengths)] if lengths else []), *(["no set end"] if endless else [])])
        return "contradicted", topic, f"the page says {length.words()}, the policy {means}"
    return "not judged", topic, "the policy has no length for it"


def _topic(said: str, at: int, heading: str) -> str | None:
    """Name the topic of a length: that of its clause, else of the clauses before it, the sentence, the heading."""
    borders = [(0, ""), *((match.end(), match[0]) for match in _CLAUSE.finditer(said))]
    ends = [*(begin for begin, _ in borders[1:]), len(said)]
    clauses = [said[begin:end] for (begin, _), end in zip(borders, ends, strict=True)]
    here = max(number for number, (begin, _) in enumerate(borders) if begin <= at)
    if (topic := _spoken_of(clauses[here])) is not None:
        return topic
    before = next((t for n in range(here - 1, -1, -1) if (t := _spoken_of(clauses[n])) is not None), None)
    if borders[here][1] in _OPPOSITE and before in _OTHER:
        return _OTHER[before]
    topic = before or _spoken_of(said) or _spoken_of(heading)
    return topic or ("kept" if re.search(LENGTH_TOPICS["kept"], said) else None)


def _spoken_of(text: str) -> str | None:
    """Name the most particular topic that a text speaks of; that something is kept is none yet."""
    return next((topic for topic, looks in LENGTH_TOPICS.items() if topic != "kept" and re.search(looks, text)), None)


def _alike(one: Duration, other: Duration) -> bool:
    """Tell whether two lengths differ only in how months are counted: a month and 30 days, a year and 365 days."""
    here, there = one.shortest().days, other.shortest().days
    return bool(one.months) != bool(other.months) and abs(here - there) <= max(3, there // 30)


def _listed(lengths: set[Duration]) -> str:
    return " or ".join(length.words() for length in sorted(lengths, key=Duration.shortest))


def _by_claim(text: str, answers: PolicyAnswers) -> Iterator[tuple[Answer, str, str]]:
    said = plain(text)
    for claim in CLAIMS:
        if re.search(claim.looks_like, said):
            agrees = claim.answer(answers, said)
            if agrees is None:
                yield "not judged", claim.about, "the policy says nothing about it"
            else:
                yield (
                    "confirmed" if agrees else "contradicted",
                    claim.about,
                    f"the policy: {claim.policy_says(answers)}",
                )
            return
