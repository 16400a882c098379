"""`assent flag`: flag a conversation, or reverse a flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.store.records import Flag

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("conversation")
@click.option("--category", help="What was found, in the words of your taxonomy.")
@click.option("--by", "by", required=True, help="Who or what found or reverses it.")
@click.option("--reason", default="", help="Why, without quoting content.")
@click.option("--reverse", is_flag=True, help="CONVERSATION is a flag's id: the finding was wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    wiring: Wiring,
    conversation: str,
    category: str | None,
    by: str,
    reason: str,
    reverse: bool,
    as_json: bool,
) -> int:
    """Flag CONVERSATION as violating policy. Its clocks follow the policy's rules for flagged content.

    \b
    Examples:
      assent flag chatgpt:6710… --category fraud --by "review team"
      assent flag 5f0c… --reverse --by "appeal desk"
    """
    now = wiring.now()
    if reverse:
        wiring.store.reverse_flag(conversation, now)
        click.echo(f"reversed at {format_instant(now)}; the policy's clock for unflagged content applies again")
        return 0
    if not category:
        raise click.UsageError("a flag needs --category")
    flag = Flag(wiring.new_id(), conversation, now, category, by, reason)
    wiring.store.add_flag(flag)
    echo_json({"flag": flag.id, "at": format_instant(now)}) if as_json else click.echo(f"flag {flag.id}")
    return 0
