"""Lints on consent: L3 (twice asked), L6 (silence), L14 (minors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.policy.build import choices_of
from assent.policy.decide import decide
from assent.policy.lints.finding import Finding, trains
from assent.policy.model import AgeTest, Condition, Membership
from assent.policy.segments import choice_purposes, facts_in, grants_of, listed, requirement, witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.policy.document import Document
    from assent.policy.model import Grant, Policy

MINORS = range(12, 18)
"""Ages to try, in full years: from the youngest that any provider takes to the last before adulthood."""


def consent_at_both_times(document: Document) -> Iterator[Finding]:
    """L3: what enters a cut was allowed when the part was made, and is still allowed when it is cut."""
    by_withdrawal = "part" if document.withdrawal.stored_data == "still used" else "part and now"
    for path, rule in grants_of(document):
        if not trains(document, rule):
            continue
        choices = choices_of(rule)
        if not choices:
            message = f"`{rule.id}` lets parts into cuts for {rule.purpose} without a choice"
            fix = f'add `choice = {{ purpose = "{rule.purpose}", needs = "allowed" }}`'
            yield Finding("L3", rule.id, path, message, fix)
        for choice in choices:
            covers = choice.covers or by_withdrawal
            if covers == "part and now":
                continue
            when = "when the part was made" if covers == "part" else "at the time of the cut"
            message = f"`{rule.id}` asks for `{choice.purpose}` only {when}"
            fix = 'use `covers = "part and now"`: allowed at the part\'s time and still allowed when it is cut'
            if choice.covers is None:
                fix = 'use `stored_data = "not used"` under [withdrawal], or `covers = "part and now"` here'
            yield Finding("L3", rule.id, (*path, "choice"), message, fix)


def silence_is_not_consent(document: Document) -> Iterator[Finding]:
    """L6: nobody's data enters a cut because they did not answer."""
    for path, rule in grants_of(document):
        choices = choices_of(rule)
        if trains(document, rule) and choices and all(choice.needs == "unless declined" for choice in choices):
            message = f"`{rule.id}` takes silence for consent: it needs no act, only that nobody declined"
            fix = 'use `needs = "allowed"`, or accept the finding with a reason if the provider works this way'
            yield Finding("L6", rule.id, (*path, "choice", "needs"), message, fix)


def minors_need_a_guardian(document: Document, policy: Policy) -> Iterator[Finding]:
    """L14: a minor's own choice is not enough to let parts into a cut."""
    built = {grant.id: grant for grant in policy.grants}
    for path, rule in grants_of(document):
        grant = built.get(rule.id)
        asked = trains(document, rule) or (bool(choices_of(rule)) and document.purposes[rule.purpose].cut)
        if grant is None or rule.guardian_grant or not asked:
            continue
        found = [(plan, age) for plan in sorted(policy.plans) for age in MINORS if _eligible(policy, grant, plan, age)]
        if found:
            plans, ages = sorted({plan for plan, _ in found}), sorted({age for _, age in found})
            between = f"{ages[0]} to {ages[-1]}" if len(ages) > 1 else f"{ages[0]}"
            message = (
                f"`{rule.id}` lets people aged {between} into cuts for {rule.purpose}"
                f" on their own choice (plan {listed(plans, 'or')})"
            )
            fix = "add a veto `when = { age = { below = 18 } }`, or `guardian_grant = true` if a guardian allows it"
            yield Finding("L14", rule.id, path, message, fix)


def _eligible(policy: Policy, grant: Grant, plan: str, age: int) -> bool:
    this_minor = Condition(
        (Membership("plan", frozenset({plan}), declared=policy.plans), AgeTest(age + 1, age)),
    )
    vetoes = [veto.when for veto in grant.vetoes]
    situation = witness(policy, [requirement(grant), this_minor], vetoes)
    if situation is None:
        return False
    allowed = {purpose: ["allow"] for purpose in choice_purposes([policy])}
    facts, at = facts_in(situation, policy.effective, allowed)
    decision = decide(facts, policy, at)
    return grant.purpose in decision.eligible and any(reason.rule == grant.id for reason in decision.reasons)
