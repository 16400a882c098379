"""What has to be known of erased sessions to look for them later: ids of what was there, never content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from assent.connectors.own_folder import OwnFolder

_FILE: Final = "erased.json"


@dataclass(frozen=True, slots=True)
class Known:
    """One session: its traces, how many pieces of each kind it had, and since when all of them are seen to be gone."""

    traces: tuple[str, ...]
    kinds: tuple[str, ...]
    gone: str = ""


@dataclass(frozen=True, slots=True)
class Memory(OwnFolder):
    """The folder of one connector."""

    def read(self) -> dict[str, Known]:
        """Read what is known, by session."""
        found = self.load(_FILE)
        return {one: Known(tuple(row["traces"]), tuple(row["kinds"]), row["gone"]) for one, row in found.items()}

    def keep(self, known: Mapping[str, Known], ids: Iterable[str]) -> None:
        """Remember these sessions beside the others, in one step; durable when this returns."""
        self.save(_FILE, {**self.load(_FILE), **{one: asdict(known[one]) for one in ids}})
