"""Forget: train a model again without somebody, and only those parts of it that saw them.

The earlier run and its cut stay what they are. A new run takes its place: on the same rows but for those of whoever
must be left out, told the same, with a gate of its own at its own instant. What of the earlier run depends on nobody
who leaves is taken over; the rest is trained again (learn/runs/sharded.py). Only rows that stay are read for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid, Refused
from assent.learn.runs import sharded
from assent.learn.runs.config import parse_config
from assent.learn.runs.train import TrainOrder
from assent.pipeline.folder import alone
from assent.services.cut.differing import find_cut
from assent.services.run.files import cut_files
from assent.services.run.gate import not_to_be_used
from assent.services.run.plan import CONFIG, RunOrder, find_run, folder_of, plan
from assent.services.run.state import retire_weights, start
from assent.services.run.training import train_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.sharded import Change
    from assent.services.run.stopping import Progress
    from assent.services.run.world import RunWorld
    from assent.store.records import Cut, Run

ASKED: Final = "asked for"
"""Why a conversation leaves that might still be used: somebody said so, with a reason."""

_ROUNDS: Final = 5
"""How often the plan is made anew because somebody withdrew while it was made."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who is to be forgotten: a person, and in any case everybody whose conversations may not be used any more.

    `run` is whose weights; it may be left out where one run stands that used the person. `reason` is needed for a
    person who has not withdrawn. With `anew` every shard is trained again from its start, whatever it saw.
    """

    subject: str | None = None
    run: str | None = None
    reason: str = ""
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What forgetting would do: to which run, who leaves and why, and what of it must be trained again.

    `without` are all conversations that the new run leaves out, those that `parent` left out among them. `leaving`
    counts those that only leave now, by reason.
    """

    parent: Run
    config: RunConfig
    without: frozenset[str]
    leaving: Mapping[str, int]
    change: Change
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What came of it: the run that took the place of the parent, None where nothing had to be trained."""

    outlook: Outlook
    run: Run | None
    seconds: float
    removed: tuple[str, ...] = ()


def outlook(world: RunWorld, wish: Wish) -> Outlook:
    """Work out what forgetting would do; nothing is recorded, and nothing stays on the disk.

    Raises `Refused` where the person is in no run, or the run cannot be trained again in part: it was not sharded, is
    not finished, has been superseded, its cut is retired, its checkpoints are gone or changed.
    """
    parent = _parent(world, wish)
    config = _told(world, parent)
    cut = find_cut(world.store, parent.cut, parent.number)
    before = frozenset(world.store.left_out(parent.id))
    stopped = not_to_be_used(world, cut)
    theirs = _conversations_of(world, cut, wish.subject) - before
    leaving = {name: stopped.get(name, ASKED) for name in theirs | (stopped.keys() - before)}
    if wish.subject is not None and not wish.reason and ASKED in leaving.values():
        raise Invalid("this person has not withdrawn, so it must be said why", "add --reason")
    without = before | leaving.keys()
    folder = folder_of(world, parent.id)
    order = TrainOrder(config, folder, cut_files(Path(cut.directory)), without)
    with alone(folder) as free:
        if not free:
            raise Refused(f"somebody else is forgetting in run `{parent.id}`", "wait for it")
        change = sharded.compare(order, anew=wish.anew)
    if change.retrain and not wish.anew:
        _require_parts(config, change, parent)
        sharded.require_checkpoints(folder, change)
    return Outlook(parent, config, without, Counter(leaving.values()), change, wish.reason)


def forget(world: RunWorld, wish: Wish, progress: Progress) -> Forgotten:
    """Do what `outlook` says, as of now, and record it; what was killed before goes on where it was.

    Raises what `outlook` and the start of a run raise. If somebody withdraws between the two, both are done again.
    """
    for turn in range(_ROUNDS):
        found = outlook(world, wish)
        if not found.change.retrain:
            return Forgotten(found, None, 0)
        try:
            run = _started(world, found)
        except Refused:
            # the gate saw somebody leave whom the outlook did not know of yet
            if turn == _ROUNDS - 1 or outlook(world, wish).without <= found.without:
                raise
            continue
        taking_over = partial(sharded.take_over, folder_of(world, found.parent.id), change=found.change)
        done = train_run(world, run, progress, resume=True, prepare=taking_over)
        return Forgotten(found, done, sharded.seconds_of(folder_of(world, run.id), found.change))
    raise AssertionError  # the last round returns or raises


def destroy_old(world: RunWorld, forgotten: Forgotten) -> Forgotten:
    """Remove what saw those who left: the weights of the run and of those before it, and their checkpoints.

    The records stay, with the instant. Copies elsewhere are out of reach.
    """
    if forgotten.run is None:
        return forgotten
    new, removed = folder_of(world, forgotten.run.id), list[str]()
    old: Run | None = forgotten.outlook.parent
    while old is not None:
        # each of them is compared itself: an earlier one saw also those who left before
        removed += sharded.remove_seen(folder_of(world, old.id), new)
        retire_weights(world, old)
        old = None if old.parent is None else world.store.run(old.parent)
    return replace(forgotten, removed=tuple(removed))


def _parent(world: RunWorld, wish: Wish) -> Run:
    """Find the run whose weights are to forget."""
    if wish.run is not None:
        run = find_run(world, wish.run)
    elif wish.subject is None:
        raise Invalid("nobody is named", "name a person, or a run with --run")
    else:
        run = _only(world, world.store.runs_with_person(wish.subject))
    if run.state != "finished" or run.trainer != "trl":
        fix = "only finished runs of the trainer that comes with assent can be trained again in part"
        raise Refused(f"run `{run.id}` is {run.state}, by trainer `{run.trainer}`", fix)
    weights = world.store.weights_of(run.id)
    if weights is not None and weights.superseded_by:
        raise Refused(f"run `{weights.superseded_by}` has taken the place of run `{run.id}`", "name that one")
    cut = find_cut(world.store, run.cut, run.number)
    if cut.retired_at is not None:
        raise Refused(f"cut `{cut.name}` number `{cut.number}` is retired: its rows are gone", "train on a newer cut")
    return run


def _only(world: RunWorld, runs: Sequence[Run]) -> Run:
    standing = [
        run
        for run in runs
        if (made := world.store.weights_of(run.id)) is not None and made.retired_at is None and not made.superseded_by
    ]
    if not standing:
        raise Refused("no weights stand that were trained on anything of this person", "see: assent where --subject")
    if len(standing) > 1:
        names = ", ".join(run.id for run in standing)
        raise Refused(f"{len(standing)} runs used this person", f"name one with --run: {names}")
    return standing[0]


def _told(world: RunWorld, run: Run) -> RunConfig:
    try:
        text = (folder_of(world, run.id) / CONFIG).read_text("utf-8")
    except FileNotFoundError:
        raise Refused(f"the folder of run `{run.id}` is gone", "train anew: assent train start") from None
    return parse_config(text, CONFIG)


def _conversations_of(world: RunWorld, cut: Cut, subject: str | None) -> set[str]:
    if subject is None:
        return set()
    found = {row.conversation for row in world.store.members(cut.name, cut.number) if row.subject == subject}
    if not found:
        raise Refused(f"nothing of this person is in cut `{cut.name}` number `{cut.number}`", "see: assent where")
    return found


def _require_parts(config: RunConfig, change: Change, parent: Run) -> None:
    if (config.sharding.shards, config.sharding.slices) == (1, 1):
        said = f"run `{parent.id}` was not sharded: all of its {change.whole_tokens:,} tokens would be trained again"
        raise Refused(said, "do that with --all; `[sharding]` in the configuration makes the next time cheaper")


def _started(world: RunWorld, found: Outlook) -> Run:
    """Start the run that forgets, or find the one that was killed."""
    parent = found.parent
    for run in world.store.runs_of(parent.cut, parent.number):
        if run.parent == parent.id and run.state == "started" and found.without <= set(world.store.left_out(run.id)):
            return run
    text = (folder_of(world, parent.id) / CONFIG).read_text("utf-8")
    without = sorted(found.without)
    order = RunOrder(parent.cut, parent.trainer, text, parent.number, parent.base, parent.id, without, found.reason)
    return start(world, plan(world, order))
