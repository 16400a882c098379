"""Teach a model the conversations of a cut, slice after slice, with a checkpoint after each.

A shard is a model of its own. It learns its slices in order; each slice begins with a fresh optimiser and schedule and
with chance drawn from (seed, shard, slice), so that the weights after a slice depend on the weights before it and on
its own rows and on nothing else. On a CPU the same configuration, rows and number of threads give the same weights to
the bit, on one machine and with one version of torch.

Whoever was stopped goes on: a checkpoint that is whole is not made again. What a folder holds is written down in
`slices.json`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, takewhile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import orjson

from assent.domain.errors import Refused
from assent.learn.runs.canaries import plant
from assent.learn.runs.data import SlicePlace, read_talks
from assent.learn.runs.extra import needing
from assent.learn.runs.model import (
    base_folder,
    load_model,
    make_model,
    make_tokenizer,
    save_model,
    uses_own_template,
)
from assent.learn.runs.teach import Learned, Lesson, steps_of, teach
from assent.learn.runs.template import Template
from assent.learn.runs.tokens import SliceRows, write_rows
from assent.learn.runs.weights import weights_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.data import CutFiles, Talk
    from assent.learn.runs.tokens import Told

    Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

SLICES: Final = "slices.json"
"""What a folder says of its slices: form, digests of configuration and base, counts, and a line for each slice."""

CHECKPOINTS: Final = "checkpoints"
WEIGHTS: Final = "weights"
WORK: Final = "work"
"""Where rows lie while a run is taught; it goes when the run ends, and is made anew when it goes on."""

ENSEMBLE: Final = "ensemble.json"
"""What says, beside the weights of several shards, that their answer is the mean of what each of them expects."""

FORM: Final = "assent/slices/v1"
ENSEMBLE_FORM: Final = "assent/ensemble/v1"


@dataclass(frozen=True, slots=True)
class TrainOrder:
    """What to train: the configuration, the folder of the run, the files of the cut, and conversations to leave out.

    With `resume` the checkpoints that `slices.json` in the folder names are taken as made, as long as the rows of their
    slices are still the same; that is also how a model forgets: the checkpoints before the slice that differs are put
    there, and the rest is trained.
    """

    config: RunConfig
    folder: Path
    files: CutFiles
    without: frozenset[str] = frozenset()
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it: the folder of the weights and its digest; steps, tokens and seconds of this call alone."""

    weights: Path
    digest: str
    steps: int
    tokens: int
    seconds: float


def train(order: TrainOrder, progress: Progress) -> Trained:
    """Train the model that the order asks for.

    Raises `Refused` if the folder holds a training already and is not to be resumed, or holds one of other rows,
    another configuration or another base; if a file of the cut was changed; or if a library is missing.
    """
    with needing("training"):
        import torch  # noqa: F401
        import trl  # noqa: F401
        from accelerate import PartialState

    from assent.learn.runs.logs import RunLog, quiet

    config, folder = order.config, order.folder
    if not order.resume and (folder / SLICES).exists():
        raise Refused("this run has begun already", "go on with `assent train resume`, or begin a new run")
    began = perf_counter()
    state = PartialState(cpu=config.run.device == "cpu")
    tracked = config.log.mlflow if state.is_main_process else None
    with quiet(), _repeatable(config), RunLog(folder, folder.name, tracked) as log:
        try:
            training = _Training(order, progress, log.write, state)
            learned = training.run()
            state.wait_for_everyone()
        finally:
            if state.is_main_process:
                shutil.rmtree(folder / WORK, ignore_errors=True)
    weights = folder / WEIGHTS
    steps, tokens = (sum(getattr(one, name) for one in learned) for name in ("steps", "tokens"))
    return Trained(weights, weights_digest(weights), steps, tokens, perf_counter() - began)


def checkpoint_of(folder: Path, place: SlicePlace) -> Path:
    """Return where the weights lie, in the folder of a run, that a shard has after one of its slices."""
    return folder / CHECKPOINTS / f"shard-{place.shard}" / f"slice-{place.slice}"


def steps_folder(folder: Path, place: SlicePlace) -> Path:
    """Return where weights inside a slice lie, one folder for each `save_every` steps: for pictures, not to go on."""
    return folder / CHECKPOINTS / f"shard-{place.shard}" / f"steps-{place.slice}"


def read_slices(folder: Path) -> dict[str, Any]:
    """Read what a folder says of its slices; nothing where training has not begun."""
    try:
        found: dict[str, Any] = orjson.loads((folder / SLICES).read_bytes())
    except FileNotFoundError:
        return {}
    return found


def rows_of(order: TrainOrder, tokenizer: Any, work: Path) -> tuple[dict[SlicePlace, SliceRows], Told]:
    """Write the rows that an order teaches into an empty folder, canaries among them, and say what is in them."""
    config = order.config
    own = uses_own_template(config, tokenizer)
    template = Template(tokenizer, own=own, assistant_only=config.train.assistant_only_loss)
    planted: list[Talk] = []
    if config.canaries is not None:
        terms = config.canaries
        planted = plant(terms.count, terms.repeats, terms.length, config.run.seed)
    return write_rows(chain(read_talks(order.files, order.without), planted), template, config, work)


class _Training:
    """One order while it is carried out, in one process or in several that teach one model together."""

    def __init__(
        self, order: TrainOrder, progress: Progress, line: Callable[[dict[str, Any]], None], state: Any
    ) -> None:
        self._config, self._folder = order.config, order.folder
        self._order = order
        self._progress = progress
        self._line = line
        self._state = state
        self._tokenizer = make_tokenizer(order.config)
        base = None if order.config.model is None else order.config.model.base
        self._said = {
            "v": FORM,
            "config": order.config.digest,
            "base": None if base is None else weights_digest(base_folder(order.config)),
        }

    def run(self) -> list[Learned]:
        """Teach what is not taught yet, and put the weights together; return what each slice of this call took."""
        rows, counts = self._rows()
        made = self._made(rows)
        steps = {place: steps_of(one.rows, self._config, self._state.num_processes) for place, one in rows.items()}
        left = sum(count for place, count in steps.items() if place not in made)
        learned: list[Learned] = []
        with self._progress("training", left) as advance:
            for shard in range(self._config.sharding.shards):
                learned += self._shard(shard, rows, made, counts, advance)
        if self._state.is_main_process:
            self._put_together()
        return learned

    def _rows(self) -> tuple[dict[SlicePlace, SliceRows], dict[str, int]]:
        """Write the rows once; other processes read what the first one says of them."""
        work, told = self._folder / WORK, self._folder / WORK / "told.json"
        if self._state.is_main_process:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(mode=0o700)
            rows, counts = rows_of(self._order, self._tokenizer, work)
            said = [[*place, asdict(one) | {"path": str(one.path)}] for place, one in rows.items()]
            told.write_bytes(orjson.dumps([said, asdict(counts)]))
        self._state.wait_for_everyone()
        said, found = orjson.loads(told.read_bytes())
        return {
            SlicePlace(shard, number): SliceRows(**one | {"path": Path(one["path"])}) for shard, number, one in said
        }, found

    def _made(self, rows: Mapping[SlicePlace, SliceRows]) -> dict[SlicePlace, dict[str, Any]]:
        """Return what is made already, by slice. Raises `Refused` where it was made of something else."""
        before = read_slices(self._folder)
        if not before:
            return {}
        if {name: before.get(name) for name in self._said} != self._said:
            raise Refused("this run was begun with another configuration or base", "begin a new run")
        found = {}
        for one in before["slices"]:
            place = SlicePlace(one["shard"], one["slice"])
            if place not in rows or one["digest"] != rows[place].digest:
                fix = "begin a new run: assent train start, or assent train forget"
                raise Refused("rows of this run were others when it began", fix)
            folder = checkpoint_of(self._folder, place)
            if not folder.is_dir() or weights_digest(folder) != one["checkpoint"]:
                raise Refused(
                    f"the checkpoint of shard {place.shard}, slice {place.slice} was changed", "begin a new run"
                )
            found[place] = one
        return found

    def _shard(
        self,
        shard: int,
        rows: Mapping[SlicePlace, SliceRows],
        made: dict[SlicePlace, dict[str, Any]],
        counts: Mapping[str, int],
        advance: Callable[[int], None],
    ) -> Iterator[Learned]:
        places = [SlicePlace(shard, number) for number in range(self._config.sharding.slices)]
        done = list(takewhile(made.__contains__, places))
        if len(done) == len(places):
            return
        model = self._model(shard, done[-1] if done else None)
        for place in places[len(done) :]:
            saving = partial(self._save_step, model, place)
            lesson = Lesson(rows[place], self._seed(f"slice/{shard}/{place.slice}"), self._halfway(place), saving)
            learned = self._teach(model, lesson, place, advance)
            yield learned
            if self._state.is_main_process:
                self._keep(model, place, rows[place], learned, made, counts)
            self._state.wait_for_everyone()

    def _model(self, shard: int, last: SlicePlace | None) -> Any:
        if last is None:
            return make_model(self._config, self._tokenizer, self._seed(f"shard/{shard}"))
        return load_model(checkpoint_of(self._folder, last), self._config, trainable=True)

    def _teach(self, model: Any, lesson: Lesson, place: SlicePlace, advance: Callable[[int], None]) -> Learned:
        if not lesson.rows.rows:
            return Learned(0, 0, 0.0, 0.0)

        def line(figures: dict[str, float | int]) -> None:
            self._line({**place._asdict(), **figures})

        return teach(model, self._tokenizer, lesson, self._config, advance, line)

    def _save_step(self, model: Any, place: SlicePlace, step: int) -> None:
        save_model(model, self._tokenizer, steps_folder(self._folder, place) / f"step-{step}", self._config)

    def _keep(
        self,
        model: Any,
        place: SlicePlace,
        rows: SliceRows,
        learned: Learned,
        made: dict[SlicePlace, dict[str, Any]],
        counts: Mapping[str, int],
    ) -> None:
        """Make a checkpoint whole under its name, then write down that it is made."""
        folder = checkpoint_of(self._folder, place)
        fresh = folder.with_name(f".{folder.name}.new")
        for stale in (fresh, folder):
            shutil.rmtree(stale, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        save_model(model, self._tokenizer, fresh, self._config)
        fresh.rename(folder)
        told = {name: value for name, value in asdict(rows).items() if name != "path"}
        took = {"steps": learned.steps, "seconds": round(learned.seconds, 3), "loss": learned.loss}
        made[place] = {**place._asdict(), **told, **took, "checkpoint": weights_digest(folder)}
        slices = [made[one] for one in sorted(made)]
        put_json(self._folder / SLICES, {**self._said, "counts": dict(counts), "slices": slices})
        shutil.rmtree(self._halfway(place), ignore_errors=True)

    def _put_together(self) -> None:
        """Give every shard's last weights their place; what lies there already is made anew."""
        shards, last = self._config.sharding.shards, self._config.sharding.slices - 1
        fresh, weights = self._folder / f".{WEIGHTS}.new", self._folder / WEIGHTS
        for stale in (fresh, weights):
            shutil.rmtree(stale, ignore_errors=True)
        for shard in range(shards):
            target = fresh if shards == 1 else fresh / f"shard-{shard}"
            shutil.copytree(checkpoint_of(self._folder, SlicePlace(shard, last)), target, copy_function=link_or_copy)
        if shards > 1:
            put_json(fresh / ENSEMBLE, {"v": ENSEMBLE_FORM, "shards": [f"shard-{shard}" for shard in range(shards)]})
        fresh.rename(weights)

    def _halfway(self, place: SlicePlace) -> Path:
        return self._folder / WORK / f"halfway-{place.shard}-{place.slice}"

    def _seed(self, name: str) -> int:
        """Draw a seed of 31 bits for one piece of chance from the seed of the run."""
        return int.from_bytes(hashlib.sha256(f"{name}/{self._config.run.seed}".encode()).digest()[:4]) >> 1


def link_or_copy(source: str, target: str) -> str:
    """Give a finished file another name, or copy it where the disk cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def put_json(path: Path, value: object) -> None:
    """Replace a file as a whole; it is on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(orjson.dumps(value))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextmanager
def _repeatable(config: RunConfig) -> Iterator[None]:
    """Have the same arithmetic done in the same order: fixed threads, and kernels that repeat themselves.

    On a GPU some kernels cannot; there the result is the same in all but the last bits.
    """
    import torch

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filling = torch.utils.deterministic.fill_uninitialized_memory
    torch.set_num_threads(config.run.threads)
    # made to find reads of what was never written; it fills every new tensor once more
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.use_deterministic_algorithms(True, warn_only=config.run.device != "cpu")  # noqa: FBT003 - as torch has it
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(strict)
        torch.utils.deterministic.fill_uninitialized_memory = filling
        torch.set_num_threads(threads)
