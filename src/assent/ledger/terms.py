"""The terms of one notice for one purpose: the part of a receipt that is the same for everybody who was shown it.

A record names its terms by digest, so they can neither be exchanged nor be improved later (R22).
The fields are those that ISO/IEC TS 27560 makes mandatory for a consent record (spec/receipt.md, section 3).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import orjson

from assent.domain.digests import canonical, digest_bytes
from assent.domain.durations import parse_duration
from assent.domain.errors import Invalid

VERSION: Final = "assent/terms/v1"
"""The value of `v` in every terms text."""

INDEFINITE: Final = "indefinite"
"""The storage duration that has no end."""

ROLES: Final = ("controller", "joint controller", "processor", "recipient", "third party", "authority")
"""What a party can be."""

_PARTIES: Final = frozenset({"controllers", "recipients"})
_LISTS: Final = frozenset({"processing", "data", "storage_locations", "jurisdictions", "rights", "sensitive"})

LEGAL_BASES: Final = ("consent", "explicit consent")
"""What the asking rests on; a receipt is made for choices only, so nothing else fits."""


@dataclass(frozen=True, slots=True)
class Party:
    """A legal person who asks for data or receives it.

    `contact` is the person or office to turn to, `address` the postal address. `url`, `email` and
    `phone` may be empty: not known.
    """

    name: str
    identifier: str
    role: str
    contact: str
    address: str
    url: str = ""
    email: str = ""
    phone: str = ""

    def __post_init__(self) -> None:
        """Refuse a party that ISO/IEC TS 27560 would not accept: `Invalid` names the field."""
        for name in ("name", "identifier", "contact", "address"):
            if not getattr(self, name):
                raise _refusal(
                    f"name a party without `{name}`", "give every party a name, identifier, contact and address"
                )
        if self.role not in ROLES:
            raise _refusal(f"give a party the role `{self.role}`", f"use one of {', '.join(ROLES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was asked for: by whom, of which data, for what, for how long, and how to take it back.

    `purpose` is assent's word, `purpose_text` says it to a person in `language` (a BCP 47 tag).
    `processing` names operations by the words of `ledger/dpv.py`, others are allowed; `data`
    names kinds of data. `storage_duration` is ISO 8601 or `indefinite`, for data that the choice
    allows; `deletion` says in words what happens then and without a grant. `recipients` may be
    empty: nobody but the controllers. `withdraw_at` is an address (a link or a path such as
    `assent choose`) and `withdraw_how` says what to do there. `sensitive` lists special kinds of
    data, empty if none are asked for.
    """

    controllers: tuple[Party, ...]
    service: str
    purpose: str
    purpose_text: str
    processing: tuple[str, ...]
    data: tuple[str, ...]
    storage_locations: tuple[str, ...]
    storage_duration: str
    deletion: str
    jurisdictions: tuple[str, ...]
    withdraw_at: str
    withdraw_how: str
    rights: tuple[str, ...]
    policy_url: str
    language: str
    recipients: tuple[Party, ...] = ()
    legal_basis: str = "consent"
    sensitive: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse terms that lack what a receipt must say: `Invalid` names the field."""
        for field in fields(self):
            if field.name not in ("recipients", "sensitive") and not getattr(self, field.name):
                raise _refusal(f"lack `{field.name}`", "a receipt must say it; add it to the notice")
        if self.storage_duration != INDEFINITE:
            parse_duration(self.storage_duration)
        if self.legal_basis not in LEGAL_BASES:
            raise _refusal(f"rest on `{self.legal_basis}`", f"use one of {', '.join(LEGAL_BASES)}")

    def encode(self) -> bytes:
        """Write the terms as canonical JSON."""
        return canonical(asdict(self) | {"v": VERSION})

    @property
    def digest(self) -> str:
        """Name the terms by the SHA-256 of their bytes: what a record quotes."""
        return digest_bytes(self.encode())


def parse_terms(data: bytes) -> Terms:
    """Read terms from their bytes. Raises `Invalid` unless they are exactly what `encode` writes."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise _refusal("are not JSON") from None
    if not isinstance(value, dict) or value.pop("v", None) != VERSION:
        raise _refusal(f"are not of version `{VERSION}`")
    if value.keys() != {field.name for field in fields(Terms)}:
        raise _refusal("do not have exactly the fields of their version")
    terms = Terms(**{name: _field(name, kept) for name, kept in value.items()})
    if terms.encode() != data:
        raise _refusal("are not in canonical form")
    return terms


def _field(name: str, value: Any) -> Any:
    if name in _PARTIES and isinstance(value, list):
        return tuple(_party(item) for item in value)
    if name in _LISTS and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if name not in _PARTIES | _LISTS and isinstance(value, str):
        return value
    raise _refusal(f"have a `{name}` of the wrong kind")


def _party(value: Any) -> Party:
    if (
        not isinstance(value, dict)
        or value.keys() != {field.name for field in fields(Party)}
        or not all(isinstance(item, str) for item in value.values())
    ):
        raise _refusal("name a party that lacks a field")
    return Party(**value)


def _refusal(reason: str, fix: str = "take the terms text from the receipt, unchanged") -> Invalid:
    return Invalid(f"the terms {reason}", fix)
