"""A third evaluator for the permit/forbid part: policies as Cedar text, decided by Cedar's own engine.

Each grant is an action with one `permit`; each veto is a `forbid` over the actions of the grants it reaches. Cedar
knows no dates, so whether a choice stands and whether a term still runs arrive as attributes, worked out here from
the rules by the plainest code there is. An unknown fact is a missing attribute, guarded by `has`: a permit needs the
fact, and a forbid is lifted only by a fact that makes its condition false.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from cedarpy import PolicySet, is_authorized_batch

from assent.domain.durations import add
from assent.policy.decide import decide
from assent.policy.model import CLOCKS, HAPPENINGS, AgeTest
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load
from tests.laws.strategies import CLOCK_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from assent.domain.facts import Facts
    from assent.policy.model import ChoiceRule, Condition, Grant, Membership, Policy, Veto

FACTS = 200
NOTHING = "permit(principal, action, resource) when { false };"
STATE = ("plan", "region", "age", "signed_in", "role", "surface", "mode", "data", "origin")


# -- a policy as Cedar text -------------------------------------------------------------


def cedar_rules(policy: Policy) -> dict[str, str]:
    """Translate the rules that have to do with cuts; the keys are their ids, in the order of the text."""
    permits = {grant.id: permit(policy, grant) for grant in cut_grants(policy)}
    return permits | {veto.id: forbid(policy, veto) for veto in reaching(policy)}


def cut_grants(policy: Policy) -> list[Grant]:
    return [grant for grant in policy.grants if grant.purpose in policy.cut_purposes]


def permit(policy: Policy, grant: Grant) -> str:
    tests = [f"context has {test.key} && {known(test)}" for test in grant.when.tests]
    tests += [f"context.{event}" for event in grant.when.happened]
    tests += [f"!context.{event}" for event in grant.when.absent]
    if grant.when.era:
        tests.append(f'context has era && context.era == "{grant.when.era}"')
    if grant.choices:
        tests.append(f"context has {policy.part_clock}")
    for rule in grant.choices:
        tests.append(f"context.{choice_name(rule)}")
    # what is unknown about the anchor is unknown about the end
    tests += [f"context has {CLOCKS[grant.anchor]}"] if grant.anchor in CLOCKS else []
    tests.append(f'context.running.contains("{grant.id}")')
    conditions = "\n".join(f"when {{ {test} }}" for test in tests)
    return f'permit(principal, action == Action::"{grant.id}", resource)\n{conditions}\nunless {{ context.held }};'


def reaching(policy: Policy) -> list[Veto]:
    return [veto for veto in policy.vetoes if any(veto in grant.vetoes for grant in cut_grants(policy))]


def forbid(policy: Policy, veto: Veto) -> str:
    actions = ", ".join(f'Action::"{grant.id}"' for grant in cut_grants(policy) if veto in grant.vetoes)
    lifted = "\n".join(f"unless {{ {false} }}" for false in falsified(veto.when))
    return f"forbid(principal, action in [{actions}], resource)\n{lifted};"


def falsified(condition: Condition) -> Iterable[str]:
    """Say what makes a condition false for sure; Cedar lifts a forbid when any `unless` is true."""
    for test in condition.tests:
        yield f"context has {test.key} && !{known(test)}"
    for event in condition.happened:
        yield f"!context.{event}"
    for event in condition.absent:
        yield f"context.{event}"
    if condition.era:
        yield f'context has era && context.era != "{condition.era}"'


def known(test: Membership | AgeTest) -> str:
    if isinstance(test, AgeTest):
        bounds = [f"context.age < {test.below}"] if test.below is not None else []
        bounds += [f"context.age >= {test.at_least}"] if test.at_least is not None else []
        return f"({' && '.join(bounds)})"
    values = ", ".join(json.dumps(value) for value in sorted(test.values, key=str))
    return f"({'!' if test.negated else ''}[{values}].contains(context.{test.key}))"


def choice_name(rule: ChoiceRule) -> str:
    words = (rule.purpose, "by_default" if rule.by_default else "by_act", rule.covers)
    return "allowed_" + "_".join(words).replace("-", "_").replace(" ", "_")


# -- facts as attributes ----------------------------------------------------------------


def context(policy: Policy, facts: Facts, at: datetime) -> dict[str, Any]:
    attributes = {key: value for key in STATE if (value := getattr(facts, key)) is not None}
    if facts.plan not in policy.plans:
        attributes.pop("plan", None)
    attributes |= {key: True for key in CLOCK_KEYS if getattr(facts, key) is not None}
    attributes |= {event: instant_of(policy, facts, event, at) is not None for event in HAPPENINGS.values()}
    clock = getattr(facts, policy.part_clock)
    if clock is not None:
        attributes["era"] = "since effective" if clock >= bound_from(policy, facts, at) else "before effective"
    for rule in {rule for grant in policy.grants for rule in grant.choices}:
        attributes[choice_name(rule)] = allowed(policy, rule, facts, at)
    attributes["running"] = [grant.id for grant in cut_grants(policy) if running(policy, grant, facts, at)]
    attributes["held"] = any(
        hold.start <= at and (hold.released_at is None or at < hold.released_at) for hold in facts.holds
    )
    return attributes


def instant_of(policy: Policy, facts: Facts, event: str, at: datetime) -> datetime | None:
    instant = getattr(facts, event)
    if instant is None or instant > at:
        return None
    reversed_at = facts.flag_reversed_at if event == "flagged_at" and policy.reversal_ends_flag else None
    return None if reversed_at is not None and reversed_at <= at else instant


def bound_from(policy: Policy, facts: Facts, at: datetime) -> datetime:
    seen = facts.acknowledged_at
    counts = policy.acknowledgement_counts and seen is not None and seen <= at
    return (
        min(seen, policy.effective)
        if counts and not (policy.announced and seen < policy.announced)
        else policy.effective
    )


def answer(purpose: str, facts: Facts, moment: datetime) -> bool | None:
    """Return the answer that stood at a moment: that of the newest act; of several at one instant a refusal."""
    acts = [act for act in facts.choices if act.purpose == purpose and act.act != "defer" and act.at <= moment]
    newest = max((act.at for act in acts), default=None)
    return all(act.act == "allow" for act in acts if act.at == newest) if acts else None


def allowed(policy: Policy, rule: ChoiceRule, facts: Facts, at: datetime) -> bool:
    """Tell whether a choice permits: at the part's time, and, where the rule asks for it, ever since and now."""
    clock = getattr(facts, policy.part_clock) or at
    then = at if rule.covers == "now" else min(clock, at)
    decided = answer(rule.purpose, facts, at)
    stood = answer(rule.purpose, facts, then)
    permitted = (rule.by_default or decided is not None) and (stood if stood is not None else rule.by_default)
    if rule.covers != "part and now" or not permitted:
        return permitted
    refusals = [
        act
        for act in facts.choices
        if act.purpose == rule.purpose and act.act in ("decline", "withdraw") and then < act.at <= at
    ]
    return decided is not False if policy.revives else not refusals


def running(policy: Policy, grant: Grant, facts: Facts, at: datetime) -> bool:
    """Tell whether the grant's term has begun and not ended, by its own length and by its caps."""
    clock = CLOCKS.get(grant.anchor) or HAPPENINGS[grant.anchor]
    start = getattr(facts, clock) if grant.anchor in CLOCKS else instant_of(policy, facts, clock, at)
    if start is None:
        return False
    length = grant.use_for.picks.get(facts.user_duration or "", grant.use_for.default)
    if length is not None and at >= add(start, length):
        return False
    events = [(cap, instant_of(policy, facts, cap.key, at)) for cap in grant.caps]
    return all(event is None or (cap.use_after is not None and at < add(event, cap.use_after)) for cap, event in events)


# -- the comparison ---------------------------------------------------------------------


def compare(policy: Policy, rules: dict[str, str], facts: list[Facts], at: datetime) -> Counter[str]:
    """Check each decision, and that the two give the same reasons; count what was eligible."""
    grants, names = cut_grants(policy), list(rules)
    requests = [
        {"principal": 'Cut::"c"', "action": f'Action::"{grant.id}"', "resource": 'Part::"p"', "context": attributes}
        for fact in facts
        for attributes in [json.dumps(context(policy, fact, at))]
        for grant in grants
    ]
    answers = iter(is_authorized_batch(requests, PolicySet.from_str("\n".join(rules.values())), "[]"))
    found: Counter[str] = Counter()
    for fact in facts:
        decision = decide(fact, policy, at)
        each = {grant.id: (grant, next(answers)) for grant in grants}
        permitted = {grant_id for grant_id, (_, one) in each.items() if one.allowed}
        assert all(one.diagnostics.errors == [] for _, one in each.values())
        assert {each[grant_id][0].purpose for grant_id in permitted} == set(decision.eligible), (policy.name, fact)
        said = {(reason.kind, reason.rule) for reason in decision.reasons}
        assert permitted <= {rule for kind, rule in said if kind in ("grant", "exception")}
        # Cedar names rules by their place in the text, and every forbid met; the reference the first for each grant
        forbidding = {
            names[int(place.removeprefix("policy"))]
            for _, one in each.values()
            if not one.allowed
            for place in one.diagnostics.reasons
        }
        assert {rule for kind, rule in said if kind == "veto"} & set(rules) <= forbidding
        found.update(decision.eligible)
    return found


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_cedar_permits_what_the_reference_finds_eligible(path: Path) -> None:
    policy = load(path)
    found: Counter[str] = Counter()
    for seed, at in enumerate(INSTANTS[1:4]):
        source = RandomFacts(policy, at, random.Random(seed))
        found += compare(policy, cedar_rules(policy), [source.facts(str(number)) for number in range(FACTS)], at)
    assert found, "nothing was ever eligible, so the comparison shows little"


def test_the_comparison_can_fail() -> None:
    """With one permit, one forbid or the holds taken out, the comparison fails.

    Only the veto of business plans is missed by nobody: every permit already asks for a consumer plan.
    """
    policy = load(next(path for path in POLICIES if path.stem == "2025-10-08"))
    rules = cedar_rules(policy)
    source = RandomFacts(policy, INSTANTS[1], random.Random(5))
    facts = [source.facts(str(number)) for number in range(600)]
    assert compare(policy, rules, facts, INSTANTS[1])["training"]
    wrong = [rules | {name: NOTHING} for name in rules if name != "business-plan"]
    wrong.append({name: rule.replace("unless { context.held }", "") for name, rule in rules.items()})
    for changed in wrong:
        with pytest.raises(AssertionError):
            compare(policy, changed, facts, INSTANTS[1])
