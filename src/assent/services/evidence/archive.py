"""The archive: a zip that has exactly one form for what it holds, so that no byte of it can change unnoticed.

Every member is stored as it is, with the same date, in the order of writing. Whoever checks it
writes its members once more and compares: what zip leaves to the writer, or hides between
members, differs then.
"""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, BinaryIO, Final

from assent.domain.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUMS: Final = "SHA256SUMS"
"""The member that names the digest of every other one, as `sha256sum -c` reads it."""
SIGNED: Final = "SHA256SUMS.note"
"""The member by which the ledger's key vouches for the digests."""

_PIECE: Final = 1 << 20
_WHEN: Final = (1980, 1, 1, 0, 0, 0)
_CHANGED: Final = "the archive was changed after it was written"
_AGAIN: Final = "ask for it again, and compare it with what the ledger's key signed"


class Archive:
    """Writes an archive into `out`, which need not be seekable, and remembers the digest of every member."""

    def __init__(self, out: BinaryIO) -> None:
        """Begin an archive."""
        self._zip = zipfile.ZipFile(_Onward(out), "w", zipfile.ZIP_STORED)
        self.digests: dict[str, str] = {}

    def write(self, name: str, data: bytes) -> None:
        """Add a member."""
        self.stream(name, (data,))

    def stream(self, name: str, pieces: Iterable[bytes]) -> None:
        """Add a member, piece by piece."""
        found = hashlib.sha256()
        with self._zip.open(_member(name), "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                found.update(piece)
        self.digests[name] = found.hexdigest()

    def sums(self) -> bytes:
        """Write the digests of all members so far, by name."""
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(self.digests.items())).encode()

    def close(self) -> None:
        """End the archive."""
        self._zip.close()


class Opened:
    """An archive that was read: its members by name. `close` it."""

    def __init__(self, file: BinaryIO) -> None:
        """Open an archive and see that it is in its one form. Raises `Invalid` for no zip, `Refused` if changed."""
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise Invalid("this is no archive of evidence", "give the file as it was downloaded") from None
        try:
            whole = _in_its_one_form(self._zip, file)
        except Exception:  # noqa: BLE001 - a changed zip can raise whatever the library raises
            whole = False
        if not whole:
            self._zip.close()
            raise Refused(_CHANGED, _AGAIN)
        self.names = tuple(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """Read a member. Raises `Refused` if there is none."""
        if name not in self.names:
            raise Refused(f"the archive has no `{name}`", _AGAIN)
        return self._zip.read(name)

    def lines(self, name: str) -> Iterator[bytes]:
        """Read a member line by line."""
        with self._zip.open(name) as member:
            yield from member

    def under(self, folder: str) -> list[str]:
        """List the members of a folder, by name."""
        return sorted(name for name in self.names if name.startswith(f"{folder}/"))

    def differences(self) -> list[str]:
        """Compare every member with its digest, and say what does not agree."""
        told = dict(_sum_of(line) for line in self.read(SUMS).decode(errors="replace").splitlines())
        there = set(self.names) - {SUMS, SIGNED}
        found = [f"`{name}` is missing" for name in sorted(told.keys() - there)]
        found += [f"`{name}` has no digest" for name in sorted(there - told.keys())]
        return found + [
            f"`{name}` is not what its digest says"
            for name in sorted(there & told.keys())
            if self._sum(name) != told[name]
        ]

    def _sum(self, name: str) -> str:
        found = hashlib.sha256()
        with self._zip.open(name) as member:
            while piece := member.read(_PIECE):
                found.update(piece)
        return found.hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()


def _member(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name, _WHEN)
    found.external_attr = 0o644 << 16
    return found


def _sum_of(line: str) -> tuple[str, str]:
    digest, _, name = line.partition("  ")
    return name, digest


def _in_its_one_form(archive: zipfile.ZipFile, file: BinaryIO) -> bool:
    """Write what the archive holds once more, and tell whether that gives the same bytes."""
    same = _Same(file)
    with zipfile.ZipFile(same, "w", zipfile.ZIP_STORED) as again:
        for info in archive.infolist():
            with archive.open(info) as member, again.open(_member(info.filename), "w", force_zip64=True) as copy:
                while same.so_far and (piece := member.read(_PIECE)):
                    copy.write(piece)
    names = archive.namelist()
    return same.so_far and same.at_end() and len(set(names)) == len(names)


class _Onward:
    """A stream that can only be written: so the form does not depend on where it goes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        return self._out.write(data)

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        """Leave the stream to whoever opened it."""


class _Same:
    """A stream that compares what is written to it with a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._place = 0
        self.so_far = True

    def write(self, data: bytes) -> int:
        self._file.seek(self._place)
        self.so_far = self.so_far and self._file.read(len(data)) == bytes(data)
        self._place += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Leave the file to whoever opened it."""

    def at_end(self) -> bool:
        """Tell whether the file ends here."""
        self._file.seek(self._place)
        return not self._file.read(1)
