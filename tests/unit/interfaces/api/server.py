"""A server without a network: the whole application on a home of its own, with a clock that a test turns."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
from fastapi import FastAPI
from pydantic import Field

from assent.domain.errors import AssentError, Incomplete, NotFound, Refused
from assent.interfaces.api.access import Officer, Product
from assent.interfaces.api.resource import Fresh, Input, Instant, Output, Paged, problems, resource
from assent.interfaces.api.world import World

START = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass
class Clock:
    """The instant that the server believes, and the seconds that it counts."""

    at: datetime = START
    seconds: float = 100.0

    def pass_by(self, **time: float) -> None:
        step = timedelta(**time)
        self.at += step
        self.seconds += step.total_seconds()


@dataclass
class Api:
    """A running server and a caller of each role."""

    app: FastAPI
    world: World
    clock: Clock
    tokens: dict[str, str]
    said: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, *, role: str | None = "product", **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers.setdefault("authorization", f"Bearer {self.tokens.get(role, role)}")
        return asyncio.run(self._call(method, path, headers, options))

    async def _call(self, method: str, path: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        async with self.client() as client:
            return await client.request(method, path, headers=headers, **options)

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://assent.test")

    def post(self, path: str, body: Any, *, role: str | None = "product", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, role=role, json=body, headers=named)


class Echoed(Input):
    """What the resource made for these tests takes."""

    text: Annotated[str, Field(max_length=100)]
    number: int = 0
    real: float = 0.0
    yes: bool = False
    at: Instant | None = None
    items: list[str] = Field(default_factory=list)
    inner: "Echoed | None" = None


class Echo(Output):
    id: str
    said: str


class Rows(Output):
    limit: int
    after: str | None


def echo_routes() -> Any:
    """One resource that uses everything the foundation gives."""
    routes = resource("echo")
    raised: dict[str, Exception] = {
        "refused": Refused("the answer is no", "ask otherwise"),
        "missing": NotFound("there is no such thing", "look elsewhere"),
        "part": Incomplete("half of it is done", "try the rest"),
        "broken": AssentError("the disk is full", "make room"),
        "mistake": ZeroDivisionError("p-17 said hello"),
    }

    @routes.post("/v1/echo", status_code=201, responses=problems(404))
    def say(what: Echoed, _caller: Product, fresh: Fresh) -> Echo:
        """Say it back."""
        if what.text in raised:
            raise raised[what.text]
        return Echo(id=fresh(), said=what.text)

    @routes.get("/v1/echo")
    def rows(page: Paged, _caller: Officer) -> Rows:
        """List nothing."""
        return Rows(limit=page.limit, after=page.after)

    return routes
