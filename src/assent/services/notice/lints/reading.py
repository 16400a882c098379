"""Checks of the first layer as a text: short, plain, and the same facts in every locale (R13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.services.notice.lints.finding import finding
from assent.services.notice.readability import MAX_WORDS, read
from assent.services.notice.wording import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assent.services.notice.lints.finding import NoticeFinding
    from assent.services.notice.parse import Manifest
    from assent.services.notice.wording import Question


def the_first_layer_is_plain(questions: Mapping[str, Question]) -> Iterator[NoticeFinding]:
    """R13: at most 200 words, reading grade at most 8 by the measure of the language."""
    for locale, question in questions.items():
        path = ("locale", locale, "text")
        reading = read(question)
        if reading.words > MAX_WORDS:
            message = f"`{locale}`: {reading.words} words in the first layer, {MAX_WORDS} at most"
            yield finding("N-R13", path, message, "say less here; details have their own page")
        said = f"{reading.measure} is {reading.value:.1f}, the limit {reading.limit:.0f}"
        if reading.good is False:
            yield finding("N-R13", path, f"`{locale}`: {said}", "use shorter sentences and shorter words")
        if reading.good is None:
            message = f"`{locale}`: the reading grade is not measured for this language ({said})"
            yield finding("N-R13", path, message, "try the notice on people who read it", "unchecked")


def all_locales_say_the_same(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R13: what one locale says beyond the twelve facts, every locale says."""
    written = {
        locale: {name for name in SLOTS if getattr(wording.text, name)}
        | {f"label {name}" for name in wording.labels.model_dump(exclude_none=True)}
        for locale, wording in manifest.document.locale.items()
    }
    optional = {name for name, slot in SLOTS.items() if slot.optional} | {"label defer", "label on", "label off"}
    every = set().union(*written.values()) & optional
    for locale, slots in written.items():
        for slot in sorted(every - slots):
            others = ", ".join(other for other in written if slot in written[other])
            table = "labels" if slot.startswith("label ") else "text"
            message = f"`{locale}` lacks `{slot.removeprefix('label ')}`, which {others} has"
            yield finding("N-R13", ("locale", locale, table), message, "say the same in every locale, or in none")
