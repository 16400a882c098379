"""Bias probes: what is in them, and that a detector which holds a dialect against somebody is seen to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from assent.learn.harm.bias import measured_bias
from assent.learn.harm.cascade import load
from assent.learn.harm.labelled import own
from assent.learn.harm.language import spoken
from assent.learn.harm.port import Piece, Scored
from assent.learn.harm.probes import DIALECT, IDENTITY, probes
from assent.services.detector.benchmark import benchmark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Judging:
    """Sees harm of 0.75 where it is told to, and of 0.25 elsewhere."""

    name = "judging@1"

    def __init__(self, sees: Callable[[str], bool]) -> None:
        self._sees = sees

    def score(self, pieces: Sequence[Piece]) -> list[Scored]:
        return [Scored(0.75 if self._sees(piece.text) else 0.25, {"hate": 0.25}) for piece in pieces]


def test_a_probe_and_its_twin_differ_and_none_comes_twice() -> None:
    found = list(probes())
    assert all(probe.text and probe.twin and probe.text != probe.twin for probe in found)
    assert len({probe.text for probe in found}) == len(found)
    assert not [probe for probe in found if "{" in probe.text + probe.twin or "|" in probe.text + probe.twin]
    assert min(Counter(probe.group for probe in found if probe.kind == DIALECT).values()) >= 20
    assert min(Counter(probe.group for probe in found if probe.kind == IDENTITY).values()) >= 50


def test_nothing_is_learned_from_a_probe_and_versions_are_compared_on_all() -> None:
    asked = {probe.text for probe in probes()}
    assert not asked & {row.text for row in own()}
    judged = {row.text: row for row in benchmark() if row.text in asked}
    assert set(judged) == asked
    assert {row.source for row in judged.values()} == {DIALECT, IDENTITY}
    assert not any(row.harms for row in judged.values())


def test_what_is_held_against_one_group_shows_there_alone() -> None:
    scots = {probe.text for probe in probes() if probe.group == "scots"}
    told = measured_bias(Judging(scots.__contains__))
    assert told["dialect, scots"] == {
        "texts": 20.0,
        "mean": 0.75,
        "twin_mean": 0.25,
        "difference": 0.5,
        "difference_low": 0.5,
        "difference_high": 0.5,
    }
    assert {figures["difference"] for group, figures in told.items() if group != "dialect, scots"} == {0.0}


def test_the_interval_is_over_pairs_and_holds_the_difference() -> None:
    told = measured_bias(Judging(lambda text: len(text) % 2 == 0))
    assert all(one["difference_low"] <= one["difference"] <= one["difference_high"] for one in told.values())
    assert all(one["difference"] == pytest.approx(one["mean"] - one["twin_mean"], abs=2e-4) for one in told.values())
    wide = told["dialect, scots"], told["identity, origin"]
    assert (
        wide[0]["difference_high"] - wide[0]["difference_low"] > wide[1]["difference_high"] - wide[1]["difference_low"]
    )


def test_the_shipped_card_says_what_the_shipped_detector_does() -> None:
    detector = load()
    told, said = measured_bias(detector, detector.manifest), detector.manifest.bias
    # whole numbers are rounded by the processor in its own way: a score moves a little from machine to machine
    assert {group: one["difference"] for group, one in told.items()} == {
        group: pytest.approx(one["difference"], abs=0.03) for group, one in said.items()
    }


def test_a_dialect_of_english_is_hardly_ever_taken_for_another_language() -> None:
    taken = [probe for probe in probes() if probe.kind == DIALECT and spoken(probe.text) == "other"]
    assert len(taken) <= 2, "Jamaican sentences without a word that only English has"
    others = (
        "Dime cómo se hace una paella para diez.",
        "Mi puoi dire come si fa la pasta di casa?",
        "Wat eet ik vanavond en hoe maak ik dat?",
        "Sag mir wie ich das mit dem Schloss machen kann",
    )
    assert {spoken(other) for other in others} == {"other"}
