"""Three rounds of reviews make a detector better on texts it never saw, and nothing is used that may not be."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from tests.simulation.detector_loop.made_up import rows, topic_of
from tests.simulation.detector_loop.world import PLANTED, Loop, Round, Scale
from tests.unit.services.cut_world import NOW, world
from tests.unit.services.flag.flag_world import DAY

from assent.domain.errors import Refused
from assent.interfaces.charts.detector import by_version
from assent.learn.harm.labelled import Labelled, own, without_copies
from assent.learn.harm.manifest import read_manifest
from assent.services.approve import approve, ask
from assent.services.detector.gate import Judgement
from assent.services.detector.registry import open_detector, promote, rollback


def looped(where: Path, texts: Sequence[Labelled], scale: Scale, order: object) -> Iterator[Loop]:
    shipped = where / "world" / "home" / "detectors" / "loop-1"  # the first version is the one that decides
    with pytest.MonkeyPatch.context() as patch, world(where / "world") as kept:
        patch.setattr("assent.learn.harm.cascade.shipped", lambda: shipped)
        loop = Loop(kept, texts, scale, print, order)
        loop.run()
        yield loop


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """Made-up requests: a detector that knows a third of the topics meets the others, round by round."""
    yield from looped(tmp_path_factory.mktemp("loop"), rows(), Scale(), topic_of)


def improves(rounds: Sequence[Round]) -> None:
    quality, flags = [one.auprc for one in rounds], [one.false_flags for one in rounds]
    assert all(after > before for before, after in pairwise(quality)), quality
    assert all(after < before for before, after in pairwise(flags)), flags


def failed(judgement: Judgement) -> set[str]:
    return {check.rule for check in judgement.checks if not check.passed}


def used_only_what_may_be(loop: Loop) -> None:
    """Count anew from the store: whose every row of every cut is, what that person said last, and on which plan."""
    store = loop.world.store
    cuts = store.cuts_named("reviewed")
    assert len(cuts) == loop.scale.rounds
    seen = 0
    for cut in cuts:
        for row in store.members(cut.name, cut.number):
            seen += 1
            assert row.conversation not in loop.planted
            assert store.account(row.subject or "").plan == "pro"
            acts = store.choices_for_several([row.conversation])[row.conversation]
            said = [one.act for one in acts if one.purpose == "safety" and one.at <= cut.decided_at]
            assert said[-1] == "allow"
    used = {text for one in loop.rounds for text in one.texts}
    assert seen > len(used) > 0
    assert not any(text.startswith("planted") for text in used)
    never = {name for name in loop.planted if "erased" not in name}
    assert len(never) == 3 * (len(PLANTED) - 1) * loop.scale.rounds
    assert store.candidates_of(never) == {}  # nobody was even shown them
    gone = {name for name in loop.planted if "erased" in name and not name.startswith(f"test:r{loop.scale.rounds - 1}")}
    assert gone
    assert store.conversations_of(gone) == {}


def test_figures_improve_at_every_round(small: Loop) -> None:
    improves(small.rounds)
    judged = {row.family for row in small.benchmark}
    assert not judged & {row.family for row in (*small.first, *small.traffic)}


def test_nothing_ineligible_is_ever_used(small: Loop) -> None:
    used_only_what_may_be(small)


def test_every_version_names_its_cut_and_only_figures_decide(small: Loop) -> None:
    cuts = small.world.store.cuts_named("reviewed")
    for one, cut in zip(small.rounds[1:], cuts, strict=True):
        made = read_manifest(small.home / "detectors" / one.title.replace("@", "-"))
        assert f"cut reviewed {cut.number} {cut.manifest}" in {source.name for source in made.sources}
    *_, before, last = (one.judgement for one in small.rounds)
    # only the last version is trained three times and run on live traffic, and the gate says so
    assert failed(before) == {"it was trained with several seeds", "it ran in the shadow of the incumbent"}
    assert failed(last) == set()


def test_the_version_that_passes_decides_once_two_people_say_so_and_can_be_taken_back(small: Loop) -> None:
    first, *_, last = (one.title for one in small.rounds)
    store, who = small.world.store, {"by": "loop", "reason": "see the report", "now": NOW + 200 * DAY}
    with pytest.raises(Refused, match="does not let"):
        promote(small.home, store, small.rounds[-2].title, **who)
    with pytest.raises(Refused, match="second person"):
        promote(small.home, store, last, **who)
    ask(store, id="ask", act="promote", target=last, by="loop", reason="better", now=who["now"], valid=DAY)
    with pytest.raises(Refused):
        approve(store, "ask", by="loop", now=who["now"])
    approve(store, "ask", by="rita", now=who["now"])
    assert promote(small.home, store, last, **who).state == "active"
    assert open_detector(small.home, "active").name == last
    assert rollback(small.home, **who) is None  # the first one came with the package
    assert open_detector(small.home, "active").name == first


def drawn_by_round(loop: Loop) -> bytes:
    flagged = {one.title: one.false_flags for one in loop.rounds}
    return by_version("Harmless texts flagged where nine in ten harmful ones are found", flagged)


def test_the_rounds_can_be_drawn(small: Loop) -> None:
    drawn = drawn_by_round(small)
    assert drawn.startswith(b"<svg")
    assert all(one.title.encode() in drawn for one in small.rounds)


@pytest.mark.deep
def test_the_loop_on_what_the_package_carries_and_public_sets(tmp_path: Path) -> None:
    """The same with the contrast pairs of the package, and public sets where they lie beside the checkout."""
    from benchmarks import detect_set

    public = [
        Labelled(row.text, row.harms, row.family, row.source, row.surface)  # type: ignore[arg-type]
        for row in detect_set.public_rows()
        if row.source in {"advbench", "harmbench"}
    ]
    answers = [row for row in rows() if row.surface == "answer"]
    texts = [*without_copies([*own(), *public]), *answers]
    for loop in looped(tmp_path, texts, Scale(people=40, seeds=3, noise=0.03, drawn=0.9), lambda _row: 0):
        improves(loop.rounds)
        used_only_what_may_be(loop)
        # a few hundred labels make it better, and not yet better in every stratum: then the gate stays shut
        short = failed(loop.rounds[-1].judgement)
        assert "it ran in the shadow of the incumbent" not in short
        assert "fewer harmless texts are flagged (as it would decide)" in short
        (tmp_path / "false-flags.svg").write_bytes(drawn_by_round(loop))
