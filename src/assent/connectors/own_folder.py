"""A connector's own folder: lines that are added and never lost, and objects that are replaced whole.

Ids and places are kept here, never content. What is written before an erasure is on the disk when writing returns.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_CLOCK: Final = "clock"


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """The folder, made when it is first written to."""

    folder: Path

    def now_ns(self) -> int:
        """Ask the disk for its time: files are compared with the clock that dated them."""
        self.make()
        file = self.folder / _CLOCK
        file.touch(mode=0o600)
        return file.stat().st_mtime_ns

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
                    value = json.loads(line)
                    if isinstance(value, dict):
                        yield value

    def load(self, name: str) -> dict[str, Any]:
        """Read a JSON object; an empty one if there is none."""
        try:
            value = json.loads((self.folder / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def save(self, name: str, value: Mapping[str, object]) -> None:
        """Replace a JSON object in one step; durable when this returns."""
        self.make()
        file, beside = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(file, "wb") as stream:
            stream.write(json.dumps(value).encode())
            stream.flush()
            os.fsync(stream.fileno())
        Path(beside).replace(self.folder / name)

    def make(self) -> None:
        """Make the folder, for its owner only."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
