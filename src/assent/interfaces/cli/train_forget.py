"""`assent train forget`: train a model again without somebody, and only the parts of it that saw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import NAME
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from assent.services.run.forget import Forgotten, Outlook
    from assent.wiring import Wiring


@click.command()
@click.argument("subject", type=NAME, required=False)
@click.option("--run", "run", metavar="RUN", help="Whose weights. Default: the one run that stands and used SUBJECT.")
@click.option("--reason", default="", help="Why, where the person has not withdrawn; never a name, never content.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost, and change nothing.")
@click.option("--all", "anew", is_flag=True, help="Train every shard again, also of a run that was not sharded.")
@click.option(
    "--destroy-old", "destroy", is_flag=True, help="Then remove the weights and checkpoints that saw who leaves."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def forget(wiring: Wiring, /, *, dry_run: bool, destroy: bool, as_json: bool, **said: Any) -> int:
    """Make the weights that a run would have made without SUBJECT, and without all who may not be used any more.

    Every row of the run's cut is decided anew. Of a sharded run, only the shards that saw somebody who leaves are
    trained again, each from the checkpoint before the first slice that differs. What comes of it is a run of its own;
    on a CPU its weights are, bit for bit, those of a run that never saw them. With --run and no SUBJECT it leaves out
    those who withdrew, were erased, are held or flagged.

    The old weights stay where they are and are recorded as superseded: they may be in use. What was killed goes on
    when the same is asked again.

    Exit status: 0 forgotten, or nothing of theirs was trained on; 2 refused, or no weights saw them; 3 no such run.

    \b
    Examples:
      assent train forget ann --dry-run
      assent train forget ann
      assent train forget ann --run spring-1-9f2c61ab --reason "asked by letter" --destroy-old
      assent train forget --run spring-1-9f2c61ab --json
    """
    from assent.services.plan import keep_policies
    from assent.services.run.forget import Wish, destroy_old, forget, outlook

    world = wiring.run_world
    wish = Wish(**said)
    keep_policies(wiring.store, wiring.policy_texts, wiring.now())
    if dry_run:
        found = outlook(world, wish)
        echo_json(_record(found, None)) if as_json else _say_outlook(found)
        return 0
    done = forget(world, wish, progress)
    if destroy and done.run is not None:
        done = destroy_old(world, done)
    if as_json:
        echo_json(_record(done.outlook, done))
    else:
        _say_outlook(done.outlook)
        _say(done)
    return 0


def _record(found: Outlook, done: Forgotten | None) -> dict[str, Any]:
    change = found.change
    return {
        "parent": found.parent.id,
        "leaving": dict(found.leaving),
        "left_out": len(found.without),
        "retrain": [{"shard": one.shard, "from_slice": one.first} for one in change.retrain],
        "shards": found.config.sharding.shards,
        "slices": found.config.sharding.slices,
        "tokens": change.tokens,
        "whole_tokens": change.whole_tokens,
        "expected_seconds": change.seconds,
        "whole_seconds": change.whole_seconds,
        "run": None if done is None or done.run is None else done.run.id,
        "seconds": None if done is None else done.seconds,
        "removed": [] if done is None else list(done.removed),
    }


def _say_outlook(found: Outlook) -> None:
    change, sharding = found.change, found.config.sharding
    for reason, count in sorted(found.leaving.items()):
        click.echo(f"leaving: {count:>8,} conversations  {reason}")
    if not change.retrain:
        click.echo(f"run {found.parent.id} was trained on nothing of theirs: nothing to train again")
        return
    for one in change.retrain:
        click.echo(f"shard {one.shard}: train again from slice {one.first} of {sharding.slices}")
    share = change.tokens / max(1, change.whole_tokens)
    click.echo(f"that is {len(change.retrain)} of {sharding.shards} shards")
    click.echo(f"tokens: {change.tokens:,} of {change.whole_tokens:,} ({share:.1%})")
    click.echo(f"the first time it took {change.seconds:.1f} of {change.whole_seconds:.1f} seconds")


def _say(done: Forgotten) -> None:
    if done.run is None:
        return
    click.echo(f"run {done.run.id} takes the place of {done.outlook.parent.id}; trained in {done.seconds:.1f} seconds")
    for name in done.removed:
        click.echo(f"removed: {name}")
    if not done.removed:
        old = done.outlook.parent.id
        click.echo(f"the old weights stay where they are, as superseded; assent train retire {old} removes them")
