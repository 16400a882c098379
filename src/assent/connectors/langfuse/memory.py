"""What has to be known of erased sessions to look for them later: ids of what was there, never content."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_FILE: Final = "erased.json"


@dataclass(frozen=True, slots=True)
class Known:
    """One session: its traces, how many pieces of each kind it had, and since when all of them are seen to be gone."""

    traces: tuple[str, ...]
    kinds: tuple[str, ...]
    gone: str = ""


class Memory:
    """The connector's own folder, made when first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> dict[str, Known]:
        """Read what is known, by session."""
        try:
            found = json.loads((self._folder / _FILE).read_bytes())
        except FileNotFoundError:
            return {}
        return {one: Known(tuple(row["traces"]), tuple(row["kinds"]), row["gone"]) for one, row in found.items()}

    def keep(self, known: Mapping[str, Known], ids: Iterable[str]) -> None:
        """Remember these sessions beside the others, in one step; durable when this returns."""
        rows = {**self.read(), **{one: known[one] for one in ids}}
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._folder / f"{_FILE}.new"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({one: asdict(row) for one, row in rows.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._folder / _FILE)
