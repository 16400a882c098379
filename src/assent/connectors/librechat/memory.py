"""What the connector remembers between calls, in a folder of its own: ids and places, never content.

- `erased.jsonl`: for every conversation that was erased, what can be found only while its rows are there
- `seen.json`, `changes.jsonl`: the conversations as last looked at, and what became of them since
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from assent.connectors.librechat.uploads import Upload
from assent.connectors.own_folder import OwnFolder

_ERASED: Final = "erased.jsonl"


@dataclass(frozen=True, slots=True)
class Erased:
    """What is known of an erased conversation: `at` is when it went the last time.

    What the files were at that time: `files` of MongoDB by collection (`space`), `table` of the vectors, `indexes`
    of the search by when each was made. `indexed`: it was in a search index.
    """

    at: datetime
    threads: tuple[str, ...] = ()
    uploads: tuple[Upload, ...] = ()
    indexed: bool = False
    files: tuple[tuple[str, str], ...] = ()
    table: str = ""
    indexes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Memory(OwnFolder):
    """The folder of one connector."""

    def now(self) -> datetime:
        """Ask the disk for its time."""
        return datetime.fromtimestamp(self.now_ns() / 1e9, UTC)

    def erased(self, ids: Iterable[str]) -> dict[str, Erased]:
        """Read what is known of erased conversations; of several erasures everything, and the time of the last."""
        wanted = set(ids)
        found: dict[str, Erased] = {}
        for line in self.lines(_ERASED):
            if line.get("id") in wanted:
                one = _read(line)
                before = found.get(line["id"])
                found[line["id"]] = one if before is None else _together(before, one)
        return found

    def note_erased(self, erased: Mapping[str, Erased]) -> None:
        """Remember, before anything goes; durable when this returns."""
        lines = [{"id": key, **asdict(one), "at": one.at.isoformat()} for key, one in erased.items()]
        self.append(_ERASED, lines)


def _read(line: Mapping[str, Any]) -> Erased:
    return Erased(
        datetime.fromisoformat(line["at"]),
        tuple(line["threads"]),
        tuple(Upload(**one) for one in line["uploads"]),
        line["indexed"],
        tuple((name, file) for name, file in line["files"]),
        line["table"],
        tuple((name, made) for name, made in line["indexes"]),
    )


def _together(before: Erased, after: Erased) -> Erased:
    return replace(
        after,
        threads=tuple(dict.fromkeys([*before.threads, *after.threads])),
        uploads=tuple(dict.fromkeys([*before.uploads, *after.uploads])),
        indexed=before.indexed or after.indexed,
        table=after.table or before.table,
    )
