"""What every request to the API meets, shown on a small resource made for it."""

import asyncio
import json
import re
from dataclasses import replace

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Match
from tests.unit.interfaces.api.server import Api, Clock

from assent.interfaces.api.app import create_app
from assent.interfaces.api.shelf import Shelf
from assent.services.tokens import add_token, revoke_token

PROBLEM = "application/problem+json"
GOOD = {"text": "hello"}


def test_an_answer_carries_the_headers_that_keep_it_private(api: Api) -> None:
    answer = api.post("/v1/echo", GOOD)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers


def test_a_problem_says_what_is_wrong_and_what_to_do_next(api: Api) -> None:
    answer = api.post("/v1/echo", {"text": "missing"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    told = answer.json()
    assert told == {
        "type": "/problems/not-found",
        "title": "there is no such thing",
        "status": 404,
        "detail": "there is no such thing",
        "fix": "look elsewhere",
        "instance": f"urn:assent:request:{answer.headers['x-request-id']}",
    }
    assert api.call("GET", told["type"]).json()["status"] == 404


@pytest.mark.parametrize(
    ("raised", "status"), [("refused", 409), ("missing", 404), ("part", 503), ("broken", 503), ("mistake", 500)]
)
def test_each_class_of_error_has_its_status(api: Api, raised: str, status: int) -> None:
    answer = api.post("/v1/echo", {"text": raised})
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


def test_a_mistake_of_the_server_quotes_nothing_to_the_caller_or_the_record(api: Api) -> None:
    answer = api.post("/v1/echo", {"text": "mistake"})
    said = "\n".join(api.said)
    assert "p-17" not in answer.text
    assert "p-17" not in said
    assert "ZeroDivisionError" in said
    assert answer.headers["x-request-id"] in said


# -- who calls ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nobody", "Basic dTpw", "bearer \xff", "Bearer a b", "Token abc"]
)
def test_nobody_known_is_refused(api: Api, header: str) -> None:
    answer = api.call("POST", "/v1/echo", role=None, json=GOOD, headers={"authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="assent"'
    assert answer.headers["content-type"] == PROBLEM


def test_a_token_of_another_role_is_refused(api: Api) -> None:
    for role in ("officer", "engineer", "safety", "auditor", "directory"):
        answer = api.post("/v1/echo", GOOD, role=role)
        assert answer.status_code == 403
        assert "product" in answer.json()["fix"]


def test_a_revoked_token_is_refused_within_a_second(api: Api) -> None:
    assert api.post("/v1/echo", GOOD).status_code == 201
    revoke_token(api.world.store, "the-product", now=api.clock.at)
    api.clock.pass_by(seconds=1)
    assert api.post("/v1/echo", GOOD).status_code == 401


# -- repeated requests -------------------------------------------------------------------------------------------------


def test_the_same_request_under_the_same_key_gets_the_same_answer_byte_for_byte(api: Api) -> None:
    first = api.post("/v1/echo", GOOD, idempotency_key="k1")
    again = api.post("/v1/echo", GOOD, idempotency_key="k1")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.headers["content-type"] == again.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert api.post("/v1/echo", GOOD).json() != first.json()


def test_a_refusal_is_repeated_too(api: Api) -> None:
    first = api.post("/v1/echo", {"text": "refused"}, idempotency_key="k1")
    again = api.post("/v1/echo", {"text": "refused"}, idempotency_key="k1")
    assert first.status_code == again.status_code == 409
    assert first.content == again.content
    assert again.headers["content-type"] == PROBLEM


def test_a_failure_is_not_repeated(api: Api) -> None:
    api.post("/v1/echo", {"text": "broken"}, idempotency_key="k1")
    assert "idempotency-replayed" not in api.post("/v1/echo", {"text": "broken"}, idempotency_key="k1").headers


def test_another_request_under_the_same_key_is_refused(api: Api) -> None:
    api.post("/v1/echo", GOOD, idempotency_key="k1")
    assert api.post("/v1/echo", {"text": "other"}, idempotency_key="k1").status_code == 422


def test_a_key_belongs_to_its_caller(api: Api, clock: Clock) -> None:
    first = api.post("/v1/echo", GOOD, idempotency_key="k1")
    key = api.world.new_key()
    api.tokens["second"] = add_token(api.world.store, "second", "product", key=key, now=clock.at)
    other = api.post("/v1/echo", {"text": "other"}, role="second", idempotency_key="k1")
    assert other.status_code == 201
    assert other.json() != first.json()


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 129])
def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    answer = api.call("POST", "/v1/echo", json=GOOD, headers={"idempotency-key": key.encode("latin-1")})
    assert answer.status_code == 400


def test_two_requests_under_one_key_at_the_same_moment_are_carried_out_once(api: Api) -> None:
    async def at_once() -> list[int]:
        async with api.client() as client:
            headers = {"authorization": f"Bearer {api.tokens['product']}", "idempotency-key": "k1"}
            sent = [client.post("/v1/echo", json=GOOD, headers=headers) for _ in range(5)]
            return sorted(answer.status_code for answer in await asyncio.gather(*sent))

    assert asyncio.run(at_once()) == [201, 409, 409, 409, 409]


def test_a_key_is_forgotten_after_its_time(api: Api) -> None:
    first = api.post("/v1/echo", GOOD, idempotency_key="k1")
    api.clock.pass_by(hours=api.world.settings.answers_kept_hours + 1)
    assert "idempotency-replayed" not in api.post("/v1/echo", GOOD, idempotency_key="k1").headers
    assert api.world.store.forget_answers(api.clock.at) == 1
    assert first.status_code == 201


def test_a_request_repeated_after_a_crash_draws_the_same_ids(api: Api) -> None:
    """The answer was lost with the machine, what it wrote was not: the same id meets it again."""
    first = api.post("/v1/echo", GOOD, idempotency_key="k1")
    api.world.store.forget_answers(api.clock.at.replace(year=2027))
    again = api.post("/v1/echo", GOOD, idempotency_key="k1")
    assert "idempotency-replayed" not in again.headers
    assert again.json()["id"] == first.json()["id"]


# -- bodies ------------------------------------------------------------------------------------------------------------

DEEP = b'{"text": "x", "inner": ' * 200 + b"null" + b"}" * 200
HOSTILE = [
    # what is wrong                  body                                                       status
    ("nothing",                      b"",                                                       422),
    ("not JSON",                     b"{",                                                      400),
    ("trailing garbage",             b'{"text": "x"} x',                                        400),
    ("two values",                   b'{"text": "x"}{"text": "x"}',                             400),
    ("a member twice",               b'{"text": "x", "text": "y"}',                             400),
    ("a member twice, inside",       b'{"text": "x", "inner": {"text": "a", "text": "b"}}',     400),
    ("a list",                       b"[]",                                                     422),
    ("null",                         b"null",                                                   422),
    ("a text",                       b'"text"',                                                 422),
    ("a byte that is not UTF-8",     b'{"text": "\xff"}',                                       400),
    ("UTF-16",                       '{"text": "x"}'.encode("utf-16"),                          400),
    ("a byte order mark",            b'\xef\xbb\xbf{"text": "x"}',                              400),
    ("NUL",                          b'{"text": "\\u0000"}',                                    400),
    ("a raw control character",      b'{"text": "\x01"}',                                       400),
    ("half a surrogate pair",        b'{"text": "\\ud800"}',                                    400),
    ("half a pair in a name",        b'{"\\udfff": 1, "text": "x"}',                            400),
    ("deep nesting of lists",        b"[" * 100_000,                                            400),
    ("deep nesting, well-formed",    b"[" * 40 + b"]" * 40,                                     400),
    ("deep nesting of objects",      DEEP,                                                      400),
    ("NaN",                          b'{"text": "x", "real": NaN}',                             400),
    ("infinity",                     b'{"text": "x", "real": -Infinity}',                       400),
    ("a number too great",           b'{"text": "x", "number": 9007199254740992}',              400),
    ("a number of 5,000 digits",     b'{"text": "x", "number": ' + b"9" * 5_000 + b"}",         400),
    ("a real number too great",      b'{"text": "x", "real": 1e400}',                           400),
    ("a field that is not there",    b'{"text": "x", "secret": 1}',                             422),
    ("a field missing",              b'{"number": 1}',                                          422),
    ("a number for a text",          b'{"text": 1}',                                            422),
    ("a text for a number",          b'{"text": "x", "number": "1"}',                           422),
    ("a fraction for a number",      b'{"text": "x", "number": 1.5}',                           422),
    ("a number for a boolean",       b'{"text": "x", "yes": 1}',                                422),
    ("a text for a boolean",         b'{"text": "x", "yes": "true"}',                           422),
    ("a boolean for a number",       b'{"text": "x", "number": true}',                          422),
    ("a text for a list",            b'{"text": "x", "items": "abc"}',                          422),
    ("an instant without a zone",    b'{"text": "x", "at": "2026-01-01T00:00:00"}',             422),
    ("an instant as a number",       b'{"text": "x", "at": 1767225600}',                        422),
    ("an instant far away",          b'{"text": "x", "at": "9999-01-01T00:00:00Z"}',            422),
    ("a text too long",              b'{"text": "' + b"x" * 101 + b'"}',                        422),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_body_that_is_not_what_was_described_is_a_clear_problem(api: Api, body: bytes, status: int) -> None:
    answer = api.call("POST", "/v1/echo", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["detail"]
    assert answer.json()["fix"]


def test_a_wrong_field_is_named_by_its_place_and_its_value_is_not_repeated(api: Api) -> None:
    secret = "my-private-thought"
    body = {"text": "x", "inner": {"text": 7, "number": secret, "items": ["ok", {secret: 1}], secret: 1}}
    answer = api.post("/v1/echo", body)
    assert answer.status_code == 422
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert {"/inner/text", "/inner/number", "/inner/items/1"} <= pointers
    assert secret not in answer.text.replace("/inner/my-private-thought", "")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "", "application/json; charset=latin-1", "application/jsonx"]
)
def test_a_body_of_another_kind_is_refused(api: Api, kind: str) -> None:
    answer = api.call("POST", "/v1/echo", content=json.dumps(GOOD), headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_body_over_the_limit_is_refused_before_it_is_read(api: Api, clock: Clock) -> None:
    app = create_app(replace(api.world, settings=replace(api.world.settings, max_body_bytes=1_000)))
    read = 0

    async def send_without_end() -> list[dict]:
        sent: list[dict] = []

        async def receive() -> dict:
            nonlocal read
            read += 100
            return {"type": "http.request", "body": b"x" * 100, "more_body": True}

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
                 "path": "/v1/policies", "raw_path": b"/v1/policies", "query_string": b"", "root_path": "",
                 "headers": headers, "client": ("127.0.0.1", 1), "server": ("assent.test", 80)}  # fmt: skip
        await app(scope, receive, send)
        return sent

    headers = [(b"content-length", b"1001")]
    assert asyncio.run(send_without_end())[0]["status"] == 413
    assert read == 0
    headers = [(b"transfer-encoding", b"chunked")]
    assert asyncio.run(send_without_end())[0]["status"] == 413
    assert read <= 1_100


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/echo/", 404),
        ("PUT", "/v1/echo", 405),
        ("OPTIONS", "/v1/echo", 405),
        ("TRACE", "/v1/echo", 405),
        ("GET", "/v1/echo?more=1", 422),
        ("GET", "/v1/echo?limit=1&limit=2", 422),
        ("GET", "/v1/echo?limit=0", 422),
        ("GET", "/v1/echo?limit=1.0", 422),
        ("GET", "/v1/echo?limit=+1", 422),
        ("GET", "/v1/echo?limit=1001", 422),
        ("GET", "/v1/echo?limit=99999999999999999999", 422),
        ("GET", "/v1/policies/%00", 404),
        ("GET", "/v1/policies/%ff%fe", 404),
        ("GET", "/v1/policies/" + "x" * 129, 422),
    ],
)
def test_an_address_or_method_that_is_not_there_is_a_problem(api: Api, method: str, path: str, status: int) -> None:
    answer = api.call(method, path, role="officer")
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


def test_what_an_address_answers_is_named(api: Api) -> None:
    assert api.call("DELETE", "/v1/echo").headers["allow"] == "GET, HEAD, POST"


def test_head_answers_as_get_does_without_a_body(api: Api) -> None:
    full, head = api.call("GET", "/v1/policies"), api.call("HEAD", "/v1/policies")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == full.headers["content-length"]


def test_a_page_is_asked_for_by_limit_and_place(api: Api) -> None:
    assert api.call("GET", "/v1/echo?limit=7&after=x", role="officer").json() == {"limit": 7, "after": "x"}


# -- the record --------------------------------------------------------------------------------------------------------


def test_the_record_names_the_request_and_never_the_person(api: Api) -> None:
    answer = api.post("/v1/echo?subject=p-17", {"text": "p-17"})
    line = json.loads(api.said[-1])
    assert answer.status_code == 422
    assert "p-17" not in "".join(api.said)
    assert line["request"] == answer.headers["x-request-id"]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/echo", 422)
    assert line["ms"] >= 0


def test_the_policies_are_served_with_their_text_and_digest(api: Api) -> None:
    listed = api.call("GET", "/v1/policies", role=None).json()["policies"]
    digest = listed[0]["digest"]
    read = api.call("GET", f"/v1/policies/{digest}", role=None).json()
    assert read["text"] == api.world.policies[0][1]
    assert read["digest"] == digest
    assert api.call("GET", "/healthz", role=None).json() == {"well": True}


def test_every_route_is_found_on_the_shelf_and_nothing_else_is(api: Api) -> None:
    shelf, *routes = [route for route in api.app.routes if isinstance(route, Shelf | APIRoute)]
    served = [route for route in routes if route.path != "/v1/echo"]
    assert len(served) > 30
    for route in served:
        path = re.sub(r"\{[^}]*\}", "001", route.path)
        for method in route.methods:
            match, found = shelf.matches({"type": "http", "method": method, "path": path, "root_path": ""})
            assert match is Match.FULL, route.path
            assert found["shelved"].matches({"type": "http", "method": method, "path": path})[0] is Match.FULL
    for path in ("/", "", "/v1", "/v1/nothing", "//", "/v1/policies/a/b/c"):
        assert shelf.matches({"type": "http", "method": "GET", "path": path, "root_path": ""})[0] is Match.NONE
