"""A policy in plain words, statement by statement, made from its values and nothing else.

The same statements can be published, shown by `assent policy show`, and looked for on the
published page by lint L15. The order is fixed, so equal documents give equal texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from assent.domain.durations import Duration
from assent.domain.instants import format_instant
from assent.policy import document as doc
from assent.policy.build import choices_of
from assent.policy.segments import grants_of, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.policy.build import Path
    from assent.policy.document import Document, Grant, When

    _Test = doc.NoneOf[Any] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence about a policy: `id` is stable across versions, `part` its heading, `path` its place."""

    id: str
    part: str
    text: str
    path: Path


ANCHORS: Final = {
    "created": "the time it was created",
    "last turn": "the last turn of the person",
    "recorded": "the time it was recorded",
    "deletion request": "the request to delete it",
    "account end": "the end of the account",
    "flagged": "the time it was flagged",
    "reviewed": "the human review",
    "feedback": "the feedback",
    "choice given": "the choice that allowed it",
    "choice withdrawn": "the choice that ended it",
    "policy effective or acknowledged": "the day this policy took effect or was acknowledged, the earlier of both",
    "case closed": "the release of the hold",
}
"""Anchors as a person reads them."""

EVENTS: Final = {
    "deletion request": "the person asks for deletion",
    "account end": "the account is closed",
    "move to a business plan": "the account moves to a business plan",
    "flagged": "it was flagged",
    "reviewed": "a person reviewed it",
    "feedback": "feedback was sent",
}
"""Events as a person reads them, after "when" or "once"."""

PARAMETERS: Final = {
    "retention_anchor": "from when the retention of a conversation counts",
    "resume_scope": "what a choice covers when a conversation is resumed",
    "retention_on_withdrawal": "when the bytes are gone after a permission was taken back",
    "regrant_revives_earlier_data": "whether allowing again brings earlier data back into use",
    "no_answer": "what happens to people who do not answer",
    "max_defers": "how often the answer may be put off",
    "defer_cooldown": "how long nobody is asked again after putting it off",
    "account_moves_to_org": "what happens to earlier data when an account moves to a business plan",
    "flag_reversed": "what happens when a flag turns out to be wrong",
    "branch_or_edit_is_resume": "whether editing or branching counts as resuming",
    "shared_chat_participants": "whose choice counts for a shared conversation",
    "export_copy": "what happens to exported copies",
    "plan_change_mid_conversation": "what a change of plan in mid-conversation does",
}
"""What each parameter decides."""

_WITHDRAWAL: Final = {
    ("future_data", "not used"): "what is said after that is not used",
    ("stored_data", "not used"): "what was stored before is not used in any new run",
    ("stored_data", "still used"): "what was stored before is still used",
    ("started_runs", "continue"): "runs that already started continue with the data",
    ("started_runs", "stop"): "runs that already started are stopped",
    ("finished_models", "unchanged"): "models that are finished stay as they are",
    ("finished_models", "retrained"): "models that are finished are trained again without the data",
}

_SILENCE: Final = {
    "decline": "Who has not answered by the deadline counts as having declined",
    "block": "Who has not answered by the deadline must choose before going on",
    "old terms continue": "For who has not answered, the earlier terms go on",
}


def render(document: Document) -> tuple[Statement, ...]:
    """Say everything the policy decides, in a fixed order, one statement per rule and segment."""
    return (
        *_about(document),
        *(statement for group in document.plans for statement in _segment(document, group)),
        *_events(document),
        *_withdrawal(document),
        *_silence(document),
        *_rest(document),
    )


def _about(document: Document) -> Iterator[Statement]:
    header = document.policy
    text = f"{header.title}: in force from {value_words(header.effective)}"
    if header.acknowledgement_counts:
        text += ", or from the day a person acknowledges it, if that is earlier"
    yield Statement("about", "what this is", text + ".", ("policy", "title"))
    yield Statement("summary", "what this is", _sentence(header.summary), ("policy", "summary"))
    for name, purpose in document.purposes.items():
        text = f"Use for {name} means {_sentence(purpose.says)}"
        if purpose.cut:
            text += " Parts may be taken into data sets for it."
        yield Statement(f"purpose.{name}", "what the uses mean", text, ("purposes", name))


def _segment(document: Document, group: str) -> Iterator[Statement]:
    """Say what holds for one group of plans: what is kept and used, what survives an opt-out, what never happens."""
    plans = document.plans[group]
    known = {plan for every in document.plans.values() for plan in every}
    for path, rule in grants_of(document):
        if not (named := _plans(document, rule.when.plan, plans, known)):
            continue
        who = f"On {_counted('plan', named)}"
        survives = isinstance(rule, doc.ExceptionRule)
        part = f"{group}: {'what survives an opt-out or an event' if survives else 'what is kept and used'}"
        yield Statement(f"{group}.{rule.id}", part, _grant(document, rule, who), path)
    for index, veto in enumerate(document.veto):
        if named := _plans(document, veto.when.plan, plans, known):
            text = (
                f"On {_counted('plan', named)}, parts{_when(veto.when)} are never used for {listed(veto.removes, 'or')}"
            )
            yield Statement(
                f"{group}.{veto.id}", f"{group}: what never happens", f"{text}: {_sentence(veto.says)}", ("veto", index)
            )


def _plans(document: Document, test: _Test | None, plans: list[str], known: set[str]) -> list[str]:
    """Return which plans of a group pass a plan test."""
    if test is None:
        return plans
    negated = isinstance(test, doc.NoneOf)
    names = test.not_ if isinstance(test, doc.NoneOf) else test
    members = {plan for name in map(str, names) for plan in (name, *document.plans.get(name, []))} & known
    return [plan for plan in plans if (plan in members) is not negated]


def _grant(document: Document, rule: Grant, who: str) -> str:
    anchor = document.parameters.retention_anchor if rule.anchor == "retention anchor" else rule.anchor
    length = _length(rule, ANCHORS.get(anchor or "", "no anchor"))
    text = f"{who}, parts{_when(rule.when)} are kept for {rule.purpose} {length}"
    if choices := choices_of(rule):
        text += f", {listed([_choice(document, choice) for choice in choices])}"
    if rule.guardian_grant:
        text += ", for minors only if a guardian allows it"
    text += f": {_sentence(rule.says)}"
    if isinstance(rule, doc.ExceptionRule) and rule.ignores:
        text += f" This goes on in spite of {listed([f'`{name}`' for name in rule.ignores])}."
    if rule.de_identification != "none":
        text += f" De-identification: {rule.de_identification}."
    if ungoverned := [name for name in rule.copies if name in document.copies and not document.copies[name].governed]:
        text += f" Not erased by this policy: {listed([document.copies[name].says for name in ungoverned])}."
    return text


def _length(rule: Grant, anchor: str) -> str:
    bound = rule.bound or "for"
    if isinstance(rule.use_for, doc.PickedLength):
        picks = listed([length_words(pick) for pick in rule.use_for.person_may_pick], "or")
        text = f"{bound} {length_words(rule.use_for.default)} from {anchor} (the person may pick {picks})"
    elif rule.use_for == "indefinite":
        text = f"without a set end, from {anchor}"
    else:
        text = f"{bound} {length_words(rule.use_for)} from {anchor}"
    if isinstance(rule.erase_after, Duration):
        return f"{text} and gone within {rule.erase_after.words()} after that"
    return f"{text} and gone at once after that" if rule.erase_after == "at once" else text


def _choice(document: Document, choice: doc.Choice) -> str:
    covers = choice.covers or ("part" if document.withdrawal.stored_data == "still used" else "part and now")
    if choice.needs == "unless declined":
        verb = f"unless the person declined `{choice.purpose}`"
    else:
        verb = f"only if the person allowed `{choice.purpose}`"
    when = {
        "part and now": "at the time of the part, and as long as that stands",
        "now": "at the time of use",
        "part": "at the time of the part",
    }
    return f"{verb} {when[covers]}"


def _when(when: When) -> str:
    """Say the conditions of a rule, apart from its plans."""
    said: list[str] = []
    if when.data is not None:
        said.append(_member("of kind {}", "of any kind but {}", when.data))
    if when.origin is not None:
        said.append(_member("that came from {}", "that did not come from {}", when.origin))
    if when.surface is not None:
        said.append(_member("from the surface {}", "from any surface but {}", when.surface))
    if when.mode is not None:
        said.append(f"in {when.mode} mode")
    if when.region is not None:
        said.append(_member("of people in {}", "of people outside {}", when.region))
    if when.role is not None:
        said.append(_member("of people whose role is {}", "of people whose role is not {}", when.role))
    if when.age is not None:
        bounds = [f"{when.age.from_} or older"] if when.age.from_ is not None else []
        bounds += [f"under {when.age.below}"] if when.age.below is not None else []
        said.append(f"of people {' and '.join(bounds)}")
    if when.signed_in is not None:
        said.append(f"of people {'signed in' if when.signed_in else 'not signed in'}")
    if when.part is not None:
        said.append(f"recorded {when.part.split()[0]} the effective date")
    said.extend(f"once {EVENTS[event]}" for event in when.happened)
    said.extend(f"unless {EVENTS[event]}" for event in when.absent)
    return f" {', '.join(said)}" if said else ""


def _member(positive: str, negative: str, test: _Test) -> str:
    if isinstance(test, doc.NoneOf):
        return negative.format(listed(list(test.not_), "or"))
    return positive.format(listed(list(test), "or"))


def _events(document: Document) -> Iterator[Statement]:
    for index, cap in enumerate(document.cap):
        text = f"When {EVENTS[cap.event]}, use for {listed(cap.purposes)} ends {_after(cap.use_after)}"
        text += " and the retention goes on" if cap.erase_after == "keep" else _gone(cap.erase_after)
        yield Statement(f"event.{cap.id}", "what events end", f"{text}: {_sentence(cap.says)}", ("cap", index))


def _withdrawal(document: Document) -> Iterator[Statement]:
    part = "what taking a permission back undoes"
    for name in ("future_data", "stored_data", "started_runs", "finished_models"):
        value = getattr(document.withdrawal, name)
        if value is not None:
            text = f"After a permission is taken back, {_WITHDRAWAL[name, value]}."
            yield Statement(f"withdrawal.{name}", part, text, ("withdrawal", name))
    length = document.parameters.retention_on_withdrawal
    text = "what was kept on that permission alone "
    text += "keeps its own end" if length == "keep" else f"is gone {_after(length)}"
    path = ("parameters", "retention_on_withdrawal")
    yield Statement("withdrawal.retention", part, f"After a permission is taken back, {text}.", path)


def _silence(document: Document) -> Iterator[Statement]:
    part, parameters = "what silence means", document.parameters
    text = _SILENCE[parameters.no_answer]
    if parameters.answer_deadline is not None:
        text += f" (deadline {value_words(parameters.answer_deadline)})"
    yield Statement("silence", part, text + ".", ("parameters", "no_answer"))
    defaults = [
        (path, rule)
        for path, rule in grants_of(document)
        if (choices := choices_of(rule)) and all(choice.needs == "unless declined" for choice in choices)
    ]
    for path, rule in defaults:
        text = f"Without any answer, parts may be used for {rule.purpose} until the person declines (`{rule.id}`)."
        yield Statement(f"silence.{rule.id}", part, text, path)
    if not defaults:
        text = "Not answering never permits anything."
        yield Statement("silence.never", part, text, ("parameters", "no_answer"))


def _rest(document: Document) -> Iterator[Statement]:
    hold = document.hold
    text = f"A legal hold keeps data longer and permits no other use: {hold.says}"
    if hold.review_every is not None:
        text += f"; each hold is looked at again every {hold.review_every.words()}"
    yield Statement("hold", "what a legal hold does", text + ".", ("hold",))
    for name, words in PARAMETERS.items():
        if document.parameters.basis.get(name) == "open":
            value = value_words(getattr(document.parameters, name))
            text = f"The published text leaves open {words}; here it is: {value}."
            yield Statement(f"open.{name}", "what the published text leaves open", text, ("parameters", name))


def length_words(value: Duration | str | None) -> str:
    """Say a length: `30 days`, `at once`, `no set end`."""
    if isinstance(value, Duration):
        return value.words()
    return "no set end" if value in ("indefinite", None) else str(value)


def value_words(value: object) -> str:
    """Say a value of the document as a person would read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not said"
    if isinstance(value, datetime):
        return format_instant(value.astimezone(UTC))
    return length_words(value) if isinstance(value, Duration | str) else str(value)


def _gone(length: Duration | str) -> str:
    return f" and the bytes are gone {_after(length)}"


def _after(length: Duration | str) -> str:
    return f"within {length.words()}" if isinstance(length, Duration) else "at once"


def _counted(noun: str, words: list[str]) -> str:
    return f"{noun if len(words) == 1 else noun + 's'} {listed(words)}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
