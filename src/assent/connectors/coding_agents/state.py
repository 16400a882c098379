"""What the connector remembers between calls, in a folder of its own: content never, ids of sessions yes.

- `plan-shown`: a plan was shown before; without it nothing is erased
- `erased.jsonl`: for every session that was erased, where its traces were, and keyed fragments of its text
- `clock`: touched to learn what time the disk thinks it is
- `seen.json`, `changes.jsonl`: the sessions as last looked at, and what became of them since
- `projects.json`: which folder each session worked in; an erased session leaves it
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from assent.connectors.coding_agents.agent import Trace

_SHOWN: Final = "plan-shown"
_ERASED: Final = "erased.jsonl"
_CLOCK: Final = "clock"
_PROJECTS: Final = "projects.json"


@dataclass(frozen=True, slots=True)
class Erased:
    """What is known of a session that was erased."""

    traces: tuple[Trace, ...]
    fragments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """The connector's own folder, made when first written to."""

    folder: Path

    def plan_was_shown(self) -> bool:
        return (self.folder / _SHOWN).exists()

    def note_plan(self) -> None:
        self._make()
        (self.folder / _SHOWN).touch(mode=0o600)

    def now_ns(self) -> int:
        """Ask the disk for its time: files are compared with the clock that dated them."""
        self._make()
        file = self.folder / _CLOCK
        file.touch(mode=0o600)
        return file.stat().st_mtime_ns

    def erased(self, ids: Iterable[str]) -> dict[str, Erased]:
        """Read what is known of sessions that were erased; of several erasures everything."""
        wanted = set(ids)
        found: dict[str, Erased] = {}
        for line in _lines(self.folder / _ERASED):
            key = str(line["id"])
            if key in wanted:
                before = found.get(key, Erased(()))
                traces = (Trace(**one) for one in line["traces"])
                fragments = before.fragments.union(line["fragments"])
                found[key] = Erased(tuple(dict.fromkeys([*before.traces, *traces])), fragments)
        return found

    def note_erased(self, erased: Mapping[str, Erased]) -> None:
        """Remember traces before they are erased; durable when this returns."""
        known = self.erased(erased)
        lines = [
            {"id": key, "traces": [asdict(trace) for trace in one.traces], "fragments": sorted(one.fragments)}
            for key, one in erased.items()
            if key not in known or not set(one.traces) <= set(known[key].traces)
        ]
        self.append(_ERASED, lines)

    def projects(self) -> dict[str, tuple[str, str]]:
        """Read the projects of sessions, each with what told its files apart then."""
        return {key: (str(one[0]), str(one[1])) for key, one in self.load(_PROJECTS).items()}

    def note_projects(self, projects: Mapping[str, tuple[str, str]]) -> None:
        self.save(_PROJECTS, projects)

    def forget_projects(self, ids: Iterable[str]) -> None:
        known = self.projects()
        if left := known.keys() - set(ids):
            self.note_projects({key: known[key] for key in left})
        else:
            (self.folder / _PROJECTS).unlink(missing_ok=True)

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
        return _lines(self.folder / name)

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
        file, beside = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(file, "wb") as stream:
            stream.write(json.dumps(value).encode())
        Path(beside).rename(self.folder / name)

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read lines as they were written; one that a crash cut off is left out."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content.splitlines():
        with suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                yield value
