"""A run for a trainer of your own: gated when it begins, recorded however it ends.

How to use it: docs/how-to/use-your-own-trainer.md.

from assent.training import training_run

with training_run("/srv/assent", "spring", trainer="mine", config=text) as run:
    for talk in run.conversations():
        ...
    run.finish("out/model")
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from assent.domain.errors import AssentError, Refused
from assent.learn.runs.data import Talk, read_talks
from assent.learn.runs.logs import FILE, figures_of
from assent.learn.runs.weights import weights_digest
from assent.services.cut.differing import find_cut
from assent.services.run.files import cut_files
from assent.services.run.plan import RunOrder, folder_of, plan
from assent.services.run.state import abandon, fail, finish, start
from assent.services.run.stopping import Guard
from assent.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assent.services.run.world import RunWorld
    from assent.store.records import Run

__all__ = ["StartedRun", "Talk", "training_run"]


class StartedRun:
    """A run that has started. `record` is what is kept of it."""

    def __init__(self, world: RunWorld, record: Run) -> None:
        """Use a run that went through the gate; `training_run` is the way to get one."""
        self._world = world
        self._guard = Guard(world, record)
        self.record = record

    @property
    def id(self) -> str:
        """The name of the run."""
        return self.record.id

    @property
    def folder(self) -> Path:
        """A folder of its own, for logs and checkpoints. Copies of conversations belong into `work` in it, only."""
        return folder_of(self._world, self.record.id)

    def conversations(self, split: str = "train") -> Iterator[Talk]:
        """Read the conversations of a split: id, pseudonym, skill, and messages as chat trainers take them.

        Each file's digest is checked before anything of it is used. Raises `Refused` for one that was changed.
        """
        cut = find_cut(self._world.store, self.record.cut, self.record.number)
        without = frozenset(self._world.store.left_out(self.record.id))
        return read_talks(cut_files(Path(cut.directory), split), without)

    def log(self, figures: Mapping[str, float | int]) -> None:
        """Add a line of figures to the run's log; never content, never a person."""
        with (self.folder / FILE).open("ab") as lines:
            lines.write(orjson.dumps(dict(figures)) + b"\n")

    def callback(self) -> Any:
        """Return a callback for a `transformers.Trainer`: figures go to the log, and it stops where the policy does."""
        from transformers import TrainerCallback  # noqa: PLC0415 - only for those who use it

        run = self

        class Logging(TrainerCallback):  # type: ignore[misc]
            """Hands figures on, and looks with every step."""

            def on_step_end(self, _args: Any, _state: Any, _control: Any, **_more: Any) -> None:
                run.require_may_go_on()

            def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, Any], **_more: Any) -> None:
                if state.is_world_process_zero and (figures := figures_of(logs)) is not None:
                    run.log({"step": state.global_step, **figures})

        return Logging()

    def require_may_go_on(self) -> None:
        """Raise `Refused` if somebody took back what this run uses and the policy stops runs that started.

        Call it with every step: it looks once a minute. Under a policy that lets runs go on it does nothing.
        """
        self._guard()

    def finish(self, weights: Path | str) -> Run:
        """Record that the run is finished, with the digest of the folder of what it made."""
        folder = Path(weights)
        if not folder.is_dir():
            raise Refused(f"there is no folder `{folder}`", "give the folder that the weights were saved to")
        self.record = finish(self._world, self.record, weights_digest(folder), folder)
        return self.record


@contextmanager
def training_run(
    home: Path | str,
    cut: str,
    *,
    trainer: str,
    config: str = "",
    number: int | None = None,
    base: Path | str | None = None,
) -> Iterator[StartedRun]:
    """Start a run on a cut (its newest number unless one is named), and record how it ends.

    `config` is what the trainer is told, as text: its digest is kept. `base` is the folder of the weights that it goes
    on from. Raises `Refused` where the gate is shut: then nothing started. An exception inside the block is recorded
    as a failure by its kind; a block that ends without `finish` has given the run up.
    """
    wiring = Wiring(Path(home))
    try:
        world = wiring.run_world
        digest = "" if base is None else weights_digest(Path(base))
        run = StartedRun(world, start(world, plan(world, RunOrder(cut, trainer, config, number, digest))))
        try:
            yield run
        except BaseException as problem:
            if run.record.state == "started":
                # what a library says may quote a text that it was given
                said = problem.message if isinstance(problem, AssentError) else type(problem).__name__
                fail(world, run.record, f"the trainer broke: {said}")
            raise
        if run.record.state == "started":
            abandon(world, run.record, "the trainer ended without weights")
    finally:
        wiring.store.close()
