"""Endpoints: where events go, each with a secret of its own that is shown once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Invalid, NotFound, Refused
from assent.services.events.envelope import new_secret
from assent.services.events.sending import check_url
from assent.store.records import Endpoint

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.port import Outgoing

MAX_URL: Final = 2_000
_TYPE: Final = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")


class Secrets(Protocol):
    """Where secrets of endpoints are kept."""

    def add_webhook(self, name: str, secret: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where events are to go, and which: none named, all. `inner_allowed` admits http and inner addresses."""

    url: str
    types: tuple[str, ...] = ()
    inner_allowed: bool = False


def add_endpoint(
    store: Outgoing, safe: Secrets, address: Address, *, endpoint_id: str, key: bytes, now: datetime
) -> tuple[Endpoint, str]:
    """Begin to send events to an address; returns the endpoint with its secret, which is seen this once.

    `key` is a fresh secret of 32 bytes. Raises `Invalid` for an address or type that is none, `Refused` if there
    is an endpoint of this id.
    """
    check_url(address.url, inner_allowed=address.inner_allowed)
    if len(address.url) > MAX_URL:
        raise Invalid(f"the address is longer than {MAX_URL:,} characters", "use a shorter one")
    for kind in address.types:
        if not _TYPE.fullmatch(kind):
            raise Invalid("a type of events is not one", "name types as `assent.choice.recorded`")
    if any(known.id == endpoint_id for known in store.endpoints()):
        raise Refused("this endpoint was made before", "its secret was shown then; add another one if it is lost")
    secret = new_secret(key)
    made = Endpoint(endpoint_id, address.url, tuple(dict.fromkeys(address.types)), f"{endpoint_id}.secret", now)
    # the secret first: an endpoint without one could be sent nothing
    safe.add_webhook(made.secret, secret)
    store.put_endpoint(made)
    return made, secret


def disable_endpoint(store: Outgoing, endpoint_id: str, *, now: datetime) -> Endpoint:
    """Send nothing more to an endpoint; the first time counts. Raises `NotFound`."""
    for known in store.endpoints():
        if known.id == endpoint_id:
            ended = known if known.disabled_at is not None else replace(known, disabled_at=now)
            store.put_endpoint(ended)
            return ended
    raise NotFound("there is no such endpoint", "list them to see their ids")
