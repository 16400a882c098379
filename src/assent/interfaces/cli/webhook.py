"""`assent webhook`: where other systems are told of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line

if TYPE_CHECKING:
    from assent.wiring import Wiring

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


@click.group()
def command() -> None:
    """Tell other systems what happens: CloudEvents, signed as Standard Webhooks ask, tried again for three days.

    `assent serve` delivers by itself; `assent webhook deliver` does it once, for homes without a server.

    \b
    Examples:
      assent webhook add https://events.example.com/assent --type assent.choice.recorded
      assent webhook events
    """


@command.command()
@click.argument("url")
@click.option("--type", "types", multiple=True, help="Send events of this type only; may be given again.")
@click.pass_obj
def add(wiring: Wiring, url: str, types: tuple[str, ...]) -> None:
    """Send events to URL from now on, and print its id and secret: the secret this once, and never again.

    \b
    Example:
      assent webhook add https://events.example.com/assent
    """
    from assent.services.events.endpoints import Address, add_endpoint

    address = Address(url, types, inner_allowed=wiring.settings.webhooks_inner)
    made, secret = add_endpoint(
        wiring.store, wiring.keys, address, endpoint_id=wiring.new_id(), key=wiring.new_key(), now=wiring.now()
    )
    click.echo(made.id)
    click.echo(secret)


@command.command("list")
@_JSON
@click.pass_obj
def show(wiring: Wiring, as_json: bool) -> None:
    """List where events go, disabled endpoints too.

    \b
    Examples:
      assent webhook list
    """
    for one in wiring.store.endpoints():
        ended = format_instant(one.disabled_at) if one.disabled_at else None
        if as_json:
            echo_json({"id": one.id, "url": one.url, "types": one.types,
                       "added_at": format_instant(one.added_at), "disabled_at": ended})  # fmt: skip
        else:
            wanted = ", ".join(one.types) or "every type"
            echo_line(f"{one.id}  {one.url}  {wanted}{f'  disabled {ended}' if ended else ''}")


@command.command()
@click.argument("endpoint")
@click.pass_obj
def disable(wiring: Wiring, endpoint: str) -> None:
    """Send nothing more to ENDPOINT.

    Exit status: 0 disabled, 3 no such endpoint.

    \b
    Examples:
      assent webhook disable 4f2a
    """
    from assent.services.events.endpoints import disable_endpoint

    disable_endpoint(wiring.store, endpoint, now=wiring.now())
    echo_line(f"disabled: {endpoint}")


@command.command()
@click.option("--limit", default=1_000, show_default=True, type=click.IntRange(1), help="How many attempts at most.")
@click.pass_obj
def deliver(wiring: Wiring, limit: int) -> int:
    """Turn new choices into events, and make one attempt at everything that is due.

    Exit status: 0 all that was due was taken, 4 something was put off or given up.

    \b
    Examples:
      assent webhook deliver
    """
    from assent.services.events.deliver import deliver as send
    from assent.services.events.tell import tell_choices

    told = 0
    while read := tell_choices(wiring.store, wiring.log.identity):
        told += read
    made = send(wiring.store, wiring.post, wiring.now, limit=limit)
    echo_line(f"{told:,} choices told; {made.taken:,} taken, {made.put_off:,} put off, {made.given_up:,} given up")
    return 4 if made.put_off or made.given_up else 0


@command.command()
@click.argument("event")
@click.argument("endpoint")
@click.pass_obj
def replay(wiring: Wiring, event: str, endpoint: str) -> None:
    """Send EVENT to ENDPOINT once more.

    Exit status: 0 it is due again, 3 no such event or endpoint.

    \b
    Examples:
      assent webhook replay EVENT ENDPOINT
    """
    wiring.store.replay_event(event, endpoint, wiring.now())
    click.echo("due again: `assent webhook deliver` sends it, and so does a running server")


@command.command()
@click.option("--type", "kind", help="Events of this type only.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--after", help="Where to go on: what the page before printed last.")
@_JSON
@click.pass_obj
def events(wiring: Wiring, kind: str | None, limit: int, after: str | None, as_json: bool) -> None:
    """List events, newest first. People stand in them under a pseudonym.

    \b
    Examples:
      assent webhook events --type assent.choice.recorded
    """
    import json

    from assent.store.records import Page

    found = wiring.store.events(Page(limit, after), type=kind)
    for one in found.items:
        if as_json:
            echo_json({"id": one.id, "type": one.type, "about": one.about, "at": format_instant(one.at),
                       "data": json.loads(one.data)})  # fmt: skip
        else:
            echo_line(f"{format_instant(one.at)}  {one.type}  {one.about}  {one.id}")
    if found.after:
        echo_line(f"more: --after '{found.after}'", err=True)
