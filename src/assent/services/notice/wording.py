"""The facts of a policy in the words of a manifest: what every surface then draws, each in its own way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from assent.domain.durations import Duration
from assent.domain.errors import Invalid
from assent.services.notice.facts import facts_of
from assent.services.notice.words import direction, say_date, say_length, say_list, say_number, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.policy.document import Document
    from assent.services.notice.document import Phrases, Wording
    from assent.services.notice.facts import Kept, PolicyFacts, Survivor
    from assent.services.notice.parse import Manifest


class Slot(NamedTuple):
    """A sentence of the notice: which fact it states and which placeholders it needs for that.

    `optional` sentences state no fact of R12 (`change` and `deletion` are required by others).
    """

    fact: str
    needs: tuple[str, ...] = ()
    optional: bool = False


SLOTS: Final[Mapping[str, Slot]] = {
    "data_kinds": Slot("data_kinds", ("data_kinds",)),
    "not_asked": Slot("not_asked", (), optional=True),
    "use_allowed": Slot("purposes", ("use",)),
    "retention_allowed": Slot("retention_allowed", ("retention_allowed",)),
    "resume": Slot("resume", ("resume",)),
    "review_allowed": Slot("review"),
    "use_declined": Slot("purposes", ("use",)),
    "retention_declined": Slot("retention_declined", ("retention_declined",)),
    "review_declined": Slot("review"),
    "deletion": Slot("deletion", ("deletion",)),
    "exceptions": Slot("exceptions", ("exceptions", "exceptions_use", "law")),
    "recipients": Slot("recipients", ("recipients",)),
    "withdrawal": Slot("withdrawal", ("future_data", "stored_data", "withdrawal_retention")),
    "undo": Slot("withdrawal", ("started_runs", "finished_models")),
    "deadline": Slot("deadline", ("deadline",)),
    "no_answer": Slot("no_answer", ("no_answer",)),
    "change": Slot("change", ("change",)),
}
"""Every sentence of a notice, by its key in `[locale.*.text]`."""

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "about": ("data_kinds", "not_asked"),
    "allow": ("use_allowed", "retention_allowed", "review_allowed", "resume"),
    "decline": ("use_declined", "retention_declined", "review_declined"),
    "either": ("deletion", "exceptions", "recipients", "change"),
    "back": ("withdrawal",),
    "undo": ("undo",),
    "silence": ("no_answer",),
}
"""Which sentences stand together, in the order shown; `silence` is headed by the sentence `deadline`.

The question stands above all of them and says who asks."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence as shown, with the slot it comes from and the fact it states."""

    slot: str
    fact: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences under one heading; the first section has none."""

    id: str
    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question in one locale, in words, before any surface draws it."""

    locale: str
    direction: str
    text: str
    sections: tuple[Section, ...]
    labels: dict[str, str]
    feedback: dict[str, str]

    def in_order(self, options: Sequence[str]) -> Question:
        """Return the same question with what each answer means in the order of the answers, as their buttons stand."""
        sides = sorted((one for one in self.sections if one.id in options), key=lambda one: options.index(one.id))
        return replace(self, sections=tuple(sides.pop(0) if one.id in options else one for one in self.sections))

    def facts(self) -> dict[str, tuple[str, ...]]:
        """Return what is said about each fact, the fact set that all surfaces share."""
        said: dict[str, tuple[str, ...]] = {"who_asks": (self.text,)}
        for section in self.sections:
            if section.id == "silence":
                said["deadline"] = (section.heading,)
            for line in section.lines:
                if line.text not in said.get(line.fact, ()):
                    said[line.fact] = (*said.get(line.fact, ()), line.text)
        return said


def worded(manifest: Manifest, facts: PolicyFacts, *, locale: str, defers_left: int | None = None) -> Question:
    """Put one question into words, with facts from `facts_for`. `defers_left` None: as many as the policy grants.

    Raises `Invalid` for a locale that the manifest does not have.
    """
    wording = manifest.wording(locale)
    values = values_of(manifest, facts, locale, defers_left)
    sections = tuple(
        Section(
            name,
            fill(wording.text.deadline or "", values)
            if name == "silence"
            else fill(getattr(wording.headings, name, ""), values),
            _lines(slots, wording, values, asks_business=facts.business),
        )
        for name, slots in SECTIONS.items()
    )
    feedback = wording.feedback.model_dump(exclude_none=True) if wording.feedback and facts.feedback else {}
    return Question(
        locale=locale,
        direction=direction(locale),
        text=fill(_per_purpose(wording.questions, facts.purpose, "questions", locale), values),
        sections=sections,
        labels={name: fill(label, values) for name, label in wording.labels.model_dump(exclude_none=True).items()},
        feedback={name: fill(said, values) for name, said in feedback.items()},
    )


def facts_for(manifest: Manifest, policy: Document, purpose: str) -> PolicyFacts:
    """Derive the facts of one purpose that the manifest asks for. Raises `Invalid` if the policy is not its own."""
    name = f"{policy.policy.provider}/{policy.policy.version}"
    if name != manifest.policy:
        raise Invalid(f"`{manifest.name}` speaks for `{manifest.policy}`, not for `{name}`", "give it its own policy")
    if purpose not in manifest.purposes:
        known = ", ".join(manifest.purposes)
        raise Invalid(f"`{manifest.name}` does not ask for `{purpose}`", f"use one of {known}")
    return facts_of(policy, purpose)


def _lines(
    slots: tuple[str, ...], wording: Wording, values: Mapping[str, str], *, asks_business: bool
) -> tuple[Line, ...]:
    written = {slot: getattr(wording.text, slot) for slot in slots if slot != "not_asked" or asks_business}
    return tuple(Line(slot, SLOTS[slot].fact, _sentence(fill(text, values))) for slot, text in written.items() if text)


def _sentence(text: str) -> str:
    """Begin a sentence with a capital: a placeholder at its beginning brings words from the middle of one."""
    return text[:1].upper() + text[1:]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of a text that was parsed; a name without value raises `Invalid`."""
    try:
        return text.format_map(values)
    except KeyError as missing:
        raise Invalid(f"`{{{missing.args[0]}}}` has no value here", "use another placeholder in this text") from None


def _per_purpose(table: Mapping[str, str], purpose: str, name: str, locale: str) -> str:
    if purpose not in table:
        raise Invalid(f"`{locale}` has no words for `{purpose}`", f"add it to `[locale.{locale}.{name}]`")
    return table[purpose]


def phrases_of(manifest: Manifest, locale: str) -> Phrases:
    """Return the phrases for policy values: assent's own, or the manifest's for a locale that assent does not ship."""
    own = shipped(locale)
    phrases = own.phrases if own else manifest.wording(locale).phrases
    if phrases is None:  # the parser refuses such a manifest
        raise Invalid(f"`{locale}` has no phrases", f"add `[locale.{locale}.phrases]`")
    return phrases


def values_of(manifest: Manifest, facts: PolicyFacts, locale: str, defers_left: int | None = None) -> dict[str, str]:
    """Say every value that a placeholder can stand for, in one locale."""
    wording, phrases = manifest.wording(locale), phrases_of(manifest, locale)
    silence = "default" if facts.by_default else facts.no_answer
    deadline = phrases.deadline["none"]
    if facts.deadline is not None:
        deadline = phrases.deadline["by"].format(date=say_date(facts.deadline, locale))
    others = [recipient.says.get(locale, recipient.name) for recipient in manifest.document.recipients]
    values = {
        "controller": manifest.document.controller.name,
        "use": _per_purpose(wording.uses, facts.purpose, "uses", locale),
        "data_kinds": say_list([phrases.data[kind] for kind in facts.data_kinds], locale),
        "retention_allowed": say_kept(facts.allowed, phrases, locale),
        "retention_declined": say_kept(facts.declined, phrases, locale),
        "deletion": _say_event(facts.deletion, phrases.deletion, locale),
        **_exceptions(facts, wording, phrases, locale),
        "law": phrases.law,
        "resume": phrases.resume[facts.resume],
        "future_data": phrases.future_data[facts.withdrawal["future_data"]],  # type: ignore[index]  # checked by policy
        "stored_data": phrases.stored_data[facts.withdrawal["stored_data"]],  # type: ignore[index]
        "started_runs": phrases.started_runs[facts.withdrawal["started_runs"]],  # type: ignore[index]
        "finished_models": phrases.finished_models[facts.withdrawal["finished_models"]],  # type: ignore[index]
        "withdrawal_retention": _say_event(facts.withdrawal_retention, phrases.withdrawal_retention, locale),
        "no_answer": phrases.no_answer[silence],  # type: ignore[index]
        "deadline": deadline,
        "recipients": say_list(others, locale) if others else phrases.nobody,
        "change": wording.change,
        "defers": say_number(facts.max_defers if defers_left is None else defers_left, locale),
    }
    if facts.feedback is not None:
        values["feedback_retention"] = say_kept(facts.feedback, phrases, locale)
    return values


def say_kept(kept: Kept | None, phrases: Phrases, locale: str) -> str:
    """Say how long something is kept, and from when: `for up to 30 days after your last message`."""
    if kept is None:
        return phrases.kept["not kept"]
    if kept.length is None:
        return phrases.kept["no end"]
    length = phrases.kept[kept.bound].format(length=say_length(kept.length, locale))
    return f"{length} {phrases.anchor[kept.anchor]}"


def _exceptions(facts: PolicyFacts, wording: Wording, phrases: Phrases, locale: str) -> dict[str, str]:
    """Say what is kept anyway and for how long, and which of it trains models in spite of the answer."""
    names = {survivor.rule: _name_of(survivor, wording, phrases, locale) for survivor in facts.survivors}
    kept = []
    for survivor in facts.survivors:
        length = phrases.kept["no end"]
        if survivor.kept.length is not None:
            length = phrases.kept[survivor.kept.bound].format(length=say_length(survivor.kept.length, locale))
        kept.append(phrases.survivor_form.format(what=names[survivor.rule], kept=length))
    trains = [names[survivor.rule] for survivor in facts.survivors if survivor.trains]
    share: Literal["all", "some", "none"] = "none" if not trains else "all" if len(trains) == len(names) else "some"
    use = phrases.survivor_use[share].format(what=say_list(trains, locale))
    return {"exceptions": say_list(kept, locale) if kept else phrases.nothing, "exceptions_use": use}


def _name_of(survivor: Survivor, wording: Wording, phrases: Phrases, locale: str) -> str:
    """Name what is kept anyway; the manifest names what has no phrase of its own."""
    what = wording.exceptions.get(survivor.rule) or phrases.survivor.get(survivor.about)
    if what is None:
        fix = f'add `{survivor.rule} = "..."` to `[locale.{locale}.exceptions]`'
        raise Invalid(f"`{locale}` has no words for the exception `{survivor.rule}`", fix)
    return what


def _say_event(length: Duration | str, phrases: Mapping[Any, str], locale: str) -> str:
    if isinstance(length, Duration):
        return phrases["within"].format(length=say_length(length, locale))
    return phrases[length]
