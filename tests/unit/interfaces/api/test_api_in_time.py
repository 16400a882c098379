"""An answer comes in time or a 503 does; an answer that has begun takes as long as it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
from tests.unit.interfaces.api.server import Api

from assent.interfaces.api.gate import Gate

App = Callable[[Any, Any, Callable[[Any], Awaitable[None]]], Awaitable[None]]
LIMIT_S = 0.1


async def never_answers(_scope: object, _receive: object, _send: object) -> None:
    await asyncio.sleep(60)


async def is_slow_to_end(_scope: object, _receive: object, send: Callable[[Any], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(3 * LIMIT_S)
    await send({"type": "http.response.body", "body": b"all of it"})


async def breaks(_scope: object, _receive: object, _send: object) -> None:
    raise TimeoutError


def answered(api: Api, app: App) -> httpx.Response:
    limited = replace(api.world.settings, answer_within_seconds=LIMIT_S)
    gate = Gate(app, replace(api.world, settings=limited))

    async def ask() -> httpx.Response:
        async def within(scope: Any, receive: Any, send: Any) -> None:
            await gate({**scope, "app": api.app}, receive, send)

        transport = httpx.ASGITransport(within, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://assent.test") as client:
            return await client.get("/v1/anything")

    return asyncio.run(ask())


def test_a_request_that_nothing_answers_is_told_to_come_again(api: Api) -> None:
    found = answered(api, never_answers)
    assert (found.status_code, found.headers["retry-after"]) == (503, "1")
    assert found.json()["detail"] == f"nothing answered within {LIMIT_S} seconds"
    assert found.json()["fix"]


def test_an_answer_that_has_begun_may_take_its_time(api: Api) -> None:
    found = answered(api, is_slow_to_end)
    assert (found.status_code, found.text) == (200, "all of it")


def test_a_time_out_of_something_else_is_a_mistake(api: Api) -> None:
    assert answered(api, breaks).status_code == 500
