"""`assent person-link`: a way into the privacy centre for one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.interfaces.cli.options import NAME
from assent.interfaces.cli.staff import LOCAL, link_address
from assent.services.session.staff import LINK_LASTS, person_link

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("subject", type=NAME)
@click.option("--by", required=True, metavar="WHO", help="The officer who makes it; it is written down.")
@click.option("--reason", required=True, help="Why, without quoting content. It is written down.")
@click.option(
    "--address", default="", help=f"Where the server is reached, if the settings do not say.  [default: {LOCAL}]"
)
@click.pass_obj
def command(wiring: Wiring, subject: str, by: str, reason: str, address: str) -> None:
    """Print an address with which SUBJECT opens the privacy centre: once, and within 15 minutes.

    For demonstrations, and for a support desk that has checked who it talks to: whoever opens it first is taken for
    that person. People who are signed in to your product come in with a token of the product instead
    (docs/how-to/sign-in.md).

    \b
    Example:
      assent person-link p-17 --by "grace@provider.example" --reason "cannot sign in, identity checked by phone"
    """
    token = person_link(wiring.store, subject, by=by, reason=reason, key=wiring.new_key(), now=wiring.now())
    click.echo(link_address(wiring, token, address))
    click.echo(f"good once, for {LINK_LASTS.total_seconds() // 60:.0f} minutes", err=True)
