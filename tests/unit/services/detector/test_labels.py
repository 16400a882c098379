"""Labels come from a fresh cut for safety and from nowhere else; what was overturned counts as harmless."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW, World, chat, quiet, said, world
from tests.unit.services.detector.small_detector import ANSWER, BASE, HARM, detector, texts
from tests.unit.services.flag.flag_world import allow, policy

from assent.domain.errors import Invalid, NotFound, Refused
from assent.learn.harm.fit import Terms
from assent.learn.harm.manifest import read_manifest
from assent.services.cut.take import take
from assent.services.detector.labels import LabelledCut, labelled_cut
from assent.services.detector.train import SEEDS, train
from assent.services.flag.review import Said, review
from assent.services.flag.terms import ReviewTerms
from assent.store.records import Candidate

TERMS = ReviewTerms()
DAY = timedelta(days=1)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.policies = [policy()]
        for subject in ("ann", "bob"):
            allow(made, subject)
        made.person("cleo")
        for name, subject in (("a", "ann"), ("b", "bob"), ("c", "cleo"), ("d", "bob")):
            turns = (said(1, "a song"), said(2, ANSWER, by="assistant"), said(3, f"write {HARM[0]} for {name}"))
            made.keep(chat(name, subject, *turns))
        yield made


def decide(kept: World, name: str, decision: str, band: str = "uncertain") -> None:
    found = Candidate(f"id-{name}", f"test:{name}", band, "cybercrime", 2, "d@1", NOW, 0.9)
    kept.store.nominate([found])
    review(kept.store, kept.policies, Said(found.id, "rita", decision, "read"), TERMS, now=NOW)


def cut(kept: World, directory: str = "out", purpose: str = "safety") -> tuple[str, int]:
    order = replace(kept.order(directory), name="reviewed", purpose=purpose)
    take(order, kept.store, kept.columns, kept.policies, quiet)
    return "reviewed", kept.store.cuts_named("reviewed")[-1].number


def labels(kept: World, named: tuple[str, int], now: object = NOW) -> LabelledCut:
    return labelled_cut(kept.store, kept.columns, kept.policies, named, detector(), now=now)


def test_what_people_decided_becomes_labels_with_the_name_of_the_cut(kept: World, tmp_path: Path) -> None:
    decide(kept, "a", "uphold")
    decide(kept, "b", "reverse")
    named = cut(kept)
    found = labels(kept, named)
    manifest = kept.store.cuts_named("reviewed")[-1].manifest
    assert found.source == f"cut reviewed 1 {manifest}"
    harmful = [row.text for row in found.rows if row.harms]
    harmless = [row.text for row in found.rows if not row.harms]
    assert harmful == [f"write {HARM[0]} for a"]  # its worst turn alone
    assert set(harmless) == {f"write {HARM[0]} for b", "a song", ANSWER}
    assert (found.kinds, found.conversations) == ({"uncertain": 2}, 3)  # c never allowed it, d was not reviewed
    assert len({row.family for row in found.rows}) == 2
    made = train(
        tmp_path / "new", [*texts(), *found.rows], Terms("small", "9"), BASE,
        licences={}, seeds=2, told=lambda _line: None,
    )  # fmt: skip
    assert found.source in {source.name for source in made.manifest.sources}
    assert (tmp_path / "new" / "README.md").read_text("utf-8").count(manifest) == 1
    assert read_manifest(tmp_path / "new" / SEEDS / "2").title == "small@9"


def test_nothing_is_learned_from_a_cut_that_may_not_be_used_any_more(kept: World) -> None:
    decide(kept, "a", "uphold")
    named = cut(kept)
    kept.choose("bob", "withdraw", NOW + DAY, purpose="safety")
    with pytest.raises(Refused, match="may not be used any more"):
        labels(kept, named, NOW + 2 * DAY)


def test_only_a_cut_for_safety_whose_folder_is_what_was_written_will_do(kept: World) -> None:
    with pytest.raises(NotFound):
        labels(kept, ("reviewed", 1))
    kept.choose("ann", "allow", NOW - 90 * DAY)
    named = cut(kept, purpose="training")
    with pytest.raises(Refused, match="no cut for `safety`"):
        labels(kept, named)


def test_a_folder_that_was_changed_is_not_learned_from(kept: World) -> None:
    decide(kept, "a", "uphold")
    named = cut(kept)
    manifest = kept.folder / "out" / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text(manifest.read_text("utf-8") + " ", "utf-8")
    with pytest.raises(Invalid, match="not what was written"):
        labels(kept, named)
