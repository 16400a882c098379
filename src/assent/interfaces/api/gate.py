"""What every request passes on its way in and out: a bounded body, a name, headers, one line in the record.

A plain ASGI layer: it costs microseconds, where a framework's middleware class costs a task and two queues.
"""

from __future__ import annotations

import asyncio
import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import orjson

from assent.domain.instants import format_instant
from assent.interfaces.api.problems import answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from assent.interfaces.api.world import World

TRACES: Final = "/otlp/v1/traces"
TURNS: Final = "/v1/turns"
"""Where calls of models come in, many at once, each with the whole history of its conversation."""

BODY_WITHIN_S: Final = 30.0
"""Seconds in which a body must have arrived: whoever drips bytes does not hold a place for ever."""

_HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    # most answers are about one person; what may be kept says so itself
    b"cache-control": b"no-store",
}


class Gate:
    """The outermost layer of the API."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._world.ticks()
        state = scope.setdefault("state", {})
        state["request"] = self._world.new_id()
        head = scope["method"] == "HEAD"
        if head:
            scope["method"] = "GET"
        out = _Way(send, state["request"].encode(), scope, bodiless=head)
        try:
            refused = await self._read_body(scope, receive)
            if refused is None:
                await self._in_time(scope, _replay(state["body"], receive), out)
            else:
                status, detail, fix = refused
                # the rest of the body is never read, so the connection cannot carry another request
                await answer(scope, status, detail, fix, headers={"Connection": "close"})(scope, receive, out)
        except Exception as error:
            self._world.say(_trace(state["request"], error))
            if out.status:
                raise
            fix = "try again; if it stays, tell whoever runs this server the instance"
            await answer(scope, 500, "the server made a mistake", fix)(scope, receive, out)
        self._world.say(self._line(scope, out.status, began, "HEAD" if head else scope["method"]))

    async def _in_time(self, scope: Scope, receive: Receive, out: _Way) -> None:
        """Let the application answer, or say that it does not: a store that is out of reach keeps nobody for ever."""
        within = self._world.settings.answer_within_seconds
        out.limit = limit = asyncio.timeout(within)
        try:
            async with limit:
                try:
                    await self._app(scope, receive, out)
                finally:
                    out.limit = None
        except TimeoutError:
            if out.status or not limit.expired():
                raise
            fix = "ask the same again in a moment; what was begun is done whole or not at all"
            told = answer(scope, 503, f"nothing answered within {within} seconds", fix, headers={"Retry-After": "1"})
            await told(scope, receive, out)

    async def _read_body(self, scope: Scope, receive: Receive) -> tuple[int, str, str] | None:
        """Read the body into `scope["state"]`, or say why not."""
        settings = self._world.settings
        limit = settings.max_telemetry_bytes if scope["path"] in (TRACES, TURNS) else settings.max_body_bytes
        headers = dict(scope["headers"])
        scope["state"]["body"] = b""
        told = headers.get(b"content-length", b"")
        if not told and b"transfer-encoding" not in headers:
            return None
        too_large = (413, f"the body is larger than {limit:,} bytes", "send less at once")
        if told.isdigit() and int(told) > limit:
            return too_large
        pieces, size, more = [], 0, True
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return 408, "the body did not arrive whole", "send it again"
                    pieces.append(message.get("body", b""))
                    more = message.get("more_body", False)
                    size += len(pieces[-1])
                    if size > limit:
                        return too_large
        except TimeoutError:
            return 408, f"the body did not arrive within {BODY_WITHIN_S:g} seconds", "send it again, faster"
        scope["state"]["body"] = b"".join(pieces)
        return None

    def _line(self, scope: Scope, status: int, began: float, method: str) -> str:
        # the template of the address, never the address: it may name a person
        route = getattr(scope.get("route"), "path", "-")
        caller = scope["state"].get("caller")
        line = {
            "at": format_instant(self._world.now()),
            "request": scope["state"]["request"],
            "method": method,
            "route": route,
            "status": status,
            "ms": round((self._world.ticks() - began) * 1000, 2),
            "caller": caller.name if caller else None,
        }
        return orjson.dumps(line).decode()


class _Way:
    """The way out: adds the headers that every answer carries."""

    def __init__(self, send: Send, request: bytes, scope: Scope, *, bodiless: bool) -> None:
        self._send = send
        self._scope = scope
        self._request = request
        self._bodiless = bodiless
        self.status = 0
        self.limit: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.limit is not None and not self.limit.expired():
                self.limit.reschedule(None)  # what is under way may take as long as it is read
            if self._bodiless:
                # the server counts bytes by what was asked, and would miss those that HEAD does not send
                self._scope["method"] = "HEAD"
            headers = list(message.get("headers", ()))
            there = {name for name, _ in headers}
            headers += [(name, value) for name, value in _HEADERS.items() if name not in there]
            headers.append((b"x-request-id", self._request))
            message = {**message, "headers": headers}
        elif self._bodiless and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _trace(request: str, error: Exception) -> str:
    """Say where a mistake happened, without the message: it may quote what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    places = [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    line: dict[str, Any] = {"request": request, "mistake": type(error).__name__, "where": places}
    return orjson.dumps(line).decode()
