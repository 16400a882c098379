"""Evaluate what a run made on the people whom its cut held back, and record the report with the weights.

The files are verified as for training, and every row is decided anew: what may not be used any more is not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from assent.domain.digests import digest_bytes
from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.learn.runs.config import parse_config
from assent.learn.runs.data import read_talks
from assent.learn.runs.weights import weights_digest
from assent.services.cut.differing import find_cut
from assent.services.ledger.seal import seal
from assent.services.run.files import cut_files
from assent.services.run.gate import not_to_be_used
from assent.services.run.plan import CONFIG, find_run, folder_of
from assent.services.run.state import leaf_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.data import CutFiles, Talk
    from assent.learn.runs.ensemble import Ensemble
    from assent.learn.runs.evaluate import Held
    from assent.services.run.stopping import Progress
    from assent.services.run.world import RunWorld
    from assent.store.records import Cut, Run, Weights

FILE: Final = "evaluation.json"
CURVE_CONVERSATIONS: Final = 200
"""Conversations that every checkpoint of a curve is measured on at most."""
HELD_BACK: Final = ("validation", "test")


@dataclass(frozen=True, slots=True)
class Measured:
    """A run whose weights can be measured: what it was told, its cut, and the conversations that must not be read."""

    run: Run
    weights: Weights
    config: RunConfig
    cut: Cut
    without: frozenset[str]

    def files(self, split: str) -> CutFiles:
        """Name the files of one split of its cut."""
        return cut_files(Path(self.cut.directory), split)

    def talks(self, split: str) -> Iterator[Talk]:
        """Read the conversations of a split that may be used now."""
        yield from read_talks(self.files(split), self.without)


@dataclass(frozen=True, slots=True)
class EvaluationOrder:
    """What to evaluate: a run, on at most `most` conversations, `against` another run, with its `curve` if asked."""

    run: str
    most: int
    seed: int = 0
    against: str | None = None
    curve: bool = False


def measured(world: RunWorld, name: str) -> Measured:
    """Find a run whose weights are there and are those that were recorded, and decide the rows of its cut anew.

    Raises `NotFound` where there is no such run; `Refused` if it made nothing, or weights or cut are gone or changed.
    """
    run = find_run(world, name)
    made = world.store.weights_of(run.id)
    if made is None:
        raise Refused(f"run `{run.id}` is {run.state} and has made no weights", "finish it: assent train resume")
    if made.retired_at is not None or not Path(made.directory).is_dir():
        raise Refused(f"the weights of run `{run.id}` are not there any more", "take a run that has some")
    if weights_digest(Path(made.directory)) != made.digest:
        raise Refused(f"the weights of run `{run.id}` are not those that it made", "put them back, or train again")
    text = (folder_of(world, run.id) / CONFIG).read_text("utf-8")
    if digest_bytes(text.encode()) != run.config:
        raise Refused(f"`{CONFIG}` of run `{run.id}` is not what the run was told", "put it back")
    cut = find_cut(world.store, run.cut, run.number)
    if cut.retired_at is not None or not Path(cut.directory).is_dir():
        raise Refused(f"the files of cut `{cut.name}` number `{cut.number}` are not there", "mount them, or train anew")
    return Measured(run, made, parse_config(text, CONFIG), cut, frozenset(not_to_be_used(world, cut)))


def evaluate(world: RunWorld, order: EvaluationOrder, progress: Progress) -> dict[str, Any]:
    """Evaluate a run, keep the report in its folder, record its digest with the weights, and return the report."""
    from assent.learn.runs.ensemble import opened, untaught  # noqa: PLC0415 - loads torch
    from assent.learn.runs.evaluate import evaluated  # noqa: PLC0415
    from assent.learn.runs.logs import quiet  # noqa: PLC0415

    this = measured(world, order.run)
    if this.config.model is None:
        raise Refused(f"nobody knows what run `{this.run.id}` began with", "name the model in [model]")
    with quiet():
        held = _held(this, order)
        with progress("reading", 2 * len(held)) as done:
            before, after = untaught(this.config), opened(Path(this.weights.directory), this.config)
            report = _head(world, this, order) | evaluated(held, before, after, order.seed, done)
        if order.against is not None:
            report["against"] = _against(world, this, order, after, progress)
        if order.curve:
            report["curve"] = _curve(world, this, order, (before, after), progress)
    return record(world, this, FILE, report, "evaluated")


def record(world: RunWorld, this: Measured, file: str, report: dict[str, Any], act: str) -> dict[str, Any]:
    """Keep a report in the folder of its run; the ledger says that there is one, by its digest."""
    now = world.clock()
    content = orjson.dumps(report | {"at": format_instant(now)}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    _put(folder_of(world, this.run.id) / file, content)
    digest = digest_bytes(content)
    leaf = leaf_of(world, this.run, act, now, report=digest, weights=this.weights.digest)
    world.store.change_weights(this.run.id, evaluation=digest if act == "evaluated" else None, leaf=leaf)
    if world.log is not None:
        seal(world.store, world.log, now=now)
    read: dict[str, Any] = orjson.loads(content)
    return read


def _put(path: Path, content: bytes) -> None:
    """Put a report where it stays: whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.chmod(0o600)
    fresh.replace(path)


def _held(this: Measured, order: EvaluationOrder, without_people: frozenset[str] = frozenset()) -> list[Held]:
    from assent.learn.runs.evaluate import Held, sampled  # noqa: PLC0415 - numpy comes with an extra

    several = (
        Held(split, talk) for split in HELD_BACK for talk in this.talks(split) if talk.whose not in without_people
    )
    return sampled(several, order.most, order.seed)


def _head(world: RunWorld, this: Measured, order: EvaluationOrder) -> dict[str, Any]:
    return {
        "assent_evaluation": 1,
        "run": this.run.id,
        "weights": this.weights.digest,
        "base": this.run.base or None,
        "cut": this.run.cut,
        "number": this.run.number,
        "manifest": this.run.manifest,
        "code": world.version,
        "seed": order.seed,
        "at_most": order.most,
        "not_to_be_used": len(this.without),
    }


def _against(
    world: RunWorld, this: Measured, order: EvaluationOrder, after: Ensemble, progress: Progress
) -> dict[str, Any]:
    """Compare with another run on the people whom neither has learned from."""
    from assent.learn.runs.ensemble import opened  # noqa: PLC0415 - loads torch
    from assent.learn.runs.evaluate import evaluated  # noqa: PLC0415

    other = measured(world, order.against or "")
    if other.cut.name != this.cut.name:
        told = f"runs `{this.run.id}` and `{other.run.id}` are of cuts with different names"
        raise Refused(told, "only numbers of one cut hold back the same people under the same pseudonyms")
    learned: frozenset[str] = frozenset()
    if other.run.number != this.run.number:
        # the shares of the split may have changed between numbers; only the pseudonyms have not
        learned = frozenset(talk.whose for talk in other.talks("train"))
    held = _held(this, order, learned)
    with progress("comparing", 2 * len(held)) as done:
        found = evaluated(held, opened(Path(other.weights.directory), other.config), after, order.seed, done)
    return {"run": other.run.id, "weights": other.weights.digest, **found}


def _curve(
    world: RunWorld, this: Measured, order: EvaluationOrder, ends: tuple[Ensemble, Ensemble], progress: Progress
) -> list[dict[str, Any]]:
    """Measure the loss on a few held-back conversations at every checkpoint that is there, one line a shard."""
    from assent.learn.runs.curve import checkpoints, points  # noqa: PLC0415 - loads torch

    held = _held(this, replace(order, most=min(order.most, CURVE_CONVERSATIONS)))
    found = checkpoints(folder_of(world, this.run.id))
    with progress("drawing the curve", len(found) + 2) as done:
        return points(held, this.config, found, ends, done)
