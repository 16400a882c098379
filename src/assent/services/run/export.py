"""Hand a run to another program: its config is written and the run is planned; later it goes through the same gate.

Nothing of the cut is copied when a config is written. When the run begins, and the gate has let it, the rows are read
with their digests checked and written into the `work` folder of the run, as far as the program can read them.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError, Refused
from assent.learn.runs.config import parse_config
from assent.learn.runs.data import read_talks
from assent.learn.runs.export import DATA, TRAINERS, ExportOrder, trainer
from assent.learn.runs.export.rows import Written, count_rows, write_rows
from assent.services.cut.differing import find_cut
from assent.services.run.files import cut_files
from assent.services.run.gate import decide, verify
from assent.services.run.plan import CONFIG, RunOrder, find_run, folder_of, plan
from assent.services.run.state import fail, start
from assent.services.run.training import base_of, require_may_go_on

if TYPE_CHECKING:
    from assent.learn.runs.export import Ready, Trainer
    from assent.services.run.world import RunWorld
    from assent.store.records import Cut, Run

SCRIPT: Final = "train.sh"
README: Final = "README.md"
WORK: Final = "work"
"""The folder of a run for copies of its rows, which goes when the run ends."""

_QUIET: Final = {
    "HF_DATASETS_CACHE": f"$PWD/{DATA}/cache",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
"""What every program is told: to keep copies of rows where the run's own are, to fetch nothing, to report to nobody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cut (its newest number unless one is named) is to be trained by which of `TRAINERS`, as `config` says.

    `config` is the text of a run's configuration with a base model; `out` is a new or empty folder, `home` assent's.
    """

    cut: str
    program: str
    config: str
    out: Path
    home: Path
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """A planned run and what is in its folder; how many conversations of `train` can be read, and which cannot."""

    run: Run
    program: str
    command: str
    files: tuple[str, ...]
    conversations: int
    left_out: Counter[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that has begun: rows by split, and what was left out of them by reason."""

    run: Run
    rows: dict[str, int] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def export(world: RunWorld, asked: Asked) -> Exported:
    """Plan a run and write its folder. Raises `Refused` for a cut on which no run would start; then nothing is kept."""
    adapter = trainer(asked.program)
    config = parse_config(asked.config, CONFIG)
    if config.model is None or config.model.base is None:
        raise Refused(f"{adapter.PROGRAM} goes on from a model, and none is named", "give --base, or `base` in [model]")
    if asked.out.exists() and any(asked.out.iterdir()):
        raise Refused(f"`{asked.out.name}` is not empty", "give a new folder")
    base = base_of(config)
    cut = find_cut(world.store, asked.cut, asked.number)
    _require_open(world, cut)
    splits = tuple(split for split in adapter.SPLITS if cut_files(Path(cut.directory), split).messages)
    can = _count(cut, adapter, splits)
    ready = adapter.ready(ExportOrder(config, Path(config.model.base).absolute(), splits, can.conversations))
    run = plan(world, RunOrder(asked.cut, asked.program, asked.config, cut.number, base))
    texts = {**ready.files, SCRIPT: _script(run, adapter, ready, asked.home), README: _readme(run, adapter, ready, can)}
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (asked.out / name).write_text(text, "utf-8")
    (asked.out / DATA).symlink_to(_work(world, run).absolute())
    return Exported(run, adapter.PROGRAM, ready.command, (*texts, DATA), can.conversations, can.left_out)


def begin(world: RunWorld, name: str) -> Begun:
    """Let a planned run through the gate, and write its rows for the program that trains it.

    A run that has begun already gets its rows again, if it may still go on. Raises `Refused` where the gate is shut,
    for rows that were changed, and for a run that assent trains itself.
    """
    run = find_run(world, name)
    if run.trainer not in TRAINERS:
        raise Refused(f"run `{run.id}` was not exported for another program", "see: assent train resume")
    if run.state == "planned":
        run = start(world, run)
    else:
        require_may_go_on(world, run)
    cut = find_cut(world.store, run.cut, run.number)
    without = frozenset(world.store.left_out(run.id))
    adapter, work = trainer(run.trainer), _work(world, run)
    begun = Begun(run)
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for split in adapter.SPLITS:
            files = cut_files(Path(cut.directory), split)
            if files.messages:
                written = write_rows(read_talks(files, without), work / f"{split}.parquet", adapter.FORM)
                begun.rows[split] = written.conversations
                begun.left_out.update(written.left_out)
    except (AssentError, OSError) as problem:
        shutil.rmtree(work)
        fail(world, run, problem.message if isinstance(problem, AssentError) else "the rows could not be written")
        raise
    return begun


def _require_open(world: RunWorld, cut: Cut) -> None:
    """Ask the gate as a start does. Raises `Refused` where it is shut, or the cut is retired."""
    if cut.retired_at is not None:
        raise Refused(f"cut `{cut.name}` number `{cut.number}` is retired", "take the newest: assent cut show")
    gate = decide(world, cut, verify(world, cut))
    if not gate.open:
        raise gate.refusal(cut)


def _count(cut: Cut, adapter: Trainer, splits: tuple[str, ...]) -> Written:
    can = Written()
    if "train" in splits:
        can = count_rows(read_talks(cut_files(Path(cut.directory), "train")), adapter.FORM)
    if not can.conversations:
        said = ", ".join(f"{count:,} x {reason}" for reason, count in sorted(can.left_out.items())) or "there is none"
        raise Refused(f"{adapter.PROGRAM} can read no conversation of this cut: {said}", "take --for axolotl")
    return can


def _work(world: RunWorld, run: Run) -> Path:
    return folder_of(world, run.id) / WORK


def _script(run: Run, adapter: Trainer, ready: Ready, home: Path) -> str:
    told = {**_QUIET, **ready.environment}
    exports = "\n".join(f'export {name}="{value}"' for name, value in told.items())
    return f"""\
#!/bin/sh
# Trains run {run.id} with {adapter.PROGRAM}: through the gate of assent, and with its end recorded whatever happens.
set -eu
cd "$(dirname "$0")"
export ASSENT_HOME="${{ASSENT_HOME:-{quote(str(home.absolute()))}}}"
{exports}

assent train begin {run.id}
ended() {{
    status=$?
    trap - EXIT
    rm -rf {DATA}/*
    if [ "$status" -ne 0 ]; then
        assent train fail {run.id} --reason "{adapter.PROGRAM} ended with exit status $status"
    fi
    exit "$status"
}}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

{ready.command}
assent train finish {run.id} --weights {ready.weights}
"""


def _readme(run: Run, adapter: Trainer, ready: Ready, can: Written) -> str:
    configs = "".join(f"- `{name}`: what {adapter.PROGRAM} {adapter.VERSION} is told.\n" for name in ready.files)
    unread = "".join(f"- {count:,} conversations: {why}\n" for why, count in sorted(can.left_out.items()))
    cannot = f"\nIt cannot read these, so they are left out:\n\n{unread}" if unread else ""
    return f"""\
# Run `{run.id}`

Trains on number {run.number} of the cut `{run.cut}` (`{run.manifest}`) with {adapter.PROGRAM}, for `{run.purpose}`.
Made for {adapter.PROGRAM} {adapter.VERSION}; other versions may have other keys.

    sh {SCRIPT}

That asks the gate of assent first: every row is decided anew at that instant, and nothing starts if one may not be used
any more. Then it trains, and records how the run ended. By hand the same is

    assent train begin {run.id}
    {ready.command}
    assent train finish {run.id} --weights {ready.weights}

and, if it breaks, `assent train fail {run.id} --reason "..."`. Stopped in between? `assent train begin` writes the rows
again.

{configs}- `{SCRIPT}`: the steps above, with the environment that keeps copies of rows in one place.
- `{DATA}`: where the rows are while the run goes on, in the home of assent. Nothing of them is in this folder.

Of the split `train`, {can.conversations:,} conversations can be read by {adapter.PROGRAM}.
{cannot}
A copy of the rows that you make elsewhere is one that erasure does not reach. Make none. Some programs print a
conversation when they begin (LLaMA-Factory does): send their output only where conversations may lie.
"""
