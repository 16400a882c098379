"""`assent hold`: place a legal hold, list holds, close a matter."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import AssentError
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import INSTANT, NAME
from assent.services.hold.conditions import query_of
from assent.services.hold.place import place
from assent.store.records import Hold, HoldQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.store.records import HoldScope
    from assent.wiring import Wiring


def _order(act: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of an order, and let it place the hold."""
    options = (
        click.option("--matter", required=True, help="The case or order this hold serves."),
        click.option("--author", required=True, help="Who orders it."),
        click.option("--reason", required=True, help="Why, without quoting content."),
        click.option("--review", type=INSTANT, help="When it must be looked at again. Default: 90 days from now."),
        click.option("--gag", is_flag=True, help="Tell nobody whom it covers that there is one."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    )
    for option in reversed(options):
        act = option(act)
    return click.pass_obj(act)


@click.group()
def command() -> None:
    """Forbid erasure, and set the data apart: for a person, a conversation, a query, an organisation or everyone.

    When a hold is placed, no sweep erases what it covers. What is held enters no cut, and once its use has ended only
    `assent read --for legal` reads it. Two people release it.

    \b
    Examples:
      assent hold person p-17 --matter 2026-CV-114 --author "legal desk" --reason "preservation order"
      assent hold query --region DE --created-from 2026-01-01 --matter M --author A --reason R
      assent hold everyone --matter 2026-CV-115 --author "legal desk" --reason "court order" --gag
      assent hold list --subject p-17
    """


@command.command()
@click.argument("subject", type=NAME)
@_order
def person(wiring: Wiring, subject: str, **order: Any) -> int:
    """Hold everything of one person, also what comes in later.

    \b
    Example:
      assent hold person p-17 --matter 2026-CV-114 --author "legal desk" --reason "preservation order"
    """
    return _place(wiring, "person", subject, **order)


@command.command()
@click.argument("conversation")
@_order
def conversation(wiring: Wiring, conversation: str, **order: Any) -> int:
    """Hold one conversation, by its id.

    \b
    Example:
      assent hold conversation chatgpt:6710… --matter M --author "legal desk" --reason "evidence"
    """
    return _place(wiring, "conversation", conversation, **order)


@command.command()
@click.argument("name", type=NAME)
@_order
def organisation(wiring: Wiring, name: str, **order: Any) -> int:
    """Hold everybody whose account names an organisation, or named it at any time since the hold was placed.

    \b
    Example:
      assent hold organisation "Harbour Clinic" --matter M --author "legal desk" --reason "court order"
    """
    return _place(wiring, "organisation", name, **order)


@command.command()
@_order
def everyone(wiring: Wiring, **order: Any) -> int:
    """Hold everything that is kept, and everything that comes in, until the hold is released.

    \b
    Example:
      assent hold everyone --matter 2026-CV-115 --author "legal desk" --reason "court order"
    """
    return _place(wiring, "everyone", None, **order)


@command.command()
@click.option("--project", multiple=True, help="Name of a project. As all of these, may be given several times.")
@click.option("--source", multiple=True, help="Where it came from, as `chatgpt`.")
@click.option("--surface", multiple=True, help="chat, coding, browser, voice or api.")
@click.option("--mode", multiple=True, help="normal or private.")
@click.option("--plan", multiple=True, help="Plan of the conversation.")
@click.option("--region", multiple=True, help="Region of the person, as `DE` or `EU`.")
@click.option("--created-from", type=INSTANT, help="Begun at this instant or later.")
@click.option("--created-to", type=INSTANT, help="Begun before this instant.")
@click.option("--last-turn-from", type=INSTANT, help="Used at this instant or later.")
@click.option("--last-turn-to", type=INSTANT, help="Used for the last time before this instant.")
@click.option("--flagged", is_flag=True, help="Flagged, whether the flag was reversed or not.")
@_order
def query(wiring: Wiring, **said: Any) -> int:
    """Hold what matches every condition at any time while the hold stands.

    What once matched stays held when a fact changes afterwards, and what comes in later is held if it matches. A fact
    that is not known matches nothing: the answer counts conversations that could not be judged.

    \b
    Example:
      assent hold query --project lighthouse --source claude-ai --matter M --author A --reason R
    """
    conditions = {name: said.pop(name) for name in HoldQuery.__dataclass_fields__}
    policies: list[Policy] = []
    with suppress(AssentError):  # an order is obeyed also where a policy is broken
        policies = wiring.policies
    return _place(wiring, "query", query_of(conditions, policies).text(), **said)


def _place(
    wiring: Wiring,
    scope: HoldScope,
    target: str | None,
    *,
    matter: str,
    author: str,
    reason: str,
    review: datetime | None,
    gag: bool,
    as_json: bool,
) -> int:
    now = wiring.now()
    until = review or now + timedelta(days=90)
    hold = Hold(wiring.new_id(), matter, scope, target, now, author, reason, until, gag=gag)
    covered = place(wiring.store, wiring.journal, hold)
    if as_json:
        record = {"hold": hold.id, "start": format_instant(now), "conversations": covered.conversations}
        echo_json(record | {"people": covered.people, "undecidable": covered.undecidable})
        return 0
    echo_line(f"hold {hold.id} stands since {format_instant(now)}; review by {until:%Y-%m-%d}")
    hint = "" if covered.conversations else ": check the name, nothing of it is kept"
    echo_line(f"it covers {covered.conversations:,} conversations of {covered.people:,} people{hint}")
    if covered.undecidable:
        echo_line(f"{covered.undecidable:,} more could not be judged, because facts are not known: hold them by name")
    return 0


@command.command("list")
@click.option("--subject", type=NAME, help="Only what covers this person, as they may see it: nothing under a gag.")
@click.option("--matter", help="Only the holds of this matter.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def show(wiring: Wiring, subject: str | None, matter: str | None, as_json: bool) -> int:
    """List holds, released ones too, by start.

    \b
    Examples:
      assent hold list --matter 2026-CV-114
      assent hold list --subject p-17 --json
    """
    if subject is not None:
        return _shown_to(wiring, subject, as_json=as_json)
    for hold in wiring.store.holds():
        if matter is not None and hold.matter != matter:
            continue
        state = _state(hold)
        record = {"hold": hold.id, "matter": hold.matter, "scope": hold.scope, "state": state, "gag": hold.gag}
        record["review_at"] = format_instant(hold.review_at)
        if as_json:
            echo_json(record)
        else:
            mark = "  gag" if hold.gag else ""
            echo_line(f"{hold.id}  {hold.matter}  {hold.scope:12}{mark} {state}")
    return 0


def _shown_to(wiring: Wiring, subject: str, *, as_json: bool) -> int:
    for one in wiring.store.holds_on(subject):
        hold = one.hold
        record = {"hold": hold.id, "since": format_instant(hold.start), "review_at": format_instant(hold.review_at)}
        record |= {"state": _state(hold)}
        if as_json:
            echo_json(record | {"conversations": one.conversations})
        else:
            echo_line(f"{hold.id}  since {hold.start:%Y-%m-%d}  {one.conversations:,} conversations  {_state(hold)}")
    return 0


def _state(hold: Hold) -> str:
    return f"released {format_instant(hold.released_at)}" if hold.released_at else "standing"


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def matters(wiring: Wiring, as_json: bool) -> int:
    """List the cases and orders that holds serve.

    \b
    Example:
      assent hold matters
    """
    for one in wiring.store.matters():
        state = f"closed {format_instant(one.closed_at)}" if one.closed_at else "open"
        record = {"matter": one.id, "opened_at": format_instant(one.opened_at), "state": state}
        echo_json(record) if as_json else echo_line(f"{one.id}  since {one.opened_at:%Y-%m-%d}  {state}")
    return 0


@command.command()
@click.argument("matter")
@click.pass_obj
def close(wiring: Wiring, matter: str) -> int:
    """Close MATTER: no further hold can be placed for it. Its holds must be released before.

    Exit status: 0 closed, 2 a hold of it stands, 3 no such matter.

    \b
    Example:
      assent hold close 2026-CV-114
    """
    wiring.store.close_matter(matter, wiring.now())
    echo_line(f"matter {matter} is closed")
    return 0
