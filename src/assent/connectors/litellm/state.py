"""What the connector remembers between calls: where its erasures stand, and files that nothing names any more."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from assent.connectors.postgresql import Mark

_FILE: Final = "erased.json"


@dataclass(slots=True)
class Gone:
    """What is known of one conversation that was erased: the number of its mark, the kinds of copies, its files."""

    mark: int
    kinds: list[str]
    files: list[str] = field(default_factory=list)


class State:
    """Erased conversations and marks, in the connector's own folder; ids of conversations and files, never content."""

    def __init__(self, folder: Path) -> None:
        """Read what is there."""
        self._path = folder / _FILE
        known = json.loads(self._path.read_bytes()) if self._path.exists() else {"marks": [], "gone": {}}
        self._marks: list[Mark | None] = known["marks"]
        self._gone = {name: Gone(**one) for name, one in known["gone"].items()}

    def gone(self, name: str) -> Gone | None:
        """Return what is known of a conversation; None if it was never erased here."""
        return self._gone.get(name)

    def note(self, mark: Mark, erased: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
        """Remember an erasure: kinds of copies, and files, by conversation; durable on return."""
        self._marks.append(mark)
        for name, (kinds, files) in erased.items():
            before = self._gone.get(name, Gone(0, []))
            self._gone[name] = Gone(len(self._marks) - 1, _both(before.kinds, kinds), _both(before.files, files))
        self._save()

    def marks(self, numbers: Iterable[int] | None = None) -> dict[int, Mark]:
        """Return marks that are not clean yet, by number: these, or all."""
        wanted = range(len(self._marks)) if numbers is None else set(numbers)
        return {number: one for number in wanted if (one := self._marks[number]) is not None}

    def move(self, marks: Mapping[int, Mark | None]) -> None:
        """Remember how far marks have come; None is clean."""
        changed = {number: one for number, one in marks.items() if self._marks[number] != one}
        if changed:
            for number, one in changed.items():
                self._marks[number] = one
            self._save()

    def _save(self) -> None:
        known: dict[str, Any] = {
            "marks": self._marks,
            "gone": {n: {"mark": g.mark, "kinds": g.kinds, "files": g.files} for n, g in self._gone.items()},
        }
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json.dumps(known).encode())
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


def _both(before: Sequence[str], now: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*before, *now]))
