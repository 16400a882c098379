"""`assent train`: start runs on cuts that are fresh, follow them, and record what came of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli import train_card, train_evaluate, train_export, train_exposure, train_forget
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import read_text_file
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.services.run.world import RunWorld
    from assent.store.records import Run
    from assent.wiring import Wiring

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_PROCESSES = click.option(
    "--processes",
    type=click.IntRange(1, 1_024),
    default=1,
    show_default=True,
    help="Of this machine, which teach one model together: one for each GPU.",
)
_REASON = click.option("--reason", required=True, help="Why, in a sentence without content.")


@click.group()
def command() -> None:
    """Train models on what may be used, and be able to say for ever what each of them was trained on.

    \b
    Examples:
      assent train start --cut spring --config run.toml
      assent train list
      assent train evaluate spring-1-9f2c61ab
      assent train forget ann --run spring-1-9f2c61ab --reason "asked by letter"
      assent train card spring-1-9f2c61ab
    """


@command.command()
@click.option("--cut", "name", required=True, metavar="NAME", help="The cut; its newest number unless --number.")
@click.option("--number", type=click.IntRange(1), help="Number of the cut.")
@click.option(
    "--config", "file", type=_FILE, required=True, help="What the trainer is told; see `assent train config`."
)
@_PROCESSES
@_JSON
@click.pass_obj
def start(wiring: Wiring, /, *, name: str, number: int | None, file: Path, processes: int, as_json: bool) -> int:
    """Start a run on a cut, and train.

    First the cut is verified, every file and row of it, by rules that share no code with what made it. Then the clock
    is read, and every row is decided anew: a withdrawal that was acknowledged before that instant stops the start. What
    the gate found is kept with the run and told to the ledger, whether it opens or not. On a cut that is stale, retired
    or not as it was, nothing starts.

    With `trainer = "external"` in the file another program trains: the run is recorded as started, its folder is
    printed, and `assent train finish` (or `fail`) records the end.

    A run that was stopped by Ctrl-C or a kill stays started; `assent train resume` goes on with it.

    Exit status: 0 finished, or started for another program; 2 refused; 3 no such cut; 1 the trainer broke.

    \b
    Examples:
      assent train config > run.toml
      assent train start --cut spring --config run.toml
      assent train start --cut spring --number 2 --config run.toml --json
    """
    from assent.learn.runs.config import parse_config
    from assent.services.plan import keep_policies
    from assent.services.run.plan import RunOrder, plan
    from assent.services.run.state import start as begin
    from assent.services.run.training import base_of, train_run

    text = read_text_file(file)
    config = parse_config(text, file.name)
    world = wiring.run_world
    keep_policies(wiring.store, wiring.policy_texts, wiring.now())
    run = plan(world, RunOrder(name, config.run.trainer, text, number, base_of(config)))
    run = begin(world, run)
    if config.run.trainer != "external":
        echo_line(f"run {run.id} started at {format_instant(run.started_at or run.planned_at)}", err=True)
        run = train_run(world, run, progress, processes=processes)
    _say(wiring, run, as_json=as_json)
    return 0


@command.command()
@click.argument("name", metavar="RUN")
@_PROCESSES
@_JSON
@click.pass_obj
def resume(wiring: Wiring, *, name: str, processes: int, as_json: bool) -> int:
    """Go on with a run that was stopped; it ends as it would have ended.

    Where a policy says that a withdrawal stops runs that have started, every row is decided anew first.

    Exit status: 0 finished; 2 it may not go on; 3 no such run; 1 the trainer broke.

    \b
    Example:
      assent train resume spring-1-9f2c61ab
    """
    from assent.services.run.plan import find_run
    from assent.services.run.training import require_may_go_on, train_run

    world = wiring.run_world
    run = find_run(world, name)
    require_may_go_on(world, run)
    _say(wiring, train_run(world, run, progress, resume=True, processes=processes), as_json=as_json)
    return 0


@command.command("list")
@click.option("--cut", "cut", metavar="NAME", help="Runs on cuts of this name only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a run.")
@click.pass_obj
def list_(wiring: Wiring, *, cut: str | None, as_json: bool) -> int:
    """List runs, the newest first.

    \b
    Examples:
      assent train list
      assent train list --cut spring --json
    """
    from assent.services.run.reach import every_run

    found = False
    for run in every_run(wiring.store):
        if cut in (None, run.cut):
            found = True
            _line(wiring, run, as_json=as_json)
    if not found and not as_json:
        click.echo("no run")
    return 0


@command.command()
@click.argument("name", metavar="RUN")
@_JSON
@click.pass_obj
def show(wiring: Wiring, *, name: str, as_json: bool) -> int:
    """Show a run: what it was told, what the gate found, what it used, what it made, what the ledger says.

    Exit status: 0 shown, 3 no such run.

    \b
    Examples:
      assent train show spring-1-9f2c61ab
      assent train show spring-1 --json
    """
    from assent.services.run.plan import find_run

    _say(wiring, find_run(wiring.run_world, name), as_json=as_json)
    return 0


@command.command()
@click.argument("name", metavar="RUN")
@click.option("--weights", "folder", type=_FOLDER, required=True, help="The folder that the trainer wrote.")
@_JSON
@click.pass_obj
def finish(wiring: Wiring, *, name: str, folder: Path, as_json: bool) -> int:
    """Record that a run of another trainer is finished, with the digest of what it made.

    Exit status: 0 recorded; 2 the run has not started, or has ended; 3 no such run.

    \b
    Example:
      assent train finish spring-1-9f2c61ab --weights out/model
    """
    from assent.learn.runs.weights import weights_digest
    from assent.services.run.plan import find_run
    from assent.services.run.state import finish as end

    world = wiring.run_world
    run = find_run(world, name)
    _say(wiring, end(world, run, weights_digest(folder), folder), as_json=as_json)
    return 0


@command.command()
@click.argument("name", metavar="RUN")
@_REASON
@_JSON
@click.pass_obj
def fail(wiring: Wiring, *, name: str, reason: str, as_json: bool) -> int:
    """Record that a run failed. If it had started, its rows stay recorded as used.

    Exit status: 0 recorded; 2 the run has ended already; 3 no such run.

    \b
    Example:
      assent train fail spring-1-9f2c61ab --reason "the disk was full"
    """
    from assent.services.run.state import fail as end

    return _end(wiring, name, end, reason, as_json=as_json)


@command.command()
@click.argument("name", metavar="RUN")
@_REASON
@_JSON
@click.pass_obj
def abandon(wiring: Wiring, *, name: str, reason: str, as_json: bool) -> int:
    """Give a run up. If it had started, its rows stay recorded as used.

    Exit status: 0 recorded; 2 the run has ended already; 3 no such run.

    \b
    Example:
      assent train abandon spring-1-9f2c61ab --reason "wrong base model"
    """
    from assent.services.run.state import abandon as end

    return _end(wiring, name, end, reason, as_json=as_json)


def _end(wiring: Wiring, name: str, end: Callable[[RunWorld, Run, str], Run], reason: str, *, as_json: bool) -> int:
    """Record an end of a run that made nothing."""
    from assent.services.run.plan import find_run

    world = wiring.run_world
    _say(wiring, end(world, find_run(world, name), reason), as_json=as_json)
    return 0


@command.command()
def config() -> int:
    """Print a configuration with every key and its meaning, to begin with.

    \b
    Example:
      assent train config > run.toml
    """
    from assent.learn.runs.config import EXAMPLE

    click.echo(EXAMPLE, nl=False)
    return 0


for later in (
    train_evaluate.evaluate,
    train_exposure.exposure,
    train_forget.forget,
    train_export.for_program,
    train_export.begin,
    train_card.card,
    train_card.weights,
    train_card.retire,
):
    command.add_command(later)


def _record(wiring: Wiring, run: Run) -> dict[str, Any]:
    made = wiring.store.weights_of(run.id)
    whole: dict[str, Any] = {
        "id": run.id,
        "cut": run.cut,
        "number": run.number,
        "manifest": run.manifest,
        "purpose": run.purpose,
        "trainer": run.trainer,
        "config": run.config,
        "code": run.code,
        "base": run.base or None,
        "parent": run.parent,
        "state": run.state,
        "planned_at": format_instant(run.planned_at),
        "started_at": run.started_at and format_instant(run.started_at),
        "ended_at": run.ended_at and format_instant(run.ended_at),
        "policies": json.loads(run.policies),
        "rows": run.rows,
        "conversations": run.conversations,
        "people": run.people,
        "gate": json.loads(run.gate),
        "reason": run.reason,
        "folder": str(wiring.run_world.folder / run.id),
        "weights": None,
    }
    if made is not None:
        whole["weights"] = {
            "digest": made.digest,
            "directory": made.directory,
            "made_at": format_instant(made.made_at),
            "claim": made.claim,
            "evaluation": made.evaluation or None,
            "superseded_by": made.superseded_by or None,
            "retired_at": made.retired_at and format_instant(made.retired_at),
        }
    return whole


def _line(wiring: Wiring, run: Run, *, as_json: bool) -> None:
    if as_json:
        echo_json(_record(wiring, run))
        return
    at = run.started_at or run.planned_at
    whose = f"{run.conversations:,} conversations of {run.people:,} people" if run.started_at else "nothing used"
    echo_line(f"{run.id}  {run.state:<9}  {format_instant(at)}  {whose}")


def _say(wiring: Wiring, run: Run, *, as_json: bool) -> None:
    whole = _record(wiring, run)
    if as_json:
        echo_json(whole | {"ledger": [one.leaf for one in wiring.store.run_leaves(run.id)]})
        return
    echo_line(f"run {run.id}: {run.state}" + (f" ({run.reason})" if run.reason else ""))
    echo_line(f"cut:      {run.cut} number {run.number}, {run.manifest}")
    echo_line(f"trainer:  {run.trainer}, told {run.config}")
    if run.base:
        echo_line(f"base:     {run.base}")
    if run.parent:
        echo_line(f"instead of: {run.parent}")
    if run.started_at:
        echo_line(f"started:  {format_instant(run.started_at)}; whatever was acknowledged before counts")
        echo_line(f"used:     {run.rows:,} parts in {run.conversations:,} conversations of {run.people:,} people")
    for kind in ("wrong", "stale"):
        for what, count in whole["gate"].get(kind, {}).items():
            echo_line(f"  gate: {count:>10,}  {what}")
    if run.ended_at:
        echo_line(f"ended:    {format_instant(run.ended_at)}")
    if whole["weights"]:
        echo_line(f"weights:  {whole['weights']['digest']} in {whole['weights']['directory']}")
        echo_line(f"claim:    {whole['weights']['claim']}")
    echo_line(f"ledger:   leaves {', '.join(str(one.leaf) for one in wiring.store.run_leaves(run.id)) or 'none'}")
    echo_line(f"folder:   {whole['folder']}")
