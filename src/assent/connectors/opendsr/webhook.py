"""Erasure orders as plain webhooks: signed out as Standard Webhooks asks, answered with a signed reply.

The reply is a compact JWS (RFC 7515) by an Ed25519 key of the vendor, which a stranger can check; or a body signed with
the webhook's own secret, which proves it only to whoever holds that secret, and is kept as such.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from assent.connectors.formats.fields import instant, string
from assent.connectors.opendsr.channel import answered
from assent.connectors.opendsr.evidence import ORDERED, Statement, digest_of
from assent.connectors.opendsr.order import Order, identity, written
from assent.domain.errors import Invalid, Refused
from assent.domain.instants import format_instant, from_epoch

TYPE: Final = "assent.erasure.ordered"
BY_KEY: Final = "jws/ed25519"
BY_SECRET: Final = "standard-webhooks"  # noqa: S105 - the name of a way

ALGORITHMS: Final = ["Ed25519", "EdDSA"]
"""Both names of the same signature: RFC 9864 and, older, RFC 8037."""
_SHARED: Final = "provable only to who holds the shared secret"


@dataclass(frozen=True, slots=True)
class Hook:
    """One receiver. `key` is its public key, None where it signs with the secret."""

    http: httpx.Client
    domain: str
    secret: str
    key: OKPKey | None
    identity_type: str
    identity_format: str
    regulation: str
    callback: str = ""

    def try_it(self, at: datetime) -> None:
        """Ask nothing: a receiver of webhooks has nothing to be asked."""

    def body(self, order: Order, about: str) -> bytes:
        """Write the order as a CloudEvent: the same order is the same bytes."""
        data: dict[str, object] = {
            "order": order.id,
            "about": {
                "type": self.identity_type,
                "value": identity(about, self.identity_format),
                "format": self.identity_format,
            },
            "regulation": self.regulation,
        }
        if self.callback:
            data["reply_to"] = self.callback
        return written(
            {
                "specversion": "1.0",
                "id": order.id,
                "source": "/assent",
                "type": TYPE,
                "time": format_instant(order.submitted),
                "datacontenttype": "application/json",
                "data": data,
            }
        )

    def send(self, order: Order, about: str, at: datetime) -> Statement:
        body = self.body(order, about)
        headers = {"content-type": "application/cloudevents+json; charset=utf-8", **self._signed(order.id, body, at)}
        answer = answered(self.http, "POST", "", content=body, headers=headers)
        return self._of(order, self.hear(dict(answer.headers), answer.content, at))

    def ask(self, order: Order, at: datetime) -> Statement:
        answer = answered(self.http, "GET", order.id, headers=self._signed(order.id, b"", at))
        return self._of(order, self.hear(dict(answer.headers), answer.content, at))

    def hear(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Statement:
        payload, signed = self._by_key(body) if self.key is not None else self._by_secret(headers, body)
        try:
            said = json.loads(payload)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Refused("what the vendor signed is not a JSON object", "ask the vendor")
        status = next((one for one in ORDERED if one == said.get("status")), None)
        if status is None:
            raise Refused("the vendor names no status that is known", f"one of {', '.join(ORDERED)}")
        expected = instant(said.get("expected_completion_time"))
        return Statement(
            string(said.get("order")), status, expected, at, body, digest_of(body), {"domain": self.domain, **signed}
        )

    def _of(self, order: Order, statement: Statement) -> Statement:
        if statement.order != order.id:
            raise Refused("the vendor answers for another order", "nothing of it is believed")
        return statement

    def _by_key(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        assert self.key is not None  # noqa: S101 - the caller's condition
        try:
            found = jws.deserialize_compact(body.strip(), self.key, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            raise Refused("the reply is not signed by the vendor's key", "nothing of it is believed") from None
        return found.payload, {"way": BY_KEY, "key": json.dumps(self.key.as_dict(private=False), sort_keys=True)}

    def _by_secret(self, headers: Mapping[str, str], body: bytes) -> tuple[bytes, dict[str, str]]:
        said = {name: headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")}
        time = said["timestamp"]
        if not (time.isascii() and time.isdecimal() and len(time) < 12 and said["id"]):
            raise Refused("the reply is not signed", "nothing of it is believed")
        try:
            # a reply that is played again changes nothing, so its age does not matter
            right = Webhook(self.secret).sign(said["id"], from_epoch(int(time)), body.decode())
        except UnicodeDecodeError:
            raise Refused("the reply is not text", "nothing of it is believed") from None
        if not any(hmac.compare_digest(one.encode(), right.encode()) for one in said["signature"].split()):
            raise Refused("the reply is not signed with the webhook's secret", "nothing of it is believed")
        return body, {"way": BY_SECRET, "note": _SHARED, **said}

    def _signed(self, name: str, body: bytes, at: datetime) -> dict[str, str]:
        return {
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(name, at, body.decode()),
        }


def key_of(text: str) -> OKPKey:
    """Read an Ed25519 public key, PEM or JWK. Raises `Invalid`."""
    try:
        key = OKPKey.import_key(json.loads(text) if text.lstrip().startswith("{") else text)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError, UnsupportedAlgorithm):
        key = None
    if key is None or key.curve_name != "Ed25519" or key.is_private:
        raise Invalid("the key of the vendor's replies is not an Ed25519 public key", "give it as PEM or JWK")
    return key


def check_secret(text: str) -> str:
    """Return a secret of Standard Webhooks, or raise `Invalid`."""
    secret = text.strip()
    try:
        Webhook(secret)
    except (RuntimeError, ValueError, EmptyWebhookSecretError):
        raise Invalid("the secret is not one of Standard Webhooks", "write it as whsec_ and base64") from None
    return secret
