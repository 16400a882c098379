"""`assent undelete`: bring back what was deleted a short while ago."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from assent.interfaces.cli.app import echo_line
from assent.services.erase.quarantine import undelete

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("conversation")
@click.option("--by", required=True, help="Who brings it back: its subject, or somebody with an approval.")
@click.pass_obj
def command(wiring: Wiring, conversation: str, by: str) -> int:
    """Bring CONVERSATION back, which its owner deleted less than `quarantine_days` ago.

    The owner can alone. Anybody else needs the approval of a second person: `assent approve ask undelete CONVERSATION`.
    What a sweep has erased comes back by nothing. Where the product deleted it too, it is to be brought back there.

    Exit status: 0 it is back, 2 not deleted, too late or not approved, 3 no such conversation.

    \b
    Example:
      assent undelete claude-ai:0a41f3c2 --by p-17
    """
    window = timedelta(days=wiring.settings.quarantine_days)
    entry = undelete(wiring.store, conversation, by=by, now=wiring.now(), window=window)
    echo_line(f"{entry.id} is back, with {entry.parts:,} parts")
    return 0
