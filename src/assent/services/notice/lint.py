"""Lint a notice: every requirement that can be checked without a screen, each finding with its place and remedy.

A campaign goes live only with a notice without errors. What needs a browser, a ledger or a
running service is checked there; `docs/reference/notice-checks.md` says which.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid
from assent.services.notice.lints import controls, facts, reading, wording
from assent.services.notice.wording import worded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assent.policy.document import Document
    from assent.services.notice.facts import PolicyFacts
    from assent.services.notice.lints.finding import NoticeFinding
    from assent.services.notice.parse import Manifest
    from assent.services.notice.wording import Question

CHECKS: Final = {
    "N-R01": "nothing allows by itself: no preset, no focus, no closing, no bare Enter",
    "N-R02": "both answers are controls of one kind and one weight",
    "N-R03": "both answers take the same steps",
    "N-R04": "declining is offered wherever allowing is",
    "N-R05": "the order of the answers favours nobody",
    "N-R06": "the choice accepts no terms",
    "N-R09": "labels have no double negative, a switch says both states",
    "N-R10": "nothing hurries but the true date",
    "N-R11": "no side is praised, both get equal room",
    "N-R12": "all twelve facts are stated, with the values of the policy",
    "N-R13": "the first layer is short and plain, and the same in every locale",
    "N-R15": "every surface states the same facts",
    "N-R16": "changing the answer takes no more steps than giving it",
    "N-R40": "feedback says what goes with it before it is sent",
    "N-R52": "variants differ in layout only and are judged by understanding",
}
"""Every check and the property it guards; the number is that of the requirement (spec/notice.md, section 6)."""


def lint_notice(manifest: Manifest, policy: Document) -> list[NoticeFinding]:
    """Check a manifest against its policy. Findings come in file order; none of level `error` means it may be shown."""
    derived, findings = facts.facts_by_purpose(manifest, policy)
    findings += [
        *controls.nothing_grants_by_itself(manifest),
        *controls.both_answers_look_alike(manifest),
        *controls.both_answers_take_the_same_steps(manifest),
        *controls.declining_is_offered(manifest),
        *controls.the_order_favours_nobody(manifest),
        *controls.a_choice_agrees_to_nothing_else(manifest),
        *controls.changing_is_as_short(manifest),
        *wording.locales_without_words(manifest),
        *wording.terms_are_not_bundled(manifest),
        *wording.labels_are_plain(manifest),
        *wording.nobody_is_hurried(manifest),
        *facts.every_fact_is_stated(manifest, derived),
        *facts.nothing_is_promised_twice(manifest, derived),
        *facts.feedback_is_honest(manifest, derived),
        *facts.variants_differ_in_layout_only(manifest),
        *reading.all_locales_say_the_same(manifest),
    ]
    for fact in derived.values():
        questions = _questions(manifest, fact)
        findings += [*wording.no_side_is_praised(manifest, questions), *reading.the_first_layer_is_plain(questions)]
    sound = not any(finding.severity == "error" for finding in findings)
    findings += facts.every_surface_says_the_same(manifest, policy, sound=sound)
    placed = {replace(finding, place=manifest.places.of(finding.path)): None for finding in findings}
    return sorted(placed, key=lambda f: (f.place.line or 0, f.place.column or 0, f.lint) if f.place else (0, 0, f.lint))


def errors(findings: Iterable[NoticeFinding]) -> list[NoticeFinding]:
    """Keep the findings that stand in the way of showing the notice."""
    return [finding for finding in findings if finding.severity == "error"]


def _questions(manifest: Manifest, fact: PolicyFacts) -> dict[str, Question]:
    """Word the question in every locale that can be worded; why one cannot is a finding of R12."""
    questions = {}
    for locale in manifest.locales:
        try:
            questions[locale] = worded(manifest, fact, locale=locale)
        except Invalid:
            continue
    return questions
