"""Laws of decisions: each test is a sentence about all facts, under every shipped policy and under made-up ones.

Where a sentence needs a condition to be true, the test states the condition. `NO_END` orders "no end" last.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assent.domain.facts import ACTS, ChoiceAct, Facts, HoldSpan, choice_order, facts_from_record, facts_to_record
from assent.domain.instants import LATEST as NO_END
from assent.policy.decide import decide
from assent.policy.parse import parse_document
from assent.policy.versions import by_date, decide_versions, governing, stricter
from tests.laws.random_facts import INSTANTS, MICROSECOND, POLICIES, load
from tests.laws.strategies import (
    CLOCK_KEYS,
    EVENT_KEYS,
    Scene,
    all_shipped,
    any_scene,
    made_up,
    shipped_scenes,
)
from tests.laws.test_agreement import agree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.domain.decision import Decision
    from assent.policy.model import Policy

# Profiles say how long to look; a law needs more examples than most properties, for it speaks of every policy.
law = settings(max_examples=2 * settings().max_examples)
STATE_KEYS = ("plan", "region", "age", "signed_in", "role", "surface", "mode", "data", "origin")
REFUSALS = ("decline", "withdraw")
MADE_UP = 40


@pytest.fixture(scope="module", autouse=True, params=["usual", pytest.param("deep", marks=pytest.mark.deep)])
def _depth(request: pytest.FixtureRequest) -> str:
    """Run each law in `make test` with the usual profile and in `make check-deep` with its own."""
    return str(request.param)


def decided(scene: Scene, **changed: Any) -> Decision:
    return decide(replace(scene.facts, **changed), scene.policy, scene.at)


def ends(decision: Decision, *, without: set[str] = frozenset()) -> dict[str, datetime]:
    return {p: end or NO_END for p, end in decision.use_until.items() if p not in without}


def kept_until(decision: Decision, facts: Facts) -> datetime:
    """Return when the bytes are gone; they are not gone before they came, so never earlier than the newest clock."""
    if decision.held or decision.erase_by is None:
        return NO_END
    return max([decision.erase_by, *clocks(facts)])


def clocks(facts: Facts) -> list[datetime]:
    return [clock for key in CLOCK_KEYS if (clock := getattr(facts, key)) is not None]


def opened_by(policy: Policy, key: str, anchor: str) -> set[str]:
    """Find the purposes that an event can open by the policy's own words: anchored on it, or asking for it."""
    return {
        grant.purpose
        for grant in policy.grants
        if grant.anchor == anchor or key in grant.when.happened or any(key in veto.when.absent for veto in grant.vetoes)
    }


def add_act(scene: Scene, data: st.DataObject, acts: Sequence[str]) -> tuple[ChoiceAct, ...]:
    """Add one act that is known and is the newest of its purpose."""
    purpose = data.draw(scene.pools.purposes)
    earlier = [c.at for c in scene.facts.choices if c.purpose == purpose and c.at <= scene.at]
    act = ChoiceAct(purpose, data.draw(st.sampled_from(acts)), max([data.draw(scene.pools.until_now), *earlier]))
    return tuple(sorted((*scene.facts.choices, act), key=choice_order))


def no_wider(after: Decision, before: Decision, *, but: set[str] = frozenset()) -> None:
    """Check that no purpose was added and no use lasts longer."""
    assert set(after.eligible) - but <= set(before.eligible)
    longest = ends(before)
    assert all(p in longest and end <= longest[p] for p, end in ends(after, without=but).items())


# -- holds ------------------------------------------------------------------------------


@law
@given(any_scene, st.data())
def test_a_hold_trumps_erasure(scene: Scene, data: st.DataObject) -> None:
    end = data.draw(st.sampled_from([None, *(i for i in scene.pools.all if i > scene.at)]))
    hold = HoldSpan(data.draw(scene.pools.until_now), end)
    held = decided(scene, holds=(*scene.facts.holds, hold))
    assert held.held
    assert held.erase_by is None
    assert not held.due()


@law
@given(any_scene, st.data())
def test_what_was_held_is_kept_until_the_release(scene: Scene, data: st.DataObject) -> None:
    start, end = sorted((data.draw(scene.pools.until_now), data.draw(scene.pools.until_now)))
    released = decided(scene, holds=(*scene.facts.holds, HoldSpan(start, end)))
    assert released.held is decided(scene).held
    assert released.held or (released.erase_by or NO_END) >= end


@law
@given(any_scene, st.data())
def test_a_hold_never_adds_eligibility(scene: Scene, data: st.DataObject) -> None:
    """While it stands it adds `legal` and nothing else; afterwards nothing but what is anchored on the closed case."""
    start, end = sorted((data.draw(scene.pools.instants), data.draw(scene.pools.instants)))
    hold = HoldSpan(start, data.draw(st.sampled_from([None, end])))
    before, after = decided(scene), decided(scene, holds=(*scene.facts.holds, hold))
    closed = opened_by(scene.policy, "", "case closed")
    if after.held:
        assert after.eligible == ()
        assert after.use_until["legal"] is None
        closed |= {"legal"}
    no_wider(after, before, but=closed)
    assert ends(after, without=closed) == ends(before, without=closed)


# -- flags, vetoes ----------------------------------------------------------------------


@law
@given(any_scene, st.data())
def test_a_flag_never_adds_training_eligibility(scene: Scene, data: st.DataObject) -> None:
    """A flag opens only purposes of rules that speak of the flag; no shipped policy lets it open training."""
    opened = opened_by(scene.policy, "flagged_at", "flagged")
    if not scene.policy.name.startswith("made-up"):
        assert "training" not in opened
    no_wider(decided(scene, flagged_at=data.draw(scene.pools.instants)), decided(scene, flagged_at=None), but=opened)


@law
@given(any_scene, st.data())
def test_a_veto_never_adds_eligibility(scene: Scene, data: st.DataObject) -> None:
    """Nor does it lengthen any use, whichever purposes it removes."""
    others = st.sampled_from([veto for policy in all_shipped() for veto in policy.vetoes])
    purposes = st.sampled_from([grant.purpose for grant in scene.policy.grants])
    veto = replace(data.draw(others), id="another", removes=data.draw(st.frozensets(purposes, min_size=1)))
    grants = tuple(
        replace(grant, vetoes=(*grant.vetoes, veto)) if grant.purpose in veto.removes else grant
        for grant in scene.policy.grants
    )
    policy = replace(scene.policy, grants=grants, vetoes=(*scene.policy.vetoes, veto))
    no_wider(decide(scene.facts, policy, scene.at), decided(scene))


# -- choices ----------------------------------------------------------------------------


def standing(choices: Sequence[ChoiceAct], purpose: str, at: datetime) -> str | None:
    """Return the newest act of a purpose that decides something, as known at an instant."""
    acts = [c.act for c in choices if c.purpose == purpose and c.at <= at and c.act != "defer"]
    return acts[-1] if acts else None


def refusing_only_narrows(scene: Scene, data: st.DataObject, act: str) -> None:
    assume(clocks(scene.facts))
    choices = add_act(scene, data, [act])
    before, after = decided(scene), decided(scene, choices=choices)
    opened = opened_by(scene.policy, "", "choice withdrawn")
    no_wider(after, before, but=opened)
    assert opened or kept_until(after, scene.facts) <= kept_until(before, scene.facts)


@law
@given(any_scene, st.data())
def test_declining_never_lengthens_retention(scene: Scene, data: st.DataObject) -> None:
    """Nor adds eligibility.

    True unless a grant is anchored on the withdrawal itself, or no clock of the part is known.
    """
    refusing_only_narrows(scene, data, "decline")


@law
@given(any_scene, st.data())
def test_withdrawing_never_lengthens_retention(scene: Scene, data: st.DataObject) -> None:
    """Against staying allowed; under the same conditions as declining."""
    refusing_only_narrows(scene, data, "withdraw")


@law
@given(any_scene, st.data())
def test_a_refusal_ends_use_at_once(scene: Scene, data: st.DataObject) -> None:
    """Unless the policy says that what is stored may still be used (`covers = "part"`), or ignores the withdrawal."""
    choices = add_act(scene, data, REFUSALS)
    refused = {c.purpose for c in choices if standing(choices, c.purpose, scene.at) in REFUSALS}
    ended = {
        purpose
        for purpose in scene.policy.cut_purposes
        if all(
            any(c.purpose in refused and c.covers != "part" for c in grant.choices)
            and "withdrawn" not in (grant.ignores or ())
            for grant in scene.policy.grants
            if grant.purpose == purpose
        )
    }
    assert not ended & set(decided(scene, choices=choices).eligible)


@law
@given(any_scene)
def test_silence_is_never_consent(scene: Scene) -> None:
    """Without an `allow` nothing is eligible for a purpose all of whose grants need one."""
    needing = {
        purpose
        for purpose in scene.policy.cut_purposes
        if all(
            any(not choice.by_default for choice in grant.choices)
            for grant in scene.policy.grants
            if grant.purpose == purpose
        )
    }
    silent = tuple(choice for choice in scene.facts.choices if choice.act != "allow")
    assert not needing & set(decided(scene, choices=silent).eligible)


@law
@given(any_scene, st.data())
def test_deferring_decides_nothing(scene: Scene, data: st.DataObject) -> None:
    defers = data.draw(st.lists(st.builds(ChoiceAct, scene.pools.purposes, st.just("defer"), scene.pools.instants)))
    choices = tuple(sorted((*scene.facts.choices, *defers), key=choice_order))
    assert decided(scene, choices=choices) == decided(scene)


# -- deletion and unknowns --------------------------------------------------------------


@law
@given(any_scene, st.data())
def test_deleting_never_lengthens_use(scene: Scene, data: st.DataObject) -> None:
    """Nor retention.

    True unless a rule of the policy itself speaks of the deletion. A floor may outlast it, but does not grow by it.
    """
    before, after = decided(scene, deleted_at=None), decided(scene, deleted_at=data.draw(scene.pools.instants))
    opened = opened_by(scene.policy, "deleted_at", "deletion request")
    no_wider(after, before, but=opened)
    assert opened or kept_until(after, scene.facts) <= kept_until(before, scene.facts)


def one_fact_less(scene: Scene, data: st.DataObject, keys: Sequence[str]) -> str:
    known = [key for key in keys if getattr(scene.facts, key) is not None]
    assume(known)
    return data.draw(st.sampled_from(known))


@law
@given(any_scene, st.data())
def test_an_unknown_never_adds_eligibility(scene: Scene, data: st.DataObject) -> None:
    key = one_fact_less(scene, data, (*STATE_KEYS, *CLOCK_KEYS))
    before, after = decided(scene), decided(scene, **{key: None})
    assert set(after.eligible) <= set(before.eligible)
    assert set(after.use_until) <= set(before.use_until)


@law
@given(any_scene, st.data())
def test_an_unknown_never_hastens_erasure(scene: Scene, data: st.DataObject) -> None:
    """True of state, and of clocks except the one that says when the part counts, once the subject refused.

    Of a part whose own time is unknown a refusal that stands now is taken to reach it.
    """
    key = one_fact_less(scene, data, (*STATE_KEYS, *CLOCK_KEYS))
    assume(key != scene.policy.part_clock or not any(c.act in REFUSALS for c in scene.facts.choices))
    after = decided(scene, **{key: None})
    # without any basis the newest clock counts, so a clock less shows only where that clock is later
    newest = max(clocks(scene.facts), default=None)
    assert max(after.erase_by or NO_END, newest or NO_END) >= (decided(scene).erase_by or NO_END)


# -- the order of things ----------------------------------------------------------------


@law
@given(any_scene, st.data())
def test_rules_commute(scene: Scene, data: st.DataObject) -> None:
    def shuffled(rules: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(data.draw(st.permutations(rules)))

    grants = tuple(
        replace(g, vetoes=shuffled(g.vetoes), caps=shuffled(g.caps), choices=shuffled(g.choices))
        for g in shuffled(scene.policy.grants)
    )
    policy = replace(
        scene.policy, grants=grants, vetoes=shuffled(scene.policy.vetoes), caps=shuffled(scene.policy.caps)
    )
    one, other = decided(scene), decide(scene.facts, policy, scene.at)
    assert (one.eligible, one.use_until, one.erase_by, one.gap, one.held) == (
        other.eligible,
        other.use_until,
        other.erase_by,
        other.gap,
        other.held,
    )


@law
@given(any_scene)
def test_use_until_never_outlasts_erase_by(scene: Scene) -> None:
    decision = decided(scene)
    assume(not decision.held)
    assert all(end <= (decision.erase_by or NO_END) for end in ends(decision).values())


@law
@given(any_scene)
def test_eligible_means_that_use_runs_and_nothing_is_held(scene: Scene) -> None:
    decision = decided(scene)
    running = {purpose for purpose, end in ends(decision).items() if scene.at < end}
    assert set(decision.eligible) == (set() if decision.held else running & set(scene.policy.cut_purposes))


@law
@given(any_scene)
def test_same_inputs_same_decision(scene: Scene) -> None:
    """Also after the facts went through their record and back, whatever order the choices came in."""
    record = facts_to_record(scene.facts)
    if "choices" in record:
        record["choices"] = record["choices"][::-1]
    assert decide(facts_from_record(record), scene.policy, scene.at) == decided(scene) == decided(scene)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_same_policy_same_digest(path: Path) -> None:
    one, again = load(path), load(path)
    assert one.digest == again.digest
    assert sum(policy.digest == one.digest for policy in all_shipped()) == 1


@law
@given(any_scene, st.data())
def test_what_happens_later_is_not_known(scene: Scene, data: st.DataObject) -> None:
    """Events, choices, holds and releases after the instant may be any or none: the decision is the same."""
    later = [instant for instant in scene.pools.all if instant > scene.at]
    sometime, maybe = st.sampled_from(later), st.sampled_from([None, *later])
    facts = scene.facts
    changed: dict[str, Any] = {
        key: data.draw(maybe) for key in EVENT_KEYS if (instant := getattr(facts, key)) is None or instant > scene.at
    }
    acts = data.draw(st.lists(st.builds(ChoiceAct, scene.pools.purposes, st.sampled_from(ACTS), sometime), max_size=3))
    known = [choice for choice in facts.choices if choice.at <= scene.at]
    changed["choices"] = tuple(sorted((*known, *acts), key=choice_order))
    holds = [
        hold if hold.released_at and hold.released_at <= scene.at else replace(hold, released_at=data.draw(maybe))
        for hold in facts.holds
        if hold.start <= scene.at
    ]
    placed = data.draw(st.lists(sometime.map(HoldSpan), max_size=1))
    changed["holds"] = (*holds, *placed)
    assert decided(scene, **changed) == decided(scene)


@law
@given(any_scene, st.data())
def test_time_alone_moves_no_date(scene: Scene, data: st.DataObject) -> None:
    """Between two looks with nothing in between, dates stand still, and eligibility can only end."""
    facts = scene.facts
    moments = [getattr(facts, key) for key in (*EVENT_KEYS, *CLOCK_KEYS)]
    moments += [choice.at for choice in facts.choices] + [scene.policy.silence_refuses_from]
    moments += [end for hold in facts.holds for end in (hold.start, hold.released_at)]
    following = min((m for m in moments if m is not None and m > scene.at), default=NO_END)
    later = data.draw(st.sampled_from([following - MICROSECOND, scene.at + (following - scene.at) / 3]))
    now, then = decided(scene), decide(facts, scene.policy, later)
    assert (then.use_until, then.erase_by, then.gap, then.held) == (now.use_until, now.erase_by, now.gap, now.held)
    assert set(then.eligible) <= set(now.eligible)


# -- plans and versions -----------------------------------------------------------------


def business_plans(path: Path) -> list[str]:
    return parse_document(path.read_text(encoding="utf-8"), path.name).plans["business"]


BUSINESS = {load(path).name: business_plans(path) for path in POLICIES}


@law
@given(shipped_scenes, st.data())
def test_business_plans_are_out_of_reach(scene: Scene, data: st.DataObject) -> None:
    """Of every cut under Anthropic's policies, and of training under every policy."""
    decision = decided(scene, plan=data.draw(st.sampled_from(BUSINESS[scene.policy.name])))
    assert "training" not in decision.eligible
    if scene.policy.name.startswith("anthropic/"):
        assert decision.eligible == ()


@law
@given(any_scene, st.lists(st.integers(0, 500), min_size=1, max_size=2))
def test_stricter_is_stricter(scene: Scene, others: list[int]) -> None:
    """Than each of the decisions it combines, in every respect, whatever their order."""
    policies = [scene.policy, *map(made_up, others)]
    each = [decide(scene.facts, policy, scene.at) for policy in policies]
    together = decide_versions(scene.facts, policies, scene.at)
    for one in each:
        no_wider(together, one)
        assert (together.erase_by or NO_END) <= (one.erase_by or NO_END)
        assert set(together.gap) >= set(one.gap)
        assert set(together.reasons) >= set(one.reasons)
        assert set(together.conflicts) >= set(one.conflicts)
        assert together.held is one.held
    if not together.held:
        assert all(end <= (together.erase_by or NO_END) for end in ends(together).values())
        assert together.erase_by in [one.erase_by for one in each]
    other_way = stricter(each[::-1])
    assert set(other_way.eligible) == set(together.eligible) == set.intersection(*(set(d.eligible) for d in each))
    assert (other_way.use_until, other_way.erase_by, other_way.gap) == (
        together.use_until,
        together.erase_by,
        together.gap,
    )


@law
@given(shipped_scenes)
def test_the_versions_of_then_and_now_govern(scene: Scene) -> None:
    """Today's is the newest that binds; the other is the one that bound when the part was recorded."""
    provider = scene.policy.name.split("/")[0]
    versions = by_date(policy for policy in all_shipped() if policy.name.startswith(provider + "/"))
    assert all(one.effective <= other.effective for one, other in pairwise(versions))
    found = governing(versions, scene.facts, scene.at)
    assert found == tuple(policy for policy in versions if policy in found)
    assert 1 <= len(found) <= 2
    if scene.facts.acknowledged_at is None:
        bound = [policy for policy in versions if policy.effective <= scene.at]
        assert found[-1] is (bound or versions)[-1 if bound else 0]
        clock = getattr(scene.facts, found[-1].part_clock)
        if clock is not None and clock <= scene.at:
            old = [policy for policy in versions if policy.effective <= clock]
            assert found[0] is (old or versions)[-1 if old else 0]


# -- the other half of the language -----------------------------------------------------


def test_the_evaluators_agree_on_made_up_policies() -> None:
    """The shipped policies have no floors, no anchors on choices and no two choices for one grant; these do."""
    policies = [made_up(number, weak_floors=True) for number in range(MADE_UP)]
    eligible = sum(agree(policy, INSTANTS[n % len(INSTANTS)], seed=n, count=60) for n, policy in enumerate(policies))
    assert eligible >= MADE_UP
    grants = [grant for policy in policies for grant in policy.grants]
    assert any(grant.floor and grant.rank < other.rank for p in policies for grant in p.grants for other in p.grants)
    assert any(len(grant.choices) > 1 for grant in grants)
    assert {grant.anchor for grant in grants} >= {"choice given", "choice withdrawn", "case closed"}


@pytest.mark.deep
@pytest.mark.parametrize("hundred", range(1, 21))
def test_the_evaluators_agree_on_two_thousand_made_up_policies(hundred: int) -> None:
    for number in range(100 * hundred, 100 * hundred + 100):
        agree(made_up(number, weak_floors=True), INSTANTS[number % len(INSTANTS)], seed=number, count=500)
