"""A person is asked, answers, gets a receipt and takes the answer back over HTTP; what is refused leaves nothing."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.interfaces.api.asking import Shop, talk
from tests.unit.interfaces.api.server import START, Api

import assent_verify
from assent.domain.digests import digest_bytes
from assent.interfaces.api.app import create_app
from assent.services.choose.snapshot import token_of
from assent.store.records import Page


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def tampered(token: str) -> str:
    note = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return urlsafe_b64encode(
        note.replace(b'"may_grant":false', b'"may_grant":true ')[::1].replace(b"e", b"f", 1)
    ).decode()


# -- the whole way ---------------------------------------------------------------------------------------------------


def test_a_person_is_asked_allows_keeps_a_receipt_that_strangers_verify_and_takes_it_back(shop: Shop) -> None:
    shop.store.intake([talk("a", "s1", START - timedelta(days=3))], plan="pro", recorded_at=START)
    asked = shop.question()
    assert digest_bytes(asked["body"].encode()) == asked["rendering"]
    assert (asked["shown"]["before"], asked["shown"]["may_grant"]) == ("unasked", True)
    shown = shop.api.call("GET", f"/v1/renderings/{asked['rendering']}", role=None)
    assert (shown.text, shown.headers["content-type"]) == (asked["body"], "application/json")

    made = shop.answer("allow", asked["token"])
    told = made.json()
    assert (made.status_code, told["before"], told["after"], told["leaf"]) == (201, "unasked", "allowed", 0)
    assert told["effects"]["begins"]
    log = shop.api.world.log
    receipt = shop.api.call("GET", told["receipt"]["json"])
    assert receipt.headers["content-type"] == "application/ld+json"
    assert assent_verify.verify(receipt.text, log.signers[0].verifier.vkey)
    assert "s1" not in json.dumps(json.loads(receipt.text)["evidence"]["record"])

    considered = shop.api.post("/v1/people/s1/effects", {"purpose": "training", "act": "withdraw"})
    assert considered.json()["ends"] == told["effects"]["begins"]
    assert shop.store.staged() == 1
    shop.api.clock.pass_by(minutes=1)
    taken_back = shop.say("withdraw")
    assert (taken_back["before"], taken_back["after"], taken_back["leaf"]) == ("allowed", "withdrawn", 1)
    assert taken_back["effects"] == considered.json()
    assert any("training run" in line for line in taken_back["effects"]["words"])
    standings = shop.api.call("GET", "/v1/people/s1/standings").json()["standings"]
    assert [(one["purpose"], one["status"], one["source"]) for one in standings] == [
        ("training", "withdrawn", "person")
    ]
    acts = shop.api.call("GET", "/v1/people/s1/choices", role="auditor").json()
    assert [one["act"] for one in acts["choices"]] == ["withdraw", "allow"]
    assert acts["choices"][1]["options"] == asked["shown"]["options"]


def test_a_receipt_comes_in_three_forms(shop: Shop) -> None:
    told = shop.say("allow")
    place = told["receipt"]["json"].partition("?")[0]
    page = shop.api.call("GET", place, role="officer", headers={"accept": "text/html, */*;q=0.1"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in page.headers["content-security-policy"]
    assert "You allowed it." in page.text
    kantara = shop.api.call("GET", told["receipt"]["kantara"], role="auditor")
    assert kantara.headers["content-type"] == "application/json"
    assert kantara.json()["version"].startswith("KI-CR")
    assert shop.api.call("GET", place, headers={"accept": "image/png"}).status_code == 406
    assert shop.api.call("GET", place, role="engineer").status_code == 403
    assert shop.api.call("GET", "/v1/choices/nothing/receipt").status_code == 404
    declined = shop.say("decline")
    assert declined["receipt"]["kantara"] is None
    place = declined["receipt"]["json"].partition("?")[0]
    assert shop.api.call("GET", f"{place}?format=kantara").status_code == 409


def test_project_and_conversation_are_asked_apart(shop: Shop) -> None:
    shop.store.intake([talk("a", "s1", START, project="thesis"), talk("b", "s1", START)], plan="pro", recorded_at=START)
    shop.say("allow")
    locked = shop.say("decline", scope="conversation", target="test:b")
    assert (locked["scope"], locked["target"], locked["effects"]["conversations"]) == ("conversation", "test:b", 1)
    project = shop.say("decline", scope="project", target="thesis")
    assert project["target"].startswith("sha256:")
    found = shop.api.call("GET", "/v1/people/s1/standings", params={"limit": 2}).json()
    assert (len(found["standings"]), found["total"]) == (2, 3)
    rest = shop.api.call("GET", "/v1/people/s1/standings", params={"limit": 2, "after": found["after"]}).json()
    assert [one["scope"] for one in found["standings"] + rest["standings"]] == [
        "everything",
        "project",
        "conversation",
    ]


# -- what is refused -------------------------------------------------------------------------------------------------


def test_what_was_not_shown_to_this_person_is_refused_and_leaves_nothing(shop: Shop) -> None:
    shop.person("p2")
    token = shop.question()["token"]
    refused, answer = shop.refused, shop.answer
    refused(lambda: answer("allow", ""), 409, "no snapshot")
    refused(lambda: answer("allow", "bm9ub3RlCg"), 409, "bad snapshot")
    refused(lambda: answer("allow", tampered(token)), 409, "bad snapshot")
    foreign = token_of(urlsafe_b64decode(token + "==").decode().replace("\u2014 localhost", "\u2014 elsewhere"))
    refused(lambda: answer("allow", foreign), 409, "bad snapshot")
    refused(lambda: answer("allow", token, "p2"), 403, "another person")
    refused(lambda: answer("allow", token, purpose="feedback"), 409, "another question")
    refused(lambda: answer("allow", token, scope="project", target="thesis"), 409, "another question")
    refused(lambda: answer("withdraw", token), 409, "not offered")
    refused(lambda: answer("allow", token, scope="project"), 422)
    refused(lambda: answer("allow", "x" * 2_000_000), 413)
    refused(lambda: answer("grant", token), 422)
    refused(lambda: answer("allow", token, at="2020-01-01T00:00:00Z"), 422)


def test_time_and_clock_skew_bound_an_answer(shop: Shop) -> None:
    token = shop.question()["token"]
    shop.api.clock.pass_by(seconds=-61)
    shop.refused(lambda: shop.answer("allow", token), 409, "not yet")
    shop.api.clock.pass_by(seconds=61, minutes=62)
    shop.refused(lambda: shop.answer("allow", token), 409, "expired")
    shop.api.clock.pass_by(minutes=-2)
    assert shop.answer("allow", token).status_code == 201


def test_a_token_takes_one_act_and_the_same_act_again_is_the_same_choice(shop: Shop) -> None:
    token = shop.question()["token"]
    first, again = shop.answer("decline", token), shop.answer("decline", token)
    assert first.json() == again.json()
    told = shop.refused(lambda: shop.answer("allow", token), 409, "used")
    assert "ask for the question again" in told["fix"]


@pytest.mark.parametrize("role", ["officer", "engineer", "safety", "auditor", "directory"])
def test_nobody_but_the_product_brings_what_a_person_did(shop: Shop, role: str) -> None:
    token = shop.question()["token"]
    body = {"subject": "s1", "purpose": "training", "act": "allow", "token": token}
    shop.refused(lambda: shop.api.post("/v1/choices", body, role=role), 403)


def test_without_a_person_there_nothing_can_be_allowed(shop: Shop) -> None:
    asked = shop.question(interactive=False)
    assert not asked["shown"]["may_grant"]
    shop.refused(lambda: shop.answer("allow", asked["token"]), 403, "not from here")
    assert shop.answer("decline", asked["token"]).status_code == 201


def test_a_child_needs_a_guardian_and_refuses_alone(shop: Shop) -> None:
    shop.person("kid", age=12)
    shop.person("parent")
    shop.refused(lambda: shop.answer("allow", shop.question("kid")["token"], "kid"), 403, "age")
    shop.refused(lambda: shop.asked("kid", guardian="parent"), 403, "guardian")
    body = {"subject": "kid", "guardian": "parent", "method": "signed form"}
    assert shop.api.post("/v1/guardians", body, role="product").status_code == 403
    assert shop.api.post("/v1/guardians", {**body, "guardian": "kid"}, role="officer").status_code == 422
    assert shop.api.post("/v1/guardians", body, role="officer").status_code == 201
    made = shop.say("allow", "kid", guardian="parent")
    assert made["after"] == "allowed"
    [known] = shop.api.call("GET", "/v1/guardians?subject=kid", role="officer").json()["guardians"]
    assert (known["guardian"], known["recorded_by"], known["ended_at"]) == ("parent", "the-officer", None)
    assert shop.api.call("DELETE", "/v1/guardians?subject=kid&guardian=parent", role="officer").status_code == 204
    assert shop.api.call("DELETE", "/v1/guardians?subject=kid&guardian=no", role="officer").status_code == 404
    shop.api.clock.pass_by(seconds=1)
    shop.refused(lambda: shop.asked("kid", guardian="parent"), 403, "guardian")
    assert shop.say("withdraw", "kid")["after"] == "withdrawn"


def test_a_changed_policy_makes_an_allow_stale_and_leaves_a_refusal_free(shop: Shop) -> None:
    token = shop.question()["token"]
    policy, text = shop.api.world.policies[0]
    newer = replace(policy, name="anthropic/next", effective=START, digest="sha256:" + "0" * 64, grants=())
    world = replace(shop.api.world, policies=((policy, text), (newer, text)))
    shop.api.app = create_app(world)
    shop.api.clock.pass_by(minutes=1)
    shop.refused(lambda: shop.answer("allow", token), 409, "stale policy")
    assert shop.answer("decline", token).status_code == 201


def test_a_text_that_is_not_on_the_shelf_cannot_be_quoted(shop: Shop, empty_home: Path) -> None:
    token = shop.question()["token"]

    class Forgetful:
        def __getattr__(self, name: str) -> Any:
            return (lambda _: None) if name == "rendering" else getattr(shop.store, name)

    shop.api.app = create_app(replace(shop.api.world, store=Forgetful()))
    shop.refused(lambda: shop.answer("allow", token), 409, "unknown rendering")


def test_what_the_notice_does_not_have_is_said(shop: Shop) -> None:
    for wrong in ({"locale": "ja"}, {"layout": "wide"}, {"surface": "smoke"}, {"subject": ""}, {"client": "a\nb"}):
        assert shop.asked(**wrong).status_code == 422, wrong
    for wrong in ({"purpose": "marketing"}, {"notice": "sha256:" + "0" * 64}, {"scope": "conversation", "target": "x"}):
        assert shop.asked(**wrong).status_code == 404, wrong


def test_a_refusal_in_writing_is_entered_by_an_officer_and_an_allow_never(shop: Shop) -> None:
    body = {"subject": "s1", "purpose": "training", "act": "decline", "reference": "letter-7"}
    first = shop.api.post("/v1/written-requests", body, role="officer")
    assert (first.status_code, first.json()["before"]) == (201, "unasked")
    assert shop.api.post("/v1/written-requests", body, role="officer").json() == first.json()
    shop.refused(lambda: shop.api.post("/v1/written-requests", {**body, "act": "allow"}, role="officer"), 403, "role")
    shop.refused(lambda: shop.api.post("/v1/written-requests", body), 403)
    shop.refused(lambda: shop.api.post("/v1/written-requests", {**body, "reference": "Anna S."}, role="officer"), 422)
    [act] = shop.api.call("GET", "/v1/people/s1/choices").json()["choices"]
    assert (act["recorded_by"], act["receipt"]) == ("officer, request letter-7", None)


# -- many at once ----------------------------------------------------------------------------------------------------


def many(shop: Shop, bodies: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    async def at_once() -> list[tuple[int, Any]]:
        async with shop.api.client() as client:
            headers = {"authorization": f"Bearer {shop.api.tokens['product']}"}
            sent = [client.post("/v1/choices", json=body, headers=headers) for body in bodies]
            return [(answer.status_code, answer.json()) for answer in await asyncio.gather(*sent)]

    return asyncio.run(at_once())


def test_a_hundred_people_choose_at_once_and_each_has_a_leaf(shop: Shop) -> None:
    people = [f"p{number}" for number in range(100)]
    bodies = []
    for subject in people:
        shop.person(subject)
        token = shop.question(subject)["token"]
        bodies.append({"subject": subject, "purpose": "training", "act": "allow", "token": token, "explain": False})
    found = many(shop, bodies)
    assert {status for status, _ in found} == {201}
    assert sorted(told["leaf"] for _, told in found) == list(range(100))
    assert {told["after"] for _, told in found} == {"allowed"}
    assert shop.store.counts().choices == 100
    # they came together: far fewer checkpoints than choices
    assert shop.store.head() is not None


def test_one_token_twice_at_once_is_one_choice(shop: Shop) -> None:
    for number in range(10):
        subject = f"p{number}"
        shop.person(subject)
        token = shop.question(subject)["token"]
        body = {"subject": subject, "purpose": "training", "token": token, "explain": False}
        found = many(shop, [{**body, "act": act} for act in ("allow", "decline", "allow", "decline")])
        assert sorted(status for status, _ in found) == [201, 201, 409, 409]
        assert {told["reason"] for status, told in found if status == 409} == {"used"}
    assert (shop.store.counts().choices, shop.store.staged()) == (10, 10)


def test_a_repeated_request_gets_the_first_answer(shop: Shop) -> None:
    token = shop.question()["token"]
    first = shop.answer("allow", token, headers={"idempotency_key": "k1"})
    again = shop.answer("allow", token, headers={"idempotency_key": "k1"})
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")
    other = shop.question()["token"]
    assert shop.answer("allow", other, headers={"idempotency_key": "k1"}).status_code == 422
    asked = [shop.api.post("/v1/questions", QUESTION, idempotency_key="k2").json() for _ in range(2)]
    assert asked[0] == asked[1]
    assert shop.store.staged() == 1


QUESTION = {
    "subject": "s1",
    "purpose": "training",
    "surface": "json",
    "locale": "en",
    "client": "x",
    "interactive": True,
}


def test_the_order_of_the_answers_is_drawn(shop: Shop) -> None:
    orders = set()
    for chance in (0.0, 0.9):
        shop.api.app = create_app(replace(shop.api.world, chance=lambda chance=chance: chance))
        orders.add(tuple(shop.question()["shown"]["options"]))
    assert orders == {("decline", "allow", "defer"), ("allow", "decline", "defer")}


def test_a_closed_queue_says_come_again_and_nothing_is_written(shop: Shop) -> None:
    token = shop.question()["token"]
    asyncio.run(shop.api.app.state.choosing.close())
    shop.refused(lambda: shop.answer("decline", token), 503)
    assert shop.store.newest_choices("s1", Page()).total == 0
