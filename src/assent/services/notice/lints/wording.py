"""Checks of the words: bundled terms (R06), double negatives (R09), urgency (R10), steering (R11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.services.notice.lexicon import found, without_placeholders
from assent.services.notice.lints.finding import finding
from assent.services.notice.parse import texts_of
from assent.services.notice.words import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assent.policy.build import Path
    from assent.services.notice.document import Wording
    from assent.services.notice.lints.finding import NoticeFinding
    from assent.services.notice.parse import Manifest
    from assent.services.notice.wording import Question

LONGEST_RATIO: Final = 2.0
"""How many times longer one answer's sentences may be than the other's: cost and benefit get equal room."""

_WORDED: Final = {
    "N-R06": "bundled terms",
    "N-R09": "double negatives",
    "N-R10": "urgency",
    "N-R11": "praise and emotion",
    "N-R12": "durations and dates written out",
    "N-R40": "what is said about feedback",
}
_ASKS: Final = ("questions", "uses")
_ALLOWS: Final = {
    "text": ("use_allowed", "retention_allowed", "resume", "review_allowed"),
    "headings": ("allow",),
    "labels": ("allow",),
}
_DECLINES: Final = {
    "text": ("use_declined", "retention_declined", "review_declined"),
    "headings": ("decline",),
    "labels": ("decline",),
}


def locales_without_words(manifest: Manifest) -> Iterator[NoticeFinding]:
    """Say for each locale that assent does not ship what was not looked at."""
    for locale in manifest.document.locale:
        if shipped(locale) is None:
            for check, what in _WORDED.items():
                message = f"`{locale}`: not checked for {what}, assent has no word list for this locale"
                fix = "have a person who speaks it read the notice against this requirement"
                yield finding(check, ("locale", locale), message, fix, "unchecked")


def terms_are_not_bundled(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R06: neither the question nor a label speaks of accepting terms."""
    for locale, path, text in _asking(manifest):
        words = shipped(locale)
        if words and (named := found(text, words.lexicon.terms)):
            message = f"`{locale}`: the choice speaks of {_quoted(named)}"
            fix = "ask for the choice alone; terms are another screen"
            yield finding("N-R06", ("locale", locale, *path), message, fix)


def labels_are_plain(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R09: no double negative in a question or label, and a switch says both of its states."""
    switches = any(control.kind == "switch" for control in manifest.document.control)
    for locale, wording in manifest.document.locale.items():
        labels = wording.labels
        if switches and (not labels.on or not labels.off or labels.on == labels.off):
            message = f"`{locale}`: the switch does not say both states"
            yield finding("N-R09", ("locale", locale, "labels"), message, 'add `on = "..."` and `off = "..."`')
    for locale, path, text in _asking(manifest):
        words = shipped(locale)
        if words and len(named := found(text, words.lexicon.negations)) > 1:
            message = f"`{locale}`: {_quoted(named)} turn the meaning more than once"
            yield finding("N-R09", ("locale", locale, *path), message, "say it without the second negation")


def nobody_is_hurried(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R10: the true deadline is said as a date, and nothing else hurries."""
    if manifest.header.deadline_shown == "countdown":
        message = "the deadline is shown as a countdown"
        yield finding("N-R10", ("notice", "deadline_shown"), message, 'write `deadline_shown = "date"`')
    for locale, wording in manifest.document.locale.items():
        words = shipped(locale)
        for path, text in texts_of(wording) if words else ():
            if words and (named := found(text, words.lexicon.urgency)):
                message = f"`{locale}`: {_quoted(named)} hurries the person"
                yield finding("N-R10", ("locale", locale, *path), message, "leave the date to speak for itself")


def no_side_is_praised(manifest: Manifest, questions: Mapping[str, Question]) -> Iterator[NoticeFinding]:
    """R11: praise and emotion are on neither side, or at least on both alike, and both get equal room."""
    for locale, wording in manifest.document.locale.items():
        words = shipped(locale)
        if words:
            yield from _praise(locale, wording, words.lexicon.emotive)
    for locale, question in questions.items():
        written = manifest.wording(locale).text
        if any(getattr(written, slot) is None for side in (_ALLOWS, _DECLINES) for slot in side["text"]):
            continue  # what is missing is a finding of R12
        room = {section.id: sum(len(line.text.split()) for line in section.lines) for section in question.sections}
        allow, decline = room["allow"], room["decline"]
        if min(allow, decline) and max(allow, decline) / min(allow, decline) > LONGEST_RATIO:
            message = f"`{locale}`: {allow} words on allowing, {decline} on declining"
            yield finding("N-R11", ("locale", locale, "text"), message, "give both answers equal room")


def _praise(locale: str, wording: Wording, emotive: list[str]) -> Iterator[NoticeFinding]:
    asks = [((name, key), text) for name in _ASKS for key, text in getattr(wording, name).items()]
    allows = [*asks, *_side(wording, _ALLOWS)]
    declines = list(_side(wording, _DECLINES))
    here = [(path, named) for path, text in allows if (named := found(without_placeholders(text), emotive))]
    there = [(path, named) for path, text in declines if (named := found(without_placeholders(text), emotive))]
    score = sum(len(named) for _, named in here) - sum(len(named) for _, named in there)
    if not here and not there:
        return
    level = "error" if score else "warning"
    for side, hits in (("allowing", here), ("declining", there)):
        for path, named in hits:
            message = f"`{locale}`: {_quoted(named)} on the side of {side} (symmetry score {score:+d})"
            fix = "say what happens, without judging it"
            yield finding("N-R11", ("locale", locale, *path), message, fix, "error" if level == "error" else "warning")


def _side(wording: Wording, slots: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Path, str]]:
    for table, names in slots.items():
        values = getattr(wording, table)
        yield from (((table, name), text) for name in names if (text := getattr(values, name)))


def _asking(manifest: Manifest) -> Iterator[tuple[str, Path, str]]:
    """List the questions and labels: what a person reads at the moment of answering."""
    for locale, wording in manifest.document.locale.items():
        for path, text in texts_of(wording):
            if path[0] in ("questions", "labels"):
                yield locale, path, without_placeholders(text)


def _quoted(words: list[str]) -> str:
    return " and ".join(f"`{word}`" for word in dict.fromkeys(words))
