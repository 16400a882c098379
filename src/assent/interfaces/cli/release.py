"""`assent release`: ask for the release of a hold."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.services.hold.release import ask_release

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("hold")
@click.option("--by", required=True, help="Who asks for the release.")
@click.option("--reason", default="", help="Why it may be released, without quoting content.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, hold: str, by: str, reason: str, as_json: bool) -> int:
    """Ask for the release of HOLD. It stands until somebody else approves.

    Exit status: 0 asked, 2 released already, 3 no such hold.

    \b
    Example:
      assent release 5f0c… --by ann --reason "the case is settled"
      assent approve 81d2… --by ben
    """
    now, days = wiring.now(), wiring.settings.approval_valid_days
    request = ask_release(
        wiring.store,
        request=wiring.new_id(),
        hold=hold,
        by=by,
        reason=reason,
        now=now,
        valid=timedelta(days=days),
    )
    covered = wiring.store.coverage(hold)
    if as_json:
        until = format_instant(request.valid_until)
        echo_json({"approval": request.id, "hold": hold, "valid_until": until, "conversations": covered.conversations})
        return 0
    echo_line(f"request {request.id}: hold {hold} covers {covered.conversations:,} conversations and still stands")
    echo_line(f"within {days} days somebody else releases it: assent approve {request.id} --by NAME")
    return 0
