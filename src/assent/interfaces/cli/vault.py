"""`assent vault`: look after sealed content and its keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Look after sealed content: where keys and records lie, a new epoch for the keys, room of what was erased.

    \b
    Examples:
      assent vault status
      assent vault rotate     once a week
    """


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def status(wiring: Wiring, as_json: bool) -> int:
    """Say where keys and records lie, how many there are, and what is left to do.

    Exit status 2 if an earlier rotation stopped half-way, so that an old epoch is not destroyed yet.

    \b
    Examples:
      assent vault status
      assent vault status --json
    """
    from assent.vault.mounts import examine

    vault, settings = wiring.vault, wiring.settings
    mount = examine(settings.home / settings.slots)
    sizes = [size for _, size in vault.segments()]
    unfinished = vault.slots.leftovers()
    if as_json:
        echo_json(
            {
                "epoch": vault.slots.epoch,
                "epoch_since": format_instant(vault.slots.since),
                "epoch_keys": vault.slots.keeper,
                "keys": vault.slots.count(),
                "mount": asdict(mount),
                "segments": len(sizes),
                "segment_bytes": sum(sizes),
                "unfinished_epochs": unfinished,
            }
        )
        return 2 if unfinished else 0
    surely = {
        True: "zeros destroy there",
        False: "zeros do not destroy there",
        None: "nobody knows if zeros destroy there",
    }
    since = format_instant(vault.slots.since)
    click.echo(f"epoch     {vault.slots.epoch} since {since}, its key kept by `{vault.slots.keeper}`")
    click.echo(f"keys      {vault.slots.count():,} on {mount.kind}: {surely[mount.safe]}")
    click.echo(f"          {mount.reason}")
    click.echo(f"segments  {len(sizes):,} with {sum(sizes):,} bytes")
    for epoch in unfinished:
        click.echo(f"epoch {epoch} is not destroyed yet: run `assent vault rotate`")
    return 2 if unfinished else 0


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def rotate(wiring: Wiring, as_json: bool) -> int:
    """Wrap every key anew under a fresh epoch key, and destroy the old one.

    From then on no copy of the old keys opens anything: not in a snapshot, a journal or a backup of the disk. Writing
    waits meanwhile, reading does not. Stopped half-way, run it again.

    \b
    Example:
      assent vault rotate
    """
    vault = wiring.vault
    with progress("wrapping keys", vault.slots.count()) as advance:
        done = vault.rotate(on_slots=advance)
    if as_json:
        echo_json(asdict(done))
        return 0
    click.echo(f"epoch {done.to_epoch}: {done.survivors:,} keys")
    ends = "destroyed" if done.destroyed.effective == "now" else "will be destroyed later"
    click.echo(f"epoch {done.from_epoch}: {ends}; {done.destroyed.note}")
    return 0


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def compact(wiring: Wiring, as_json: bool) -> int:
    """Remove segments that hold nothing any more, and write those anew that hold erased bytes.

    Sweeps do this by themselves, in time for what was promised; this does it now and for every erased byte. Nothing
    that is kept changes.

    \b
    Example:
      assent vault compact
    """
    yard = wiring.yard
    with progress("looking at segments", sum(1 for _ in wiring.vault.segments())) as advance:
        done = yard.reclaim(today=wiring.now().date(), everything=True, on_segments=advance)
    left = [span.segment for span in done.left]
    if as_json:
        echo_json({"removed": done.removed, "rewritten": done.rewritten, "left": left})
    else:
        click.echo(f"{done.removed:,} segments removed, {done.rewritten:,} written anew")
        for segment in left:
            click.echo(f"still holds erased bytes: {segment}")
    return 4 if left else 0
