"""The trainer learns a cut in slices: the same bits every time, whatever stopped it, and from true rows only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.run.trained import CONFIG, Teacher, files_of, quiet, taught, teacher, told

from assent.domain.errors import Invalid, Refused
from assent.learn.runs.config import EXAMPLE, parse_config
from assent.learn.runs.data import SlicePlace, place_of, read_talks
from assent.learn.runs.many import train_together
from assent.learn.runs.sharded import Retraining, differing
from assent.learn.runs.template import Tokens
from assent.learn.runs.tokens import windows
from assent.learn.runs.train import TrainOrder, checkpoint_of, read_slices, train
from assent.learn.runs.weights import weights_digest


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teacher]:
    with teacher(tmp_path_factory.mktemp("trained") / "acme") as made:
        yield made


@pytest.fixture(scope="module")
def whole(acme: Teacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    taught(acme, folder)
    return folder


def content_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_the_same_rows_and_configuration_give_the_same_bits(acme: Teacher, whole: Path, tmp_path: Path) -> None:
    again = taught(acme, tmp_path / "again")
    assert again.digest == weights_digest(whole / "weights")
    other = taught(acme, tmp_path / "other", told(("seed = 5", "seed = 6")))
    assert other.digest != again.digest


def test_every_slice_is_written_down_with_its_checkpoint(whole: Path) -> None:
    slices = read_slices(whole)["slices"]
    assert [(one["shard"], one["slice"]) for one in slices] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert sum(one["conversations"] for one in slices) == read_slices(whole)["counts"]["conversations"] > 0
    for one in slices:
        folder = checkpoint_of(whole, SlicePlace(one["shard"], one["slice"]))
        assert weights_digest(folder) == one["checkpoint"]
    assert sorted(path.name for path in (whole / "weights").iterdir()) == ["ensemble.json", "shard-0", "shard-1"]


def test_no_copy_of_what_was_learned_stays(acme: Teacher, whole: Path) -> None:
    assert not (whole / "work").exists()
    words = {talk.messages[1]["content"] for talk in read_talks(files_of(acme))}
    found = content_of(whole)
    assert words
    assert not any(word.encode() in found for word in words)
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert {*lines[0]} == {"shard", "slice", "step", "loss", "lr", "tokens", "seconds"}


def test_one_that_was_stopped_ends_like_one_that_was_not(acme: Teacher, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    folder.mkdir()
    order = TrainOrder(told(), folder, files_of(acme))

    @contextmanager
    def stopping(_what: str, _total: int) -> Iterator[object]:
        steps = 0

        def step(count: int) -> None:
            nonlocal steps
            steps += count
            if steps == 5:
                raise KeyboardInterrupt

        yield step

    with pytest.raises(KeyboardInterrupt):
        train(order, stopping)
    assert len(read_slices(folder)["slices"]) == 1
    with pytest.raises(Refused, match="has begun already"):
        train(order, stopping)
    assert taught(acme, folder, resume=True).digest == weights_digest(whole / "weights")


@pytest.mark.fault("killed training")
@pytest.mark.deep
def test_one_that_was_killed_ends_like_one_that_was_not(acme: Teacher, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    cut = acme.store.cuts_named("spring")[-1].directory
    program = (
        "import sys; from pathlib import Path; from tests.unit.services.run.trained import quiet, told;"
        "from assent.services.run.files import cut_files; from assent.learn.runs.train import TrainOrder, train;"
        "train(TrainOrder(told(), Path(sys.argv[1]), cut_files(Path(sys.argv[2])), resume=True), quiet)"
    )
    for _ in range(4):
        child = subprocess.Popen([sys.executable, "-c", program, str(folder), str(cut)])
        made = len(read_slices(folder).get("slices", []))
        for _ in range(1200):
            if child.poll() is not None or len(read_slices(folder).get("slices", [])) > made:
                break
            time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL) if child.poll() is None else None
        child.wait()
    assert taught(acme, folder, resume=True).digest == weights_digest(whole / "weights")


@pytest.mark.deep
def test_two_processes_teach_one_model_with_half_the_steps_and_the_same_bits_again(
    acme: Teacher, tmp_path: Path
) -> None:
    config = told(("steps = 3", "epochs = 2"), ("shards = 2", "shards = 1"))
    alone = taught(acme, tmp_path / "alone", config)
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        together = train_together(TrainOrder(config, folder, files_of(acme)), 2, quiet)
        digests.append(together.digest)
        assert together.steps < alone.steps
        assert not (folder / "order.json").exists()
        assert not (folder / "work").exists()
    assert digests[0] == digests[1] != alone.digest
    with pytest.raises(Refused, match="has begun already"):
        train_together(TrainOrder(config, tmp_path / "one", files_of(acme)), 2, quiet)


def test_a_row_that_was_changed_is_refused_and_nothing_is_made(acme: Teacher, tmp_path: Path) -> None:
    shard = files_of(acme).messages[0].path
    before = shard.read_bytes()
    shard.write_bytes(before.replace(b"What is", b"Who was", 1))
    try:
        with pytest.raises(Refused, match=f"`{shard.name}` is not the file that the manifest names"):
            taught(acme, tmp_path / "run")
    finally:
        shard.write_bytes(before)
    assert not (tmp_path / "run" / "weights").exists()
    assert not (tmp_path / "run" / "work").exists()


def test_a_checkpoint_that_was_changed_is_not_gone_on_from(acme: Teacher, tmp_path: Path) -> None:
    taught(acme, tmp_path / "run")
    weights = next(checkpoint_of(tmp_path / "run", SlicePlace(0, 0)).glob("*.safetensors"))
    weights.chmod(0o600)
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(Refused, match="the checkpoint of shard 0, slice 0 was changed"):
        taught(acme, tmp_path / "run", resume=True)


def test_an_adapter_is_learned_on_a_local_base_and_nothing_else_changes(acme: Teacher, tmp_path: Path) -> None:
    one = told(("[sharding]\nshards = 2\nslices = 2\n", ""))
    base = taught(acme, tmp_path / "base", one)
    before = weights_digest(base.weights)
    text = CONFIG.replace("size = { layers = 1, width = 16, heads = 2, context = 128 }", f'base = "{base.weights}"')
    config = parse_config(text.replace("[sharding]\nshards = 2\nslices = 2\n", "[lora]\nrank = 2\n"), "run.toml")
    adapted = taught(acme, tmp_path / "adapter", config)
    names = {path.name for path in adapted.weights.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors"} <= names
    assert "model.safetensors" not in names
    assert weights_digest(base.weights) == before
    assert str(tmp_path / "adapter") not in (adapted.weights / "adapter_config.json").read_text()


def test_leaving_conversations_out_changes_their_slice_alone(acme: Teacher, whole: Path, tmp_path: Path) -> None:
    talks = list(read_talks(files_of(acme)))
    leaving = [talk for talk in talks if talk.whose == talks[0].whose]
    place = place_of(talks[0].whose, 5, 2, 2)
    taught(acme, tmp_path / "run", without=frozenset(talk.id for talk in leaving))
    before, after = (
        {SlicePlace(one["shard"], one["slice"]): one["digest"] for one in read_slices(folder)["slices"]}
        for folder in (whole, tmp_path / "run")
    )
    assert {one for one in before if before[one] != after[one]} == {place}
    assert differing(before, after) == (Retraining(place.shard, place.slice),)


DIGESTS = st.dictionaries(
    st.builds(SlicePlace, st.integers(0, 5), st.integers(0, 4)), st.sampled_from("abc"), max_size=30
)


@given(DIGESTS, DIGESTS)
def test_what_is_trained_again_is_every_shard_that_differs_from_its_first_difference_on(
    before: dict[SlicePlace, str], now: dict[SlicePlace, str]
) -> None:
    found = differing(before, now)
    places = before.keys() | now.keys()
    for shard in range(6):
        first = [one.slice for one in sorted(places) if one.shard == shard and before.get(one) != now.get(one)]
        assert [one.first for one in found if one.shard == shard] == first[:1]


@given(st.text(max_size=40), st.integers(0, 99), st.integers(1, 9), st.integers(1, 9))
def test_a_place_is_inside_and_is_nobody_elses_business(whose: str, seed: int, shards: int, slices: int) -> None:
    place = place_of(whose, seed, shards, slices)
    assert 0 <= place.shard < shards
    assert 0 <= place.slice < slices
    assert place == place_of(whose, seed, shards, slices)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(16, 64))
def test_a_long_conversation_is_split_after_turns_and_loses_no_token(turns: list[int], longest: int) -> None:
    ends = [sum(turns[: number + 1]) for number in range(len(turns))]
    tokens = Tokens(list(range(ends[-1])), [True] * ends[-1], ends)
    pieces = list(windows(tokens, longest))
    assert [number for piece in pieces for number in tokens.ids[piece]] == tokens.ids
    for piece in pieces[:-1]:
        assert 0 < piece.stop - piece.start <= longest
        fitting = [end for end in ends if piece.start < end <= piece.start + longest]
        assert piece.stop == (fitting[-1] if fitting else piece.start + longest)


def test_the_example_is_a_configuration() -> None:
    assert parse_config(EXAMPLE, "run.toml").run.trainer == "trl"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 5", "sed = 5", "run.toml:3:1: `run.sed` is not known here"),
        ("batch = 4", "batch = 0", "`train.batch`: "),
        ("width = 16", "width = 18", "must be a multiple of twice"),
        ("max_length = 128", "max_length = 256", "more than the 128 tokens"),
        ("[model]", "[modal]", "not known here|`model` is missing"),
    ],
)
def test_a_configuration_with_a_mistake_names_it(old: str, new: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        told((old, new))
