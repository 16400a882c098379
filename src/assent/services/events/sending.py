"""The way out of the house for an event: to an address that was looked up once, checked, and then used as it is.

Looking a name up again when connecting would let its owner answer with an inner address the
second time. So the checked address is connected to, and the name is only used for TLS and
the `Host` header. Redirects are not followed: they would lead to an address nobody checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx

from assent.domain.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TIMEOUT_S: Final = 15.0
"""Seconds for connecting, and again for the answer; the range that Standard Webhooks 1.0 recommends is 15 to 30."""


class Answer(NamedTuple):
    """What a receiver said: its status, or 0 and the reason where there was none; `wait_s` from `Retry-After`."""

    status: int
    problem: str = ""
    wait_s: int = 0


class Sender(Protocol):
    """Posts a body to an address and tells how it was answered; it raises nothing for an answer it does not like."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer: ...


def check_url(url: str, *, inner_allowed: bool) -> None:
    """Raise `Invalid` unless the address is https with a host; http is for inner networks, where they are allowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Invalid("the address of a webhook cannot be read", "write it as https://host/path") from None
    if parts.scheme != "https" and not (inner_allowed and parts.scheme == "http"):
        raise Invalid("the address of a webhook is not https", "write it as https://host/path")
    if not parts.hostname or parts.username or parts.password or parts.fragment or port == 0:
        fix = "write it as https://host/path, and keep secrets out of it"
        raise Invalid("the address of a webhook has no host, or names a person or a fragment", fix)


@dataclass(frozen=True)
class HttpSender:
    """Posts over HTTP. `resolve` looks a host and port up; `inner_allowed` admits loopback and private addresses."""

    resolve: Callable[[str, int], Sequence[str]]
    inner_allowed: bool = False

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post, and read nothing of the answer but its status and `Retry-After`."""
        check_url(url, inner_allowed=self.inner_allowed)
        target = httpx.URL(url)
        try:
            address = self._checked(target)
            pinned = target.copy_with(host=address)
            named = {**headers, "host": target.netloc.decode("ascii")}
            extensions = {"sni_hostname": target.host}
            with (
                httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
                client.stream("POST", pinned, headers=named, content=body, extensions=extensions) as response,
            ):
                return Answer(response.status_code, "", _seconds(response.headers.get("retry-after", "")))
        except Refused as problem:
            return Answer(0, problem.message)
        except (httpx.HTTPError, OSError) as problem:
            return Answer(0, f"no answer: {type(problem).__name__}")

    def _checked(self, target: httpx.URL) -> str:
        """Return the address to connect to. Raises `Refused` if any address of the host is an inner one."""
        port = target.port or (443 if target.scheme == "https" else 80)
        found = list(self.resolve(target.host, port))
        if not found:
            raise Refused("the host of the webhook has no address", "see to its name")
        inner = [one for one in found if not ip_address(one.partition("%")[0]).is_global]
        if inner and not self.inner_allowed:
            raise Refused("the host of the webhook has an inner address", "allow inner webhooks, or use an outer host")
        return found[0]


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
