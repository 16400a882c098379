"""The figures, calibration and thresholds, against their definitions and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from assent.domain.errors import Invalid
from assent.learn.harm import figures
from assent.learn.harm.bands import above, bands, find, worth
from assent.learn.harm.calibrate import isotonic, platt, probability
from assent.learn.harm.categories import BY_NAME, SCORED
from assent.learn.harm.ensemble import Ensemble
from assent.learn.harm.keywords import Keywords
from assent.learn.harm.manifest import Band, Costs, Manifest
from assent.learn.harm.port import Piece, Scored

SCORED_TEXTS = st.lists(
    st.tuples(st.integers(0, 20).map(lambda tenths: tenths / 20), st.booleans()), min_size=4, max_size=80
).filter(lambda rows: 0 < sum(harmful for _, harmful in rows) < len(rows))

COSTS = Costs(false_flag=20.0, miss=(1.0, 3.0, 10.0))


def parted(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in rows]), np.array([harmful for _, harmful in rows])


@settings(deadline=None, max_examples=25)
@given(SCORED_TEXTS)
def test_the_figures_are_those_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    scores, harmful = parted(rows)
    assert figures.auroc(scores, harmful) == pytest.approx(roc_auc_score(harmful, scores))
    assert figures.auprc(scores, harmful) == pytest.approx(average_precision_score(harmful, scores))


@settings(deadline=None, max_examples=25)
@given(SCORED_TEXTS, st.sampled_from([0.5, 0.8, 0.9]), st.sampled_from([0.0, 0.01, 0.1, 0.5]))
def test_recall_and_false_flags_are_those_of_some_threshold(
    rows: list[tuple[float, bool]], recall: float, share: float
) -> None:
    scores, harmful = parted(rows)
    wanted = min(
        float((scores[~harmful] >= at).mean()) for at in set(scores) if (scores[harmful] >= at).mean() >= recall
    )
    assert figures.false_flags_at(recall, scores, harmful) == pytest.approx(wanted)
    found = [float((scores[harmful] >= at).mean()) for at in set(scores) if (scores[~harmful] >= at).mean() <= share]
    assert figures.recall_at(share, scores, harmful) == pytest.approx(max(found, default=0.0))


@settings(deadline=None, max_examples=25)
@given(SCORED_TEXTS)
def test_the_staircase_is_the_nearest_rising_one(rows: list[tuple[float, bool]]) -> None:
    scores, harmful = parted(rows)
    fitted = isotonic(scores.tolist(), harmful.tolist())
    # scikit-learn joins equal scores before it fits; ours must agree wherever no score comes twice
    if len(set(scores)) == len(scores):
        theirs = IsotonicRegression().fit(scores, harmful).predict(scores)
        assert fitted(scores) == pytest.approx(theirs)
    assert (np.diff(fitted(np.linspace(0, 1, 50))) >= -1e-12).all()


def test_a_staircase_takes_weights() -> None:
    fitted = isotonic([0.2, 0.8], [True, False], [1.0, 3.0])
    assert fitted(np.array([0.5]))[0] == pytest.approx(0.25)


def test_a_line_through_log_odds_makes_scores_right() -> None:
    chance = np.random.default_rng(3)
    logits = chance.normal(0, 2, 4_000)
    harmful = chance.random(4_000) < probability(0.5 * logits - 1.0)
    slope, height = platt(logits, harmful, pull=0.0)
    theirs = LogisticRegression(C=1e9).fit(logits[:, None], harmful)
    assert slope == pytest.approx(theirs.coef_[0, 0], abs=0.02)
    assert height == pytest.approx(theirs.intercept_[0], abs=0.02)
    told = probability(slope * logits + height)
    assert figures.calibration_error(told, harmful) < figures.calibration_error(probability(logits), harmful)


def test_an_interval_holds_the_figure_and_narrows_with_more_texts() -> None:
    chance = np.random.default_rng(5)
    harmful = np.arange(2_000) % 2 == 0
    scores = chance.random(2_000) * 0.7 + harmful * 0.3
    low, high = figures.interval(figures.auroc, scores, harmful, rounds=100)
    few_low, few_high = figures.interval(figures.auroc, scores[:100], harmful[:100], rounds=100)
    assert low <= figures.auroc(scores, harmful) <= high
    assert high - low < few_high - few_low


@given(st.lists(st.integers(0, 30).map(lambda n: n / 30), max_size=60), st.sampled_from([0.0, 0.01, 0.1, 0.5]))
def test_no_more_harmless_texts_than_allowed_reach_a_threshold(scores: list[float], share: float) -> None:
    threshold = above(scores, share)
    assert sum(score >= threshold for score in scores) <= share * len(scores)


def test_a_worse_harm_is_flagged_from_a_lower_probability() -> None:
    assert worth(COSTS, 1) > worth(COSTS, 2) > worth(COSTS, 3)
    laid = bands(COSTS, {"prompt": [0.1] * 999 + [0.2]}, 0.001, 0.01)["prompt"]
    assert laid["self_harm"].flag == pytest.approx(20 / 30)
    assert laid["privacy"].flag == pytest.approx(20 / 21)
    assert all(band.review <= band.flag for band in laid.values())


def manifest() -> Manifest:
    laid = {name: Band(review=0.5, flag=worth(COSTS, BY_NAME[name].severity)) for name in SCORED}
    return Manifest(
        name="test", version="1", files={}, mix={}, categories={}, cleared_below={},
        bands=dict.fromkeys(("prompt", "answer", "pasted", "tool"), laid), costs=COSTS, false_flags_allowed=0.001,
        review_allowed=0.01, languages=("en",), pairs="", sources=(), seeds=(), figures={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("score", "category", "surface", "text", "outcome"),
    [
        (0.7, "self_harm", "prompt", "I want to do this now", "flag"),
        (0.7, "privacy", "prompt", "I want to do this now", "review"),
        (0.96, "privacy", "prompt", "I want to do this now", "flag"),
        (0.4, "self_harm", "prompt", "I want to do this now", "clear"),
        (0.99, "self_harm", "tool", "I want to do this now", "review"),
        (0.99, "self_harm", "prompt", "ich will das jetzt und nicht morgen", "review"),
        (0.01, "self_harm", "prompt", "ich will das jetzt und nicht morgen", "review"),
    ],
)
def test_a_score_leads_to_nothing_people_or_a_flag(
    score: float, category: str, surface: str, text: str, outcome: str
) -> None:
    found = find(manifest(), Scored(score, {category: score, "hate": 0.0}), surface, text)
    assert (found.outcome, found.category) == (outcome, category)


class Fixed:
    """A detector that always says the same."""

    def __init__(self, name: str, scored: Scored) -> None:
        self.name = name
        self._scored = scored

    def score(self, pieces: list[Piece]) -> list[Scored]:
        return [self._scored] * len(pieces)


def test_an_ensemble_lies_between_its_members_and_hears_only_those_that_answered() -> None:
    low, high = Fixed("low@1", Scored(0.2, {"hate": 0.2})), Fixed("high@1", Scored(0.8, {"hate": 0.8}))
    (even,) = Ensemble([(low, 1.0), (high, 1.0)]).score([Piece("x")])
    assert even.score == pytest.approx(0.5)
    (mostly,) = Ensemble([(low, 1.0), (high, 3.0)]).score([Piece("x")])
    assert 0.5 < mostly.categories["hate"] < 0.8
    silent = Fixed("far@1", Scored(0.01, {}, missing="no answer"))
    (heard,) = Ensemble([(silent, 9.0), (high, 1.0)]).score([Piece("x")])
    assert heard.score == pytest.approx(0.8)
    assert heard.missing == "no answer"
    assert Ensemble([(low, 1.0), (high, 1.0)]).name != Ensemble([(low, 1.0), (high, 2.0)]).name
    with pytest.raises(Invalid):
        Ensemble([(Keywords(), 1.0)])


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.floats(-20, 20), st.integers(0, 99))
def test_the_line_is_found_wherever_the_scores_lie(spread: int, middle: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    logits = chance.normal(middle, spread, 400)
    harmful = chance.random(400) < probability((logits - middle) / 2)
    slope, height = platt(logits, harmful)
    told = probability(slope * logits + height)
    assert told.mean() == pytest.approx(harmful.mean(), abs=0.05)
    assert slope > -0.5
