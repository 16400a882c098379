"""OpenDSR 1.0: requests for erasure, signed receipts, status by asking and by callback.

Names of headers and of the resource are settings: the text of the standard has changed its own name twice.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx
from cryptography import x509

from assent.connectors.formats.fields import instant, mapping, sequence, string
from assent.connectors.opendsr import certificate
from assent.connectors.opendsr.channel import answered
from assent.connectors.opendsr.evidence import ORDERED, Statement, Status, digest_of, without_order
from assent.connectors.opendsr.order import Order, identity, written
from assent.domain.errors import AssentError, Refused
from assent.domain.instants import format_instant

KNOWN: Final = frozenset(
    (
        *("controller_customer_id", "email", "android_advertising_id", "android_id", "fire_advertising_id"),
        *("ios_advertising_id", "ios_vendor_id", "microsoft_advertising_id", "microsoft_publisher_id"),
        *("roku_publisher_id", "roku_advertising_id"),
    )
)
"""Identity types of section 5.1; any other one stands in the vendor's own extension (section 7.1.2)."""

WAY: Final = "opendsr/1.0"


@dataclass(frozen=True, slots=True)
class Names:
    """What a vendor calls things."""

    resource: str
    domain_header: str
    signature_header: str
    identity_type: str
    identity_format: str


@dataclass(frozen=True, slots=True)
class Standard:
    """One processor. `callback` is where it reports to; empty: it is asked.

    `kept` is a file with the certificates that it showed last: what comes by callback makes nobody ask for others.
    """

    http: httpx.Client
    trusted: certificate.Trusted
    names: Names
    regulation: str
    kept: Path
    callback: str = ""
    shown: list[x509.Certificate] = field(default_factory=list)

    @property
    def domain(self) -> str:
        return self.trusted.domain

    def try_it(self, at: datetime) -> None:
        said = self._discovery()
        if "erasure" not in sequence(said.get("supported_subject_request_types")):
            raise AssentError("the vendor takes no requests for erasure", "see its /discovery")
        wanted = {"identity_type": self.names.identity_type, "identity_format": self.names.identity_format}
        offered = [{key: mapping(one).get(key) for key in wanted} for one in sequence(said.get("supported_identities"))]
        if self.names.identity_type in KNOWN and wanted not in offered:
            raise AssentError("the vendor does not know this kind of identity", "see its /discovery")
        self.trusted.key_of(self._fetched(said), at)

    def body(self, order: Order, about: str) -> bytes:
        """Write the request: the same order is the same bytes."""
        kind, form = self.names.identity_type, self.names.identity_format
        request: dict[str, object] = {
            "api_version": "1.0",
            "regulation": self.regulation,
            "subject_request_id": order.id,
            "subject_request_type": "erasure",
            "submitted_time": format_instant(order.submitted),
        }
        value = identity(about, form)
        if kind in KNOWN:
            request["subject_identities"] = [{"identity_type": kind, "identity_value": value, "identity_format": form}]
        else:
            request["extensions"] = {self.domain: {kind: value, f"{kind}_format": form}}
        if self.callback:
            request["status_callback_urls"] = [self.callback]
        return written(request)

    def send(self, order: Order, about: str, at: datetime) -> Statement:
        sent = self.body(order, about)
        answer = answered(
            self.http, "POST", self.names.resource, content=sent, headers={"content-type": "application/json"}
        )
        chain = self._chain()
        said = self._believed(answer.headers, answer.content, chain, at)
        quoted = string(said.get("encoded_request"))
        if not _is_that(quoted, sent):
            raise Refused("the vendor's receipt quotes another order", "nothing of it is believed")
        expected = instant(said.get("expected_completion_time"))
        if instant(said.get("received_time")) is None or expected is None:
            raise Refused("the vendor's receipt names no times", "the standard asks for both")
        self._same(said, order)
        told = {**said, "request_status": "pending"}
        kept = without_order(answer.content, quoted)
        return self._of(told, order.id, _Signed(answer.headers, answer.content, chain), at, kept)

    def ask(self, order: Order, at: datetime) -> Statement:
        answer = answered(self.http, "GET", f"{self.names.resource}/{order.id}")
        chain = self._chain()
        said = self._believed(answer.headers, answer.content, chain, at)
        self._same(said, order)
        return self._of(said, order.id, _Signed(answer.headers, answer.content, chain), at)

    def hear(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Statement:
        chain = self._chain(fetch=False)
        said = self._believed(headers, body, chain, at)
        if self.callback and said.get("status_callback_url") != self.callback:
            raise Refused("the callback is meant for another address", "nothing of it is believed")
        return self._of(said, string(said.get("subject_request_id")), _Signed(headers, body, chain), at)

    # -- believing --------------------------------------------------------------------------

    def _believed(
        self, headers: Mapping[str, str], body: bytes, chain: Sequence[x509.Certificate], at: datetime
    ) -> dict[str, object]:
        """Read a body that the processor signed; it is not looked into before."""
        named = headers.get(self.names.domain_header.lower(), "")
        if named != self.domain:
            raise Refused("the answer is not signed for the vendor's domain", "nothing of it is believed")
        signature = headers.get(self.names.signature_header.lower(), "")
        if not signature:
            raise Refused("the answer is not signed", "nothing of it is believed")
        certificate.check(self.trusted.key_of(chain, at), signature, digest_of(body))
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Refused("what the vendor signed is not JSON of the standard", "ask the vendor")
        return said

    def _same(self, said: Mapping[str, object], order: Order) -> None:
        if said.get("subject_request_id") != order.id:
            raise Refused("the vendor answers for another order", "nothing of it is believed")

    def _of(
        self, said: Mapping[str, object], order: str, signed: _Signed, at: datetime, kept: bytes | None = None
    ) -> Statement:
        """Write a statement down; `kept` is what stays of its body, all of it if left out."""
        proof = {
            "way": WAY,
            "domain": self.domain,
            "signature": signed.headers[self.names.signature_header.lower()],
            "certificates": certificate.text_of(signed.chain),
        }
        expected = instant(said.get("expected_completion_time"))
        body = signed.body if kept is None else kept
        return Statement(order, _status(said), expected, at, body, digest_of(signed.body), proof)

    def _chain(self, *, fetch: bool = True) -> Sequence[x509.Certificate]:
        if self.trusted.own is not None:
            return [self.trusted.own]
        if not self.shown and fetch:
            self._fetched(self._discovery())
        if not self.shown and self.kept.exists():
            self.shown.extend(certificate.read(self.kept.read_bytes()))
        return self.shown

    def _fetched(self, said: Mapping[str, object]) -> Sequence[x509.Certificate]:
        """Take the certificates that the processor shows, and remember them."""
        if self.trusted.own is not None:
            return [self.trusted.own]
        address = urljoin(str(self.http.base_url), string(said.get("processor_certificate")))
        if urlsplit(address).netloc != urlsplit(str(self.http.base_url)).netloc:
            raise Refused("the processor's certificate lies at another host", "pin it by `certificate_file`")
        self.shown[:] = certificate.read(answered(self.http, "GET", address).content)
        self.kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.kept.write_text(certificate.text_of(self.shown))
        return self.shown

    def _discovery(self) -> dict[str, Any]:
        answer = answered(self.http, "GET", "discovery")
        try:
            said = answer.json()
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise AssentError("the vendor's /discovery is not that of the standard", "check `url`")
        return said


@dataclass(frozen=True, slots=True)
class _Signed:
    """What was signed, with the headers that it came under and the certificates that it was believed by."""

    headers: Mapping[str, str]
    body: bytes
    chain: Sequence[x509.Certificate]


def _status(said: Mapping[str, object]) -> Status:
    status = said.get("request_status")
    found = next((one for one in ORDERED if one == status), None)
    if found is None:
        raise Refused("the vendor names no status that the standard knows", "ask the vendor")
    return found


def _is_that(quoted: str, sent: bytes) -> bool:
    try:
        return hmac.compare_digest(base64.b64decode(quoted, validate=True), sent)
    except ValueError:
        return False
