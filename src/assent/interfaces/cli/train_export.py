"""`assent train export` and `assent train begin`: let another program train, through the same gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import read_text_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.wiring import Wiring

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("export")
@click.option("--cut", "name", required=True, metavar="NAME", help="The cut; its newest number unless --number.")
@click.option("--number", type=click.IntRange(1), help="Number of the cut.")
@click.option(
    "--for",
    "program",
    required=True,
    type=click.Choice(("axolotl", "llama-factory", "torchtune")),
    help="The program that trains.",
)
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of the model.")
@click.option("--out", type=_FOLDER, metavar="DIR", required=True, help="New or empty folder for the config.")
@click.option(
    "--config",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the trainer is told: `assent train config`. Default: an adapter (LoRA), the usual figures.",
)
@click.option("--full", is_flag=True, help="Without --config: train all weights, no adapter.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def for_program(wiring: Wiring, /, *, file: Path | None, as_json: bool, **said: Any) -> int:
    """Plan a run for Axolotl, LLaMA-Factory or torchtune, and write a folder that is ready for it.

    The folder holds the program's config, the registration of its data where it wants one, a README, and `train.sh`.
    Run that where the program is installed: it goes through the gate (`assent train begin`), trains, and records how
    the run ended. No row of the cut is copied before, and the copies go when it ends.

    Conversations that the program cannot read are left out, and counted. On a cut that is stale, retired or not as it
    was, nothing is written.

    Exit status: 0 written; 2 refused; 3 no such cut or base; 1 broken.

    \b
    Examples:
      assent train export --cut spring --for axolotl --base models/small --out out/spring-axolotl
      assent train export --cut spring --for torchtune --base models/small --out out/full --full
      assent train export --cut spring --for llama-factory --config run.toml --out out/spring-lf --json
    """
    from assent.services.plan import keep_policies
    from assent.services.run.export import Asked, export

    if (file is None) == (said["base"] is None):
        raise click.UsageError("give either --base or --config with a `base`")
    if file is not None and said["full"]:
        raise click.UsageError("--full goes without --config: leave `[lora]` out of the file")
    text = _config(said["base"], full=said["full"]) if file is None else read_text_file(file)
    keep_policies(wiring.store, wiring.policy_texts, wiring.now())
    home = wiring.settings.home
    done = export(wiring.run_world, Asked(said["name"], said["program"], text, said["out"], home, said["number"]))
    if as_json:
        echo_json(
            {
                "run": done.run.id,
                "directory": str(said["out"]),
                "command": done.command,
                "files": sorted(done.files),
                "conversations": done.conversations,
                "left_out": dict(done.left_out),
            }
        )
        return 0
    click.echo(f"run {done.run.id} is planned, on {done.run.cut} number {done.run.number}")
    click.echo(f"{done.program} can read {done.conversations:,} conversations of the split train")
    _say_left_out(done.left_out)
    click.echo(f"start it where {done.program} is installed: sh {said['out'] / 'train.sh'}")
    return 0


@click.command("begin")
@click.argument("name", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def begin(wiring: Wiring, name: str, *, as_json: bool) -> int:
    """Let a run that was exported through the gate, and write the rows for the program that trains it.

    The cut is verified, the clock is read, and every row is decided anew: as `assent train start` does. A run that was
    stopped gets its rows again. The digest of each file is checked before anything of it is used.

    Exit status: 0 begun; 2 refused; 3 no such run; 1 broken.

    \b
    Example:
      assent train begin spring-1-9f2c61ab
    """
    from assent.services.run.export import begin as let_begin

    begun = let_begin(wiring.run_world, name)
    at = begun.run.started_at or begun.run.planned_at
    if as_json:
        left_out = dict(begun.left_out)
        echo_json(
            {"run": begun.run.id, "started_at": format_instant(at), "conversations": begun.rows, "left_out": left_out}
        )
        return 0
    click.echo(f"run {begun.run.id} started at {format_instant(at)}")
    for split, rows in begun.rows.items():
        click.echo(f"  {split}: {rows:,} conversations")
    _say_left_out(begun.left_out)
    return 0


def _config(base: Path, *, full: bool) -> str:
    """Write the configuration of a run that says no more than its base."""
    table = f'[run]\ntrainer = "external"\n\n[model]\nbase = {json.dumps(str(base.absolute()))}\n'
    return f"{table}\n[train]\nlearning_rate = {'2e-5' if full else '2e-4'}\n" + ("" if full else "\n[lora]\n")


def _say_left_out(left_out: Mapping[str, int]) -> None:
    for reason, count in sorted(left_out.items()):
        click.echo(f"  left out: {count:>10,}  {reason}")
