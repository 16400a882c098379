"""Signed messages of the Data Rights Protocol 1.0: base64 of a 64-byte Ed25519 signature and the JSON behind it.

They are checked in the order that section 3.07 fixes: decode, signature, agent, business, issued-at, expires-at.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assent.domain.errors import AssentError, Invalid
from assent.domain.instants import parse_instant
from assent.services.strict_json import read_json

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.records import RightsAgent

VERSION: Final = "1.0"
SIGNATURE_BYTES: Final = 64
KEY_BYTES: Final = 32


class Untrusted(AssentError):  # noqa: N818 - the name is the answer
    """A message that is not believed (403); `step` is the check that it did not pass."""

    status = 403

    def __init__(self, step: str, message: str) -> None:
        """Keep the check that failed; the agent gets the sentence."""
        super().__init__(message, "sign a fresh message with the registered key")
        self.step = step


@dataclass(frozen=True, slots=True)
class Expected:
    """What a message must say: from this agent, to this business, at this instant."""

    agent: RightsAgent
    business: str
    now: datetime


def open_message(body: bytes, expected: Expected) -> dict[str, Any]:
    """Return what a message says once every check passed. Raises `Untrusted` for the first that did not."""
    found = _signed(body, expected.agent)
    if found.get("agent-id") != expected.agent.id:
        raise Untrusted("agent", "the message is another agent's")
    if not expected.business or found.get("business-id") != expected.business:
        raise Untrusted("business", "the message is for another business")
    if _instant(found.get("issued-at"), "issued-at") > expected.now:
        raise Untrusted("issued-at", "the message was issued in the future: compare the clocks")
    if _instant(found.get("expires-at"), "expires-at") <= expected.now:
        raise Untrusted("expires-at", "the message has expired")
    return found


def open_revocation(body: bytes, agent: RightsAgent) -> str:
    """Return the reason for which a person takes a request back; this message names neither agent nor time."""
    reason = _signed(body, agent).get("reason")
    return reason if isinstance(reason, str) else ""


def issued_at(message: dict[str, Any]) -> datetime:
    """Return when a message that passed `open_message` was issued."""
    return _instant(message.get("issued-at"), "issued-at")


def _signed(body: bytes, agent: RightsAgent) -> dict[str, Any]:
    try:
        raw = b64decode(body.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Untrusted("decode", "the body is not base64") from None
    if len(raw) <= SIGNATURE_BYTES:
        raise Untrusted("decode", "the body is too short to hold a signature and a message")
    signature, said = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(agent.verifier)).verify(signature, said)
    except InvalidSignature:
        raise Untrusted("signature", "the signature is not the agent's") from None
    try:
        found = read_json(said)
    except Invalid as problem:
        raise Untrusted("agent", f"the signed message cannot be read: {problem.message}") from None
    if not isinstance(found, dict):
        raise Untrusted("agent", "the signed message is no object")
    return found


def _instant(value: object, name: str) -> datetime:
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except Invalid:
        raise Untrusted(name, f"`{name}` is no ISO 8601 instant with a zone") from None
