"""What the laws quantify over: shipped policies, made-up policies, facts near a policy's edges, and durations.

The shipped policies use half of what a policy can say: none has a floor, an anchor on a choice, or two
choices for one grant. `made_up` rebuilds a shipped policy with those at random, so that the other half is met too.
"""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from hypothesis import strategies as st

from assent.domain.conversation import DataClass, Mode, Origin, Surface
from assent.domain.durations import Duration
from assent.domain.facts import ACTS, ChoiceAct, Facts, HoldSpan, choice_order
from assent.policy.document import Anchor
from assent.policy.model import CLASSES, CLOCKS, HAPPENINGS, ChoiceRule, Condition, Lengths, Policy
from tests.laws.random_facts import INSTANTS, MICROSECOND, POLICIES, RandomFacts, load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.policy.model import Cap, Grant, Veto

ANCHORS: tuple[str, ...] = tuple(anchor for anchor in Anchor.__args__ if anchor != "retention anchor")
EVENTS = tuple(HAPPENINGS.values())
CLOCK_KEYS = tuple(CLOCKS.values())
EVENT_KEYS = (*EVENTS, "flag_reversed_at", "acknowledged_at")
LENGTHS = (
    None,
    Duration(seconds=3600),
    Duration(days=1),
    Duration(days=30),
    Duration(months=1),
    Duration(months=13, days=1),
    Duration(months=60),
)


@cache
def shipped(path: Path) -> Policy:
    """Load a shipped policy once."""
    return load(path)


def all_shipped() -> list[Policy]:
    """Return every policy of policies/."""
    return [shipped(path) for path in POLICIES]


# -- made-up policies -------------------------------------------------------------------


@cache
def made_up(number: int, *, weak_floors: bool = False) -> Policy:
    """Rebuild a shipped policy with random rules; the same number gives the same policy.

    A floor (`bound = "at least"`) is stronger than every ceiling unless `weak_floors`: one that may lose to a
    ceiling makes the answer depend on which other grants there are, so it is left to the agreement of the evaluators.
    """
    draw = random.Random(number)
    base = draw.choice(all_shipped())
    caps = tuple(_cap(cap, draw) for cap in base.caps)
    vetoes = tuple(_veto(veto, draw) for veto in base.vetoes)
    picked = [draw.choice(base.grants) for _ in range(draw.choice((1, 2, 3, 4)))]
    grants = tuple(_grant(replace(grant, id=f"{grant.id}-{n}"), vetoes, caps, draw) for n, grant in enumerate(picked))
    if not weak_floors:
        grants = tuple(replace(grant, rank=STRONGEST) if grant.floor else grant for grant in grants)
    return replace(
        base,
        name=f"made-up/{number}",
        grants=grants,
        vetoes=vetoes,
        caps=caps,
        withdrawal=replace(
            base.withdrawal,
            keeps=draw.random() < 0.2,
            erase_after=draw.choice(LENGTHS),
            rank=CLASSES.index("withdrawal"),
        ),
        part_clock=draw.choice(("created_at", "last_turn_at")),
        revives=draw.random() < 0.5,
        silence_refuses_from=draw.choice((None, *INSTANTS)),
        reversal_ends_flag=draw.random() < 0.5,
        acknowledgement_counts=draw.random() < 0.5,
        announced=draw.choice((None, base.announced, INSTANTS[1])),
        effective=draw.choice((base.effective, *INSTANTS)),
        cut_purposes=tuple(dict.fromkeys(g.purpose for g in grants if draw.random() < 0.8)),
    )


def _condition(condition: Condition, draw: random.Random) -> Condition:
    """Keep some of the tests, so that conditions hold more often, and add events and eras."""
    return Condition(
        tests=tuple(test for test in condition.tests if draw.random() < 0.6),
        happened=tuple(draw.sample(EVENTS, draw.choice((0, 0, 0, 0, 0, 0, 0, 1)))),
        absent=tuple(draw.sample(EVENTS, draw.choice((0, 0, 0, 0, 0, 0, 0, 1)))),
        era=draw.choice((None, None, None, "since effective", "before effective")),
    )


def _cap(cap: Cap, draw: random.Random) -> Cap:
    keeps = draw.random() < 0.2
    erase_after = None if keeps else draw.choice(LENGTHS)
    return replace(cap, keeps=keeps, use_after=draw.choice((None, *LENGTHS)), erase_after=erase_after, rank=_rank(draw))


def _veto(veto: Veto, draw: random.Random) -> Veto:
    return replace(veto, when=_condition(veto.when, draw))


def _grant(grant: Grant, vetoes: Sequence[Veto], caps: Sequence[Cap], draw: random.Random) -> Grant:
    anchor = draw.choice((*CLOCKS, *CLOCKS, *ANCHORS))
    choices: tuple[ChoiceRule, ...] = grant.choices
    if anchor.startswith("choice") or draw.random() < 0.4:
        choices = tuple(_choice(draw) for _ in range(draw.choice((1, 1, 2))))
    length = draw.choice((grant.use_for.default, *LENGTHS))
    lengths = draw.choice((grant.use_for, Lengths(length, {}), Lengths(length, {"P3M": Duration(months=3)})))
    ignores = None if draw.random() < 0.6 else frozenset(draw.sample(["withdrawn", *(c.id for c in caps)], 1))
    return replace(
        grant,
        rank=_rank(draw),
        anchor=anchor,
        when=_condition(grant.when, draw),
        use_for=lengths,
        floor=draw.random() < 0.35,
        erase_after=draw.choice((None, None, *LENGTHS)),
        choices=tuple(dict.fromkeys(choices)),
        ignores=ignores,
        vetoes=tuple(veto for veto in vetoes if draw.random() < 0.6),
        caps=tuple(cap for cap in caps if cap.id not in (ignores or ()) and draw.random() < 0.7),
    )


def _choice(draw: random.Random) -> ChoiceRule:
    covers = draw.choice(("part and now", "part and now", "now", "part"))
    return ChoiceRule(draw.choice(("training", "training", "sharing")), draw.random() < 0.4, covers)


STRONGEST = CLASSES.index("statutory retention")


def _rank(draw: random.Random) -> int:
    return draw.choice((0, 1, 3, 5, 9))


# -- facts, drawn so that Hypothesis can shrink them ------------------------------------


class Pools:
    """The values from which the facts of one policy at one instant are drawn; None comes first, so facts shrink to it.

    Facts drawn field by field rarely make anything eligible. So half of them are `likely`: they fulfil one grant of
    the policy, and then a few fields are drawn again.
    """

    def __init__(self, policy: Policy, at: datetime) -> None:
        source = RandomFacts(policy, at, random.Random(0))
        self.all = tuple(sorted({*source.edges, *(source.instant() for _ in range(80))}))
        self.past = tuple(instant for instant in self.all if instant <= at)
        self.instants = st.sampled_from(self.all)
        self.until_now = st.sampled_from(self.past)
        self.purposes = st.sampled_from(source.purposes)
        recent = [at - step for step in (MICROSECOND, timedelta(hours=3), timedelta(days=8), timedelta(days=70))]
        seldom = [None] * (4 * len(self.all)) + list(self.all)
        self.values: dict[str, Sequence[Any]] = {
            "plan": source.plans,
            "region": source.regions,
            "age": source.ages,
            "signed_in": [None, True, False],
            "role": source.roles,
            "surface": [None, *get_args(Surface)],
            "mode": [None, "normal", *get_args(Mode)],
            "data": [None, "text", "text", *get_args(DataClass)],
            "origin": [None, "person", *get_args(Origin)],
            "user_duration": source.picks,
            **{key: [None, *self.all] for key in CLOCK_KEYS},
            **dict.fromkeys(EVENT_KEYS, seldom),
        }
        choice = st.builds(ChoiceAct, self.purposes, st.sampled_from(("allow", "allow", *ACTS)), self.instants)
        span = st.tuples(self.instants, st.one_of(st.none(), self.instants)).map(_span)
        acts = st.lists(choice, max_size=4).map(_ordered)
        holds = st.one_of(st.just(()), st.just(()), st.just(()), st.lists(span, max_size=2).map(tuple))
        anything = {name: st.sampled_from(values) for name, values in self.values.items()}
        anything |= {"choices": acts, "holds": holds}
        self.any = st.builds(Facts, part=st.just("p"), **anything)
        redrawn = st.lists(st.sampled_from(sorted(anything)), max_size=3, unique=True).flatmap(
            lambda names: st.fixed_dictionaries({name: anything[name] for name in names})
        )
        fulfilled = st.one_of(*(self._fulfilling(grant, at, recent) for grant in policy.grants))
        self.likely = st.builds(lambda base, changed: replace(base, **changed), fulfilled, redrawn)
        self.facts = st.one_of(self.any, self.likely, self.likely)

    def _fulfilling(self, grant: Grant, at: datetime, recent: Sequence[datetime]) -> st.SearchStrategy[Facts]:
        """Draw facts under which a grant is live if its vetoes let it."""
        plain = Facts("p", age=30, signed_in=True, mode="normal", data="text", origin="person", surface="chat")
        chosen: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(CLOCK_KEYS, st.sampled_from(recent))
        for test in grant.when.tests:
            fitting = [v for v in self.values[test.key] if test(replace(plain, **{test.key: v})) is True]
            chosen[test.key] = st.sampled_from(fitting or self.values[test.key])
        for key in (*grant.when.happened, *([HAPPENINGS[grant.anchor]] if grant.anchor in HAPPENINGS else [])):
            chosen[key] = st.sampled_from([*recent, *self.past])
        needed = tuple(choice.purpose for choice in grant.choices)
        early = st.sampled_from([min(self.past), at - timedelta(days=9)])
        acts = early.map(lambda when: tuple(ChoiceAct(purpose, "allow", when) for purpose in needed))
        return st.builds(lambda **values: replace(plain, **values), choices=acts, **chosen)


def _ordered(acts: Sequence[ChoiceAct]) -> tuple[ChoiceAct, ...]:
    return tuple(sorted(acts, key=choice_order))


def _span(ends: tuple[datetime, datetime | None]) -> HoldSpan:
    start, end = ends
    return HoldSpan(start, end) if end is None or start <= end else HoldSpan(end, start)


@cache
def pools(policy_key: str | int, at: datetime) -> tuple[Policy, Pools]:
    """Return a policy by its name (shipped) or number (made up), with its pools."""
    if isinstance(policy_key, int):
        policy = made_up(policy_key)
    else:
        policy = next(policy for policy in all_shipped() if policy.name == policy_key)
    return policy, Pools(policy, at)


class Scene(NamedTuple):
    """One decision to be taken: a policy, facts and an instant; `pools` has more values of the same kind."""

    policy: Policy
    facts: Facts
    at: datetime
    pools: Pools

    def __repr__(self) -> str:
        known = {f.name: getattr(self.facts, f.name) for f in fields(Facts)}
        return f"{self.policy.name} at {self.at}: { ({k: v for k, v in known.items() if v not in (None, ())}) }"


@st.composite
def scenes(draw: st.DrawFn, keys: st.SearchStrategy[str | int]) -> Scene:
    """Draw a scene under one of the policies."""
    at = draw(st.sampled_from(INSTANTS))
    policy, pool = pools(draw(keys), at)
    return Scene(policy, draw(pool.facts), at, pool)


SHIPPED_NAMES = st.sampled_from([policy.name for policy in all_shipped()])
MADE_UP_NUMBERS = st.integers(0, 9999)
shipped_scenes = scenes(SHIPPED_NAMES)
any_scene = scenes(st.one_of(SHIPPED_NAMES, MADE_UP_NUMBERS))
