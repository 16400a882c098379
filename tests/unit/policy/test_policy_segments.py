"""Segments: the classes of values that rules tell apart, in words, and the situations found for conditions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.facts import ChoiceAct
from assent.policy.model import AgeTest, Condition, Membership, Policy
from assent.policy.parse import parse_policy
from assent.policy.segments import Situation, axes, facts_in, holds_in, listed, meets, reachable, witness

POLICY = parse_policy((Path(__file__).parent / "small.toml").read_text("utf-8"), "small.toml")
EFFECTIVE = datetime(2026, 3, 1, tzinfo=UTC)
SCORE, VOICE = (Condition((Membership("data", frozenset({kind})),)) for kind in ("score", "voice"))
FLAGGED, UNFLAGGED = Condition(happened=("flagged_at",)), Condition(absent=("flagged_at",))


@pytest.mark.parametrize(
    ("words", "last", "text"),
    [
        ([], "and", ""),
        (["a"], "and", "a"),
        (["a", "b"], "and", "a and b"),
        (["a", "b", "c"], "or", "a, b or c"),
        (["a", "b", "c", "d"], "and", "a, b, c and d"),
    ],
)
def test_words_are_listed_as_a_person_would(words: list[str], last: str, text: str) -> None:
    assert listed(words, last) == text


def with_veto(*tests: Membership | AgeTest) -> Policy:
    """Let the one veto of the small policy ask these tests."""
    return replace(POLICY, vetoes=(replace(POLICY.vetoes[0], when=Condition(tests)),))


def words(key: str, *tests: Membership | AgeTest) -> list[str]:
    return [value.words for value in axes([with_veto(*tests)])[key]]


@pytest.mark.parametrize(
    ("key", "tests", "expected"),
    [
        ("age", [AgeTest(18, None)], ["18 or older", "under 18"]),
        ("age", [AgeTest(16, None), AgeTest(18, None)], ["18 or older", "under 16", "16 to 17"]),
        ("age", [AgeTest(18, 16)], ["under 16 or 18 or older", "16 to 17"]),
        ("signed_in", [Membership("signed_in", frozenset({True}))], ["signed in", "not signed in"]),
        ("mode", [Membership("mode", frozenset({"private"}))], ["normal", "private"]),
        (
            "data",
            [Membership("data", frozenset({"voice", "image"}))],
            ["text, file or feedback", "voice or image", "score"],
        ),
        ("plan", [Membership("plan", frozenset({"pro"}), declared=POLICY.plans)], ["free", "pro"]),
        ("role", [Membership("role", frozenset({"teacher", "nurse"}))], ["any other role", "nurse or teacher"]),
        ("region", [Membership("region", frozenset({"EEA", "DE", "IS", "CH"}))], ["any other region", "CH or EEA"]),
    ],
)
def test_values_that_pass_the_same_tests_are_one_class_in_words(
    key: str, tests: list[Membership | AgeTest], expected: list[str]
) -> None:
    assert words(key, *tests) == expected


def test_a_situation_is_found_where_something_must_not_have_happened() -> None:
    assert witness(POLICY, [UNFLAGGED]) == Situation((), frozenset())
    assert witness(POLICY, [FLAGGED]) == Situation((), frozenset({"flagged_at"}))
    assert witness(POLICY, [FLAGGED, UNFLAGGED]) is None
    assert witness(POLICY, [SCORE, UNFLAGGED], [FLAGGED]) == Situation((("data", "score"),))


def test_no_situation_is_found_in_which_what_must_not_hold_holds() -> None:
    assert witness(POLICY, [SCORE], [SCORE]) is None
    assert witness(POLICY, [SCORE, VOICE]) is None
    before = Condition(era="before effective")
    assert witness(POLICY, [], [Condition(era="since effective")]) == Situation((), since_effective=False)
    assert witness(POLICY, [before], [before]) is None


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition(), True),
        (SCORE, True),
        (VOICE, False),
        (Condition((Membership("mode", frozenset({"private"})),)), False),
        (FLAGGED, True),
        (UNFLAGGED, False),
        (Condition(happened=("reviewed_at",)), False),
        (Condition(absent=("reviewed_at",)), True),
        (Condition(era="before effective"), True),
        (Condition(era="since effective"), False),
    ],
)
def test_a_condition_holds_in_a_situation_only_if_it_is_known_to(condition: Condition, *, holds: bool) -> None:
    assert holds_in(condition, Situation((("data", "score"),), frozenset({"flagged_at"}), False)) is holds


@pytest.mark.parametrize("since", [True, False])
def test_facts_of_a_situation_have_acts_in_order_then_the_part_then_events_then_the_decision(*, since: bool) -> None:
    situation = Situation((("data", "score"), ("age", 15)), frozenset({"flagged_at", "deleted_at"}), since)
    facts, at = facts_in(situation, EFFECTIVE, {"training": ["allow", "decline", "withdraw"]})
    assert (facts.data, facts.age, facts.mode, facts.surface, facts.origin) == ("score", 15, "normal", "chat", "person")
    assert facts.created_at == facts.last_turn_at == facts.recorded_at
    recorded, flagged, deleted = facts.recorded_at, facts.flagged_at, facts.deleted_at
    assert recorded is not None
    assert (recorded >= EFFECTIVE) is since
    assert [act.act for act in facts.choices] == ["allow", "decline", "withdraw"]
    assert all(earlier.at < later.at for earlier, later in zip(facts.choices, facts.choices[1:], strict=False))
    assert facts.choices[-1].at < recorded
    assert flagged is not None
    assert flagged == deleted
    assert recorded < flagged < at < recorded + timedelta(hours=1)
    assert facts.reviewed_at is None


def test_acts_for_several_purposes_stand_in_the_order_of_their_times() -> None:
    facts, _ = facts_in(Situation(()), EFFECTIVE, {"training": ["allow"], "sharing": ["decline", "allow"]})
    assert facts.recorded_at is not None
    hour = timedelta(hours=1)
    assert sorted(facts.choices, key=lambda act: act.at) == list(facts.choices)
    assert facts.choices[0] == ChoiceAct("sharing", "decline", facts.recorded_at - 2 * hour)


def test_a_veto_meets_a_grant_only_where_both_hold() -> None:
    [veto] = POLICY.vetoes
    base, training, _ = POLICY.grants
    assert meets(POLICY, veto, training)
    assert not meets(POLICY, veto, base)
    scores = replace(veto, when=SCORE)
    assert not meets(POLICY, scores, replace(training, vetoes=(scores,)))


def test_a_grant_is_reachable_where_no_veto_takes_it_away() -> None:
    [veto] = POLICY.vetoes
    training = POLICY.grants[1]
    found = reachable(POLICY, training)
    assert found is not None
    assert dict(found.state)["age"] == 30
    always = replace(veto, when=replace(training.when, tests=training.when.tests[:1]))
    assert reachable(POLICY, replace(training, vetoes=(always,))) is None
