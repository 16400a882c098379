"""Components that were kept up to date equal an election from scratch among the same texts, to the last bit."""

import random
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from assent.pipeline.dedup.components import Components
from assent.pipeline.dedup.elect import elect, strict_twins
from assent.pipeline.dedup.sketch import Sketches, sketch
from assent.pipeline.dedup.terms import DedupTerms

TERMS = DedupTerms()
STORIES = [
    " ".join(f"{name}{step}" for step in range(48)) for name in ("river", "mountain", "日本", "Straße", "кот")
]  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A story with up to three words changed: some are alike, some only through others, some not at all."""
    words = draw(st.sampled_from(STORIES)).split()
    for place in draw(st.lists(st.integers(0, 47), max_size=3)):
        words[place] = draw(st.sampled_from(["stone", "cloud", "bread"]))
    return draw(
        st.sampled_from([" ".join(words), "", "🙂", "🙃", "yes"]) if draw(st.booleans()) else st.just(" ".join(words))
    )


ids = st.integers(0, 60).map(lambda number: f"c{number}")
crowds = st.dictionaries(ids, texts(), min_size=1, max_size=16)


def sketches_of(listed: Iterable[str]) -> Sketches:
    return Sketches.of([sketch(list(listed), TERMS)])


class ComingAndGoing(RuleBasedStateMachine):
    """People allow and withdraw; in between, everything is saved and loaded."""

    @initialize(crowd=crowds)
    def begin(self, crowd: dict[str, str]) -> None:
        self.there: dict[str, str] = dict(sorted(crowd.items()))
        self.components = Components(list(self.there), sketches_of(self.there.values()), TERMS)

    @rule(crowd=crowds)
    def come(self, crowd: dict[str, str]) -> None:
        new = {one: text for one, text in sorted(crowd.items()) if one not in self.there}
        self.components.add(list(new), sketches_of(new.values()))
        self.there = dict(sorted((self.there | new).items()))

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        leaving = data.draw(st.lists(st.sampled_from(sorted(self.there)), min_size=1, max_size=5, unique=True))
        before = {one for one in self.there if self.components.kept_for(one) == one}
        risen = self.components.remove(leaving)
        for one in leaving:
            del self.there[one]
        assert risen == sorted({one for one in self.there if self.components.kept_for(one) == one} - before)

    @rule()
    def save_and_load(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.components.save(Path(folder))
            self.components = Components.load(Path(folder), TERMS)

    @invariant()
    def equals_from_scratch(self) -> None:
        expected = elect(list(self.there), sketches_of(self.there.values()), TERMS)
        found_ids, found = self.components.election()
        assert found_ids.to_pylist() == list(self.there)
        assert found.keep.tobytes() == expected.keep.tobytes()
        assert found.cluster.tobytes() == expected.cluster.tobytes()


TestComingAndGoing = ComingAndGoing.TestCase
TestComingAndGoing.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)


@given(crowds, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_in_which_texts_are_sketched_changes_nothing(crowd: dict[str, str], chance: random.Random) -> None:
    mixed = list(crowd.items())
    chance.shuffle(mixed)
    alone = {one: sketch([text], TERMS) for one, text in mixed}
    together = sketch([crowd[one] for one in sorted(crowd)], TERMS)
    assert Sketches.of([alone[one] for one in sorted(crowd)]).to_batch().equals(Sketches.of([together]).to_batch())


@given(crowds, crowds)
@settings(deadline=None)
def test_no_kept_text_has_a_twin_among_the_declined_and_every_component_keeps_its_smallest(
    eligible: dict[str, str], declined: dict[str, str]
) -> None:
    here = dict(sorted(eligible.items()))
    sketches, denied = sketches_of(here.values()), sketches_of(declined.values())
    found = elect(list(here), sketches, TERMS, denied=denied)
    twins = strict_twins(sketches, denied, TERMS)
    assert not (found.keep & twins).any()
    assert ((found.cluster < 0) == twins).all()
    for kept in np.unique(found.cluster[found.cluster >= 0]):
        assert found.keep[kept]
        assert kept == np.flatnonzero(found.cluster == kept)[0]
