"""Canonical bytes and digests: equal values give equal digests on every machine.

JSON with sorted keys and no spaces is enough because assent's digested values hold only
text, integers, booleans, null, lists and maps (no floats), where this equals RFC 8785.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def canonical(value: object) -> bytes:
    """Write a value of text, integers, booleans, null, lists and maps in one fixed form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: object) -> str:
    """Name a value by its SHA-256, as `sha256:<64 hex digits>`."""
    return digest_bytes(canonical(value))


def digest_bytes(data: bytes) -> str:
    """Name bytes by their SHA-256, as `sha256:<64 hex digits>`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def is_digest(said: str) -> bool:
    """Tell whether text is written as `digest` writes a name."""
    return _DIGEST.fullmatch(said) is not None
