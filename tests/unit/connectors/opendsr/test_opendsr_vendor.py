"""A vendor that speaks OpenDSR is believed for what it signed, and for nothing else."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.unit.connectors.opendsr.vendor_server import (
    DOMAIN,
    DOMAIN_HEADER,
    SIGNATURE_HEADER,
    Pair,
    ServedVendor,
    authority,
    files_of,
    served,
    stranger,
    vendor_pair,
)

from assent.connectors.opendsr.evidence import PIECE, statement_of
from assent.connectors.opendsr.port import Vendor, Wanted
from assent.connectors.opendsr.product import Outside, Settings, connect
from assent.connectors.port import Copy
from assent.domain.errors import AssentError, Invalid, NotFound, Refused

CALLBACK = "https://here.example/v1/vendors/outside/status"

pytestmark = pytest.mark.enable_socket


class World:
    """A vendor that is served, and what is needed to connect it."""

    def __init__(self, tmp: Path, vendor: ServedVendor) -> None:
        self.vendor, self.tmp = vendor, tmp
        (tmp / "ca.pem").write_bytes(authority().pem)
        (tmp / "own.pem").write_bytes(vendor_pair().pem)
        self.keys: dict[str, Any] = {"ca_file": tmp / "ca.pem", "callback_url": CALLBACK}

    def outside(self, **keys: Any) -> Outside:
        said = {"url": f"{self.vendor.address}/v1", "domain": DOMAIN, "evidence_dir": self.tmp / "vendors"}
        settings = Settings(name="outside", folder=self.tmp / "state", **{**said, **self.keys, **keys})
        return connect(settings, lambda path: path.read_text())

    def copy(self, name: str = "chat-1", **keys: Any) -> Copy:
        (copy,) = self.outside(**keys).verify([name])[name]
        return copy

    @property
    def evidence(self) -> list[Path]:
        return files_of(self.tmp / "vendors")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    vendor = ServedVendor()
    with served(vendor):
        yield World(tmp_path, vendor)


def ordered(world: World, name: str = "chat-1", **keys: Any) -> Copy:
    (copy,) = world.outside(**keys).erase([name])[name]
    return copy


# -- orders ---------------------------------------------------------------------------------


def test_it_lists_and_reads_nothing_and_says_that_nobody_looks_inside(world: World) -> None:
    outside = world.outside()
    assert isinstance(outside, Vendor)
    assert [*outside.list(), *outside.read(["chat-1"]), *outside.watch()] == []
    assert dict(outside.copies([])) == dict(outside.erase([])) == dict(outside.verify([])) == {}
    assert world.copy().state == "not reachable"
    assert world.vendor.bodies == []  # a look orders nothing


def test_an_order_is_what_the_standard_asks_for(world: World) -> None:
    ordered(world, identity_type="controller_customer_id")
    (body,) = world.vendor.bodies
    said = json.loads(body)
    assert said.pop("subject_identities") == [
        {"identity_type": "controller_customer_id", "identity_value": "chat-1", "identity_format": "raw"}
    ]
    name = said.pop("subject_request_id")
    assert (name[14], name[19] in "89ab", name) == ("4", True, name.lower())
    assert datetime.fromisoformat(said.pop("submitted_time")).tzinfo is not None
    assert said == {
        "api_version": "1.0",
        "regulation": "gdpr",
        "status_callback_urls": [CALLBACK],
        "subject_request_type": "erasure",
    }


def test_what_the_standard_has_no_type_for_stands_in_the_vendors_own_extension(world: World) -> None:
    ordered(world, identity_format="sha256")
    said = json.loads(world.vendor.bodies[0])
    digest = hashlib.sha256(b"chat-1").hexdigest()
    assert said["extensions"] == {DOMAIN: {"conversation_id": digest, "conversation_id_format": "sha256"}}
    assert "subject_identities" not in said


def test_a_repeated_order_is_the_same_request_byte_by_byte(world: World) -> None:
    world.vendor.after = lambda body, headers: (body, {})  # what it answered was not signed
    first = ordered(world)
    assert (first.state, "not signed" in first.note) == ("not reachable", True)
    world.vendor.after = lambda body, headers: (body, headers)
    assert ordered(world).state == "present"
    assert len(world.vendor.bodies) == 2
    assert len(set(world.vendor.bodies)) == 1
    ordered(world)
    assert len(world.vendor.bodies) == 2  # it is received and signed for: nothing is ordered again


def test_a_status_goes_from_pending_to_completed_on_the_vendors_word(world: World) -> None:
    assert ordered(world).state == "present"
    for status, state in (("pending", "present"), ("in_progress", "present"), ("completed", "removed")):
        world.vendor.set(status)
        copy = world.copy()
        assert copy.state == state
        assert DOMAIN in copy.place
    assert "on the word of `vendor.example`, signed" in copy.note
    asked = world.vendor.asked
    assert world.copy().state == "removed"
    assert world.vendor.asked == asked  # what is signed is not asked again


def test_what_is_late_says_since_when(world: World) -> None:
    world.vendor.expected = datetime.now(UTC) - timedelta(days=3)
    ordered(world)
    assert "overdue since" in world.copy().note


def test_a_cancelled_order_is_ordered_anew_under_another_id(world: World) -> None:
    ordered(world)
    world.vendor.set("cancelled")
    copy = world.copy()
    assert (copy.state, copy.note) == ("present", "the vendor cancelled the order")
    ordered(world)
    assert len(world.vendor.requests) == 2


@pytest.mark.fault("system that is down")
def test_a_vendor_that_is_down_is_not_reachable_and_takes_the_order_later(world: World) -> None:
    world.vendor.status = 503
    copy = ordered(world)
    assert (copy.state, "503" in copy.note) == ("not reachable", True)
    world.vendor.status = 0
    assert ordered(world).state == "present"
    world.vendor.status = 503
    world.vendor.set("completed")
    copy = world.copy()
    assert (copy.state, "503" in copy.note) == ("present", True)


def test_an_earlier_erasure_counts_for_nothing_when_a_conversation_came_back(world: World) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    outside = world.outside()
    outside.prepare([Wanted("chat-1", begin)])
    outside.erase(["chat-1"])
    world.vendor.set("completed")
    assert outside.verify(["chat-1"])["chat-1"][0].state == "removed"
    later = world.outside()
    later.prepare([Wanted("chat-1", begin + timedelta(days=90))])
    assert later.verify(["chat-1"])["chat-1"][0].state == "not reachable"
    assert later.erase(["chat-1"])["chat-1"][0].state == "present"
    assert len(world.vendor.requests) == 2
    again = world.outside()
    again.prepare([Wanted("chat-1", begin + timedelta(days=90))])
    again.erase(["chat-1"])
    assert len(world.vendor.requests) == 2


def test_a_vendor_that_knows_persons_is_told_once_and_only_when_nothing_of_theirs_is_kept(world: World) -> None:
    keys = {"identify": "person", "identity_type": "email", "identity_format": "sha256"}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    outside = world.outside(**keys)
    outside.prepare([Wanted("chat-1", at, None), Wanted("chat-2", at, "kim@example.com"),
                     Wanted("chat-3", at, "kim@example.com")])  # fmt: skip
    answers = outside.erase(["chat-1", "chat-2", "chat-3"])
    assert [answers[name][0].state for name in ("chat-1", "chat-2", "chat-3")] == [
        "not reachable",
        "present",
        "present",
    ]
    (body,) = world.vendor.bodies
    (identity,) = json.loads(body)["subject_identities"]
    assert identity["identity_value"] == hashlib.sha256(b"kim@example.com").hexdigest()
    world.vendor.set("completed")
    answers = outside.verify(["chat-2", "chat-3"])
    assert {copies[0].state for copies in answers.values()} == {"removed"}
    assert world.vendor.asked == 1


def test_many_orders_at_once(world: World) -> None:
    names = [f"chat-{number}" for number in range(100)]
    answers = world.outside(certificate_file=world.tmp / "own.pem").erase([*names, *names])
    assert list(answers) == names
    assert {copies[0].state for copies in answers.values()} == {"present"}
    assert (len(answers), len(world.vendor.requests)) == (100, 100)


@pytest.mark.parametrize("name", ["", "a/b", "../..", "a\nb", 'x"; --', "🦊", "*", "a" * 300])
def test_ids_that_look_like_something_else_are_one_order_about_just_them(world: World, name: str) -> None:
    ordered(world, name)
    assert json.loads(world.vendor.bodies[0])["extensions"][DOMAIN]["conversation_id"] == name
    assert all(path.is_relative_to(world.tmp / "vendors" / "outside") for path in world.evidence)


# -- signatures -------------------------------------------------------------------------------


def _flip(body: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    return body.replace(b"us", b"we"), headers


LIES = {
    "no signature": lambda body, headers: (body, {DOMAIN_HEADER: DOMAIN}),
    "no domain": lambda body, headers: (body, {SIGNATURE_HEADER: headers[SIGNATURE_HEADER]}),
    "another domain": lambda body, headers: (body, {**headers, DOMAIN_HEADER: "other.example"}),
    "changed after signing": _flip,
    "a stranger's signature": lambda body, headers: (body, {**headers, SIGNATURE_HEADER: stranger().sign(body)}),
    "no base64": lambda body, headers: (body, {**headers, SIGNATURE_HEADER: "?" * 40}),
    "an empty signature": lambda body, headers: (body, {**headers, SIGNATURE_HEADER: "AA=="}),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("when", ["receipt", "status"])
def test_a_wrong_signature_is_not_believed_and_not_kept(world: World, lie: str, when: str) -> None:
    if when == "status":
        ordered(world)
        world.vendor.set("completed")
    kept = len(world.evidence)
    world.vendor.after = LIES[lie]
    copy = ordered(world) if when == "receipt" else world.copy()
    assert copy.state == ("not reachable" if when == "receipt" else "present")
    assert copy.note
    assert len(world.evidence) == kept


FALSEHOODS = {
    "another request quoted": lambda said: {**said, "encoded_request": base64.b64encode(b"{}").decode()},
    "no request quoted": lambda said: {key: said[key] for key in said if key != "encoded_request"},
    "another order": lambda said: {**said, "subject_request_id": "00000000-0000-4000-8000-000000000000"},
    "no times": lambda said: {**said, "expected_completion_time": "soon"},
    "no object": lambda said: [said],
}


@pytest.mark.parametrize("falsehood", FALSEHOODS)
def test_a_signed_receipt_that_does_not_fit_is_not_believed(world: World, falsehood: str) -> None:
    world.vendor.change = FALSEHOODS[falsehood]
    assert ordered(world).state == "not reachable"
    assert world.evidence == []


@pytest.mark.parametrize("status", ["done", "", None, ["completed"]])
def test_a_status_that_the_standard_does_not_know_is_not_believed(world: World, status: object) -> None:
    ordered(world)
    world.vendor.change = lambda said: {**said, "request_status": status}
    copy = world.copy()
    assert (copy.state, "no status" in copy.note) == ("present", True)


CERTIFICATES = {
    "of another authority": stranger,
    "for another domain": lambda: Pair("other.example", authority()),
    "no longer valid": lambda: Pair(DOMAIN, authority(), days=-1),
    "signed by itself": lambda: Pair(DOMAIN, alone=True),
}


@pytest.mark.parametrize("which", CERTIFICATES)
def test_a_certificate_that_does_not_hold_is_refused(world: World, which: str) -> None:
    pair = CERTIFICATES[which]()
    world.vendor.signer, world.vendor.shown = pair, pair.pem
    copy = ordered(world)
    assert (copy.state, "certificate" in copy.note) == ("not reachable", True)
    with pytest.raises(AssentError):
        list(world.outside().list())


def test_a_pinned_certificate_is_the_only_one_that_counts(world: World) -> None:
    other = Pair(DOMAIN, authority())
    world.vendor.signer, world.vendor.shown = other, other.pem
    assert ordered(world, certificate_file=world.tmp / "own.pem").state == "not reachable"
    assert ordered(world).state == "present"


def test_a_certificate_at_another_host_is_not_fetched(world: World) -> None:
    found = world.vendor.discovery
    world.vendor.discovery = lambda: {**found(), "processor_certificate": "http://elsewhere.example/cert.pem"}
    copy = ordered(world)
    assert (copy.state, "another host" in copy.note) == ("not reachable", True)


# -- callbacks --------------------------------------------------------------------------------


def called(world: World, status: str, **keys: str) -> tuple[dict[str, str], bytes]:
    (name,) = world.vendor.requests
    headers, body = world.vendor.callback(name, status, keys.get("address", CALLBACK))
    return {key.lower(): value for key, value in headers.items()}, body


def test_a_callback_is_believed_with_its_signature_and_counts_once(world: World) -> None:
    ordered(world)
    headers, body = called(world, "completed")
    for _ in range(3):
        world.outside().receive(headers, body)
    assert world.copy().state == "removed"
    assert len(world.evidence) == 2


def test_an_old_callback_that_is_played_again_takes_nothing_back(world: World) -> None:
    ordered(world)
    old = called(world, "pending")
    world.outside().receive(*called(world, "completed"))
    world.outside().receive(*old)
    assert world.copy().state == "removed"


@pytest.mark.parametrize("lie", LIES)
def test_a_callback_with_a_wrong_signature_is_refused(world: World, lie: str) -> None:
    ordered(world)
    world.vendor.after = LIES[lie]
    with pytest.raises(Refused):
        world.outside().receive(*called(world, "completed"))
    world.vendor.after = lambda body, headers: (body, headers)
    assert world.copy().state == "present"


def test_a_callback_makes_nobody_ask_the_vendor_for_anything(world: World) -> None:
    ordered(world)
    headers, body = called(world, "completed")
    world.vendor.status = 503  # it would not even answer
    world.outside().receive(headers, body)
    assert world.copy().state == "removed"
    stranger_to_it = connect(
        Settings(name="new", folder=world.tmp / "new", url=f"{world.vendor.address}/v1", domain=DOMAIN,
                 ca_file=world.tmp / "ca.pem", evidence_dir=world.tmp / "vendors"),
        lambda path: path.read_text(),
    )  # fmt: skip
    with pytest.raises(Refused, match="no certificate"):
        stranger_to_it.receive(headers, body)


def test_a_callback_for_another_address_or_an_order_nobody_made_is_refused(world: World) -> None:
    ordered(world)
    with pytest.raises(Refused, match="another address"):
        world.outside().receive(*called(world, "completed", address="https://there.example/"))
    world.vendor.change = lambda said: {**said, "subject_request_id": "00000000-0000-4000-8000-000000000000"}
    with pytest.raises(NotFound):
        world.outside().receive(*called(world, "completed"))
    assert world.copy().state == "present"


# -- evidence ---------------------------------------------------------------------------------


def test_evidence_names_nobody_and_quotes_no_order(world: World) -> None:
    keys = {"identify": "person", "identity_type": "controller_customer_id"}
    outside = world.outside(**keys)
    outside.prepare([Wanted("chat-1", datetime(2026, 1, 1, tzinfo=UTC), "kim@example.com")])
    outside.erase(["chat-1"])
    world.vendor.set("completed")
    outside.verify(["chat-1"])
    for file in files_of(world.tmp):
        content = file.read_bytes() + str(file).encode()
        if file.suffix == ".json":
            content += statement_of(file.read_bytes()).body
        assert b"kim@example" not in content, "a shorter name stands by chance in a signature"
        assert base64.b64encode(b"kim@example.com") not in content
    names = [name for name, _ in outside.evidence(["chat-1"])]
    assert len(names) == len(world.evidence) == 2


def test_a_stranger_checks_the_evidence_with_openssl(world: World, tmp_path: Path) -> None:
    ordered(world)
    world.vendor.set("completed")
    world.copy()
    for file in world.evidence:
        said = json.loads(file.read_bytes())
        body = base64.b64decode(said["body"]).replace(PIECE.encode(), base64.b64encode(world.vendor.bodies[0]))
        assert hashlib.sha256(body).hexdigest() == said["sha256"]
        (tmp_path / "body").write_bytes(body)
        (tmp_path / "signature").write_bytes(base64.b64decode(said["signed"]["signature"]))
        leaf = x509.load_pem_x509_certificate(said["signed"]["certificates"].encode())
        key = leaf.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (tmp_path / "key").write_bytes(key)
        checked = ["openssl", "dgst", "-sha256", "-verify", "key", "-signature", "signature", "body"]
        done = subprocess.run(checked, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, "Verified OK")


# -- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"url": "http://vendor.example/v1"}, "not https"),
        ({"url": "https://me:hidden" + "@vendor.example"}, "password"),
        ({"url": "https://"}, "no host"),
        ({"ca_file": None}, "certificate"),
        ({"protocol": "webhook"}, "secret"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(world: World, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        world.outside(**keys)
    assert "hidden" not in str(caught.value)


def test_a_vendor_that_takes_no_erasure_or_no_such_identity_is_refused_at_once(world: World) -> None:
    list(world.outside(identity_type="email", identity_format="sha256").list())
    with pytest.raises(AssentError, match="identity"):
        list(world.outside(identity_type="email").list())
    found = world.vendor.discovery
    world.vendor.discovery = lambda: {**found(), "supported_subject_request_types": ["access"]}
    with pytest.raises(AssentError, match="erasure"):
        list(world.outside().list())
