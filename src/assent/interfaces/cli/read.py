"""`assent read`: read content for a purpose, with a reason that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line, escaped, escaped_text
from assent.services.access import read_for
from assent.store.records import Page

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("conversation")
@click.option("--for", "purpose", help="The purpose: service, safety, legal or another one that the policy declares.")
@click.option("--by", help="Who reads.")
@click.option("--reason", help="Why, without quoting content. It is kept.")
@click.option("--log", "log", is_flag=True, help="Show who read it instead, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def command(
    wiring: Wiring,
    conversation: str,
    purpose: str | None,
    by: str | None,
    reason: str | None,
    log: bool,
    as_json: bool,
) -> int:
    """Read the parts of CONVERSATION that a purpose may still have. The access is recorded before anything is shown.

    What is held and otherwise ended may be read for `legal` only.

    Exit status: 0 read, 2 the purpose may have none of it, 3 no such conversation.

    \b
    Examples:
      assent read chatgpt:6710… --for legal --by "outside counsel" --reason "disclosure in 2026-CV-114"
      assent read chatgpt:6710… --log
    """
    if log:
        return _show_log(wiring, conversation, as_json=as_json)
    if not (purpose and by and reason):
        raise click.UsageError("reading needs --for, --by and --reason")
    now = wiring.now()
    found = read_for(wiring.store, wiring.policies, conversation, purpose=purpose, by=by, reason=reason, now=now)
    for part, text in found.parts:
        if as_json:
            at = part.created_at and format_instant(part.created_at)
            echo_json({"part": part.id, "speaker": part.speaker, "data": part.data, "at": at, "text": text})
        else:
            click.echo(f"{escaped(part.speaker)}: {escaped_text(text)}")
    if found.withheld:
        echo_line(f"{found.withheld:,} parts are not for `{purpose}`", err=True)
    return 0


def _show_log(wiring: Wiring, conversation: str, *, as_json: bool) -> int:
    page = Page(wiring.settings.list_page)
    while True:
        found = wiring.store.accesses(page, conversation)
        for one in found.items:
            record = {"at": format_instant(one.at), "by": one.reader, "for": one.purpose, "reason": one.reason}
            line = f"{format_instant(one.at)}  {one.reader} for {one.purpose}, {one.parts:,} parts: {one.reason}"
            echo_json(record | {"parts": one.parts}) if as_json else echo_line(line)
        if found.after is None:
            return 0
        page = Page(wiring.settings.list_page, found.after)
