"""C2SP tlog-cosignature: the messages that a witness signs when it vouches for a checkpoint."""

from __future__ import annotations

from typing import Final

from assent.domain.errors import Invalid
from assent.ledger.encoding import read_decimal, read_hash

TIME_BYTES: Final = 8
_MAX_NAME_BYTES: Final = 255


def ed25519_message(text: str, at: int) -> bytes:
    """Write what a type 4 cosignature signs: a header, the POSIX time, the whole checkpoint text."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def ml_dsa_44_message(cosigner: str, text: str, at: int) -> bytes:
    """Write what a type 6 cosignature signs: names, POSIX time, tree size and root; no extension lines.

    Raises `Invalid` where the text is not a checkpoint or a name is longer than 255 bytes.
    """
    origin, size, root, *_ = *text.split("\n", 3), "", ""
    return b"".join(
        (
            b"subtree/v1\n\x00",
            _name(cosigner),
            at.to_bytes(TIME_BYTES, "big"),
            _name(origin),
            bytes(8),  # the subtree starts at leaf 0: it is the whole tree
            read_decimal(size, "tree size").to_bytes(8, "big"),
            read_hash(root, "root hash"),
        )
    )


def _name(name: str) -> bytes:
    data = name.encode()
    if not 1 <= len(data) <= _MAX_NAME_BYTES:
        raise Invalid(f"a name in a cosignature is not 1 to {_MAX_NAME_BYTES} bytes long", "shorten the name")
    return bytes([len(data)]) + data
