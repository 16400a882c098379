"""A model that forgets is the one that never saw the person, and only the shards that saw them are trained again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW, quiet
from tests.unit.services.run.run_world import SECOND
from tests.unit.services.run.trained import CONFIG, Teacher, files_of, teacher, told

from assent.domain.errors import Invalid, NotFound, Refused
from assent.learn.runs.data import place_of, read_talks
from assent.learn.runs.train import TrainOrder, train
from assent.learn.runs.weights import weights_digest
from assent.services.run.forget import ASKED, Wish, destroy_old, forget, outlook
from assent.services.run.plan import folder_of
from assent.services.run.reach import reached
from assent.store.records import Hold, Run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Teacher, Run]]:
    """A provider with a finished run of two shards and two slices."""
    with teacher(tmp_path_factory.mktemp("forget") / "acme") as made:
        yield made, made.run_of()


def learned(made: Teacher) -> dict[str, str]:
    """Say in which pseudonym each person's conversations were learned; nobody who was held back."""
    return {talk.id.removeprefix("test:").rpartition("-")[0]: talk.whose for talk in read_talks(files_of(made))}


def never_seen(made: Teacher, folder: Path, *people: str) -> str:
    """Train everything from the start on the rows of everybody else."""
    folder.mkdir()
    talks = [talk.id for talk in read_talks(files_of(made)) if talk.id[5:].rpartition("-")[0] in people]
    assert talks
    return train(TrainOrder(told(), folder, files_of(made), frozenset(talks)), quiet).digest


def in_slice(made: Teacher, number: int) -> str:
    return next(who for who, whose in sorted(learned(made).items()) if place_of(whose, 5, 2, 2).slice == number)


def test_somebody_of_the_last_slice_costs_one_slice(world: tuple[Teacher, Run]) -> None:
    made, run = world
    who = in_slice(made, 1)
    found = outlook(made.runs, Wish(who, run.id, "asked by letter"))
    assert dict(found.leaving) == {ASKED: 3}
    (again,) = found.change.retrain
    assert again.first == 1
    assert found.change.tokens < 0.6 * found.change.whole_tokens / 2 * 1.5


def test_forgetting_gives_the_bits_of_a_run_that_never_saw_them(tmp_path: Path) -> None:
    with teacher(tmp_path / "acme") as made:
        run = made.run_of()
        first, last = in_slice(made, 0), in_slice(made, 1)
        made.choose(first, "withdraw", NOW + SECOND)
        made.store.place_hold(Hold("h", "m", "person", last, NOW, "o", "an order", NOW + 90 * 86_400 * SECOND))
        made.clock = NOW + 2 * SECOND
        done = forget(made.runs, Wish(run=run.id), quiet)
        assert sum(done.outlook.leaving.values()) == 6
        assert done.run is not None
        assert done.run.parent == run.id
        weights = made.store.weights_of(done.run.id)
        assert weights.digest == weights_digest(folder_of(made.runs, done.run.id) / "weights")
        assert weights.digest == never_seen(made, tmp_path / "never", first, last)
        assert [one.run.id for one in reached(made.store, subjects=[first])] == [run.id]
        assert made.store.weights_of(run.id).superseded_by == done.run.id
        with pytest.raises(Refused, match=f"run `{done.run.id}` has taken the place"):
            outlook(made.runs, Wish(run=run.id))
        second = forget(made.runs, Wish(run=done.run.id), quiet)
        assert second.run is None
        gone = destroy_old(made.runs, done)
        assert f"{run.id}/weights" in gone.removed
        assert made.store.weights_of(run.id).retired_at == made.clock
        assert made.store.weights_of(done.run.id).retired_at is None
        assert made.store.run_leaves(run.id)[-1].record.count('"act":"retired"') == 1


def test_weights_from_before_the_last_forgetting_lose_what_saw_those_who_left_earlier(tmp_path: Path) -> None:
    with teacher(tmp_path / "acme") as made:
        runs = [made.run_of()]
        for number in (0, 1):
            who = in_slice(made, number)
            done = forget(made.runs, Wish(who, runs[-1].id, "asked"), quiet)
            runs.append(done.run)
        done = destroy_old(made.runs, done)
        left = {run.id: digests_of(folder_of(made.runs, run.id)) for run in runs}
        assert left[runs[0].id] | left[runs[1].id] <= left[runs[2].id]
        assert made.store.run_leaves(runs[1].id)[0].record.count('"reason":"asked"') == 1


def digests_of(folder: Path) -> set[str]:
    return {weights_digest(path) for path in folder.glob("checkpoints/shard-*/slice-*")}


def test_what_was_stopped_while_forgetting_goes_on_when_asked_again(tmp_path: Path) -> None:
    with teacher(tmp_path / "acme") as made:
        run = made.run_of()
        who = in_slice(made, 0)
        made.choose(who, "withdraw", NOW + SECOND)
        made.clock = NOW + 2 * SECOND
        with pytest.raises(KeyboardInterrupt):
            forget(made.runs, Wish(who), stopped)
        (half,) = [one for one in made.store.runs_of("spring", 1) if one.parent == run.id]
        assert half.state == "started"
        done = forget(made.runs, Wish(who), quiet)
        assert done.run is not None
        assert done.run.id == half.id
        assert made.store.weights_of(half.id).digest == never_seen(made, tmp_path / "never", who)


def stopped(_what: str, _total: int) -> object:
    raise KeyboardInterrupt


def test_somebody_who_was_held_back_is_left_out_and_nothing_is_trained(world: tuple[Teacher, Run]) -> None:
    made, run = world
    held = next(who for who in ("p00", "p01", "p02", *made_names(made)) if who not in learned(made))
    found = forget(made.runs, Wish(held, run.id, "asked"), quiet)
    assert found.run is None
    assert found.outlook.change.retrain == ()


def made_names(made: Teacher) -> list[str]:
    return sorted({row.subject for row in made.store.members("spring", 1)})


def test_a_person_who_has_not_withdrawn_needs_a_reason(world: tuple[Teacher, Run]) -> None:
    made, run = world
    with pytest.raises(Invalid, match="must be said why"):
        outlook(made.runs, Wish(in_slice(made, 0), run.id))


def test_nobody_and_strangers_are_refused(world: tuple[Teacher, Run]) -> None:
    made, run = world
    with pytest.raises(Invalid, match="nobody is named"):
        outlook(made.runs, Wish())
    with pytest.raises(Refused, match="no weights stand"):
        outlook(made.runs, Wish("stranger"))
    with pytest.raises(Refused, match="nothing of this person is in cut"):
        outlook(made.runs, Wish("stranger", run.id))
    with pytest.raises(NotFound):
        outlook(made.runs, Wish(run="summer-1"))


def test_a_run_that_was_not_sharded_says_what_it_would_cost(world: tuple[Teacher, Run], tmp_path: Path) -> None:
    made, _ = world
    run = made.run_of(CONFIG.replace("[sharding]\nshards = 2\nslices = 2\n", ""))
    wish = Wish(in_slice(made, 0), run.id, "asked")
    with pytest.raises(Refused, match=r"was not sharded: all of its [\d,]+ tokens"):
        outlook(made.runs, wish)
    found = outlook(made.runs, Wish(wish.subject, run.id, "asked", anew=True))
    assert found.change.tokens == found.change.whole_tokens > 0


def test_checkpoints_that_are_gone_are_noticed_before_anything_starts(world: tuple[Teacher, Run]) -> None:
    made, _ = world
    run = made.run_of()
    who = in_slice(made, 1)
    place = place_of(learned(made)[who], 5, 2, 2)
    shutil.rmtree(folder_of(made.runs, run.id) / "checkpoints" / f"shard-{place.shard}" / "slice-0")
    with pytest.raises(Refused, match=f"checkpoint of shard {place.shard}, slice 0 is gone"):
        outlook(made.runs, Wish(who, run.id, "asked"))
