"""The port of every importer: read a source, account for every record.

An importer is a function `read(source) -> Iterator[Record]`. It streams: memory depends
on the largest conversation, never on the size of the source. A *record* is the smallest
thing that can be malformed on its own: a line of a JSONL file, a message of a JSON
export, a row of a table. Each is imported (inside a `Conversation`, counted by its
`records`), skipped with a reason, or refused with its position; the three counts add up
to the records of the source. A malformed record never loses its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from assent.domain.conversation import Conversation
from assent.domain.errors import Place


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is well formed but holds nothing to keep, e.g. `progress event`. `reason` is a fixed phrase."""

    place: Place
    reason: str
    records: int = 1


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that cannot be read. `problem` names the fault and never quotes content."""

    place: Place
    problem: str
    records: int = 1


Record = Conversation | Skipped | Malformed


def _ignore(_count: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Source:
    """What to read: a file or folder, and who is told about progress.

    `on_bytes` is called with the number of bytes of the source, as stored, consumed since the
    last call, so that a progress bar can run against its size. `side_copies` collects paths of other
    copies of the same conversations that an importer noticed but does not import (histories,
    caches): erasing the conversation must reach them too.
    """

    path: Path
    on_bytes: Callable[[int], None] = _ignore
    side_copies: list[Path] = field(default_factory=list)


class Importer(Protocol):
    """One format: `name` as in `assent import NAME PATH`, a one-line `summary`, `read` and `sniff`."""

    name: str
    summary: str

    def sniff(self, path: Path) -> bool:
        """Tell from name and first bytes whether PATH looks like this format; never raises on odd input."""
        ...

    def read(self, source: Source) -> Iterator[Record]:
        """Yield every record of the source once, in source order.

        Raises `NotFound` or `Invalid` only if nothing is readable.
        """
        ...
