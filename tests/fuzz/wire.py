"""What comes over the network: headers, tokens, signed messages, filters of a directory, traces, replies of vendors."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from joserfc import jws, jwt
from joserfc.jwk import OKPKey
from pydantic import ValidationError
from scim2_models import Context, PatchOp, SCIMException, SearchRequest
from standardwebhooks import Webhook

from assent.connectors.opendsr import certificate
from assent.connectors.opendsr.checking import check_again
from assent.connectors.opendsr.standard import WAY
from assent.connectors.opendsr.webhook import BY_KEY, Hook, check_secret, key_of
from assent.connectors.telemetry.otlp import from_json, from_protobuf
from assent.connectors.telemetry.reading import read_spans
from assent.interfaces.web.visit import own_path
from assent.ledger.note import new_signer, sign_note
from assent.services.choose.desk import Desk
from assent.services.choose.snapshot import open_snapshot, token_of
from assent.services.directory.keep import LENIENT
from assent.services.directory.person import User
from assent.services.events import envelope
from assent.services.rights.message import Expected, open_message, open_revocation
from assent.services.session.subject_token import read
from assent.services.signals.content_usage import emit, parse
from assent.services.signals.gpc import read_header
from assent.services.strict_json import read_json
from assent.store.host_keys import HostKeys
from assent.store.records import Event, RightsAgent
from tests.fuzz.target import Target, at, quietly, text

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRIVATE = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"fuzz").digest())
AGENT = RightsAgent("agent", "An agent", base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode(), NOW)
EXPECTED = Expected(AGENT, "us", NOW)
KEY = OKPKey.import_key(
    {"kty": "OKP", "crv": "Ed25519", "kid": "k",
     "x": base64.urlsafe_b64encode(PRIVATE.public_key().public_bytes_raw()).rstrip(b"=").decode(),
     "d": base64.urlsafe_b64encode(PRIVATE.private_bytes_raw()).rstrip(b"=").decode()},
)  # fmt: skip
PUBLIC = KEY.as_dict(private=False)
SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()
DESK = Desk(new_signer("desk.example/a", bytes(32)), None)
MESSAGE = {
    "agent-id": "agent", "business-id": "us", "issued-at": "2026-11-22T11:00:00Z", "expires-at": "2026-11-22T13:00:00Z",
    "exercise": "deletion", "reason": "moved",
}  # fmt: skip
CLAIMS = {
    "iss": "us",
    "aud": "here",
    "sub": "p",
    "iat": NOW.timestamp(),
    "exp": NOW.timestamp() + 60,
    "jti": "12345678",
}
HOOK = Hook(None, "v.example", SECRET, None, "conversation_id", "raw", "gdpr")
SIGNED_HOOK = Hook(None, "v.example", SECRET, OKPKey.import_key(PUBLIC), "conversation_id", "raw", "gdpr")
REPLY = {"order": "o-1", "status": "completed", "expected_completion_time": "2026-11-25T00:00:00Z"}


class Keys:
    """The product's key, under the name that it has."""

    def find(self, kid: str) -> Any:
        return KEY if kid == "k" else None


def content_usage(said: str) -> None:
    found = parse(said)
    assert parse(emit(found)) == found


def strict_json(data: bytes) -> None:
    found = read_json(data)
    assert read_json(json.dumps(found).encode()) == found


def rights(data: bytes) -> None:
    """Read a body as it came, and what it says where the agent did sign it."""
    signed = base64.b64encode(PRIVATE.sign(data) + data)
    for body in (data, signed):
        for one in (lambda body=body: open_message(body, EXPECTED), lambda body=body: open_revocation(body, AGENT)):
            quietly(one)


def token(data: bytes) -> None:
    """Read a token as it came, and claims that the product did sign."""
    told = {"issuer": "us", "audience": "here", "now": NOW, "skew": timedelta(seconds=60)}
    signed = jws.serialize_compact({"alg": "Ed25519", "kid": "k"}, data, KEY, algorithms=["Ed25519"])
    for one in (data.decode("latin-1"), signed):
        quietly(lambda one=one: read(one, Keys(), **told))


def snapshot(data: bytes) -> None:
    """Read a token as it came, and a text that was signed here."""
    try:
        said = data.decode()
    except UnicodeDecodeError:
        return
    quietly(lambda: open_snapshot(said, DESK))
    quietly(lambda: open_snapshot(token_of(sign_note(said + "\n", [DESK.signer])), DESK))


def scim(kind: Any, context: Context) -> Callable[[bytes], object]:
    def taken(data: bytes) -> None:
        try:
            kind.model_validate(read_json(data), scim_ctx=context, scim_policy=LENIENT)
        except RecursionError:
            return  # answered as what it is: nested too deeply

    return taken


def scim_filter(said: str) -> None:
    try:
        found = SearchRequest[User].model_validate({"filter": said}, scim_policy=LENIENT)
        if found.filter is not None:
            found.filter.match(User(user_name="ada", active=True))
    except RecursionError:
        return


def scim_patch(data: bytes) -> None:
    try:
        patch = PatchOp[User].model_validate(
            read_json(data), scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=LENIENT
        )
        patch.patch(
            User(user_name="ada", active=True, emails=[{"type": "work", "value": "a@b.c"}]), scim_policy=LENIENT
        )
    except RecursionError:
        return


def reply(data: bytes) -> None:
    """Read a vendor's reply as it came, and one that the vendor did sign."""
    headers = {"webhook-id": "1", "webhook-timestamp": "1700000000", "webhook-signature": "v1,AA=="}
    quietly(lambda: HOOK.hear(headers, data, NOW))
    quietly(lambda: SIGNED_HOOK.hear({}, data, NOW))
    signed = jws.serialize_compact({"alg": "Ed25519"}, data, KEY, algorithms=["Ed25519"])
    quietly(lambda: SIGNED_HOOK.hear({}, signed.encode(), NOW))
    try:
        headers["webhook-signature"] = Webhook(SECRET).sign(
            "1", datetime.fromtimestamp(1_700_000_000, UTC), data.decode()
        )
    except UnicodeDecodeError:
        return
    quietly(lambda: HOOK.hear(headers, data, NOW))


def event(data: bytes) -> None:
    """Put what happened into an envelope, and read it back."""
    said = read_json(data)
    if isinstance(said, dict):
        body = envelope.body_of(Event("e-1", "assent.choice", "p", json.dumps(said), NOW), "log.example/a")
        assert json.loads(body)["data"] == said


def host_key(name: str) -> Callable[[bytes], object]:
    def found(data: bytes) -> None:
        path = at(f"keys-{name}/{name}", data)
        path.chmod(0o644)
        HostKeys(path.parent, lambda _: None).find("k")

    return found


def traces_in_json() -> list[bytes]:
    said = [
        {"key": "gen_ai.conversation.id", "value": {"stringValue": "c"}},
        {"key": "enduser.id", "value": {"stringValue": "p"}},
        {
            "key": "gen_ai.input.messages",
            "value": {"stringValue": '[{"role":"user","parts":[{"type":"text","content":"x"}]}]'},
        },
        {"key": "llm.input_messages.0.message.content", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}},
    ]
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "startTimeUnixNano": "1700000000000000000", "attributes": said}
    return [json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()]


def traces_in_protobuf() -> list[bytes]:
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    (said,) = traces_in_json()
    whole = json.loads(said)
    span = whole["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span |= {"traceId": base64.b64encode(bytes(15) + b"\1").decode(), "spanId": base64.b64encode(b"12345678").decode()}
    return [ParseDict(whole, ExportTraceServiceRequest()).SerializeToString()]


def certified() -> bytes:
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "v.example")])
    made = x509.CertificateBuilder().subject_name(own).issuer_name(own).public_key(PRIVATE.public_key())
    made = made.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return made.sign(PRIVATE, None).public_bytes(serialization.Encoding.PEM)


def tokens() -> list[bytes]:
    return [
        jwt.encode({"alg": "Ed25519", "kid": "k"}, CLAIMS, KEY, algorithms=["Ed25519"]).encode(),
        json.dumps(CLAIMS).encode(),
    ]


def redirect(said: str) -> None:
    where = own_path(said)
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))


def webhook_secret(said: str) -> None:
    quietly(lambda: check_secret(said))
    envelope.check_secret(said)


def statements() -> list[bytes]:
    """Write what is kept of a reply that the vendor signed."""
    signed = jws.serialize_compact({"alg": "Ed25519"}, json.dumps(REPLY).encode(), KEY, algorithms=["Ed25519"]).encode()
    kept = {"order": "o-1", "status": "completed", "expected": None, "received": "2026-11-22T12:00:00Z"}
    kept |= {"body": base64.b64encode(signed).decode(), "sha256": hashlib.sha256(signed).hexdigest()}
    by_key = {"way": BY_KEY, "key": json.dumps(PUBLIC)}
    by_certificate = {"way": WAY, "certificates": certified().decode(), "signature": "AAAA"}
    return [json.dumps({**kept, "signed": one}).encode() for one in (by_key, by_certificate, {}, [])]


SNAPSHOTS = [b'{"id":"s","subject":"p"}', token_of(sign_note("{}\n", [DESK.signer])).encode()]
FILTER = b'userName eq "ada" and (emails[type eq "work" and value co "@"] or not (active eq true))'
USER = (
    b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","active":true,'
    b'"emails":[{"value":"a@b.c"}]}'
)
PATCHED = (
    b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":'
    b'[{"op":"replace","path":"emails[type eq \\"work\\"].value","value":"x@y.z"},{"op":"remove","path":"active"}]}'
)
SCIM_ERRORS = (ValidationError, SCIMException)

TARGETS = [
    Target("content-usage", text(content_usage), [b"train-ai=n, search=y", b"train-ai;a=1, search=(y n)"]),
    Target("gpc", text(lambda said: read_header([said])), [b"1", b" 1\t"]),
    Target("strict-json", strict_json, [b'{"a":[1,2.5,true,null,"\\u00e9"]}', b"1e400", b'"\\u0000"']),
    Target("rights-message", rights, [json.dumps(MESSAGE).encode()]),
    Target("subject-token", token, tokens),
    Target("snapshot", snapshot, SNAPSHOTS),
    Target("scim-filter", text(scim_filter), [FILTER], SCIM_ERRORS),
    Target("scim-user", scim(User, Context.RESOURCE_CREATION_REQUEST), [USER], SCIM_ERRORS),
    Target("scim-patch", scim_patch, [PATCHED], SCIM_ERRORS),
    Target("otlp-json", lambda data: read_spans(from_json(data)), traces_in_json),
    Target("otlp-protobuf", lambda data: read_spans(from_protobuf(data)), traces_in_protobuf),
    Target("vendor-reply", reply, [json.dumps(REPLY).encode()]),
    Target("vendor-statement", check_again, statements),
    Target("vendor-certificate", certificate.read, lambda: [certified()]),
    Target("vendor-key", text(key_of), [json.dumps(PUBLIC).encode()]),
    Target("webhook-secret", text(webhook_secret), [SECRET.encode()]),
    Target("cloud-event", event, [b'{"choice":"c-1","act":"allow"}']),
    Target("host-key.pem", host_key("k.pem"), [KEY.as_pem(private=False)]),
    Target("host-key.jwk", host_key("k.jwk"), [json.dumps(PUBLIC).encode()]),
    Target("host-key.jwks", host_key("k.jwks.json"), [json.dumps({"keys": [PUBLIC]}).encode()]),
    Target("own-path", text(redirect), [b"/me?said=x#y", b"/me//evil.example", b"/\\evil.example"]),
]  # fmt: skip
