"""Archives on the disk: pieces sealed under a key that only the owner's link holds, until they are fetched or over.

What lies here is a copy of what people said, so this machine cannot read it: the key is in the
address that the owner was given, and nowhere else. Removing the folder ends the archive.
"""

from __future__ import annotations

import json
import shutil
import zlib
from dataclasses import asdict, dataclass
from hashlib import sha256, sha512
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from assent.domain.errors import NotFound
from assent.domain.instants import format_instant, parse_instant
from assent.services.erase.derived.downloads import STATE, drop_archives

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an archive is: pieces sealed, conversations in them of about `total`, and where the next piece starts.

    `stage` is what is made next, empty once all is there.
    """

    subject: str
    began_at: datetime
    ends_at: datetime
    stage: str
    after: str | None = None
    pieces: int = 0
    conversations: int = 0
    total: int = 0

    @property
    def finished(self) -> bool:
        """Tell whether it can be fetched."""
        return not self.stage


class Archive:
    """One archive in a folder of its own, named by chance.

    A piece may be made again under its number after an interruption, so the seal is one that repeats nothing and
    needs no chance: AES-SIV (RFC 5297).
    """

    def __init__(self, folder: Path, name: str, key: bytes) -> None:
        """Name an archive that is there, or is to be begun, with the key from its link (32 bytes)."""
        self.place = folder / name
        self._seal = AESSIV(sha512(b"assent/download/v1\n" + key).digest())
        self._mark = sha256(b"assent/download/mark/v1\n" + key).hexdigest()
        self._name = name.encode()

    def begin(self, progress: Progress) -> None:
        """Make the folder; another archive of the same person goes."""
        folder = self.place.parent
        folder.mkdir(mode=0o700, exist_ok=True)
        drop_archives(folder, {progress.subject})
        self.place.mkdir(mode=0o700)
        self.note(progress)

    def progress(self, subject: str, now: datetime) -> Progress:
        """Read how far it is. Raises `NotFound` for a key or person that it does not belong to, and once it is over."""
        try:
            said = json.loads((self.place / STATE).read_bytes())
        except (FileNotFoundError, ValueError):
            raise _gone() from None
        mark = said.pop("mark")
        found = Progress(**{**said, **{name: parse_instant(said[name]) for name in ("began_at", "ends_at")}})
        if not compare_digest(mark, self._mark) or found.subject != subject or now >= found.ends_at:
            raise _gone()
        return found

    def add(self, number: int, name: str, content: bytes) -> None:
        """Seal a piece under its number. Raises `NotFound` if the archive was removed."""
        plain = zlib.compress(json.dumps(name).encode() + b"\n" + content)
        self._write(f"{number:06}", self._seal.encrypt(plain, [self._name, str(number).encode()]))

    def note(self, progress: Progress) -> None:
        """Write down how far it is. Raises `NotFound` if the archive was removed."""
        said: dict[str, Any] = asdict(progress)
        said |= {name: format_instant(said[name]) for name in ("began_at", "ends_at")}
        self._write(STATE, json.dumps(said | {"mark": self._mark}).encode())

    def pieces(self, count: int) -> Iterator[tuple[str, bytes]]:
        """Open the pieces in their order, one at a time. Raises `NotFound` if the archive is removed meanwhile."""
        for number in range(1, count + 1):
            try:
                sealed = (self.place / f"{number:06}").read_bytes()
            except FileNotFoundError:
                raise _gone() from None
            plain = zlib.decompress(self._seal.decrypt(sealed, [self._name, str(number).encode()]))
            head, _, content = plain.partition(b"\n")
            yield json.loads(head), content

    def remove(self) -> None:
        """End the archive."""
        shutil.rmtree(self.place, ignore_errors=True)

    def _write(self, name: str, content: bytes) -> None:
        beside = self.place / f".{name}"
        try:
            beside.touch(mode=0o600)
            beside.write_bytes(content)
            beside.rename(self.place / name)
        except FileNotFoundError:
            raise _gone() from None


def _gone() -> NotFound:
    return NotFound(
        "this download is not here any more: its time is over, something of yours was erased, or its link is cut short",
        "begin a new one",
    )
