"""What a person's answers come to for one part (spec/policy.md, section 12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.facts import Act, ChoiceAct, Facts
    from assent.policy.document import Choice, Document

Coverage = Literal["part and now", "now", "part"]


@dataclass(frozen=True, slots=True)
class Permission:
    """An answer for one part: permitted, refused or undecided.

    `since` is when the permission that holds was given (None for a default without an act),
    `ended` the refusal that ended it. `word` says why there is none: `declined`, `withdrawn`,
    `unanswered`. `clockless` means that it was read without knowing when the part was made.
    """

    state: Literal["permitted", "refused", "undecided"]
    since: datetime | None = None
    ended: datetime | None = None
    word: str = ""
    clockless: bool = False


def part_clock(document: Document) -> str:
    """Name the fact that says when a part counts (section 2, `resume_scope`)."""
    return "last_turn_at" if document.parameters.resume_scope == "whole conversation" else "created_at"


def coverage(document: Document, choice: Choice) -> Coverage:
    """Say at which instants an answer is read, where the file may leave it out (section 4)."""
    if choice.covers is not None:
        return choice.covers
    return "part" if document.withdrawal.stored_data == "still used" else "part and now"


def moment_of(document: Document, choice: Choice, facts: Facts, at: datetime) -> datetime:
    """Return the instant at which the answer must be there."""
    clock: datetime | None = getattr(facts, part_clock(document))
    return at if coverage(document, choice) == "now" or clock is None or clock > at else clock


def permission(document: Document, choices: Sequence[Choice], facts: Facts, at: datetime) -> Permission:
    """Join the answers to all choices that a grant asks for: one refusal refuses, else one open answer leaves open."""
    found = [_of_one(document, choice, facts, at) for choice in choices]
    for state in ("refused", "undecided"):
        for one in found:
            if one.state == state:
                return one
    starts = [one.since for one in found if one.since is not None]
    ends = [one.ended for one in found if one.ended is not None]
    clockless = any(one.clockless for one in found)
    return Permission("permitted", max(starts, default=None), min(ends, default=None), clockless=clockless)


def _of_one(document: Document, choice: Choice, facts: Facts, at: datetime) -> Permission:
    asked = document.parameters
    acts = [act for act in facts.choices if act.purpose == choice.purpose and act.act != "defer" and act.at <= at]
    by_default = choice.needs == "unless declined"
    clockless = getattr(facts, part_clock(document)) is None
    if not acts and not by_default:
        silence_refuses = asked.no_answer == "decline" and asked.answer_deadline and asked.answer_deadline <= at
        return Permission("refused" if silence_refuses else "undecided", word="unanswered")
    moment = moment_of(document, choice, facts, at)
    before = [act for act in acts if act.at <= moment]
    if (before and _refuses(before[-1].act)) or (not before and not by_default):
        allowed_once = any(act.act == "allow" for act in before)
        refused_ever = any(_refuses(act.act) for act in acts)
        word = "withdrawn" if allowed_once else "declined" if refused_ever else "unanswered"
        return Permission("refused", word=word)
    ended = None if coverage(document, choice) == "part" else _end(acts[len(before) :], document)
    return Permission("permitted", _run_start(before), ended, clockless=clockless)


def _refuses(act: Act) -> bool:
    return act in ("decline", "withdraw")


def _run_start(before: Sequence[ChoiceAct]) -> datetime | None:
    """Return the first of the unbroken run of allowing acts at the end."""
    start = None
    for act in reversed(before):
        if _refuses(act.act):
            break
        start = act.at
    return start


def _end(after: Sequence[ChoiceAct], document: Document) -> datetime | None:
    """Return the refusal that ended a permission: the first, unless a later `allow` may undo it."""
    ended = None
    for act in after:
        if _refuses(act.act):
            ended = ended or act.at
        elif document.parameters.regrant_revives_earlier_data:
            ended = None
    return ended
