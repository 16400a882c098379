"""Names of the cookies that let somebody in.

The prefix makes a browser refuse the cookie unless it is for https (or this machine), this host
alone and the whole site (RFC 6265bis, section 4.1.3.2): a page of a neighbouring host cannot plant one.
"""

from __future__ import annotations

from typing import Final

COOKIE: Final = "__Host-assent"
"""The session of a person or a member of staff."""

SIGNING_IN: Final = "__Host-assent-signing-in"
"""A sign-in that is under way at the identity provider."""
