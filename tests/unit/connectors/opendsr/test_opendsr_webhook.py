"""A vendor that takes erasure orders by webhook is believed for replies that it signed."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from standardwebhooks import Webhook
from tests.unit.connectors.opendsr.vendor_server import files_of, served

from assent.connectors.opendsr.evidence import statement_of
from assent.connectors.opendsr.product import Outside, Settings, connect
from assent.connectors.port import Copy
from assent.domain.errors import Invalid, Refused

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"t" * 32).decode()
OLD = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.enable_socket


class Receiver:
    """A receiver that checks what it gets with the library of Standard Webhooks, and signs as it is told to."""

    def __init__(self, key: OKPKey | None) -> None:
        self.key, self.signed_with = key, SECRET
        self.status = "pending"
        self.orders: list[dict[str, Any]] = []
        self.names, self.algorithm = "order", "Ed25519"
        self.address = ""

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        said = Webhook(SECRET).verify(body, dict(headers)) if body else None
        if method == "POST":
            self.orders.append(said)
        name = path.rpartition("/")[2] if method == "GET" else self.orders[-1]["data"]["order"]
        signed, reply = self.reply(name)
        return 200, signed, reply

    def reply(self, name: str) -> tuple[dict[str, str], bytes]:
        later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        said = {self.names: name, "status": self.status, "expected_completion_time": later, "removed": {"rows": 3}}
        body = json.dumps(said).encode()
        if self.key is not None:
            token = jws.serialize_compact({"alg": self.algorithm}, body, self.key, algorithms=[self.algorithm])
            return {"content-type": "application/jose"}, token.encode()
        at = OLD  # replies are kept and played again: their age does not matter
        signature = Webhook(self.signed_with).sign("reply-1", at, body.decode())
        stamp = str(int(at.timestamp()))
        return {"webhook-id": "reply-1", "webhook-timestamp": stamp, "webhook-signature": f"v1,AA== {signature}"}, body


class World:
    def __init__(self, tmp: Path, receiver: Receiver) -> None:
        self.tmp, self.receiver = tmp, receiver
        (tmp / "secret").write_text(SECRET)
        self.keys: dict[str, Any] = {}

    def outside(self, **keys: Any) -> Outside:
        said = {"url": f"{self.receiver.address}/orders/", "domain": "logs.example", "protocol": "webhook"}
        said |= {"secret_file": self.tmp / "secret", "evidence_dir": self.tmp / "vendors"}
        settings = Settings(name="outside", folder=self.tmp / "state", **{**said, **self.keys, **keys})
        return connect(settings, lambda path: path.read_text())

    def order(self) -> Copy:
        return self.outside().erase(["chat-1"])["chat-1"][0]

    def copy(self) -> Copy:
        return self.outside().verify(["chat-1"])["chat-1"][0]


@pytest.fixture(params=["key", "secret"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    key = OKPKey.generate_key("Ed25519") if request.param == "key" else None
    receiver = Receiver(key)
    with served(receiver):
        found = World(tmp_path, receiver)
        if key is not None:
            (tmp_path / "key").write_text(json.dumps(key.as_dict(private=False)))
            found.keys = {"reply_key_file": tmp_path / "key"}
        yield found


def test_an_order_is_a_signed_event_and_its_reply_is_believed(world: World) -> None:
    assert world.order().state == "present"
    (event,) = world.receiver.orders
    assert event["type"] == "assent.erasure.ordered"
    assert event["data"]["about"] == {"type": "conversation_id", "value": "chat-1", "format": "raw"}
    assert event["id"] == event["data"]["order"]
    world.receiver.status = "completed"
    copy = world.copy()
    assert (copy.state, "`logs.example`" in copy.note) == ("removed", True)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_older_name_of_the_algorithm_is_taken_too(world: World) -> None:
    world.receiver.status, world.receiver.algorithm = "completed", "EdDSA"
    assert world.order().state == "removed"


def test_replies_are_kept_whole_with_what_is_needed_to_check_them_again(world: World) -> None:
    world.receiver.status = "completed"
    world.order()
    (file,) = files_of(world.tmp / "vendors")
    kept = statement_of(file.read_bytes())
    if world.receiver.key is not None:
        key = OKPKey.import_key(json.loads(kept.signed["key"]))
        assert not key.is_private
        said = json.loads(jws.deserialize_compact(kept.body, key, algorithms=["Ed25519"]).payload)
    else:
        assert "shared secret" in kept.signed["note"]
        assert SECRET.removeprefix("whsec_") not in file.read_text()
        said = json.loads(kept.body)
    assert said["removed"] == {"rows": 3}


def test_a_reply_signed_by_somebody_else_is_not_believed(world: World) -> None:
    world.receiver.status = "completed"
    if world.receiver.key is not None:
        world.receiver.key = OKPKey.generate_key("Ed25519")
    world.receiver.signed_with = OTHER
    copy = world.order()
    assert (copy.state, "not signed" in copy.note) == ("not reachable", True)
    assert files_of(world.tmp / "vendors") == []


def test_a_reply_about_another_order_is_not_believed(world: World) -> None:
    world.receiver.status, world.receiver.names = "completed", "about"
    assert world.order().state == "not reachable"


def test_what_is_said_without_being_asked_is_believed_only_when_signed(world: World) -> None:
    world.order()
    name = world.receiver.orders[0]["data"]["order"]
    world.receiver.status = "completed"
    headers, body = world.receiver.reply(name)
    for wrong in (b"", b"{}", body[:-1], b"\xff" + body, json.dumps({"order": name, "status": "completed"}).encode()):
        with pytest.raises(Refused):
            world.outside().receive(headers, wrong)
    for _ in range(2):
        world.outside().receive(headers, body)
    assert world.copy().state == "removed"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_reply_that_weakens_its_own_signature_is_not_believed(world: World, algorithm: str) -> None:
    if world.receiver.key is None:
        world.keys = {"reply_key_file": world.tmp / "key"}
        (world.tmp / "key").write_text(json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=False)))
    world.receiver.key = None
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=")
    payload = base64.urlsafe_b64encode(b'{"order": "x", "status": "completed"}').rstrip(b"=")
    with pytest.raises(Refused):
        world.outside().receive({}, header + b"." + payload + b".")


@pytest.mark.parametrize("text", ["", "{}", "-----BEGIN PUBLIC KEY-----", '{"kty": "oct", "k": "AA"}'])
def test_a_key_that_is_none_is_refused(world: World, text: str) -> None:
    (world.tmp / "key").write_text(text)
    with pytest.raises(Invalid, match="Ed25519"):
        world.outside(reply_key_file=world.tmp / "key")


def test_a_private_key_is_not_taken_for_the_vendors_public_one(world: World) -> None:
    (world.tmp / "key").write_text(json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True)))
    with pytest.raises(Invalid, match="public"):
        world.outside(reply_key_file=world.tmp / "key")
