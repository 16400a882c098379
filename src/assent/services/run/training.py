"""Train a run that has started, with the trainer that comes with assent, and record how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assent.domain.errors import AssentError, Refused
from assent.learn.runs.config import parse_config
from assent.learn.runs.weights import weights_digest
from assent.pipeline.folder import alone
from assent.services.cut.differing import find_cut
from assent.services.run.files import cut_files
from assent.services.run.gate import decide, verify
from assent.services.run.plan import CONFIG, folder_of
from assent.services.run.state import fail, finish
from assent.services.run.stopping import Guard, stops

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.learn.runs.config import RunConfig
    from assent.services.run.stopping import Progress
    from assent.services.run.world import RunWorld
    from assent.store.records import Run


def base_of(config: RunConfig) -> str:
    """Return the digest of the weights that a configuration goes on from, "" from scratch.

    Raises `Refused` for a folder that is not there.
    """
    if config.model is None or config.model.base is None:
        return ""
    base = Path(config.model.base)
    if not base.is_dir():
        raise Refused(f"there is no model folder `{base}`", "give a local folder: nothing is fetched")
    return weights_digest(base)


def train_run(
    world: RunWorld,
    run: Run,
    progress: Progress,
    *,
    resume: bool = False,
    processes: int = 1,
    prepare: Callable[[Path], None] = lambda _folder: None,
) -> Run:
    """Train what has started, and record it as finished, or as failed with the reason; return it as it is then.

    A run that is stopped by a signal stays started, and goes on with `resume`. `prepare` is given the folder of the
    run before, and nobody else trains there meanwhile. Several `processes` of this machine teach the same model.
    """
    from assent.learn.runs.many import train_together  # noqa: PLC0415 - loads torch
    from assent.learn.runs.train import TrainOrder, train  # noqa: PLC0415

    folder = folder_of(world, run.id)
    config = parse_config((folder / CONFIG).read_text("utf-8"), CONFIG)
    cut = find_cut(world.store, run.cut, run.number)
    without = frozenset(world.store.left_out(run.id))
    order = TrainOrder(config, folder, cut_files(Path(cut.directory)), without, resume)
    guarded = Guard(world, run).within(progress)
    with alone(folder) as free:
        if not free:
            raise Refused(f"run `{run.id}` is being trained", "wait for it")
        try:
            prepare(folder)
            made = train(order, guarded) if processes == 1 else train_together(order, processes, guarded)
        except AssentError as problem:
            fail(world, run, problem.message)
            raise
        except Exception as problem:
            # what a library says may quote a text that it was given
            fail(world, run, f"the trainer broke with {type(problem).__name__}")
            raise
    return finish(world, run, made.digest, made.weights)


def require_may_go_on(world: RunWorld, run: Run) -> None:
    """Raise `Refused` if a run that was stopped may not go on: it has ended, or a policy stops runs that started."""
    if run.state != "started":
        raise Refused(f"run `{run.id}` is {run.state}, so it cannot go on", "start another: assent train start")
    if stops(world):
        cut = find_cut(world.store, run.cut, run.number)
        without = frozenset(world.store.left_out(run.id))
        gate = decide(world, cut, verify(world, cut, without), without)
        if not gate.open:
            raise gate.refusal(cut)
