"""Lints between versions: L7 (old data is not widened), L13 (one version at a time)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from itertools import product
from typing import TYPE_CHECKING

from assent.domain.facts import ChoiceAct, Facts
from assent.policy.build import choices_of
from assent.policy.decide import decide
from assent.policy.lints.finding import Finding
from assent.policy.model import HAPPENINGS
from assent.policy.segments import PLAIN, axes, choice_purposes, grants_of, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.policy.document import Document
    from assent.policy.model import Grant, Policy

_OUTSIDE = ("service", "legal")
"""Purposes that do not count as widening: showing people their own data, and what the law requires."""


def old_data_is_not_widened(document: Document, policy: Policy, previous: Policy) -> Iterator[Finding]:
    """L7: a new version gives no purpose to parts of an older one unless the person allows it again.

    Decides parts that were recorded under the previous version, with the choices of that
    time, under both versions just after the new one took effect.
    """
    paths = {rule.id: (path, rule) for path, rule in grants_of(document)}
    for grant in policy.grants:
        if grant.purpose in _OUTSIDE or (example := _widened(grant, policy, previous)) is None:
            continue
        path, rule = paths[grant.id]
        message = (
            f"`{grant.id}` opens parts recorded under `{previous.name}` to {grant.purpose}"
            f" without a new choice (for example {example})"
        )
        fix = 'add `part = "since effective"` to its `when`'
        if choices_of(rule):
            fix += ", or ask for a choice of its own with a new purpose"
        yield Finding("L7", grant.id, path, message, fix)


def _widened(grant: Grant, policy: Policy, previous: Policy) -> str | None:
    """Find an old part that a grant opens to its purpose and the previous version did not; say it in words."""
    at = policy.effective + timedelta(hours=1)
    recorded = policy.effective - timedelta(hours=1)
    answered = min(recorded, policy.announced or recorded) - timedelta(days=1)
    for words, facts in _old_parts(grant, policy, previous, recorded):
        for act in (None, "decline", "allow"):
            choices = [ChoiceAct(p, act, answered) for p in choice_purposes([previous])] if act else []
            asked = replace(facts, choices=tuple(choices))
            opened = decide(asked, policy, at)
            if not any(reason.rule == grant.id for reason in opened.reasons) or _ended(opened.use_until, grant, at):
                continue
            before = decide(asked, previous, at)
            if grant.purpose not in before.use_until:
                said = {None: "not answered", "decline": "declined", "allow": "allowed before"}[act]
                return f"{words}, {said}"
    return None


def _ended(use_until: Mapping[str, datetime | None], grant: Grant, at: datetime) -> bool:
    end = use_until.get(grant.purpose)
    return end is not None and end <= at


def _old_parts(grant: Grant, policy: Policy, previous: Policy, recorded: datetime) -> Iterator[tuple[str, Facts]]:
    """Make parts in every segment that the grant's tests and both versions' vetoes on its purpose tell apart."""
    classes = axes([policy, previous])
    tests: list[object] = [*grant.when.tests]
    for version in (policy, previous):
        tests += [test for veto in version.vetoes if grant.purpose in veto.removes for test in veto.when.tests]
        tests += [test for old in version.grants if old.purpose == grant.purpose for test in old.when.tests]
    keys = [key for key in classes if key != "plan" and any(getattr(test, "key", "") == key for test in tests)]
    events = {*grant.when.happened, *([HAPPENINGS[grant.anchor]] if grant.anchor in HAPPENINGS else ())}
    clocks = dict.fromkeys(("created_at", "last_turn_at", "recorded_at", *events), recorded)
    for plan in sorted(previous.plans & policy.plans):
        for point in product(*(classes[key] for key in keys)):
            state = {**PLAIN, "plan": plan, **{key: value.value for key, value in zip(keys, point, strict=True)}}
            known = [f"{value.words}" for key, value in zip(keys, point, strict=True) if value.value != PLAIN.get(key)]
            facts = Facts("part", **state, **clocks)  # type: ignore[arg-type]  # keys are fact keys
            yield listed([f"plan {plan}", *known]), facts


def one_version_at_a_time(document: Document, others: Sequence[Document]) -> Iterator[Finding]:
    """L13: for one person and one time one version is current.

    Two versions of one provider that share a plan are both current if they take effect at
    the same instant, or if both say they are in force, and neither supersedes the other.
    """
    versions = {name(version): version for version in (*others, document)}
    for other in others:
        shared = _all_plans(document) & _all_plans(other)
        if other.policy.provider != document.policy.provider or not shared:
            continue
        message = ""
        if name(other) == name(document):
            if other != document:
                message = f"`{name(document)}` names two different texts"
        elif not _supersedes(document, other, versions) and not _supersedes(other, document, versions):
            if other.policy.effective.astimezone(UTC) == document.policy.effective.astimezone(UTC):
                message = f"this version and `{name(other)}` take effect at the same instant"
            elif other.policy.status == document.policy.status == "in force":
                message = f"this version and `{name(other)}` both say that they are in force"
        if message:
            fix = f'add `supersedes = "{name(other)}"` to the later one and set the `status` of the earlier'
            if name(other) == name(document):
                fix = "give one of them another `version`"
            yield Finding("L13", "", ("policy", "version"), f"{message} for plan {min(shared)}", fix)


def name(document: Document) -> str:
    """Return `provider/version`."""
    return f"{document.policy.provider}/{document.policy.version}"


def _all_plans(document: Document) -> set[str]:
    return {plan for plans in document.plans.values() for plan in plans}


def _supersedes(later: Document, earlier: Document, versions: dict[str, Document]) -> bool:
    """Follow `supersedes` from version to version as far as they are known."""
    seen: set[str] = set()
    current: Document | None = later
    while current is not None and current.policy.supersedes and current.policy.supersedes not in seen:
        if current.policy.supersedes == name(earlier):
            return True
        seen.add(current.policy.supersedes)
        current = versions.get(current.policy.supersedes)
    return False
