"""How `assent demo` ends: the pages of the made-up provider, served on this machine until Ctrl-C."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from assent.interfaces.cli.serve import run
from assent.services.session.staff import add_member, person_link, staff_link

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from assent.store.records import StaffRole
    from assent.wiring import Wiring

WAYS_LAST: Final = timedelta(hours=12)

STAFF: Final[Mapping[str, StaffRole]] = {
    "officer@lantern.example": "officer",
    "second.officer@lantern.example": "officer",
    "engineer@lantern.example": "engineer",
    "safety@lantern.example": "safety",
    "auditor@lantern.example": "auditor",
}
"""Who works at the made-up provider; two officers, because some things take two."""


def serve_pages(wiring: Wiring, home: Path, at: datetime, people: Mapping[str, str]) -> None:
    """Serve a home whose clock runs on from an instant, and print one way in for each of `people` and the staff.

    `people` maps what is said of somebody to their subject.
    """
    from assent.interfaces.api.app import create_app
    from assent.interfaces.web.addresses import create_site

    here = wiring.running_from(at, home)
    world = here.world()
    for name, role in STAFF.items():
        add_member(here.store, name, role, by="the demo", now=here.now())

    def say(address: str) -> None:
        click.echo(f"\n== The pages, served at {address} until Ctrl-C; each of these opens once")
        store, key, now = here.store, here.new_key, here.now()
        for what, subject in people.items():
            why = "a demonstration"
            way = person_link(store, subject, by="the demo", reason=why, key=key(), now=now, lasts=WAYS_LAST)
            click.echo(f"  {what:28} {address}/sign-in/link/{way}")
        for name, role in STAFF.items():
            way = staff_link(store, name, key=key(), now=now, lasts=WAYS_LAST)
            click.echo(f"  {f'console, {role}':28} {address}/sign-in/link/{way}")
        click.echo(f"  {'the API':28} {address}/openapi.json")

    app = create_app(world, None, create_site)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        run(app, listener, before=lambda: None, ready=say)
    click.echo("stopped")
