"""Sharded training: who must be left out of a model decides what of it is trained again, and nothing else is.

Everybody is in one slice of one shard, whoever else is there (`data.place_of`). A shard is a model of its own that is
trained on its slices one after the other, and kept after each. So its weights after a slice depend on the rows of that
slice and of those before it, and the rows of nobody else. Leaving somebody out changes the digest of one slice: its
shard goes back to the weights before that slice and on from there; every other shard stays as it is
(docs/adr/0034-sharded-training.md).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assent.domain.errors import Refused
from assent.learn.runs.data import SlicePlace
from assent.learn.runs.model import make_tokenizer
from assent.learn.runs.train import (
    SLICES,
    WEIGHTS,
    WORK,
    TrainOrder,
    checkpoint_of,
    link_or_copy,
    put_json,
    read_slices,
    rows_of,
    steps_folder,
)
from assent.learn.runs.weights import weights_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Retraining:
    """A shard that must be trained again, from its slice `first` to its last."""

    shard: int
    first: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a training would be by now, compared with what it was.

    `kept` are the lines of `slices.json` that stay true, `head` is the rest of that file. `tokens` and `seconds` are
    what the slices to train again took at first, `whole_tokens` and `whole_seconds` what all took.
    """

    retrain: tuple[Retraining, ...]
    kept: tuple[dict[str, Any], ...]
    head: Mapping[str, Any]
    tokens: int
    whole_tokens: int
    seconds: float
    whole_seconds: float


def differing(before: Mapping[SlicePlace, str], now: Mapping[SlicePlace, str]) -> tuple[Retraining, ...]:
    """Compare the digests of slices, as they were trained on and as they are now, and name what differs.

    A slice that is on one side only differs. Shards come in their order.
    """
    first: dict[int, int] = {}
    for place in sorted(before.keys() | now.keys()):
        if before.get(place) != now.get(place):
            first.setdefault(place.shard, place.slice)
    return tuple(Retraining(shard, number) for shard, number in sorted(first.items()))


def compare(order: TrainOrder, *, anew: bool = False) -> Change:
    """Make the rows of a finished training again as an order says, and compare; with `anew` everything differs.

    Nothing stays on the disk. Raises `Refused` if the folder no longer says what was trained.
    """
    before = read_slices(order.folder)
    if not before:
        raise Refused("the folder of the run no longer says what it was taught", "train anew: assent train start")
    work = order.folder / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        rows, _ = rows_of(order, make_tokenizer(order.config), work)
    finally:
        shutil.rmtree(work)
    slices = {SlicePlace(one["shard"], one["slice"]): one for one in before["slices"]}
    if anew:
        retrain = tuple(Retraining(shard, 0) for shard in range(order.config.sharding.shards))
    else:
        retrain = differing(
            {place: one["digest"] for place, one in slices.items()}, {place: one.digest for place, one in rows.items()}
        )
    first = {one.shard: one.first for one in retrain}
    kept = [one for place, one in slices.items() if place.slice < first.get(place.shard, place.slice + 1)]
    again = [one for one in slices.values() if one not in kept]
    return Change(
        retrain,
        tuple(kept),
        {name: value for name, value in before.items() if name != "slices"},
        *_sums(again, slices.values()),
    )


def require_checkpoints(folder: Path, change: Change) -> None:
    """Raise `Refused` if a checkpoint that would be taken over is gone, or is not the one that was made."""
    for one in change.kept:
        checkpoint = checkpoint_of(folder, SlicePlace(one["shard"], one["slice"]))
        if not checkpoint.is_dir() or weights_digest(checkpoint) != one["checkpoint"]:
            said = f"the checkpoint of shard {one['shard']}, slice {one['slice']} is gone, or was changed"
            raise Refused(said, "train every shard again: --all")


def take_over(parent: Path, folder: Path, change: Change) -> None:
    """Put what stays true of an earlier training into the folder of a new one; again does nothing."""
    if (folder / SLICES).exists():
        return
    for one in change.kept:
        place = SlicePlace(one["shard"], one["slice"])
        target = checkpoint_of(folder, place)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(checkpoint_of(parent, place), target, copy_function=link_or_copy)
    put_json(folder / SLICES, {**change.head, "slices": list(change.kept)})


def seconds_of(folder: Path, change: Change) -> float:
    """Add up the seconds of the slices that were trained again, in the folder of the new training."""
    kept = {(one["shard"], one["slice"]) for one in change.kept}
    slices = read_slices(folder)["slices"]
    return float(sum(one["seconds"] for one in slices if (one["shard"], one["slice"]) not in kept))


def remove_seen(folder: Path, new: Path) -> list[str]:
    """Remove the weights of a training, and every checkpoint that saw a slice which a new one has otherwise.

    Returns their names. What the two share by now saw nobody whom the new one left out.
    """
    slices = _digests(folder)
    first = {one.shard: one.first for one in differing(slices, _digests(new))}
    seen = [place for place in slices if place.slice >= first.get(place.shard, place.slice + 1)]
    going = [path(folder, place) for place in seen for path in (checkpoint_of, steps_folder)]
    there = [path for path in (folder / WEIGHTS, *going) if path.is_dir()]
    for path in there:
        shutil.rmtree(path)
    return [path.relative_to(folder.parent).as_posix() for path in there]


def _digests(folder: Path) -> dict[SlicePlace, str]:
    return {SlicePlace(one["shard"], one["slice"]): one["digest"] for one in read_slices(folder).get("slices", [])}


def _sums(again: Iterable[Mapping[str, Any]], every: Iterable[Mapping[str, Any]]) -> tuple[int, int, float, float]:
    again, every = list(again), list(every)
    tokens, whole = (sum(one["tokens"] for one in some) for some in (again, every))
    seconds, all_seconds = (sum(one["seconds"] for one in some) for some in (again, every))
    return tokens, whole, seconds, all_seconds
