"""Bytes of rows that are gone, in the files of a SQLite database: free pages, write-ahead logs, journals."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from assent.connectors.open_webui.gathering import UUID

_CHUNK: Final = 8 * 1024 * 1024
_LAP: Final = 1024
"""Bytes that two portions share, so that nothing lies across their border."""

_ROW: Final = re.compile(f"(?=({UUID}){UUID})".encode())
"""Two ids side by side, as rows of the product begin: an id alone may stand in a row that is kept, such as a log's."""
_ANY: Final = re.compile(UUID.encode())
LEAST_ID: Final = 8
"""Bytes of an id from which on it is looked for: shorter ones stand everywhere."""
_ODD: Final = 900
"""The longest id that is looked for by itself."""


class Residue:
    """The files of one SQLite database, searched once for as long as they do not change."""

    def __init__(self, file: Path, *, rows: bool) -> None:
        """Search this database: with `rows` for ids by which a row begins, else for ids anywhere."""
        self._file = file
        self._pattern = _ROW if rows else _ANY
        self._behind = UUID.encode() if rows else b""
        self._at: tuple[tuple[str, int, int], ...] = ()
        self._found: frozenset[bytes] = frozenset()

    def of(self, ids: Collection[str]) -> set[str]:
        """Return which of these ids still stand in the bytes."""
        if not ids:
            return set()
        state = tuple((path.name, *_stat(path)) for path in self._files())
        if state != self._at:
            self._found = frozenset(found for part in self._parts() for found in self._pattern.findall(part))
            self._at = state
        known = {name: name.encode("utf-8", "surrogatepass") for name in ids}
        odd = {name: one for name, one in known.items() if not _ANY.fullmatch(one)}
        found = {name for name, one in known.items() if name not in odd and one in self._found}
        return found | self._odd({name: one for name, one in odd.items() if len(one) >= LEAST_ID})

    def _odd(self, ids: dict[str, bytes]) -> set[str]:
        """Look for ids of another form one by one."""
        if not ids:
            return set()
        patterns = {name: re.compile(re.escape(one[:_ODD]) + self._behind) for name, one in ids.items()}
        return {name for part in self._parts() for name, pattern in patterns.items() if pattern.search(part)}

    def _parts(self) -> Iterator[bytes]:
        for path in self._files():
            with path.open("rb") as file:
                before = b""
                while part := file.read(_CHUNK):
                    yield before + part
                    before = part[-_LAP:]

    def _files(self) -> list[Path]:
        beside = (self._file.with_name(self._file.name + end) for end in ("-wal", "-journal"))
        return [path for path in (self._file, *beside) if path.is_file()]


def _stat(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
