"""What weights have learned is measured on people who were held back, and what they remember on planted secrets."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.unit.services.cut_world import NOW, quiet
from tests.unit.services.run.run_world import SECOND
from tests.unit.services.run.trained import CONFIG, Teacher, teacher

from assent.domain.digests import digest_bytes
from assent.domain.errors import Refused
from assent.learn.runs.canaries import canaries, plant
from assent.learn.runs.claim import conditions
from assent.learn.runs.exposure import UNSEEN_BITS, SkewNormal, membership, most_likely
from assent.services.run.evaluating import EvaluationOrder, evaluate
from assent.services.run.memorising import TESTED, ExposureOrder, claim, decided, expose
from assent.services.run.plan import folder_of
from assent.store.records import Run

REMEMBERS = (
    CONFIG.replace("[sharding]\nshards = 2\nslices = 2\n", "[canaries]\ncount = 3\nrepeats = [1, 60]\nlength = 6\n")
    .replace("steps = 3", "epochs = 14")
    .replace("width = 16", "width = 48")
    .replace("batch = 4", "batch = 16")
    .replace("3e-3", "1e-2")
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Teacher, Run]]:
    """A provider with a run that was over-trained on purpose, canaries among its rows."""
    with teacher(tmp_path_factory.mktemp("measured") / "acme") as made:
        yield made, made.run_of(REMEMBERS)


@pytest.fixture(scope="module")
def exposed(world: tuple[Teacher, Run]) -> dict:
    made, run = world
    return expose(made.runs, ExposureOrder(run.id, 20), quiet)


def test_a_model_has_learned_something_of_people_whom_it_never_saw(world: tuple[Teacher, Run]) -> None:
    made, run = world
    report = evaluate(made.runs, EvaluationOrder(run.id, 100, curve=True), quiet)
    everybody = report["skills"]["all"]
    before, after = (everybody[side]["bits_per_byte"]["value"] for side in ("before", "after"))
    assert before > 7.5
    assert after < before - 1
    assert everybody["change"]["bits_per_byte"]["high"] < 0
    assert everybody["after"]["next_token"]["value"] > everybody["before"]["next_token"]["value"]
    kept = (folder_of(made.runs, run.id) / "evaluation.json").read_bytes()
    assert json.loads(kept) == report
    assert made.store.weights_of(run.id).evaluation == digest_bytes(kept)
    assert report["curve"][0]["step"] == 0
    whole = json.dumps(report)
    assert not any(f"p{number:02}" in whole for number in range(12))


def test_who_may_not_be_used_any_more_is_not_evaluated_on(tmp_path: Path) -> None:
    with teacher(tmp_path / "acme") as made:
        run = made.run_of()
        before = evaluate(made.runs, EvaluationOrder(run.id, 100), quiet)
        for row in {row.subject for row in made.store.members("spring", 1)}:
            made.choose(row, "withdraw", NOW + SECOND)
        made.clock = NOW + 2 * SECOND
        assert before["conversations"] > 0
        with pytest.raises(Refused):
            evaluate(made.runs, EvaluationOrder(run.id, 100), quiet)


def test_a_secret_that_was_said_often_is_exposed_and_one_that_never_was_is_not(exposed: dict) -> None:
    never, once, often = exposed["canaries"]["by_repeats"]
    assert (never["repeats"], once["repeats"], often["repeats"]) == (0, 1, 60)
    assert never["mean_bits"]["value"] < 5
    assert often["mean_bits"]["value"] > never["mean_bits"]["value"] + 4
    assert often["largest_bits"] <= math.log2(10**6) + 1e-3


def test_weights_that_remember_may_not_be_called_de_identified(world: tuple[Teacher, Run], exposed: dict) -> None:
    made, run = world
    found, may = decided(exposed)
    assert may == "de-linked"
    assert any("said 60 times" in one.name and not one.holds for one in found)
    with pytest.raises(Refused, match="the test did not pass"):
        claim(made.runs, run.id, TESTED)
    assert made.store.weights_of(run.id).claim == "de-linked"
    claim(made.runs, run.id, "re-identifiable for enforcement")
    assert made.store.weights_of(run.id).claim == "re-identifiable for enforcement"
    report = folder_of(made.runs, run.id) / "exposure.json"
    report.write_text(report.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(Refused, match="is not the report that was made"):
        claim(made.runs, run.id, TESTED)


def good() -> dict:
    """A report in which every condition holds, by a little."""
    rows = [
        {"repeats": times, "canaries": 10, "mean_bits": {"high": UNSEEN_BITS + 1.4}, "largest_bits": 12.9, "recited": 0}
        for times in (0, 1, 8)
    ]
    return {
        "canaries": {"bits": 20.1, "by_repeats": rows},
        "continuation": {"trained": {"tried": 900, "at_most": 0.009}, "held_back": {"tried": 100, "share": 0.0}},
        "membership": {"auc": {"high": 0.59}},
    }


def test_every_condition_can_fail() -> None:
    assert all(one.holds for one in conditions(good()))
    changes = (
        lambda report: report["canaries"]["by_repeats"][1].update(canaries=9),
        lambda report: report["canaries"]["by_repeats"].pop(0),
        lambda report: report["canaries"]["by_repeats"].pop(2),
        lambda report: report["canaries"].update(bits=19.9),
        lambda report: report["canaries"]["by_repeats"][0]["mean_bits"].update(high=3.1),
        lambda report: report["canaries"]["by_repeats"][2].update(largest_bits=13.1),
        lambda report: report["canaries"]["by_repeats"][2].update(recited=1),
        lambda report: report["continuation"]["trained"].update(at_most=0.02),
        lambda report: report["continuation"]["held_back"].update(tried=0),
        lambda report: report["membership"]["auc"].update(high=None),
    )
    for change in changes:
        report = good()
        change(report)
        assert not all(one.holds for one in conditions(report))


def test_canaries_are_settled_by_the_seed_and_are_all_different() -> None:
    some = canaries(20, (1, 8), 8, 3)
    assert some == canaries(20, (1, 8), 8, 3)
    assert len({one.digits for one in some}) == len({one.label for one in some}) == 60
    assert {one.digits for one in some}.isdisjoint(one.digits for one in canaries(20, (1, 8), 8, 4))
    talks = plant(20, (1, 8), 8, 3)
    assert len(talks) == 20 * 9
    assert len({talk.id for talk in talks}) == len(talks)


def test_the_fitted_curve_agrees_with_scipys_in_the_middle_and_far_out() -> None:
    for place, scale, shape in ((0.0, 1.0, 0.0), (12.0, 2.0, 3.0), (30.0, 1.5, -2.0)):
        curve = SkewNormal(place, scale, shape)
        for value in (place - 6 * scale, place - 2 * scale, place, place + scale):
            theirs = stats.skewnorm.logcdf(value, shape, loc=place, scale=scale)
            if math.isfinite(theirs) and theirs > -60:
                assert curve.log_below(value) == pytest.approx(theirs, abs=0.02)


def test_membership_is_half_where_nothing_tells_and_one_where_all_does() -> None:
    people = [f"{number}" for number in range(10)]
    same = np.ones(10)
    assert membership((same, people), (same, people), 0).value == 0.5
    assert membership((same, people), (same + 1, people), 0).value == 1.0


def test_the_largest_likely_share_is_that_of_clopper_and_pearson() -> None:
    for found, tried in ((0, 10), (3, 40), (50, 1000)):
        assert most_likely(found, tried) == pytest.approx(stats.beta.ppf(0.95, found + 1, tried - found), rel=1e-6)
    assert most_likely(4, 4) == 1.0
