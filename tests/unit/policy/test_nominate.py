"""Nomination is never late: whatever is due under the reference satisfies one of the bounds of its class."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load

from assent.domain.durations import Duration, parse_duration
from assent.domain.facts import Facts
from assent.policy.decide import decide
from assent.policy.model import CLASSES, AgeTest, Cap, Condition, Grant, Membership, Policy
from assent.policy.nominate import Bound, nominate, nominate_versions
from assent.policy.standing import UNKNOWN, Permitted, lasting
from assent.policy.versions import decide_versions

LOADED = {path: load(path) for path in POLICIES}
STATE = ("plan", "region", "age", "signed_in", "role", "surface", "mode", "data", "origin")
ANTHROPIC = next(path for path in POLICIES if (path.parent.name, path.stem) == ("anthropic", "2025-10-08"))


def state_of(facts: Facts) -> Facts:
    return Facts(part="", **{name: getattr(facts, name) for name in STATE})


def nominated(bounds: tuple[Bound, ...] | None, facts: Facts, at: datetime) -> bool:
    if bounds is None:
        return True
    clocks = [(getattr(facts, bound.clock), bound.after) for bound in bounds]
    return any(clock is not None and clock <= at - after for clock, after in clocks)


def permitted(facts: Facts, at: datetime) -> Permitted:
    """Say what the acts behind `facts` permit for good, as a store may note it once the newest of them is past."""
    last = lasting(facts.choices)
    if any(since > at for since in last.since.values()):
        return UNKNOWN
    return last.of({"created_at": facts.created_at, "last_turn_at": facts.last_turn_at})


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), at=st.sampled_from(INSTANTS))
def test_a_candidate_time_is_never_later_than_the_truth(path: Path, seed: int, at: datetime) -> None:
    policy = LOADED[path]
    source = RandomFacts(policy, at, random.Random(seed))
    for number in range(8):
        facts = source.facts(str(number))
        if decide(facts, policy, at).due():
            assert nominated(nominate(policy, state_of(facts)), facts, at), facts
            assert nominated(nominate(policy, state_of(facts), permitted(facts, at)), facts, at), facts


def twisted(policy: Policy, source: random.Random) -> Policy:
    """Change rules in ways that no shipped policy happens to combine."""

    def grant(rule: Grant) -> Grant:
        when = replace(
            rule.when,
            absent=source.choice(((), (), ("feedback_at",), ("deleted_at",))),
            era=source.choice((None, None, "since effective", "before effective")),
        )
        picks = source.choice(({}, {"P3M": parse_duration("P3M"), "P7D": parse_duration("P7D")}))
        return replace(
            rule,
            rank=source.randrange(len(CLASSES)),
            when=source.choice((when, rule.when)),
            anchor=source.choice((rule.anchor, "created", "last turn", "recorded")),
            use_for=source.choice((rule.use_for, replace(rule.use_for, picks=picks))),
            floor=source.random() < 0.4,
            choices=source.choice((rule.choices, ())),
        )

    kept = [rule for rule in policy.grants if source.random() < 0.7]
    return replace(policy, grants=tuple(grant(rule) for rule in kept or policy.grants))


@settings(max_examples=400)
@given(seed=st.integers(0, 2**32), path=st.sampled_from(POLICIES), at=st.sampled_from(INSTANTS))
def test_a_candidate_time_is_never_late_under_made_up_rules(seed: int, path: Path, at: datetime) -> None:
    draw = random.Random(seed)
    policy = twisted(LOADED[path], draw)
    source = RandomFacts(policy, at, draw)
    for number in range(12):
        facts = source.facts(str(number))
        if decide(facts, policy, at).due():
            assert nominated(nominate(policy, state_of(facts)), facts, at), facts
            assert nominated(nominate(policy, state_of(facts), permitted(facts, at)), facts, at), facts


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), at=st.sampled_from(INSTANTS))
def test_several_versions_are_nominated_by_the_strictest(seed: int, at: datetime) -> None:
    versions = [policy for path, policy in LOADED.items() if path.parent.name == "anthropic"]
    source = RandomFacts(versions[-1], at, random.Random(seed))
    for number in range(8):
        facts = source.facts(str(number))
        if decide_versions(facts, versions, at).due():
            assert nominated(nominate_versions(versions, state_of(facts)), facts, at), facts
            assert nominated(nominate_versions(versions, state_of(facts), permitted(facts, at)), facts, at), facts


def met_by_a_bound(policy: Policy) -> int:
    met = 0
    for at in INSTANTS:
        source = RandomFacts(policy, at, random.Random(7))
        for number in range(200):
            facts = source.facts(str(number))
            met += bool(nominate(policy, state_of(facts))) and decide(facts, policy, at).due()
    return met


def test_the_law_meets_parts_that_are_due_by_a_bound() -> None:
    """The law above would hold for nothing at all; here it is shown to speak of something."""
    speaking = [path for path, policy in LOADED.items() if met_by_a_bound(policy) > 20]
    assert ANTHROPIC in speaking
    assert len(speaking) > len(LOADED) / 2


def spared_by_what_is_permitted(policy: Policy) -> tuple[int, int]:
    """Count the parts that only clocks nominate and what is permitted does not, and those due that both nominate."""
    spared = due = 0
    for at in INSTANTS:
        source = RandomFacts(policy, at, random.Random(11))
        for number in range(300):
            facts = source.facts(str(number))
            known = nominate(policy, state_of(facts), permitted(facts, at))
            if known != nominate(policy, state_of(facts)):
                spared += nominated(nominate(policy, state_of(facts)), facts, at) and not nominated(known, facts, at)
                due += decide(facts, policy, at).due()
    return spared, due


def test_what_is_permitted_spares_parts_and_the_law_meets_due_ones_among_them() -> None:
    """Of the shipped policies these keep longer what somebody allowed, and what nobody refused."""
    speaking = {path.parent.name for path, policy in LOADED.items() if min(spared_by_what_is_permitted(policy)) > 5}
    assert speaking == {"anthropic", "google"}


def test_a_part_that_may_train_is_nominated_by_the_end_of_that() -> None:
    state = Facts(part="", plan="pro", data="text", origin="person", surface="chat", mode="normal", age=30)
    allowed = Permitted(frozenset({("training", "last_turn_at")}))
    bounds = nominate(LOADED[ANTHROPIC], state, allowed)
    assert bounds == (
        Bound("last_turn_at", timedelta(days=5 * 365)),
        Bound("deleted_at", timedelta(days=30)),
        Bound("account_closed_at", timedelta(days=30)),
    )
    other_clock = Permitted(frozenset({("training", "recorded_at")}))
    assert nominate(LOADED[ANTHROPIC], state, other_clock) == nominate(LOADED[ANTHROPIC], state)


def test_an_ordinary_consumer_part_is_nominated_by_its_last_turn_and_its_events() -> None:
    state = Facts(part="", plan="pro", data="text", origin="person", surface="chat", mode="normal", age=30)
    assert nominate(LOADED[ANTHROPIC], state) == (
        Bound("last_turn_at", timedelta(days=30)),
        Bound("deleted_at", timedelta(days=30)),
        Bound("account_closed_at", timedelta(days=30)),
    )


def test_a_part_of_a_business_plan_is_never_nominated() -> None:
    assert nominate(LOADED[ANTHROPIC], Facts(part="", plan="team", data="text")) == ()


GRANT = next(grant for grant in LOADED[ANTHROPIC].grants if grant.id == "base")
CAP = LOADED[ANTHROPIC].caps[0]


def with_grants(*grants: Grant) -> Policy:
    return replace(LOADED[ANTHROPIC], grants=grants)


CONSUMER = Facts(part="", plan="pro", data="text")


@pytest.mark.parametrize(
    ("why", "grant"),
    [
        ("it needs a choice", next(g for g in LOADED[ANTHROPIC].grants if g.choices)),
        ("it runs from an event", replace(GRANT, anchor="flagged")),
        ("it needs an event", replace(GRANT, when=replace(GRANT.when, happened=("feedback_at",)))),
        ("an event ends it", replace(GRANT, when=replace(GRANT.when, absent=("feedback_at",)))),
        ("it depends on when the policy was seen", replace(GRANT, when=replace(GRANT.when, era="since effective"))),
        ("a veto may take it away", replace(GRANT, vetoes=(replace(LOADED[ANTHROPIC].vetoes[0], when=GRANT.when),))),
    ],
)
def test_without_a_grant_that_surely_counts_the_whole_class_is_looked_at(why: str, grant: Grant) -> None:
    assert nominate(with_grants(grant), CONSUMER) is None, why


def test_the_shortest_pick_of_the_person_bounds() -> None:
    picks = {"P3M": parse_duration("P3M"), "indefinite": None}
    grant = replace(GRANT, use_for=replace(GRANT.use_for, picks=picks, default=None), caps=())
    assert nominate(with_grants(grant), CONSUMER) == (Bound("last_turn_at", timedelta(days=84)),)


def test_the_grant_that_lasts_longest_bounds() -> None:
    longer = replace(GRANT, id="longer", use_for=replace(GRANT.use_for, default=parse_duration("P1Y")), caps=())
    assert nominate(with_grants(GRANT, longer), CONSUMER) == (Bound("last_turn_at", timedelta(days=365)),)


def test_a_floor_bounds_only_if_no_ceiling_can_beat_it() -> None:
    floor = replace(GRANT, id="floor", floor=True, use_for=replace(GRANT.use_for, default=parse_duration("P1Y")))
    ceiling = replace(GRANT, rank=floor.rank + 1)
    assert nominate(with_grants(floor, ceiling), CONSUMER) == nominate(with_grants(ceiling), CONSUMER)
    weaker = replace(GRANT, rank=floor.rank - 1)
    bounds = nominate(with_grants(floor, weaker), CONSUMER)
    assert bounds is not None
    assert bounds[0] == Bound("last_turn_at", timedelta(days=365))


def test_a_cap_that_does_not_shorten_the_bytes_is_no_bound() -> None:
    keeping: Cap = replace(CAP, keeps=True)
    assert nominate(with_grants(replace(GRANT, caps=(keeping,))), CONSUMER) == (
        Bound("last_turn_at", timedelta(days=30)),
    )
    strong_floor = replace(GRANT, floor=True, rank=CAP.rank + 1, caps=(CAP,))
    assert nominate(with_grants(strong_floor), CONSUMER) == (Bound("last_turn_at", timedelta(days=30)),)


def test_what_never_ends_and_cannot_be_capped_is_never_nominated() -> None:
    endless = replace(GRANT, use_for=replace(GRANT.use_for, default=None), caps=())
    bounds = nominate(with_grants(endless), CONSUMER)
    assert bounds == ()
    assert not nominated(bounds, replace(CONSUMER, last_turn_at=datetime(1999, 1, 1, tzinfo=UTC)), INSTANTS[0])


# -- to the day: what is too early is looked at in vain ---------------------------------------------


def length(text: str) -> Duration:
    return parse_duration(text)


@pytest.mark.parametrize(
    ("use_for", "erase_after", "days"),
    [("P30D", None, 30), ("P30D", "P7D", 37), ("P1M", "P1M", 56), ("P1Y", "P1D", 366), ("P2D", "PT12H", 2.5)],
)
def test_a_bound_is_the_shortest_that_use_and_erasure_can_take_together(
    use_for: str, erase_after: str | None, days: float
) -> None:
    after = None if erase_after is None else length(erase_after)
    grant = replace(GRANT, use_for=replace(GRANT.use_for, default=length(use_for)), erase_after=after, caps=())
    assert nominate(with_grants(grant), CONSUMER) == (Bound("last_turn_at", timedelta(days=days)),)


@pytest.mark.parametrize(
    ("use_after", "erase_after", "days"), [(None, None, 0), ("P2D", None, 2), (None, "P30D", 30), ("P2D", "P30D", 32)]
)
def test_the_bound_of_a_cap_is_what_it_leaves_of_use_and_of_the_bytes(
    use_after: str | None, erase_after: str | None, days: float
) -> None:
    ends = {
        name: None if text is None else length(text)
        for name, text in (("use_after", use_after), ("erase_after", erase_after))
    }
    grant = replace(GRANT, caps=(replace(CAP, key="deleted_at", keeps=False, **ends),))
    assert nominate(with_grants(grant), CONSUMER) == (
        Bound("last_turn_at", timedelta(days=30)),
        Bound("deleted_at", timedelta(days=days)),
    )


@pytest.mark.parametrize(("stronger", "bounds"), [(-1, 2), (0, 2), (1, 1)])
def test_a_floor_outlasts_a_cap_only_if_it_is_of_a_stronger_class(stronger: int, bounds: int) -> None:
    floor = replace(GRANT, floor=True, rank=CAP.rank + stronger, caps=(replace(CAP, keeps=False),))
    found = nominate(with_grants(floor), CONSUMER)
    assert found is not None
    assert len(found) == bounds


@pytest.mark.parametrize(("stronger", "days"), [(-1, 30), (0, 30), (1, 365)])
def test_a_floor_counts_only_if_it_is_of_a_stronger_class_than_every_ceiling(stronger: int, days: int) -> None:
    """Of one class the ceiling wins, so that the floor alone says nothing about the end."""
    year = replace(GRANT.use_for, default=length("P1Y"))
    floor = replace(GRANT, id="floor", floor=True, rank=GRANT.rank + 1 + stronger, use_for=year, caps=())
    ceiling = replace(GRANT, rank=GRANT.rank + 1, caps=())
    assert nominate(with_grants(floor, ceiling), CONSUMER) == (Bound("last_turn_at", timedelta(days=days)),)


def test_a_ceiling_that_cannot_count_for_a_class_beats_no_floor_of_it() -> None:
    year = replace(GRANT.use_for, default=length("P1Y"))
    floor = replace(GRANT, id="floor", floor=True, use_for=year, caps=())
    voice = Condition((Membership("data", frozenset({"voice"})),))
    ceiling = replace(GRANT, rank=GRANT.rank + 1, when=voice, caps=())
    assert nominate(with_grants(floor, ceiling), CONSUMER) == (Bound("last_turn_at", timedelta(days=365)),)
    unknown = replace(CONSUMER, data=None)  # where it may count, the bytes are kept as if it did
    assert nominate(with_grants(floor, ceiling), unknown) == (Bound("last_turn_at", timedelta(days=30)),)


def test_a_veto_that_hangs_on_what_is_not_known_takes_nothing_away() -> None:
    minor = replace(LOADED[ANTHROPIC].vetoes[0], when=Condition((AgeTest(18, None),)))
    grant = replace(GRANT, vetoes=(minor,), caps=())
    own = (Bound("last_turn_at", timedelta(days=30)),)
    assert [nominate(with_grants(grant), replace(CONSUMER, age=age)) for age in (17, 18, None)] == [None, own, own]


def test_of_several_versions_each_clock_has_its_shortest_bound() -> None:
    def version(days: int, after: str, *, key: str) -> Policy:
        cap = replace(CAP, key=key, keeps=False, use_after=None, erase_after=length(after))
        use = replace(GRANT.use_for, default=length(f"P{days}D"))
        return with_grants(replace(GRANT, use_for=use, caps=(cap,)))

    one, other = version(30, "P9D", key="deleted_at"), version(20, "P11D", key="deleted_at")
    third = version(40, "P5D", key="account_closed_at")
    assert nominate_versions([one, other, third], CONSUMER) == (
        Bound("last_turn_at", timedelta(days=20)),
        Bound("deleted_at", timedelta(days=9)),
        Bound("account_closed_at", timedelta(days=5)),
    )
    needs_choice = with_grants(next(grant for grant in LOADED[ANTHROPIC].grants if grant.choices))
    assert nominate_versions([one, needs_choice], CONSUMER) is None
    assert nominate_versions([with_grants(replace(GRANT, use_for=replace(GRANT.use_for, default=None), caps=()))],
                             CONSUMER) == ()  # fmt: skip


def test_a_grant_that_needs_two_choices_counts_surely_only_if_both_are_sure() -> None:
    training = next(grant for grant in LOADED[ANTHROPIC].grants if grant.choices)
    [rule] = training.choices
    both = replace(training, choices=(rule, replace(rule, purpose="sharing")), vetoes=(), caps=())
    pair = (rule.purpose, "last_turn_at")
    state = replace(CONSUMER, age=30, origin="person", surface="chat", mode="normal")
    assert nominate(with_grants(both), state, Permitted(frozenset({pair}))) is None
    sure = Permitted(frozenset({pair, ("sharing", "last_turn_at")}))
    assert nominate(with_grants(both), state, sure) == (Bound("last_turn_at", timedelta(days=5 * 365)),)
