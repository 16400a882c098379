"""One part's text as a sealed record: zstd with a dictionary, then AES-256-GCM under a data key of its own.

    record = version byte 1 || AES-256-GCM(zstd frame) || 16 bytes of tag

The dictionary was trained on talk that nobody had (`benchmarks/make_dictionary.py`). It stays when content is erased,
so nothing that people said may ever be in it. Its id stands in the frame of every record.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Iterable

LEVEL: Final = 3
"""zstd's own default: higher levels cost four times the time for less than a tenth of the bytes."""

_VERSION: Final = b"\x01"
_BOUND_TO: Final = b"assent/part/v1"
# A data key seals one record and no other, so every nonce is used once under its key (NIST SP 800-38D, section 8.2).
_NONCE: Final = bytes(12)


def shipped_dictionary() -> bytes:
    """Read the dictionary that ships with assent."""
    return files("assent.vault").joinpath("dictionary.zstd").read_bytes()


class Sealing:
    """Seals and opens records with one dictionary. Any number of threads may use it at once."""

    def __init__(self, dictionary: bytes) -> None:
        """Take the bytes of a trained zstd dictionary."""
        self._dictionary = zstandard.ZstdCompressionDict(dictionary)
        self._dictionary.precompute_compress(level=LEVEL)

    @property
    def dictionary(self) -> int:
        """The dictionary's id, as it stands in every record."""
        return self._dictionary.dict_id()

    def seal(self, pieces: Iterable[tuple[int, bytes, str]]) -> list[bytes]:
        """Seal texts, each as (slot, its fresh 32-byte data key, text)."""
        compress = zstandard.ZstdCompressor(level=LEVEL, dict_data=self._dictionary).compress
        return [
            # a lone surrogate is no UTF-8, yet products do hand them out: content is kept as it came
            _VERSION + AESGCM(key).encrypt(_NONCE, compress(text.encode("utf-8", "surrogatepass")), _bound(slot))
            for slot, key, text in pieces
        ]

    def open(self, records: Iterable[tuple[int, bytes, bytes]]) -> list[str]:
        """Open records, each as (slot, data key, record). Raises `AssentError` if one is not what was sealed."""
        decompress = zstandard.ZstdDecompressor(dict_data=self._dictionary).decompress
        texts = []
        for slot, key, record in records:
            if record[:1] != _VERSION:
                raise AssentError(f"the record of slot `{slot}` is of no known version", "read it with a newer assent")
            try:
                frame = AESGCM(key).decrypt(_NONCE, record[1:], _bound(slot))
            except InvalidTag:
                fix = "the bytes are damaged or not its own: put the segment back from a backup"
                raise AssentError(f"the record of slot `{slot}` does not open with its key", fix) from None
            try:
                texts.append(decompress(frame).decode("utf-8", "surrogatepass"))
            except (zstandard.ZstdError, UnicodeDecodeError, MemoryError):  # a frame says how large it will be
                fix = "read it with the assent that sealed it, or a newer one"
                raise AssentError(f"the record of slot `{slot}` wants {_dictionary_of(frame)}", fix) from None
        return texts


def _dictionary_of(frame: bytes) -> str:
    try:
        return f"dictionary `{zstandard.get_frame_parameters(frame).dict_id}`"
    except zstandard.ZstdError:
        return "another reader: it holds no zstd frame"


def _bound(slot: int) -> bytes:
    return _BOUND_TO + slot.to_bytes(8, "big")
