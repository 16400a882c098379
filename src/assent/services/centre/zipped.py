"""An archive as one zip file, written while it is sent: no more of it is in memory than one piece."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


def zipped(files: Iterable[tuple[str, bytes]], at: datetime) -> Iterator[bytes]:
    """Yield the bytes of a zip of these files (name, content), each dated `at`."""
    out = _Passing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
            yield out.taken()
    yield out.taken()


class _Passing(io.RawIOBase):
    """A file that cannot be wound back and gives away what was written to it."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # a buffer
        self._written.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """Return what was written since."""
        written, self._written = self._written, []
        return b"".join(written)
