"""`assent token`: who may call the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.services.tokens import add_token, revoke_token
from assent.store.records import ROLES

if TYPE_CHECKING:
    from assent.store.records import Role
    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Let programs and people call the API, each with one role; take that back.

    \b
    Roles:
      product    a chat product; speaks for the subject each request names
      officer    runs campaigns, holds and requests; never makes a grant
      engineer   sweeps and cuts
      safety     reviews flags
      auditor    reads
      directory  keeps accounts and plans in step (SCIM)

    \b
    Examples:
      assent token add chat --role product
    """


@command.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What it may do.")
@click.pass_obj
def add(wiring: Wiring, name: str, role: str) -> None:
    """Make a token called NAME and print it: this once, and never again.

    \b
    Example:
      assent token add web-chat --role product
    """
    token = add_token(wiring.store, name, cast("Role", role), key=wiring.new_key(), now=wiring.now())
    click.echo(token)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def show(wiring: Wiring, as_json: bool) -> None:
    """List all tokens by name, revoked ones too; none of them can be shown again.

    \b
    Examples:
      assent token list
    """
    for token in wiring.store.tokens():
        revoked = format_instant(token.revoked_at) if token.revoked_at else None
        if as_json:
            echo_json({"name": token.name, "role": token.role, "added_at": format_instant(token.added_at),
                       "revoked_at": revoked})  # fmt: skip
        else:
            state = f"revoked {revoked}" if revoked else "in use"
            echo_line(f"{token.name:24} {token.role:10} {format_instant(token.added_at)}  {state}")


@command.command()
@click.argument("name")
@click.pass_obj
def revoke(wiring: Wiring, name: str) -> None:
    """Refuse the token called NAME from now on; a running server follows within a second.

    Exit status: 0 revoked, 3 no such token.

    \b
    Examples:
      assent token revoke chat
    """
    revoke_token(wiring.store, name, now=wiring.now())
    echo_line(f"revoked: {name}")
