"""Scoring what is stored: what safety may read and nothing else, flagged by bands, and gone on with after a stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW, World, chat, quiet, said, world
from tests.unit.services.detector.small_detector import ANSWER, HARM, detector
from tests.unit.services.flag.flag_world import DAY, TURN, allow, policy

from assent.domain.errors import Refused
from assent.services.detector.watch import drift, shadow_pairs
from assent.services.flag.review import Said, review
from assent.services.flag.score import AT_ONCE, Done, Scoring, score_stored
from assent.services.flag.terms import ReviewTerms
from assent.store.records import Page

TERMS = ReviewTerms(random_queued=0.0, uncertain_queued=1.0)
BAD = f"write {HARM[0]} please"
FINE = "plan a walk that is short"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.policies = [policy()]
        allow(made, "ann")
        yield made


def keep(kept: World, name: str, text: str, subject: str = "ann", **more: object) -> None:
    kept.keep(chat(name, subject, said(1, text), said(2, ANSWER, by="assistant"), **more))


def score(kept: World, progress: object = quiet, **more: object) -> Done:
    values = {"detector": detector(), "terms": TERMS, "now": NOW, "since": None, "seed": "s", **more}
    return score_stored(kept.store, kept.columns, kept.policies, Scoring(**values), progress)


def flagged(kept: World) -> list[str]:
    return sorted(flag.conversation for flag in kept.store.flags(Page(999)).items)


def test_what_reaches_the_threshold_is_flagged_and_waits(kept: World) -> None:
    keep(kept, "bad", BAD)
    keep(kept, "fine", FINE)
    done = score(kept)
    assert (done.scored, done.flagged, done.queued) == (2, 1, 1)
    assert flagged(kept) == ["test:bad"]
    flag = kept.store.flags(Page(9)).items[0]
    assert (flag.by, flag.category) == ("small@1", "cybercrime")
    assert kept.store.candidate(flag.id).score == flag.score > 0.5


def test_nothing_is_scored_that_safety_may_not_read(kept: World) -> None:
    kept.person("bob")  # was never asked
    allow(kept, "cleo")
    kept.choose("cleo", "withdraw", NOW - DAY, purpose="safety")
    kept.person("dora")
    kept.choose("dora", "decline", TURN - DAY, purpose="safety")
    allow(kept, "firm", plan="team")
    for name, subject in (("never", "bob"), ("withdrawn", "cleo"), ("declined", "dora"), ("business", "firm")):
        keep(kept, name, BAD, subject)
    with pytest.raises(Refused, match="nothing that may be read"):
        score(kept)
    keep(kept, "bad", BAD)
    assert score(kept).scored == 1
    assert flagged(kept) == ["test:bad"]


def test_what_was_scored_and_settled_is_not_put_to_people_again_before_it_goes_on(kept: World) -> None:
    keep(kept, "bad", BAD)
    score(kept)
    name = kept.store.flags(Page(9)).items[0].id
    review(kept.store, kept.policies, Said(name, "rita", "reverse", "fiction"), TERMS, now=NOW + DAY)
    again = score(kept, now=NOW + 2 * DAY)
    assert (again.scored, again.before, again.flagged) == (0, 1, 0)
    parts = (said(1, BAD), said(2, ANSWER, by="assistant"), said(3, f"then build {HARM[1]}", at=NOW + 3 * DAY))
    kept.keep(chat("bad", "ann", *parts))
    assert score(kept, now=NOW + 4 * DAY).flagged == 1


def test_a_run_that_was_stopped_goes_on_where_it_was(kept: World) -> None:
    count = 2 * AT_ONCE + 9
    for number in range(count):
        keep(kept, f"c{number:03}", BAD if number % 40 == 0 else FINE)

    @contextmanager
    def stopping(_what: str, _total: int) -> Iterator[object]:
        seen = []

        def advance(amount: int) -> None:
            seen.append(amount)
            if len(seen) == 2:
                raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        score(kept, progress=stopping)
    rest = score(kept)
    assert rest.scored == count - 2 * AT_ONCE
    assert flagged(kept) == [f"test:c{number:03}" for number in range(0, count, 40)]
    assert score(kept).before == len(flagged(kept))  # and the next run looks at everything


def test_the_random_sample_is_drawn_by_the_seed_alone(kept: World) -> None:
    for number in range(60):
        keep(kept, f"c{number:03}", FINE)
    terms = replace(TERMS, random_queued=0.3)
    score(kept, terms=terms)
    drawn = {one.conversation for one in kept.store.candidates(Page(99), drawn=True).items}
    assert 8 < len(drawn) < 30
    assert flagged(kept) == []  # drawn is not flagged: nothing is kept longer
    assert score(kept, terms=terms, now=NOW + DAY).queued == 0


def test_a_shadow_decides_nothing_and_leaves_counts(kept: World) -> None:
    for number in range(10):
        keep(kept, f"c{number}", BAD if number < 3 else FINE)
    score(kept, shadow=detector("2"))
    assert shadow_pairs(kept.store, "small@1", "small@2") == {"both": 3, "active": 0, "shadow": 0, "neither": 7}
    assert {flag.by for flag in kept.store.flags(Page(9)).items} == {"small@1"}
    assert shadow_pairs(kept.store, "other@1", "small@2")["both"] == 0
    assert drift(kept.store, "small@1").state == "too few"
