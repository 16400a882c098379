"""What the connector remembers between calls, in a folder of its own: ids and places, never content.

- `erased.jsonl`: for every conversation that was erased, what can be found only while its rows are there
- `clock`: touched to learn what time the disk thinks it is
- `seen.json`, `changes.jsonl`: the conversations as last looked at, and what became of them since
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from assent.connectors.librechat.uploads import Upload

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
class Memory:
    """The connector's own folder, made when first written to."""

    folder: Path

    def now(self) -> datetime:
        """Ask the disk for its time."""
        self._make()
        file = self.folder / "clock"
        file.touch(mode=0o600)
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)

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

    def append(self, name: str, lines: Sequence[Mapping[str, object]]) -> None:
        """Add lines to a file of this folder; durable when this returns."""
        if not lines:
            return
        self._make()
        file = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(file, "ab") as stream:
            stream.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            stream.flush()
            os.fsync(file)

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Read lines as they were written; one that a crash cut off is left out."""
        try:
            content = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return
        for line in content.splitlines():
            with suppress(ValueError):
                yield json.loads(line)

    def load(self, name: str) -> dict[str, Any]:
        """Read a JSON object, an empty one if there is none."""
        try:
            value = json.loads((self.folder / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def save(self, name: str, value: Mapping[str, object]) -> None:
        """Replace a JSON object in one step."""
        self._make()
        beside = self.folder / f"{name}.new"
        beside.write_text(json.dumps(value), "utf-8")
        beside.replace(self.folder / name)

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)


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
