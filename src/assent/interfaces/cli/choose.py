"""`assent choose`: record what a person chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from assent.domain.errors import Refused
from assent.domain.facts import ACTS
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.services.choose import record_choice
from assent.services.notice import notice_of

if TYPE_CHECKING:
    from assent.domain.facts import Act
    from assent.wiring import Wiring


@click.command()
@click.argument("subject")
@click.argument("act", type=click.Choice([*ACTS, "show"]))
@click.option("--purpose", default="training", show_default=True, help="Which permission the act is about.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, subject: str, act: str, purpose: str, as_json: bool) -> int:
    """Record ACT of SUBJECT: allow, decline, defer or withdraw; `show` lists the acts so far.

    An `allow` needs the person: it is asked for here, in a terminal, and never taken from a script, CI
    or an administrator. What your own product's notice recorded comes in by `assent import choices`.

    Exit status: 0 recorded, 2 refused because nobody was there to allow.

    \b
    Examples:
      assent choose me withdraw
      assent choose me decline --purpose training
      assent choose me show
    """
    if act == "show":
        return _show(wiring, subject, as_json=as_json)
    notice = notice_of(wiring.policies[-1], purpose)
    if act == "allow":
        if not wiring.interactive():
            fix = "let the person run `assent ask`, or record your product's answers by `assent import choices FILE`"
            raise Refused("an `allow` needs a person at a terminal", fix)
        click.echo(notice.text)
        if input("type allow to allow it: ").strip() != "allow":
            click.echo("nothing recorded")
            return 0
    choice = record_choice(wiring.store, subject, cast("Act", act), notice, surface="terminal", now=wiring.now())
    if as_json:
        echo_json({"id": choice.id, "act": choice.act, "purpose": purpose, "at": format_instant(choice.at)})
    else:
        click.echo(f"recorded: {act} for {purpose} at {format_instant(choice.at)}")
    return 0


def _show(wiring: Wiring, subject: str, *, as_json: bool) -> int:
    found = list(wiring.store.choices(subject))
    for choice in found:
        if as_json:
            echo_json({"act": choice.act, "purpose": choice.purpose, "at": format_instant(choice.at),
                       "notice": choice.notice, "surface": choice.surface, "id": choice.id})  # fmt: skip
        else:
            click.echo(f"{format_instant(choice.at)}  {choice.purpose:10} {choice.act:9} on {choice.surface or '?'}")
    if not found and not as_json:
        click.echo("never asked, or never answered")
    return 0
