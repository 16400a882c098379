"""Segments of people and parts: the few values of each fact that the rules can tell apart.

A rule can only test what it names, so all values that pass the same tests behave alike
and one of each class is enough. Lints, comparisons and renderings decide about these
classes instead of guessing at examples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Final, get_args

from assent.domain.conversation import DataClass, Mode, Origin, Surface
from assent.domain.facts import ChoiceAct, Facts
from assent.policy.build import REGIONS
from assent.policy.model import HAPPENINGS, AgeTest, Condition, Membership

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.policy import document as doc
    from assent.policy.build import Path
    from assent.policy.model import Grant, Policy, Veto

PLAIN: Final[dict[str, object]] = {
    "surface": "chat",
    "mode": "normal",
    "data": "text",
    "origin": "person",
    "age": 30,
    "signed_in": True,
}
"""An adult, signed in, who typed text into a chat: what a part is when nothing else is said."""

ELSEWHERE: Final = "ZZ"
"""A region that no rule can name (ISO 3166-1 leaves it to its readers)."""

OLDEST: Final = 150
"""Years: nobody is older."""

_UNIVERSE: Final[dict[str, tuple[object, ...]]] = {
    "surface": get_args(Surface),
    "mode": get_args(Mode),
    "data": get_args(DataClass),
    "origin": get_args(Origin),
    "age": tuple(range(OLDEST + 1)),
    "signed_in": (True, False),
}
KEYS: Final = ("plan", "region", "role", "age", "signed_in", "mode", "surface", "data", "origin")


@dataclass(frozen=True, slots=True)
class Value:
    """One class of values: a member that stands for all, and the words for the class."""

    value: object
    words: str


@dataclass(frozen=True, slots=True)
class Situation:
    """Facts in the shape of conditions: state, events that happened, and the part's era."""

    state: tuple[tuple[str, object], ...]
    events: frozenset[str] = frozenset()
    since_effective: bool = True


def grants_of(document: doc.Document) -> list[tuple[Path, doc.Grant]]:
    """List grants and exceptions with their paths, in file order of the two kinds."""
    named = (("grant", document.grant), ("exception", document.exception))
    return [((kind, index), rule) for kind, rules in named for index, rule in enumerate(rules)]


def conditions(policy: Policy) -> list[Condition]:
    """List the conditions of all grants, exceptions and vetoes."""
    return [*(grant.when for grant in policy.grants), *(veto.when for veto in policy.vetoes)]


def requirement(grant: Grant) -> Condition:
    """Return what must hold before a grant can count: its condition, and its anchor's event."""
    event = HAPPENINGS.get(grant.anchor)
    return grant.when if event is None else replace(grant.when, happened=(*grant.when.happened, event))


def axes(policies: Sequence[Policy], extra: Iterable[Condition] = ()) -> dict[str, tuple[Value, ...]]:
    """Return, per fact that some rule tests, its classes of values; the plain one comes first."""
    every = [condition for policy in policies for condition in conditions(policy)] + list(extra)
    tests: dict[str, list[Membership | AgeTest]] = {}
    for condition in every:
        for test in condition.tests:
            tests.setdefault(test.key, []).append(test)
    return {key: tuple(_classes(key, tests[key], policies)) for key in KEYS if key in tests}


def _classes(key: str, tests: Sequence[Membership | AgeTest], policies: Sequence[Policy]) -> Iterator[Value]:
    universe = _universe(key, tests, policies)
    groups: dict[tuple[bool | None, ...], list[object]] = {}
    for value in universe:
        facts = Facts("part", **{key: value})  # type: ignore[arg-type]  # the key decides the type
        groups.setdefault(tuple(test(facts) for test in tests), []).append(value)
    plain = PLAIN.get(key, ELSEWHERE)
    for members in sorted(groups.values(), key=lambda members: plain not in members):
        last = members[-1] if key == "age" else members[0]
        yield Value(plain if plain in members else last, _words(key, members))


def _universe(key: str, tests: Sequence[Membership | AgeTest], policies: Sequence[Policy]) -> list[object]:
    if key == "plan":
        return list(dict.fromkeys(plan for policy in policies for plan in sorted(policy.plans)))
    if key in _UNIVERSE:
        return list(_UNIVERSE[key])
    named = {value for test in tests if isinstance(test, Membership) for value in test.values}
    return [*sorted(named, key=str), ELSEWHERE]


def _words(key: str, members: Sequence[Any]) -> str:
    if key == "age":
        return " or ".join(_years(first, last) for first, last in _stretches(members))
    if key == "signed_in":
        return "signed in" if members[0] else "not signed in"
    if ELSEWHERE in members:
        return f"any other {key}"
    if key == "region":
        groups = [name for name in members if name in REGIONS]
        covered = {code for name in groups for code in REGIONS[name]}
        members = [name for name in members if name not in covered]
    return listed([str(name) for name in members], "or")


def _stretches(years: Sequence[int]) -> list[tuple[int, int]]:
    """Put years that follow each other together: the first and the last of each stretch."""
    found: list[tuple[int, int]] = []
    for year in years:
        if found and found[-1][1] == year - 1:
            found[-1] = (found[-1][0], year)
        else:
            found.append((year, year))
    return found


def _years(first: int, last: int) -> str:
    if first == 0:
        return f"under {last + 1}"
    return f"{first} or older" if last == OLDEST else f"{first} to {last}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a person would: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def holds_in(condition: Condition, situation: Situation) -> bool:
    """Tell whether a condition is true in a situation (what is unknown is not true)."""
    facts = Facts("part", **dict(situation.state))  # type: ignore[arg-type]  # state keys are fact keys
    return (
        all(test(facts) is True for test in condition.tests)
        and all(event in situation.events for event in condition.happened)
        and not any(event in situation.events for event in condition.absent)
        and (condition.era is None or (condition.era == "since effective") is situation.since_effective)
    )


def witness(policy: Policy, must: Sequence[Condition], must_not: Sequence[Condition] = ()) -> Situation | None:
    """Find a situation in which all of `must` hold and none of `must_not`; None if there is none."""
    every = [*must, *must_not]
    classes = axes([policy], every)
    keys = [key for key in classes if any(test.key == key for condition in every for test in condition.tests)]
    choices = [_passing(key, classes[key], must) for key in keys]
    events = sorted({event for condition in every for event in (*condition.happened, *condition.absent)})
    for state in product(*choices):
        for happened in product((False, True), repeat=len(events)):
            chosen = frozenset(event for event, did in zip(events, happened, strict=True) if did)
            for since in (True, False):
                found = Situation(tuple(zip(keys, state, strict=True)), chosen, since)
                if all(holds_in(c, found) for c in must) and not any(holds_in(c, found) for c in must_not):
                    return found
    return None


def _passing(key: str, classes: Iterable[Value], must: Sequence[Condition]) -> list[object]:
    tests = [test for condition in must for test in condition.tests if test.key == key]
    return [
        value.value
        for value in classes
        if all(test(Facts("part", **{key: value.value})) is True for test in tests)  # type: ignore[arg-type]
    ]


def reachable(policy: Policy, grant: Grant) -> Situation | None:
    """Find a situation in which a grant counts: its condition holds and none of its vetoes does."""
    return witness(policy, [requirement(grant)], [veto.when for veto in grant.vetoes])


def meets(policy: Policy, veto: Veto, grant: Grant) -> bool:
    """Tell whether a veto can ever take a grant away."""
    return veto in grant.vetoes and witness(policy, [requirement(grant), veto.when]) is not None


def facts_in(
    situation: Situation, effective: datetime, acts: Mapping[str, Sequence[str]] | None = None
) -> tuple[Facts, datetime]:
    """Make facts of a situation and the instant to decide them at, soon after everything in it happened.

    `acts` maps a purpose to the acts given for it, in order, before the part was recorded.
    """
    start = effective + timedelta(days=30 if situation.since_effective else -30)
    choices = tuple(
        ChoiceAct(purpose, act, start - timedelta(hours=len(given) - n))  # type: ignore[arg-type]  # acts are Acts
        for purpose, given in (acts or {}).items()
        for n, act in enumerate(given)
    )
    facts = Facts(
        "part",
        **{**PLAIN, **dict(situation.state)},  # type: ignore[arg-type]  # state keys are fact keys
        created_at=start,
        last_turn_at=start,
        recorded_at=start,
        choices=tuple(sorted(choices, key=lambda act: act.at)),
        **dict.fromkeys(situation.events, start + timedelta(minutes=1)),  # type: ignore[arg-type]
    )
    return facts, start + timedelta(minutes=2)


def choice_purposes(policies: Iterable[Policy]) -> list[str]:
    """List the purposes for which the policies ask a choice."""
    return sorted({choice.purpose for policy in policies for grant in policy.grants for choice in grant.choices})
