"""The three ways in which the ledger's texts write a value: decimal, base64 and hash.

Each value has exactly one spelling. A reader that took two spellings for one value would let
a text be changed without breaking what depends on its meaning.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from assent.domain.errors import Invalid

HASH_BYTES: Final = 32
MAX_SIZE: Final = 2**63 - 1  # the largest size, index or timestamp: what Go's int64 holds
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def read_decimal(text: str, what: str) -> int:
    """Read an integer from 0 to 2**63 - 1 without sign, space or leading zero, or raise `Invalid`."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise Invalid(f"the {what} is not a plain decimal number", "write it without sign, space or leading zero")
    return int(text)


def write_base64(data: bytes) -> str:
    """Write bytes in standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def read_base64(text: str, what: str) -> bytes:
    """Read standard base64 in its one canonical spelling, or raise `Invalid`."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or write_base64(data) != text:
        raise Invalid(f"the {what} is not canonical base64", "copy the text again, unchanged")
    return data


def read_hash(text: str, what: str) -> bytes:
    """Read a base64 SHA-256 hash, or raise `Invalid`."""
    data = read_base64(text, what)
    if len(data) != HASH_BYTES:
        raise Invalid(f"the {what} is not {HASH_BYTES} bytes long", "copy the text again, unchanged")
    return data
