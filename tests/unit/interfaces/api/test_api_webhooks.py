"""Webhooks over HTTP and in the command line: a secret is shown once, events reach who wants them, again if asked."""

import json
import stat
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

import pytest
from standardwebhooks import Webhook
from tests.unit.interfaces.api.asking import Shop
from tests.unit.interfaces.api.server import Api
from tests.unit.services.events.receiver import Receiver, receiving

from assent.interfaces.api.app import create_app
from assent.interfaces.cli.app import run
from assent.services.events.deliver import deliver
from assent.services.events.sending import HttpSender
from assent.services.events.tell import tell_choices
from assent.wiring import Wiring

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])


@pytest.fixture
def receiver(socket_enabled: None) -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def shop(api: Api) -> Shop:
    sender = HttpSender(lambda _host, _port: ["127.0.0.1"], inner_allowed=True)
    settings = replace(api.world.settings, webhooks_inner=True)
    api.world = replace(api.world, settings=settings, post=replace(api.world.post, send=sender))
    api.app = create_app(api.world)
    return Shop(api)


def test_a_choice_reaches_an_endpoint_signed_and_once_more_on_demand(shop: Shop, receiver: Receiver) -> None:
    api, world = shop.api, shop.api.world
    made = api.post("/v1/webhooks", {"url": receiver.url, "types": ["assent.choice.recorded"]}, role="officer").json()
    [file] = (world.settings.home / "keys" / "webhooks").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == made["secret"]
    choice = shop.say("allow")
    assert tell_choices(world.store, world.log.identity) == 1
    assert deliver(world.store, world.post, world.now, limit=10).taken == 1
    [(headers, body)] = receiver.requests
    # the receiver's own clock says when it was signed; here the server's is set
    signed = Webhook(made["secret"]).sign(headers["webhook-id"], world.now(), body.decode())
    assert headers["webhook-signature"] == signed
    told = json.loads(body)
    assert (told["id"], told["data"]["leaf"]) == (choice["id"], 0)
    assert told["subject"] == world.log.identity.pseudonym("s1")
    assert b'"s1"' not in body
    [event] = api.call("GET", "/v1/events?type=assent.choice.recorded", role="auditor").json()["events"]
    assert (event["id"], event["data"]["act"]) == (choice["id"], "allow")
    place = f"/v1/webhooks/{made['id']}"
    assert api.post(f"{place}/replay", {"event": event["id"]}, role="officer").status_code == 202
    assert deliver(world.store, world.post, world.now, limit=10).taken == 1
    assert api.post(f"{place}/replay", {"event": "none"}, role="officer").status_code == 404
    ended = api.call("POST", f"{place}/disable", role="officer").json()
    assert ended["disabled_at"]
    assert "secret" not in ended
    assert api.call("GET", "/v1/webhooks", role="officer").json()["webhooks"] == [ended]
    assert api.call("POST", "/v1/webhooks/none/disable", role="officer").status_code == 404


def test_the_secret_is_kept_in_no_answer_and_a_repeated_request_makes_nothing(shop: Shop) -> None:
    def add() -> object:
        return shop.api.post("/v1/webhooks", {"url": "https://a.example"}, role="officer", idempotency_key="k1")

    made = add()
    assert made.json()["secret"].startswith("whsec_")
    assert shop.store.answered("the-officer", "k1") is None
    told = shop.refused(add, 409)
    assert "made before" in told["detail"]
    assert len(list(shop.store.endpoints())) == 1


@pytest.mark.parametrize(
    "body",
    [{"url": "ftp://a.example"}, {"url": "https://u@a.example"}, {"url": "https://"}, {"url": ""},
     {"url": "https://a.example", "types": ["x"]}, {"url": "https://a.example", "secret": "x"}],
)  # fmt: skip
def test_what_is_no_address_is_refused(shop: Shop, body: dict[str, object]) -> None:
    shop.refused(lambda: shop.api.post("/v1/webhooks", body, role="officer"), 422)
    assert not list(shop.store.endpoints())


def test_inner_addresses_need_the_setting(api: Api) -> None:
    assert api.post("/v1/webhooks", {"url": "http://a.example"}, role="officer").status_code == 422
    assert api.post("/v1/webhooks", {"url": "http://a.example"}).status_code == 403


def said(wiring: Wiring, *arguments: str) -> tuple[int, list[str]]:
    out = StringIO()
    with redirect_stdout(out):
        status = run(["webhook", *arguments], wiring)
    return status, out.getvalue().splitlines()


def test_the_command_line_does_the_same(shop: Shop, receiver: Receiver) -> None:
    home = shop.api.world.settings.home
    with (home / "assent.toml").open("a") as file:
        file.write("webhooks_inner = true\n")
    wiring = Wiring(home, shop.api.clock.at)
    status, (endpoint, secret) = said(wiring, "add", receiver.url, "--type", "assent.choice.recorded")
    assert (status, secret[:6]) == (0, "whsec_")
    choice = shop.say("decline")
    wiring.post = replace(wiring.post, send=shop.api.world.post.send)
    assert said(wiring, "deliver") == (0, ["1 choices told; 1 taken, 0 put off, 0 given up"])
    receiver.answers.append((503, {}))
    assert said(wiring, "replay", choice["id"], endpoint)[0] == 0
    assert said(wiring, "deliver") == (4, ["0 choices told; 0 taken, 1 put off, 0 given up"])
    [line] = said(wiring, "events", "--json")[1]
    assert json.loads(line)["data"]["act"] == "decline"
    assert said(wiring, "disable", endpoint)[0] == 0
    [line] = said(wiring, "list", "--json")[1]
    assert json.loads(line)["disabled_at"]
    assert said(wiring, "disable", "none")[0] == 3
    wiring.store.close()
