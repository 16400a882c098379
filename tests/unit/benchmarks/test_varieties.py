"""What the encoder learns in other spelling: the labels stay, and the probes that judge it are not among it."""

from __future__ import annotations

import pytest
from benchmarks.detect_set.varieties import VARIETIES, varied
from benchmarks.make_detector import RESPELLED, respelled

from assent.learn.harm.labelled import Labelled
from assent.learn.harm.pairs import everyday, pairs
from assent.learn.harm.probes import DIALECT, probes


@pytest.mark.parametrize("variety", VARIETIES)
def test_a_variety_is_always_the_same_and_most_texts_differ_in_it(variety: str) -> None:
    texts = [text for _, text in everyday()]
    spelled = [varied(text, variety) for text in texts]
    assert spelled == [varied(text, variety) for text in texts]
    assert all(spelled)
    assert sum(new != old for new, old in zip(spelled, texts, strict=True)) > len(texts) / 2


def test_harmful_and_harmless_texts_are_respelled_alike_and_keep_what_they_are() -> None:
    rows = [
        Labelled(text, harms, pair.family, "pairs", part="learn")
        for pair in pairs()
        for text, harms in ((pair.harmful, (pair.category,)), (pair.harmless, ()))
    ]
    made = list(respelled(rows))
    share = {bool(kind): sum(bool(row.harms) == kind for row in made) / (len(rows) / 2) for kind in (True, False)}
    assert 0.5 < share[True] < 0.7
    assert abs(share[True] - share[False]) < 0.05
    assert {row.use for row in made} == {"learn"}
    assert {row.harms for row in made} <= {row.harms for row in rows}


def test_what_judges_and_what_is_no_request_is_left_as_it_is() -> None:
    assert "tweets" not in RESPELLED
    rows = [Labelled(f"text {number}", (), "f", source, part=part) for number in range(50)
            for source, part in (("pairs", "judge"), ("pairs", "tune"), ("tweets", "learn"))]  # fmt: skip
    assert not list(respelled(rows))


def test_no_probe_is_learned_in_any_spelling() -> None:
    asked = {probe.text.lower() for probe in probes() if probe.kind == DIALECT}
    texts = [text for _, text in everyday()]
    assert not asked & {varied(text, variety).lower() for text in texts for variety in VARIETIES}
    assert not asked & {text.lower() for text in texts}
