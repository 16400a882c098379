"""The form of an event on its way: CloudEvents 1.0 in JSON, signed as Standard Webhooks 1.0 asks."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.records import Event

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark before every secret, none itself
SECRET_BYTES: Final = (24, 64)
"""How long a secret is, in bytes (Standard Webhooks 1.0, symmetric secrets)."""


def body_of(event: Event, source: str) -> bytes:
    """Write one event as a structured CloudEvent; `source` is the origin of this installation's ledger."""
    attributes = {
        "specversion": "1.0",
        "id": event.id,
        "source": f"https://{source}",
        "type": event.type,
        "subject": event.about,
        "time": event.at,
        "datacontenttype": "application/json",
    }
    return JSONFormat().write(CloudEvent(attributes, json.loads(event.data)))


def headers_of(event: Event, body: bytes, signed_by: tuple[str, ...], now: datetime) -> dict[str, str]:
    """Sign a body for one attempt at `now`; several secrets, while one replaces another, give several signatures."""
    signatures = [Webhook(secret).sign(event.id, now, body.decode()) for secret in signed_by]
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": event.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def new_secret(chance: bytes) -> str:
    """Write random bytes as a secret that receivers' libraries read."""
    return SECRET_PREFIX + base64.b64encode(chance).decode()


def check_secret(text: str) -> str:
    """Return a secret from a file, without the line end. Raises `Invalid` if receivers could not use it."""
    secret = text.strip()
    fix = "make one with `assent webhook add`"
    try:
        size = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except ValueError:
        raise Invalid("a webhook secret is not base64", fix) from None
    if not secret.startswith(SECRET_PREFIX) or not SECRET_BYTES[0] <= size <= SECRET_BYTES[1]:
        raise Invalid(
            f"a webhook secret is not `{SECRET_PREFIX}` and {SECRET_BYTES[0]} to {SECRET_BYTES[1]} bytes", fix
        )
    return secret
