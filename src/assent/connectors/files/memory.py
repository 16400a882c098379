"""What a connector of files or tables remembers between calls: where copies were, never what was in them.

- `erased.jsonl`: for every conversation that was erased, the kind and place of each copy there was
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from assent.connectors.own_folder import OwnFolder

_ERASED: Final = "erased.jsonl"

Where: TypeAlias = tuple[str, str]
"""The kind and the place of a copy."""


@dataclass(frozen=True, slots=True)
class Memory(OwnFolder):
    """The folder of one connector."""

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
