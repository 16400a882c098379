"""`assent hold`: place a legal hold."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import INSTANT
from assent.store.records import ConversationFilter, Hold, Page

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.records import HoldScope
    from assent.wiring import Wiring


@click.command()
@click.argument("scope", type=click.Choice(["person", "conversation", "everyone", "list"]))
@click.argument("target", required=False)
@click.option("--matter", help="The case or order this hold serves.")
@click.option("--author", help="Who orders it.")
@click.option("--reason", help="Why, without quoting content.")
@click.option("--review", type=INSTANT, help="When it must be looked at again. Default: 90 days from now.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(
    wiring: Wiring,
    scope: str,
    target: str | None,
    matter: str | None,
    author: str | None,
    reason: str | None,
    review: datetime | None,
    as_json: bool,
) -> int:
    """Forbid erasure for a person, a conversation or everyone, and set the data apart; `list` shows all holds.

    What is held is erased by no sweep and enters no cut, until the hold is released.

    \b
    Examples:
      assent hold person p-17 --matter 2026-CV-114 --author "legal desk" --reason "preservation order"
      assent hold everyone --matter 2026-CV-115 --author "legal desk" --reason "court order"
      assent hold list
    """
    if scope == "list":
        for hold in wiring.store.holds():
            state = f"released {format_instant(hold.released_at)}" if hold.released_at else "standing"
            record = {"hold": hold.id, "matter": hold.matter, "scope": hold.scope, "state": state}
            echo_json(record) if as_json else click.echo(f"{hold.id}  {hold.matter}  {hold.scope:12} {state}")
        return 0
    for name, value in (("--matter", matter), ("--author", author), ("--reason", reason)):
        if not value:
            raise click.UsageError(f"a hold needs {name}: without it nobody can review it")
    now = wiring.now()
    until = review or now + timedelta(days=90)
    hold = Hold(wiring.new_id(), matter or "", cast("HoldScope", scope), target, now, author or "", reason or "", until)
    wiring.store.place_hold(hold)
    covered = _covered(wiring, scope, target)
    if as_json:
        echo_json({"hold": hold.id, "start": format_instant(now), "conversations": covered})
        return 0
    click.echo(f"hold {hold.id} stands since {format_instant(now)}; review by {until:%Y-%m-%d}")
    click.echo(f"it covers {covered:,} conversations" + ("" if covered else ": check the name, nothing of it is kept"))
    return 0


def _covered(wiring: Wiring, scope: str, target: str | None) -> int:
    if scope == "conversation":
        return int(wiring.store.conversation(target or "") is not None)
    person = target if scope == "person" else None
    return wiring.store.conversations(ConversationFilter(subject=person), Page(limit=1)).total
