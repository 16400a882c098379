"""`assent release`: release a hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("hold")
@click.option("--by", required=True, help="Who releases it.")
@click.pass_obj
def command(wiring: Wiring, hold: str, by: str) -> int:
    """Release HOLD. What it kept is due at the next sweep, unless something else keeps it.

    Exit status: 0 released, 3 no such hold.

    \b
    Example:
      assent release 5f0c… --by "legal desk" && assent plan
    """
    now = wiring.now()
    wiring.store.release_hold(hold, at=now, by=by)
    click.echo(f"released at {format_instant(now)}; look at `assent plan` before the next sweep")
    return 0
