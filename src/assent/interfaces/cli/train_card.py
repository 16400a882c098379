"""`assent train card`, `weights`, `retire`: what models are made of, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json

if TYPE_CHECKING:
    from assent.services.run.weights import Standing
    from assent.wiring import Wiring


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write. Default: print it.")
@click.pass_obj
def card(wiring: Wiring, name: str, *, out: Path | None) -> int:
    """Write the card of what RUN made: its cuts, people, measurements, claim, and what a withdrawal undoes.

    The form is that of Hugging Face. Every number is one that was recorded.

    Exit status: 0 written, 3 no such run.

    \b
    Examples:
      assent train card spring-1-9f2c61ab
      assent train card spring-1-9f2c61ab --out model/README.md
    """
    from assent.services.run.card import card as write

    text = write(wiring.run_world, name)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        click.echo(f"card: {out}")
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each run with weights.")
@click.pass_obj
def weights(wiring: Wiring, *, as_json: bool) -> int:
    """Say of all weights how many people in them have left, since when, and what the policy promises of models then.

    Every row is decided anew. Where a policy says that finished models are trained again, weights that hold somebody
    who left are owed: `assent train forget --run RUN`.

    Exit status: 0 nothing is owed, 2 some weights are.

    \b
    Examples:
      assent train weights
      assent train weights --json
    """
    from assent.services.run.weights import standings

    found = standings(wiring.run_world)
    for one in found:
        if as_json:
            echo_json(_record(one))
        else:
            _say(one)
    if not found and not as_json:
        click.echo("no weights")
    return 2 if any(one.owed for one in found) else 0


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def retire(wiring: Wiring, name: str, *, yes: bool) -> int:
    """Destroy the weights and checkpoints of RUN that lie in this home, and record it. The record of the run stays.

    Weights elsewhere cannot be reached from here: remove them there first.

    Exit status: 0 destroyed, 2 refused, or the weights lie elsewhere, 3 no such run, or it made none.

    \b
    Example:
      assent train retire spring-1-9f2c61ab --yes
    """
    from assent.services.run.weights import retire as end

    if not yes:
        click.confirm(f"Destroy the weights of run {name} for good?", abort=True)
    run, removed = end(wiring.run_world, name)
    for path in removed:
        click.echo(f"removed: {path}")
    click.echo(f"the weights of run {run.id} are recorded as destroyed")
    return 0


def _record(one: Standing) -> dict[str, object]:
    return {
        "run": one.run.id,
        "weights": one.weights.digest,
        "made_at": format_instant(one.weights.made_at),
        "used": {"conversations": one.run.conversations, "people": one.run.people},
        "left": dict(one.left),
        "people_left": one.people,
        "left_since": one.since and format_instant(one.since),
        "promised": one.promised,
        "owed": one.owed,
        "superseded_by": one.weights.superseded_by or None,
        "retired_at": one.weights.retired_at and format_instant(one.weights.retired_at),
    }


def _say(one: Standing) -> None:
    end = one.weights.retired_at
    state = f"destroyed {format_instant(end)}" if end else "stands"
    if not end and one.weights.superseded_by:
        state = f"replaced by {one.weights.superseded_by}"
    since = f", the first on {format_instant(one.since)}" if one.since else ""
    click.echo(f"{one.run.id}  {state}  {one.run.people:,} people, of whom {one.people:,} have left something{since}")
    for reason, count in sorted(one.left.items()):
        click.echo(f"  left: {count:>8,} conversations  {reason}")
    if one.owed:
        click.echo(f"  owed: the policy promises that models are trained again: assent train forget --run {one.run.id}")
