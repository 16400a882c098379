"""The gate refuses what loses in one stratum, whatever the pooled figures say, and says every number."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from assent.domain.errors import Invalid
from assent.learn.harm.labelled import Labelled
from assent.services.detector.gate import GateTerms, Judgement, Scores, Trial, judge, mcnemar, pooled_only

TERMS = GateTerms(rounds=1_000)
THRESHOLD = 0.5


def rows() -> list[Labelled]:
    """Two sets of harm, severe and not, and three of harmless texts, one of which names groups of people."""
    made = [Labelled(f"h{n}", ("cybercrime",), str(n), "chats") for n in range(600)]
    made += [Labelled(f"s{n}", ("self_harm",), str(n), "chats") for n in range(120)]
    made += [Labelled(f"o{n}", (), str(n), "everyday") for n in range(1_500)]
    made += [Labelled(f"t{n}", (), str(n), "twins") for n in range(600)]
    return made + [Labelled(f"i{n}", (), str(n), "identity") for n in range(300)]


ROWS = rows()
KIND = np.array([row.harms[0] if row.harms else row.source for row in ROWS])


def scores(name: str, means: dict[str, float], seed: int = 1) -> Scores:
    chance = np.random.default_rng(0)  # the same texts are hard for everybody
    shared = chance.normal(0, 1.0, len(ROWS))
    own = np.random.default_rng(seed).normal(0, 0.2, len(ROWS))
    logits = np.array([means[kind] for kind in KIND]) + shared + own
    found = 1 / (1 + np.exp(-2 * logits))
    return Scores(name, found, found >= THRESHOLD)


OLD = {"cybercrime": 1.6, "self_harm": 1.6, "everyday": -2.2, "twins": -1.2, "identity": -1.5}
BETTER = {"cybercrime": 2.2, "self_harm": 2.4, "everyday": -2.9, "twins": -1.9, "identity": -2.2}
BLIND = {"cybercrime": 3.0, "self_harm": 0.6, "everyday": -2.9, "twins": -1.9, "identity": -2.2}
"""Much better at what there is most of, and worse where it must not be."""


def trial(means: dict[str, float] = BETTER, **more: object) -> Trial:
    seeds = [scores("new@2", means, seed) for seed in (2, 3, 4)]
    values = {"speeds": (100.0, 100.0), "shadow": 1_000, "cut": "cut reviews 1 sha256:0"}
    return Trial(ROWS, scores("old@1", OLD), seeds, **{**values, **more})


def failed(found: Judgement) -> set[str]:
    return {check.rule.split(" (")[0] for check in found.checks if not check.passed}


def test_what_is_better_everywhere_passes_with_every_number() -> None:
    found = judge(trial(), TERMS)
    assert failed(found) == set()
    assert found.passed
    assert {check.where for check in found.checks if "recall" in check.rule} == {
        "chats / any",
        "chats / cybercrime",
        "chats / self_harm",
    }
    pooled = next(check for check in found.checks if check.where == "all harmless sets")
    assert pooled.numbers["candidate"] < pooled.numbers["incumbent"]
    assert pooled.numbers["mcnemar_p"] < 0.05


def test_a_gate_on_pooled_figures_would_let_through_what_this_one_refuses() -> None:
    worse = trial(BLIND)
    assert pooled_only(worse)
    found = judge(worse, TERMS)
    assert not found.passed
    # to find as much self-harm as before it must flag more that is harmless, and as deployed it finds less
    assert {"fewer harmless texts are flagged", "recall of severe harm is never below"} <= failed(found)
    severe = next(one for one in found.checks if "severe" in one.rule)
    assert severe.numbers["candidate_as_deployed"] < severe.numbers["incumbent"]


def test_nothing_is_promoted_against_itself() -> None:
    same = scores("old@1", OLD)
    found = judge(replace(trial(), incumbent=same, seeds=[same] * 3), TERMS)
    assert failed(found) == {"fewer harmless texts are flagged"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda one: replace(one, seeds=one.seeds[:2]), "it was trained with several seeds"),
        (lambda one: replace(one, speeds=(100.0, 79.0)), "it is fast enough"),
        (lambda one: replace(one, shadow=999), "it ran in the shadow of the incumbent"),
        (lambda one: replace(one, cut=""), "what it learned from is a cut with its manifest"),
    ],
)
def test_each_condition_alone_refuses(change: Callable[[Trial], Trial], rule: str) -> None:
    assert failed(judge(change(trial()), TERMS)) == {rule}


def test_one_harmless_set_that_is_flagged_more_refuses() -> None:
    assert "no harmless set is flagged more" in failed(judge(trial(BETTER | {"twins": 0.2}), TERMS))


def test_people_who_are_named_are_not_flagged_more() -> None:
    found = failed(judge(trial(BETTER | {"identity": 0.2}), TERMS))
    assert "what mentions groups of people is not flagged more" in found
    unmeasured = judge(trial(), replace(TERMS, identity=frozenset({"nothing"})))
    assert failed(unmeasured) == {"what mentions groups of people is not flagged more"}


def test_worse_calibration_refuses() -> None:
    one = trial()
    flat = [Scores(s.name, s.scores * 0.5, s.called) for s in one.seeds]
    assert failed(judge(replace(one, seeds=flat), TERMS)) == {"calibration is not worse"}


def test_the_version_that_would_decide_must_pass_for_itself() -> None:
    good = trial().seeds
    found = judge(replace(trial(), seeds=[scores("new@2", BLIND, 2), *good]), TERMS)
    assert not found.passed


def test_too_few_texts_say_nothing() -> None:
    with pytest.raises(Invalid, match="nothing to compare"):
        judge(trial(), replace(TERMS, least=10_000))


@pytest.mark.parametrize(("one", "other"), [(0, 0), (5, 0), (12, 3), (40, 41), (200, 150)])
def test_mcnemar_is_the_exact_binomial_test(one: int, other: int) -> None:
    expected = binomtest(one, one + other).pvalue if one + other else 1.0
    assert mcnemar(one, other) == pytest.approx(expected)
