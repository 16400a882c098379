"""A way to a vendor: how an order is written and sent, and how what comes back is believed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import httpx

from assent.connectors.opendsr.evidence import Statement
from assent.connectors.opendsr.order import Order
from assent.domain.errors import AssentError


class Channel(Protocol):
    """One way of ordering. What it returns is signed by the vendor, or it raises `Refused`."""

    @property
    def http(self) -> httpx.Client: ...

    @property
    def domain(self) -> str: ...

    def try_it(self, at: datetime) -> None:
        """Ask the vendor whether it takes such orders. Raises `AssentError` if it does not."""
        ...

    def send(self, order: Order, about: str, at: datetime) -> Statement:
        """Send an order and return what the vendor signed at once."""
        ...

    def ask(self, order: Order, at: datetime) -> Statement:
        """Ask how an order stands."""
        ...

    def hear(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Statement:
        """Believe what the vendor says by itself, if it is signed."""
        ...


def answered(http: httpx.Client, method: str, path: str, **more: object) -> httpx.Response:
    """Ask, and raise `AssentError` where nobody answers or the answer is no success; no redirect is followed."""
    try:
        answer = http.request(method, path, **more)  # type: ignore[arg-type]
    except httpx.HTTPError as problem:
        raise AssentError(f"the vendor does not answer: {type(problem).__name__}", "try again later") from None
    if not answer.is_success:
        raise AssentError(f"the vendor answered {answer.status_code}", "ask the vendor what that means")
    return answer
