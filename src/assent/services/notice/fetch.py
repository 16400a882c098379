"""Fetch a published page to compare it: http and https only, within limits of size, time and redirects."""

from __future__ import annotations

from typing import Final

import httpx

from assent.domain.errors import Incomplete, Invalid

MAX_BYTES: Final = 4_000_000
"""Largest page that is read, in bytes; policies are some tens of kilobytes."""
MAX_REDIRECTS: Final = 5
TIMEOUT_SECONDS: Final = 20.0
_TEXT: Final = ("text/", "application/xhtml")


def fetch_page(address: str) -> str:
    """Fetch a page as text.

    Raises `Invalid` for an address that is not http or https, a page that is too large or no
    text, and `Incomplete` if the server does not give it.
    """
    try:
        with (
            httpx.Client(follow_redirects=True, max_redirects=MAX_REDIRECTS, timeout=TIMEOUT_SECONDS) as client,
            client.stream("GET", address, headers={"Accept": "text/html, text/plain"}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                fix = "open the address, then save it and compare the file"
                raise Incomplete(f"the server answers {answer.status_code}", fix)
            kind = answer.headers.get("content-type", "text/html")
            if not kind.startswith(_TEXT):
                raise Invalid(f"the address gives `{kind}`, not a page", "give the address of the page itself")
            return _limited(answer)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise Invalid(f"`{address}` is no address of a page", "write http:// or https:// and a host") from None
    except httpx.TooManyRedirects:
        raise Incomplete(f"the address redirects more than {MAX_REDIRECTS} times", "give the last address") from None
    except httpx.HTTPError as problem:
        reason = type(problem).__name__
        raise Incomplete(f"the page could not be fetched: {reason}", "save it and compare the file") from None


def _limited(answer: httpx.Response) -> str:
    taken = bytearray()
    for piece in answer.iter_bytes():
        taken += piece
        if len(taken) > MAX_BYTES:
            fix = "save the part that matters and compare the file"
            raise Invalid(f"the page is larger than {MAX_BYTES} bytes", fix)
    return taken.decode(answer.charset_encoding or "utf-8", errors="replace")
