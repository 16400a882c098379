"""Contract of a place where files are published for any web server or object store to serve."""

from __future__ import annotations

from typing import Protocol


class TileStore(Protocol):
    """Files by path. A file is there whole or not at all; one that is put again is replaced."""

    def put(self, path: str, data: bytes) -> None:
        """Write a file. It may be lost again in a power cut until `replace` returns."""
        ...

    def get(self, path: str) -> bytes | None:
        """Read a file; None if there is none."""
        ...

    def exists(self, path: str) -> bool:
        """Tell whether a file is there, without reading it."""
        ...

    def replace(self, path: str, before: bytes | None, after: bytes) -> bool:
        """Write a file if it still says `before` (None: if there is none); False, and nothing changes, if it does not.

        When it returns True, everything that was put before it is on the disk too.
        """
        ...
