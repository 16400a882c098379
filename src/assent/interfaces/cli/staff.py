"""`assent staff`: who may sign in to the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.services.session.staff import LINK_LASTS, add_member, checked_name, staff_link
from assent.store.records import STAFF_ROLES

if TYPE_CHECKING:
    from assent.store.records import StaffRole
    from assent.wiring import Wiring

LOCAL = "http://127.0.0.1:8000"


@click.group()
def command() -> None:
    """Let people sign in to the console, each in one role; take that back.

    NAME is what your identity provider calls somebody: their verified e-mail address, or its own id. Nobody has a
    password here. The first member of staff comes in with a link.

    \b
    Roles:
      officer   runs campaigns, holds and requests; never makes a grant
      engineer  sweeps and cuts
      safety    reviews flags
      auditor   reads

    \b
    Examples:
      assent staff add ada@provider.example --role officer
      assent staff link ada@provider.example
    """


@command.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES), help="What they may do.")
@click.option("--by", default="", metavar="WHO", help="Who says so; it is kept.")
@click.pass_obj
def add(wiring: Wiring, name: str, role: str, by: str) -> None:
    """Let NAME sign in; somebody who is on the list gets the new role and signs in again.

    \b
    Example:
      assent staff add ada@provider.example --role officer --by "grace@provider.example"
    """
    member = add_member(wiring.store, name, cast("StaffRole", role), by=by, now=wiring.now())
    echo_line(f"{member.name} may sign in as {member.role}")


@command.command()
@click.argument("name")
@click.pass_obj
def remove(wiring: Wiring, name: str) -> None:
    """Take NAME from the list and end their sessions; a running server follows with the next request.

    Exit status: 0 removed, 3 not on the list.

    \b
    Example:
      assent staff remove ada@provider.example
    """
    wiring.store.drop_staff(checked_name(name))
    echo_line(f"removed: {name}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def show(wiring: Wiring, as_json: bool) -> None:
    """List who may sign in, by name.

    \b
    Examples:
      assent staff list
      assent staff list --json
    """
    for member in wiring.store.staff():
        added = format_instant(member.added_at)
        if as_json:
            echo_json({"name": member.name, "role": member.role, "added_at": added, "added_by": member.added_by})
        else:
            echo_line(f"{member.name:40} {member.role:10} {added}  {member.added_by}".rstrip())


@command.command()
@click.argument("name")
@click.option(
    "--address", default="", help=f"Where the server is reached, if the settings do not say.  [default: {LOCAL}]"
)
@click.pass_obj
def link(wiring: Wiring, name: str, address: str) -> None:
    """Print an address with which NAME signs in: once, and within 15 minutes.

    For the first member of staff, and for a day on which the identity provider is down. Give it to nobody else.

    Exit status: 0 printed, 3 not on the list.

    \b
    Examples:
      assent staff link ada@provider.example
      assent staff link ada@provider.example --address https://privacy.provider.example
    """
    token = staff_link(wiring.store, name, key=wiring.new_key(), now=wiring.now())
    click.echo(link_address(wiring, token, address))
    echo_line(f"good once, for {LINK_LASTS.total_seconds() // 60:.0f} minutes", err=True)


def link_address(wiring: Wiring, token: str, address: str) -> str:
    """Write the address of a one-time way in."""
    return f"{(address or wiring.settings.address or LOCAL).rstrip('/')}/sign-in/link/{token}"
