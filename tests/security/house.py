"""The whole server without a network, and whoever comes to its door: with the headers that a browser would send."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI

from assent.interfaces.api.world import World
from assent.interfaces.web.cookies import COOKIE
from assent.interfaces.web.pages import Entry
from assent.interfaces.web.site import Site
from assent.services.session.sessions import begin, csrf_of
from assent.store.records import StaffMember
from tests.unit.interfaces.api.server import Clock

BASE = "https://privacy.test"
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass
class Visitor:
    """A browser, or whatever says that it is one: the token of its session, and as what it was begun."""

    kind: str
    who: str
    role: str
    token: str

    @property
    def csrf(self) -> str:
        return csrf_of(self.token)


@dataclass
class House:
    """The server, its clock, and what it said to its record."""

    app: FastAPI
    site: Site
    world: World
    clock: Clock
    said: list[str] = field(default_factory=list)
    patient: bool = False

    def person(self, who: str = "p-17", guardian: str = "") -> Visitor:
        return self._visitor("person", who, guardian=guardian)

    def element(self, who: str = "p-17") -> Visitor:
        return self._visitor("element", who)

    def staff(self, role: str, who: str = "") -> Visitor:
        name = who or f"{role}@provider.example"
        self.world.store.put_staff(StaffMember(name, role, self.clock.at, "a test"))
        return self._visitor("staff", name, role=role)

    def _visitor(self, kind: str, who: str, *, role: str = "", guardian: str = "", note: str = "") -> Visitor:
        token, _ = begin(
            self.world.store, kind=kind, who=who, role=role, guardian=guardian, note=note,
            key=self.world.new_key(), now=self.clock.at, lasts=timedelta(hours=1),
        )  # fmt: skip
        return Visitor(kind, who, role, token)

    def invitation(self, who: str, *, role: str = "") -> str:
        """Begin a one-time way in and return its token."""
        note = json.dumps({"as": "staff" if role else "person"})
        return self._visitor("invitation", who, role=role, note=note).token

    def get(self, path: str, visitor: Visitor | None = None, **headers: str) -> httpx.Response:
        return self.ask("GET", path, visitor, headers={"sec-fetch-site": "same-origin", **_named(headers)})

    def post(
        self, path: str, form: Mapping[str, Any] | None = None, visitor: Visitor | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form as a page of ours would."""
        fields = {"csrf": visitor.csrf, **(form or {})} if visitor else dict(form or {})
        sent = {"origin": BASE, "sec-fetch-site": "same-origin", **_named(headers)}
        return self.ask("POST", path, visitor, fields, headers=sent)

    def ask(
        self,
        method: str,
        path: str,
        visitor: Visitor | None = None,
        form: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request as it is told."""
        sent = dict(headers or {})
        if self.patient:
            self.clock.seconds += 10
        if visitor is not None and visitor.kind == "element":
            sent.setdefault("authorization", f"Bearer {visitor.token}")
        elif visitor is not None:
            sent.setdefault("cookie", f"{COOKIE}={visitor.token}")
        body = form if isinstance(form, bytes) else urlencode(form or {}, doseq=True).encode()
        if method == "POST":
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        return asyncio.run(self._ask(method, path, body if method == "POST" else b"", sent))

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("127.0.0.1", 5))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, content=body, headers=headers)

    def refusals(self) -> list[dict[str, Any]]:
        """Return the lines of the record that say that somebody was refused."""
        return [line for line in map(json.loads, self.said) if "refused" in line]

    @property
    def entries(self) -> list[Entry]:
        return self.site.entries


def filled(entry: Entry, **values: str) -> str:
    """Return the address of an entry with its parameters filled in; what is not said is a word that nothing has."""
    return PARAMETER.sub(lambda found: values.get(found[1], "nothing-has-this-name"), entry.path)


def named(entry: Entry) -> str:
    """Return what a test calls an entry."""
    return f"{entry.method} {entry.path}"


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
