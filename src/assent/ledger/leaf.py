"""What the log holds for a choice: a salted commitment that says nothing once its salt is gone."""

from __future__ import annotations

import hashlib
from typing import Final

from assent.domain.errors import Invalid

SALT_BYTES: Final = 32
_LABEL: Final = b"assent/leaf/v1\n"


def commitment(salt: bytes, record: bytes) -> bytes:
    """Commit to a record: SHA-256 of the label, the salt and the record (spec/ledger.md, section 2).

    These 32 bytes are the log's entry. The salt is as long as the hash, so whoever lacks it
    cannot try out likely records, and erasing it leaves an entry that is about nobody.
    """
    if len(salt) != SALT_BYTES:
        raise Invalid(f"a salt of {len(salt)} bytes commits to nothing safely", f"draw {SALT_BYTES} random bytes")
    return hashlib.sha256(_LABEL + salt + record).digest()
