"""The short way of a choice answers what the long way answers, byte for byte."""

import json
from typing import Any

import httpx
import pytest
from tests.unit.interfaces.api.asking import Shop
from tests.unit.interfaces.api.server import Api

LONG = "application/json; charset=utf-8"
"""A media type that means the same and is not written as the short way knows it."""


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def both(shop: Shop, body: bytes, role: str | None = "product", **headers: str) -> tuple[httpx.Response, ...]:
    """Send a request on the short way, then on the long one."""
    found = []
    for media in ("application/json", LONG):
        named = {"content-type": media, **headers}
        found.append(shop.api.call("POST", "/v1/choices", role=role, content=body, headers=named))
    return tuple(found)


def alike(short: httpx.Response, long: httpx.Response) -> None:
    """Both say the same, in the same bytes but for the name of the request, and are written down alike."""
    own = [answer.headers["x-request-id"] for answer in (short, long)]
    assert short.status_code == long.status_code
    assert short.text.replace(own[0], own[1]) == long.text
    dropped = {"x-request-id", "content-length"}
    assert {name: value for name, value in short.headers.items() if name not in dropped} == {
        name: value for name, value in long.headers.items() if name not in dropped
    }


def body_of(shop: Shop, **more: Any) -> dict[str, Any]:
    token = shop.question()["token"]
    return {"subject": "s1", "purpose": "training", "act": "allow", "token": token, **more}


@pytest.mark.parametrize("explain", [False, True])
def test_a_choice_is_answered_alike(shop: Shop, explain: bool) -> None:
    short, long = both(shop, json.dumps(body_of(shop, explain=explain)).encode())
    assert (short.status_code, shop.store.counts().choices) == (201, 1)
    alike(short, long)
    lines = [json.loads(line) for line in shop.api.said[-2:]]
    assert {(line["route"], line["status"], line["caller"]) for line in lines} == {("/v1/choices", 201, "the-product")}


@pytest.mark.parametrize(
    "change",
    [
        {"token": "x"},
        {"token": ""},
        {"act": "maybe"},
        {"act": 1},
        {"subject": "s2"},
        {"subject": ""},
        {"guardian": "mum"},
        {"scope": "conversation"},
        {"scope": "conversation", "target": "test:a"},
        {"explain": "yes"},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_wrong_with_a_body_is_said_alike(shop: Shop, change: dict[str, Any]) -> None:
    short, long = both(shop, json.dumps(body_of(shop) | change).encode())
    assert 400 <= short.status_code < 500
    alike(short, long)
    assert shop.store.counts().choices == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"act":"allow","act":"allow"}', b"\xff", b"[" * 99])
def test_what_is_no_such_object_is_said_alike(shop: Shop, body: bytes) -> None:
    short, long = both(shop, body)
    assert 400 <= short.status_code < 500
    alike(short, long)


@pytest.mark.parametrize("role", [None, "officer", "auditor", "nobody"])
def test_who_may_not_is_told_alike(shop: Shop, role: str | None) -> None:
    short, long = both(shop, json.dumps(body_of(shop)).encode(), role)
    assert short.status_code in (401, 403)
    alike(short, long)


def test_a_key_goes_the_long_way_and_is_answered_once(shop: Shop) -> None:
    first, second = both(shop, json.dumps(body_of(shop)).encode(), **{"idempotency-key": "k1"})
    assert (first.status_code, second.headers["idempotency-replayed"]) == (201, "true")
    assert first.content == second.content
