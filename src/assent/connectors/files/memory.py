"""What a connector of files or tables remembers between calls: where copies were, never what was in them.

- `erased.jsonl`: for every conversation that was erased, the kind and place of each copy there was
- `clock`: touched to learn what time the disk thinks it is
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

_ERASED: Final = "erased.jsonl"
_CLOCK: Final = "clock"

Where: TypeAlias = tuple[str, str]
"""The kind and the place of a copy."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The connector's own folder, made when it is first written to."""

    folder: Path

    def now_ns(self) -> int:
        """Ask the disk for its time: files are compared with the clock that dated them."""
        self.make()
        file = self.folder / _CLOCK
        file.touch(mode=0o600)
        return file.stat().st_mtime_ns

    def erased(self, ids: Iterable[str]) -> dict[str, list[Where]]:
        """Say where the copies of conversations were that were erased; of several erasures all of them."""
        wanted = set(ids)
        found: dict[str, dict[Where, None]] = {}
        for line in self.lines(_ERASED):
            if (name := line["id"]) in wanted:
                found.setdefault(name, {}).update(dict.fromkeys(map(tuple, line["copies"])))
        return {name: list(places) for name, places in found.items()}

    def note_erased(self, copies: Mapping[str, Iterable[Where]]) -> None:
        """Remember copies before they are erased; durable when this returns."""
        known = self.erased(copies)
        lines = [
            {"id": name, "copies": new}
            for name, places in copies.items()
            if (new := [list(one) for one in places if one not in known.get(name, ())])
        ]
        self.append(_ERASED, lines)

    def append(self, name: str, lines: Iterable[Mapping[str, object]]) -> None:
        """Add lines to a file of this folder; durable when this returns."""
        content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        if not content:
            return
        self.make()
        file = os.open(self.folder / name, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(file, "r+b", buffering=0) as stream:
            # a line that a crash cut off must not swallow the next one
            end = stream.seek(0, os.SEEK_END)
            cut = end > 0 and os.pread(file, 1, end - 1) != b"\n"
            stream.write(b"\n" + content if cut else content)
            os.fsync(file)

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Read lines as they were written; one that a crash cut off is left out."""
        with suppress(FileNotFoundError), (self.folder / name).open("rb") as stream:
            for line in stream:
                with suppress(ValueError):
                    yield json.loads(line)

    def load(self, name: str) -> dict[str, Any]:
        """Read a JSON object; an empty one if there is none."""
        try:
            value: dict[str, Any] = json.loads((self.folder / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return value

    def save(self, name: str, value: Mapping[str, object]) -> None:
        """Replace a JSON object in one step."""
        (self.folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file, beside = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(file, "wb") as stream:
            stream.write(json.dumps(value).encode())
        Path(beside).replace(self.folder / name)

    def make(self) -> None:
        """Make the folder, for its owner only."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
