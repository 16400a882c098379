"""What is said of a model is what is recorded, and what it owes to those who left is worked out anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW, quiet
from tests.unit.services.run.run_world import SECOND
from tests.unit.services.run.trained import Teacher, teacher

from assent.domain.errors import NotFound, Refused
from assent.services.disclose.training import read_manifests
from assent.services.run.card import card
from assent.services.run.evaluating import EvaluationOrder, evaluate
from assent.services.run.lineage import folders, lineage
from assent.services.run.plan import folder_of
from assent.services.run.state import finish, start
from assent.services.run.weights import retire, standings
from assent.store.records import Run


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Teacher]:
    with teacher(tmp_path / "acme") as made:
        yield made


def finished(acme: Teacher, digest: str = "sha256:w", **more: object) -> Run:
    run = start(acme.runs, acme.planned(**more))
    (folder_of(acme.runs, run.id) / "weights").mkdir()
    return finish(acme.runs, run, digest, folder_of(acme.runs, run.id) / "weights")


def test_a_card_holds_what_is_recorded_and_nobodys_name(acme: Teacher) -> None:
    run = acme.run_of()
    before = card(acme.runs, run.id)
    assert "Nothing was evaluated." in before
    assert "was not tested" in before
    report = evaluate(acme.runs, EvaluationOrder(run.id, 100), quiet)
    after = card(acme.runs, run.id)
    value = report["skills"]["all"]["after"]["bits_per_byte"]["value"]
    assert f"| {value:.3f} |" in after
    assert f"{run.rows:,} parts in {run.conversations:,} conversations of {run.people:,} people" in after
    assert acme.store.weights_of(run.id).digest in after
    assert "A finished model stays as it is." in after
    assert "It is not anonymous" in after
    assert not any(f"p{number:02}" in after for number in range(12))


def test_a_card_of_a_model_that_grew_from_another_tells_of_both(acme: Teacher) -> None:
    first = finished(acme, "sha256:first")
    second = finished(acme, "sha256:second", base="sha256:first")
    text = card(acme.runs, second.id)
    assert f"made by run `{first.id}`" in text
    assert text.count("Cut `spring` number 1") == 2
    assert [one.id for one in lineage(acme.store, second)] == [second.id, first.id]
    assert len(read_manifests(folders(acme.store, lineage(acme.store, second)))) == 1


def test_a_base_that_nobody_here_made_ends_the_lineage(acme: Teacher) -> None:
    run = finished(acme, base="sha256:strange")
    assert [one.id for one in lineage(acme.store, run)] == [run.id]
    assert "of which nothing is known here" in card(acme.runs, run.id)


def test_weights_say_who_left_and_owe_nothing_where_models_stay(acme: Teacher) -> None:
    run = finished(acme)
    (before,) = standings(acme.runs)
    assert (dict(before.left), before.people, before.since, before.owed) == ({}, 0, None, False)
    acme.choose("p00", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    (after,) = standings(acme.runs)
    assert (after.run.id, dict(after.left), after.people) == (run.id, {"withdrawn": 3}, 1)
    assert (after.promised, after.owed, after.since) == ("unchanged", False, NOW + SECOND)


def test_who_was_left_out_does_not_count_as_having_left(acme: Teacher) -> None:
    finished(acme, without=["test:p00-0", "test:p00-1", "test:p00-2"])
    acme.choose("p00", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    assert dict(standings(acme.runs)[0].left) == {}


def test_weights_of_the_home_are_removed_and_those_elsewhere_are_not(acme: Teacher, tmp_path: Path) -> None:
    run = finished(acme)
    _, removed = retire(acme.runs, run.id)
    assert [path.name for path in removed] == ["weights"]
    assert acme.store.weights_of(run.id).retired_at == acme.clock
    elsewhere = start(acme.runs, acme.planned())
    (tmp_path / "model").mkdir()
    finish(acme.runs, elsewhere, "sha256:x", tmp_path / "model")
    with pytest.raises(Refused, match="lie outside of this home"):
        retire(acme.runs, elsewhere.id)
    assert (tmp_path / "model").is_dir()
    (tmp_path / "model").rmdir()
    retire(acme.runs, elsewhere.id)
    assert acme.store.weights_of(elsewhere.id).retired_at is not None
    with pytest.raises(NotFound, match="has made no weights"):
        retire(acme.runs, acme.planned().id)
