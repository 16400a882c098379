"""`assent contract`: what organisations granted for their own data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import INSTANT, NAME

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Keep what an organisation granted by contract. It is no choice of a person, and no decision about one reads it.

    \b
    Examples:
      assent contract add acme --purpose training --terms signed.pdf --signed-by "data protection office"
      assent contract end CONTRACT
      assent contract list
    """


@command.command()
@click.argument("organisation", type=NAME)
@click.option("--purpose", "purposes", multiple=True, required=True, help="What is granted; may be given again.")
@click.option("--terms", required=True, type=click.Path(exists=True, dir_okay=False),
              help="The signed text; its digest is kept.")  # fmt: skip
@click.option("--signed-by", required=True, help="Who signed for the organisation: a role.")
@click.option("--starts", type=INSTANT, help="From when. Default: now.")
@click.pass_obj
def add(
    wiring: Wiring, organisation: str, purposes: tuple[str, ...], terms: str, signed_by: str, starts: datetime | None
) -> int:
    """Keep a contract of ORGANISATION, by the digest of its signed text.

    \b
    Examples:
      assent contract add acme --purpose training --terms signed.pdf --signed-by "data protection office"
    """
    from pathlib import Path

    from assent.store.records import Contract

    now = wiring.now()
    named = digest_bytes(_bytes(Path(terms)))
    contract = Contract(wiring.new_id(), organisation, purposes, named, signed_by, starts or now, now)
    wiring.store.add_contract(contract)
    echo_line(f"contract {contract.id}: {', '.join(purposes)}, terms {named}")
    return 0


@command.command()
@click.argument("contract")
@click.option("--at", type=INSTANT, help="When it ends. Default: now.")
@click.pass_obj
def end(wiring: Wiring, contract: str, at: datetime | None) -> int:
    """Record that CONTRACT ends; the earliest end counts.

    \b
    Examples:
      assent contract end 5f3c --at 2026-12-31T00:00:00Z
    """
    when = at or wiring.now()
    wiring.store.end_contract(contract, when)
    echo_line(f"ends {format_instant(when)}")
    return 0


@command.command(name="list")
@click.option("--organisation", type=NAME, help="Only those of one organisation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(wiring: Wiring, organisation: str | None, as_json: bool) -> int:
    """List contracts, the latest start first.

    \b
    Examples:
      assent contract list --organisation acme
    """
    from assent.store.records import Page

    page: Page | None = Page(wiring.settings.list_page)
    while page is not None:
        listing = wiring.store.contracts(page, organisation)
        for one in listing.items:
            ends = format_instant(one.ends_at) if one.ends_at else None
            record = {"contract": one.id, "organisation": one.organisation, "purposes": list(one.purposes),
                      "terms": one.terms, "starts": format_instant(one.starts_at), "ends": ends}  # fmt: skip
            state = f"{format_instant(one.starts_at)} to {ends or 'open'}"
            plain = f"{one.id}  {one.organisation:20} {', '.join(one.purposes):20} {state}"
            echo_json(record) if as_json else echo_line(plain)
        page = Page(wiring.settings.list_page, listing.after) if listing.after else None
    return 0


def _bytes(path: Path) -> bytes:
    content = path.read_bytes()
    if not content:
        raise Invalid(f"`{path.name}` is empty", "name the file with the signed text")
    return content
