"""Who a request is about: claims on one side, the provider's directory on the other.

assent knows accounts, not people; which account an address or number belongs to is known to the directory. Only what
the agent verified counts, and two accounts behind one person's claims are nobody's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from assent.services.directory.person import plain_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.store.records import DirectoryEntry

CLAIMS: Final = {
    "name": str,
    "email": str,
    "email_verified": bool,
    "phone_number": str,
    "phone_number_verified": bool,
}
"""The claims that are kept while a request is open (section 3.04); all others are dropped on arrival."""

MAX_CLAIM: Final = 320
"""Characters of one claim: no address is longer (RFC 5321: 64 for the mailbox, 255 for the domain)."""


class Known(Protocol):
    """Where people are looked up."""

    def entries_known_as(self, handles: Sequence[str]) -> list[DirectoryEntry]: ...


@dataclass(frozen=True, slots=True)
class Match:
    """The subject, if exactly one account is behind verified claims; else the protocol's reason why not."""

    subject: str | None
    reason: str | None = None


def claims_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the claims that may find somebody, where they are of the type they should be."""
    found = {name: message[name] for name, kind in CLAIMS.items() if isinstance(message.get(name), kind)}
    return {name: value for name, value in found.items() if not isinstance(value, str) or len(value) <= MAX_CLAIM}


def match(store: Known, claims: Mapping[str, Any]) -> Match:
    """Find the account behind claims."""
    sure: list[str] = []
    unsure: list[str] = []
    email, number = claims.get("email"), claims.get("phone_number")
    if email:
        # a userName often is an address
        (sure if claims.get("email_verified") else unsure).extend((f"email:{email.lower()}", email.casefold()))
    if number and plain_number(number):
        (sure if claims.get("phone_number_verified") else unsure).append(f"phone:{plain_number(number)}")
    subjects = {entry.subject for entry in store.entries_known_as(sure)} if sure else set()
    if len(subjects) == 1:
        return Match(subjects.pop())
    if not subjects and unsure and store.entries_known_as(unsure):
        return Match(None, "insuf_verification")
    return Match(None, "insuf_verification" if subjects else "no_match")


def written(claims: Mapping[str, Any]) -> str:
    """Write claims down for as long as the request is open."""
    return json.dumps(claims, ensure_ascii=False, sort_keys=True)
