"""The port of a place that holds files: a folder, or a bucket. Nothing here knows what is in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Final, Literal, Protocol, TypeAlias

from assent.connectors.port import Copy

Key: TypeAlias = tuple[str, str]
"""The path of a file and its version."""

Kind = Literal["rows", "hidden copy", "older version", "unfinished upload"]

ROWS: Final[Kind] = "rows"
UPLOAD: Final[Kind] = "unfinished upload"

USUAL: Final = re.compile(r".*\.(?:(?:jsonl|ndjson)(?:\.gz|\.zst)?|parquet)", re.DOTALL)
"""Names of data files, where the settings name no pattern."""

_ASIDE: Final = re.compile(r"(?:\..*|#.*#|_temporary|.*(?:~|\.(?:tmp|temp|bak|old|orig|swp|part|partial)))", re.DOTALL)

_DATED: Final = re.compile(r"[^=]+|(?:year|month|day|date|dt|ds|hour)=[\w:.-]+", re.DOTALL)

Rewrite = Callable[[IO[bytes], IO[bytes]], int]
"""Copies a file without the rows that go; returns how many it left out."""


class DamagedError(Exception):
    """A file that cannot be read to its end; the words are ours and quote nothing of it."""


class UnchangeableError(OSError):
    """A file that may not be replaced, for a reason in our words."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or one version of an object. `tag` changes when its bytes do.

    `version` names one version of an object for its bucket; `readers_see` is False for one that is under another or
    under a delete marker. `problem` says why its bytes cannot be looked at, `locked` why they cannot go.
    """

    path: str
    kind: Kind
    size: int
    changed_ns: int
    tag: str
    version: str = ""
    readers_see: bool = True
    problem: str = ""
    locked: str = ""

    @property
    def key(self) -> Key:
        """What tells it from every other one; what readers see is one thing, whichever version that is."""
        return self.path, "" if self.readers_see else self.version

    @property
    def place(self) -> str:
        return shown(self.path) if self.readers_see else f"{shown(self.path)} (version {self.version})"


class Storage(Protocol):
    """Where the files are. Every method raises `OSError` or `AssentError` if the place cannot be reached."""

    def entries(self) -> Iterator[Entry]:
        """Find every data file with its hidden copies and older versions, in a fixed order."""
        ...

    def opened(self, entry: Entry) -> AbstractContextManager[IO[bytes]]:
        """Open a file for reading at any position."""
        ...

    def rewrite(self, entry: Entry, copy: Rewrite, *, grows: bool) -> int:
        """Replace a file that readers see by what `copy` leaves of it, whole or not at all; returns what it left out.

        With `grows`, what another program appends meanwhile goes through `copy` too.
        """
        ...

    def remove(self, entry: Entry) -> None:
        """Remove a version, with the delete markers that are over nothing then, or abort an unfinished upload."""
        ...

    def locked(self, entry: Entry) -> str:
        """Say why a version cannot be removed; "" if nothing forbids it."""
        ...

    def in_use(self, entries: Sequence[Entry]) -> set[str]:
        """Return the paths that another program has open, as far as this machine lets one see."""
        ...

    def clear(self) -> None:
        """Remove what an earlier run of ours left half-written."""
        ...

    def elsewhere(self) -> Sequence[Copy]:
        """Name what copies this place out of reach; it concerns every row."""
        ...


def matcher(pattern: str) -> re.Pattern[str]:
    """Make a regular expression of a glob: `*` and `?` stay in a folder, `**/` crosses any number; "" is the usual."""
    if not pattern:
        return USUAL
    parts = {"**/": r"(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(parts.get(piece) or re.escape(piece) for piece in pieces), re.DOTALL)


def kind_of(path: str, pattern: re.Pattern[str]) -> Kind | None:
    """Tell a data file from a copy that an editor or a writer left beside it; None for what is neither."""
    if any(_ASIDE.fullmatch(part) for part in path.split("/")):
        return "hidden copy"
    return ROWS if pattern.fullmatch(path) else None


def shown(path: str) -> str:
    """Write a path for people: no control signs, and of partitions only dates, since others may name a person."""
    parts = (one if _DATED.fullmatch(one) else f"{one.partition('=')[0]}=*" for one in path.split("/"))
    path = "/".join(parts)
    return path if path.isprintable() else path.encode("unicode_escape", "backslashreplace").decode("ascii")
