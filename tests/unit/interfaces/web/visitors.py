"""Browsers without a screen: each keeps its session, sends forms as a page of ours would, and sees what came back."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from tests.unit.interfaces.api.server import Clock

from assent.interfaces.api.app import create_app
from assent.interfaces.api.world import World
from assent.interfaces.web.addresses import create_site
from assent.interfaces.web.site import COOKIE, Site
from assent.services.session.sessions import begin, csrf_of
from assent.store.records import StaffMember

ORIGIN = "https://assent.test"


@dataclass
class Visitor:
    """Somebody with a browser. `token` is their session; nobody is signed in without one."""

    app: FastAPI
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page; redirects are not followed."""
        return self.call("GET", path, headers=headers)

    def post(self, path: str, fields: Any = (), **headers: str) -> httpx.Response:
        """Send a form of one of our pages."""
        sent = [*(fields.items() if isinstance(fields, dict) else fields), ("csrf", csrf_of(self.token))]
        return self.call("POST", path, data=dict_of(sent), headers={"sec_fetch_site": "same-origin", **headers})

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        """Send any request."""
        named = {name.replace("_", "-"): value for name, value in {**self.headers, **(headers or {})}.items()}
        cookies = {COOKIE: self.token} if self.token else {}
        return asyncio.run(self._call(method, path, named, cookies, options))

    async def _call(
        self, method: str, path: str, headers: dict[str, str], cookies: dict[str, str], options: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies) as client:
            return await client.request(method, path, headers=headers, **options)


def dict_of(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Write fields, which may repeat, the way httpx takes them."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


@dataclass
class Place:
    """A served home, and whoever comes by."""

    app: FastAPI
    world: World
    clock: Clock
    said: list[str]
    site: Site

    def nobody(self) -> Visitor:
        return Visitor(self.app)

    def person(self, subject: str, guardian: str = "") -> Visitor:
        return Visitor(self.app, self.token("person", subject, guardian=guardian))

    def staff(self, role: str, name: str = "") -> Visitor:
        who = name or f"{role}@assent.test"
        self.world.store.put_staff(StaffMember(who, role, self.clock.at, "a test"))
        return Visitor(self.app, self.token("staff", who, role=role))

    def token(self, kind: Any, who: str, *, role: str = "", guardian: str = "") -> str:
        """Begin a session of an hour and return its token."""
        token, _ = begin(
            self.world.store, kind=kind, who=who, role=role, guardian=guardian,
            key=self.world.new_key(), now=self.clock.at, lasts=timedelta(hours=1),
        )  # fmt: skip
        return token


def place_on(world: World, clock: Clock) -> Place:
    """Serve API and pages on the ports of a world, without a network."""
    said: list[str] = []
    sites: list[Site] = []
    heard = replace(world, say=said.append, now=lambda: clock.at, ticks=lambda: clock.seconds)

    def beside(world: World, state: Any) -> Site:
        sites.append(create_site(world, state))
        return sites[-1]

    app = create_app(heard, None, beside)
    return Place(app, heard, clock, said, sites[0])
