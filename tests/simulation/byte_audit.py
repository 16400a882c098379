"""Look into the bytes themselves: what stands in files and images, and whether anything there opens what was erased.

Nothing of assent is used here, so that what assent says of itself is checked by somebody else:
only AES-GCM and AES key wrap, from `cryptography`. As a program it counts markers:

    python -m tests.simulation.byte_audit MARKER... -- PATH...
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

CHUNK = 8 << 20
KEY = 32
WRAPPED = 40


def files_under(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from (one for one in sorted(path.rglob("*")) if one.is_file()) if path.is_dir() else [path]


def count(paths: Iterable[Path], markers: Sequence[bytes]) -> dict[bytes, dict[str, int]]:
    """Count every marker in every file, reading each in a stream; a file without any is left out."""
    found: dict[bytes, dict[str, int]] = {}
    for path in files_under(paths):
        for marker, times in _count_in(path, markers).items():
            found.setdefault(marker, {})[str(path)] = times
    return found


def _count_in(path: Path, markers: Sequence[bytes]) -> dict[bytes, int]:
    tails = dict.fromkeys(markers, b"")
    times = dict.fromkeys(markers, 0)
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                for marker in markers:
                    # one byte too few for a whole marker: nothing is counted twice
                    data = tails[marker] + chunk
                    times[marker] += data.count(marker)
                    tails[marker] = data[-(len(marker) - 1) :] if len(marker) > 1 else b""
    except FileNotFoundError:  # a server removed it meanwhile
        pass
    return {marker: number for marker, number in times.items() if number}


@dataclass(frozen=True)
class Secret:
    """One sealed record as it lay in a segment before it was erased, its slot, and the slot's wrapped key then."""

    slot: int
    record: bytes
    wrapped: bytes

    def opens_with(self, key: bytes) -> bool:
        """Tell whether a data key opens the record: a version byte, then AES-256-GCM with a nonce of zeros."""
        try:
            AESGCM(key).decrypt(bytes(12), self.record[1:], b"assent/part/v1" + self.slot.to_bytes(8, "big"))
        except InvalidTag:
            return False
        return True


def unwrapped(wrapping: bytes, wrapped: bytes) -> bytes | None:
    try:
        return aes_key_unwrap(wrapping, wrapped)
    except InvalidUnwrap:
        return None


@dataclass
class Opened:
    """Ways that were found to open a secret: a data key in the clear, or a key that unwraps one."""

    in_the_clear: list[str] = field(default_factory=list)
    by_unwrapping: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.in_the_clear or self.by_unwrapping)


def try_windows(paths: Iterable[Path], secrets: Sequence[Secret]) -> Opened:
    """Take every 32 bytes of every file for a key: of the records themselves, and of the slots that wrapped theirs.

    And every 40 bytes for a slot, as far as one of those 32 unwraps it.
    """
    opened = Opened()
    several = list(files_under(paths))
    for path in several:
        data = path.read_bytes()
        for at in range(len(data) - KEY + 1):
            window = data[at : at + KEY]
            if window.count(window[0]) == KEY:
                continue  # zeros, or a page that was filled
            for secret in secrets:
                if secret.opens_with(window):
                    opened.in_the_clear.append(f"{path.name}:{at}")
                key = unwrapped(window, secret.wrapped)
                if key is not None and secret.opens_with(key):
                    opened.by_unwrapping.append(f"{path.name}:{at}")
    return opened


def try_slots(keys: Mapping[str, bytes], paths: Iterable[Path], secrets: Sequence[Secret]) -> Opened:
    """Take every 40 bytes of these files for a slot that one of these keys unwraps."""
    opened = Opened()
    for path in files_under(paths):
        data = path.read_bytes()
        for at in range(len(data) - WRAPPED + 1):
            window = data[at : at + WRAPPED]
            if not any(window):
                continue
            for name, wrapping in keys.items():
                key = unwrapped(wrapping, window)
                if key is not None and any(secret.opens_with(key) for secret in secrets):
                    opened.by_unwrapping.append(f"{path.name}:{at} with {name}")
    return opened


def main(arguments: Sequence[str]) -> int:
    if "--" not in arguments:
        print(__doc__)
        return 1
    middle = arguments.index("--")
    found = count([Path(path) for path in arguments[middle + 1 :]], [one.encode() for one in arguments[:middle]])
    for marker in arguments[:middle]:
        for path, times in found.get(marker.encode(), {}).items():
            print(f"{marker}\t{times}\t{path}")
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
