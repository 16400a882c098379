"""Lints on what the rules reach: L9 (nobody is forgotten), L16 (no rule is idle)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from assent.policy.decide import decide
from assent.policy.lints.finding import Finding
from assent.policy.model import Condition, Membership
from assent.policy.segments import (
    Situation,
    Value,
    axes,
    choice_purposes,
    conditions,
    facts_in,
    listed,
    meets,
    reachable,
    requirement,
    witness,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.domain.decision import Reason
    from assent.policy.build import Path
    from assent.policy.document import Document
    from assent.policy.model import Grant, Policy

_SEGMENT_KEYS = ("plan", "region", "role", "age", "signed_in", "mode", "surface")
_ERA = (Value("since", "recorded since the effective date"), Value("before", "recorded before the effective date"))
_UNKNOWN = Value(None, "unknown")

Box = tuple[frozenset[Value], ...]
"""A set of segments: per fact the classes that it may be in."""


def nobody_is_forgotten(document: Document, policy: Policy) -> Iterator[Finding]:
    """L9: every segment of people has some basis, also when the person declined everything."""
    for group, plans in document.plans.items():
        dimensions = _dimensions(policy, plans)
        for box in _uncovered(policy, dimensions):
            segment = "; ".join(
                _said(key, chosen)
                for (key, classes), chosen in zip(dimensions.items(), box, strict=True)
                if len(chosen) < len(classes)
            )
            message = f"no rule says what happens to plain parts of people in `{group}`" + (
                f" with {segment}" if segment else ""
            )
            fix = "add a grant that covers this segment, or widen the `when` of one that should"
            yield Finding("L9", group, ("plans", group), message, fix)


def _said(key: str, chosen: frozenset[Value]) -> str:
    words = listed(sorted(value.words for value in chosen), "or")
    return words if key in ("signed_in", "era") or words.startswith("any other") else f"{key} {words}"


def _dimensions(policy: Policy, plans: Sequence[str]) -> dict[str, tuple[Value, ...]]:
    """Return the classes of each fact of a segment: those that rules tell apart, and unknown where it may be so."""
    every = axes([policy])
    found = {"plan": tuple(Value(plan, plan) for plan in plans)}
    for key in _SEGMENT_KEYS[1:]:
        if key in every:
            found[key] = (*every[key], _UNKNOWN)
    if any(condition.era for condition in conditions(policy)):
        found["era"] = _ERA
    return found


def _uncovered(policy: Policy, dimensions: dict[str, tuple[Value, ...]]) -> list[Box]:
    declined = {purpose: ["decline"] for purpose in choice_purposes([policy])}
    points = []
    for point in product(*dimensions.values()):
        state = {key: value.value for key, value in zip(dimensions, point, strict=True)}
        since = state.pop("era", "since") == "since"
        facts, at = facts_in(Situation(tuple(state.items()), since_effective=since), policy.effective, declined)
        if not any(_speaks(policy, reason) for reason in decide(facts, policy, at).reasons):
            points.append(point)
    return _boxes(points, list(dimensions.values()))


def _speaks(policy: Policy, reason: Reason) -> bool:
    """Tell whether a reason says what happens to a part; a veto on cuts alone does not say whether it is kept."""
    if reason.kind != "veto":
        return reason.kind in ("grant", "exception", "gap")
    removed = next(veto.removes for veto in policy.vetoes if veto.id == reason.rule)
    return not removed <= set(policy.cut_purposes)


def _boxes(points: list[tuple[Value, ...]], dimensions: Sequence[tuple[Value, ...]]) -> list[Box]:
    """Describe points by few boxes, each as large as it can be; boxes may overlap."""
    inside, left = set(points), points
    boxes: list[Box] = []
    while left:
        box = [frozenset({value}) for value in left[0]]
        for n, classes in enumerate(dimensions):
            around = (box[:n], box[n + 1 :])
            box[n] = frozenset(
                value for value in classes if all(point in inside for point in product(*around[0], [value], *around[1]))
            )
        boxes.append(tuple(box))
        left = [point for point in left if not all(value in box[n] for n, value in enumerate(point))]
    return boxes


def no_rule_is_idle(document: Document, policy: Policy) -> Iterator[Finding]:
    """L16: every rule can have a say in some decision."""
    built = {grant.id: grant for grant in policy.grants}
    for kind, rules in (("grant", document.grant), ("exception", document.exception)):
        for index, rule in enumerate(rules):
            if rule.id in built:
                yield from _idle_grant(policy, built[rule.id], (kind, index))
    for index, cap in enumerate(policy.caps):
        if not any(cap in grant.caps for grant in policy.grants):
            message = f"`{cap.id}` caps nothing: no grant of {listed(sorted(cap.purposes), 'or')} is subject to it"
            fix = "name a purpose that some grant has and does not ignore this cap, or remove it"
            yield Finding("L16", cap.id, ("cap", index), message, fix)
    for index, veto in enumerate(policy.vetoes):
        subject_to = [grant for grant in policy.grants if veto in grant.vetoes]
        if not subject_to:
            message = f"`{veto.id}` removes nothing: no grant of {listed(sorted(veto.removes), 'or')} is subject to it"
            fix = "name a purpose that some grant has and does not ignore this veto, or remove it"
            yield Finding("L16", veto.id, ("veto", index), message, fix)
        elif not any(meets(policy, veto, grant) for grant in subject_to):
            message = f"`{veto.id}` can never meet a grant that it would take away"
            fix = "correct its `when`, remove it, or accept the finding if the same is said twice on purpose"
            yield Finding("L16", veto.id, ("veto", index, "when"), message, fix)


def _idle_grant(policy: Policy, grant: Grant, path: Path) -> Iterator[Finding]:
    if grant.anchor in ("choice given", "choice withdrawn") and not grant.choices:
        message = f"`{grant.id}` runs from a choice and asks for none, so it never starts"
        yield Finding("L16", grant.id, (*path, "anchor"), message, "add `choice = { ... }` or use another anchor")
    elif witness(policy, [requirement(grant), _declared_plan(policy)]) is None:
        message = f"`{grant.id}` can never apply: its `when` contradicts itself or its anchor"
        yield Finding("L16", grant.id, (*path, "when"), message, "correct the `when`, or remove the rule")
    elif reachable(policy, grant) is None:
        vetoes = listed([f"`{veto.id}`" for veto in grant.vetoes if meets(policy, veto, grant)])
        message = f"`{grant.id}` can never apply: whenever its `when` holds, {vetoes} takes it away"
        yield Finding("L16", grant.id, (*path, "when"), message, "correct the `when`, the veto, or remove the rule")


def _declared_plan(policy: Policy) -> Condition:
    return Condition((Membership("plan", policy.plans, declared=policy.plans),)) if policy.plans else Condition()
