"""Sealed files of a backup: pieces in a row, each sealed by itself, so that neither side holds more than one.

    file  = frame...      frame = length (4 bytes) || AES-256-GCM(piece) and its tag

Each file has a key of its own, drawn from the key of the backup and the file's name, and each
frame is bound to its number: nothing can be moved, swapped or left out of the middle. How many
there are stands in the manifest.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

KEY_BYTES: Final = 32

_BOUND_TO: Final = b"assent/backup/v1"
_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a sealed file: how many frames, how many rows in them."""

    frames: int
    rows: int = 0


def write_frames(path: Path, key: bytes, pieces: Iterable[tuple[bytes, int]]) -> Written:
    """Write pieces (bytes, and the rows in them) to a new file. It is on the disk then; its name is the caller's."""
    sealing = _sealing(key, path.name)
    frames = rows = 0
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece, count in pieces:
            sealed = sealing.encrypt(_nonce(frames), piece, _BOUND_TO)
            file.write(len(sealed).to_bytes(_LENGTH, "big"))
            file.write(sealed)
            frames += 1
            rows += count
        file.flush()
        os.fsync(descriptor)
    return Written(frames, rows)


def read_frames(path: Path, key: bytes, frames: int) -> Iterator[bytes]:
    """Read the pieces of a file. Raises `Refused` if one is missing, too many, or not what was written."""
    sealing = _sealing(key, path.name)
    with path.open("rb") as file:
        for number in range(frames):
            length = int.from_bytes(file.read(_LENGTH), "big")
            try:
                yield sealing.decrypt(_nonce(number), file.read(length), _BOUND_TO)
            except (InvalidTag, ValueError):
                raise _damaged(path) from None
        if file.read(1):
            raise _damaged(path)


def _damaged(path: Path) -> Refused:
    fix = "take another backup, and another copy of its keys"
    return Refused(f"`{path.name}` of the backup is damaged, or these are not its keys", fix)


def _sealing(key: bytes, name: str) -> AESGCM:
    # a key seals one file only: the numbers of its frames are then nonces that never come twice
    return AESGCM(HKDF(SHA256(), KEY_BYTES, None, _BOUND_TO + name.encode()).derive(key))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
