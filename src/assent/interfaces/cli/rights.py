"""`assent rights`: what agents ask for people under the Data Rights Protocol, and who may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.errors import NotFound
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import NAME
from assent.services.rights.agents import add_agent
from assent.services.rights.exercise import FINAL, REASONS, Desk
from assent.store.records import Page, RightsRequest

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Answer what agents ask for people (Data Rights Protocol 1.0), and say which agents may ask.

    \b
    Examples:
      assent rights agents add CR_AGENT --title "Consumer agent" --key 8dX...=
      assent rights list --open
      assent rights fulfil 5e2c8f40-... --subject p-17
      assent rights deny 5e2c8f40-... --reason no_match
    """


@command.group()
def agents() -> None:
    """Say which agents may ask.

    \b
    Examples:
      assent rights agents add helper --title "Helper" --key BASE64
      assent rights agents list
    """


@agents.command()
@click.argument("agent")
@click.option("--title", required=True, help="The agent's name for people.")
@click.option("--key", required=True, help="Its Ed25519 public key in base64: `verify_key` of the agents' directory.")
@click.pass_obj
def add(wiring: Wiring, agent: str, title: str, key: str) -> None:
    """Admit AGENT by its public key. It draws its token itself.

    Exit status: 0 admitted, 2 known by another key.

    \b
    Examples:
      assent rights agents add helper --title "Helper" --key BASE64
    """
    add_agent(wiring.store, agent, title=title, verifier=key, now=wiring.now())
    echo_line(f"admitted: {agent}")
    if not wiring.settings.rights_business:
        click.echo("set `rights_business` in the settings file: without it every message of an agent is refused")


@agents.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def show_agents(wiring: Wiring, as_json: bool) -> None:
    """List the agents that may ask.

    \b
    Examples:
      assent rights agents list --json
    """
    for agent in wiring.store.agents():
        if as_json:
            echo_json({"agent": agent.id, "title": agent.name, "key": agent.verifier, "has_token": bool(agent.token)})
        else:
            echo_line(f"{agent.id:24} {agent.name:32} {'has a token' if agent.token else 'has no token yet'}")


@command.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that wait for somebody.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def show_all(wiring: Wiring, only_open: bool, as_json: bool) -> None:
    """List requests, the newest first, with the day by which each must be answered.

    \b
    Examples:
      assent rights list --open
    """
    desk, page = _desk(wiring), Page(limit=wiring.settings.list_page)
    while True:
        listing = wiring.store.requests(page, status="in_progress" if only_open else None)
        for found in listing.items:
            request = desk.settle(found)
            if not (only_open and request.status in FINAL):
                _print(request, as_json=as_json)
        if listing.after is None:
            return
        page = Page(limit=page.limit, after=listing.after)


@command.command("show")
@click.argument("request")
@click.pass_obj
def show_one(wiring: Wiring, request: str) -> int:
    """Print one request with what was claimed about the person, as long as it is open.

    Exit status: 0 printed, 3 no such request.

    \b
    Examples:
      assent rights show 5e2c8f40
    """
    found = wiring.store.request(request)
    if found is None:
        raise NotFound(f"there is no rights request `{request}`", "list them: assent rights list")
    found = _desk(wiring).settle(found)
    echo_json({**_record(found), "details": found.details, "claims": found.claims or None})
    return 0


@command.command()
@click.argument("request")
@click.option("--subject", type=NAME, help="Carry it out for this subject, found by somebody who looked.")
@click.option("--details", help="A sentence for the person.")
@click.pass_obj
def fulfil(wiring: Wiring, request: str, subject: str | None, details: str | None) -> None:
    """Carry REQUEST out for a subject, or close it as done elsewhere.

    Exit status: 0 done or under way, 2 it has ended already, 3 no such request.

    \b
    Examples:
      assent rights fulfil 5e2c8f40 --subject p-17
    """
    _print(_desk(wiring).fulfil(request, subject=subject, details=details), as_json=False)


@command.command()
@click.argument("request")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="Why, in a word of the protocol.")
@click.option("--details", help="A sentence for the person.")
@click.pass_obj
def deny(wiring: Wiring, request: str, reason: str, details: str | None) -> None:
    """Close REQUEST without doing what it asks.

    Exit status: 0 denied, 2 it has ended already, 3 no such request.

    \b
    Examples:
      assent rights deny 5e2c8f40 --reason no_match
    """
    _print(_desk(wiring).deny(request, reason, details=details), as_json=False)


def _desk(wiring: Wiring) -> Desk:
    told = wiring.settings
    return Desk(
        store=wiring.store,
        log=wiring.log,
        business=told.rights_business,
        days=told.rights_days,
        opt_out=told.rights_training_opt_out,
        verify_at=told.rights_verify_at,
        now=wiring.now(),
    )


def _record(request: RightsRequest) -> dict[str, str | None]:
    return {
        "request": request.id,
        "agent": request.agent,
        "exercise": request.exercise,
        "status": request.status,
        "reason": request.reason,
        "received_at": format_instant(request.received_at),
        "expected_by": format_instant(request.expected_by),
    }


def _print(request: RightsRequest, *, as_json: bool) -> None:
    if as_json:
        echo_json(_record(request))
        return
    state = f"{request.status} ({request.reason})" if request.reason else request.status
    echo_line(f"{request.id}  {request.exercise:20} {state:40} answer by {request.expected_by:%Y-%m-%d}")
