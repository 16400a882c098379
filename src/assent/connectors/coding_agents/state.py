"""What the connector remembers between calls, in a folder of its own: content never, ids of sessions yes.

- `plan-shown`: a plan was shown before; without it nothing is erased
- `erased.jsonl`: for every session that was erased, where its traces were, and keyed fragments of its text
- `seen.json`, `changes.jsonl`: the sessions as last looked at, and what became of them since
- `projects.json`: which folder each session worked in; an erased session leaves it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from assent.connectors.coding_agents.agent import Trace
from assent.connectors.own_folder import OwnFolder

_SHOWN: Final = "plan-shown"
_ERASED: Final = "erased.jsonl"
_PROJECTS: Final = "projects.json"


@dataclass(frozen=True, slots=True)
class Erased:
    """What is known of a session that was erased."""

    traces: tuple[Trace, ...]
    fragments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State(OwnFolder):
    """The folder of one connector."""

    def plan_was_shown(self) -> bool:
        return (self.folder / _SHOWN).exists()

    def note_plan(self) -> None:
        self.make()
        (self.folder / _SHOWN).touch(mode=0o600)

    def erased(self, ids: Iterable[str]) -> dict[str, Erased]:
        """Read what is known of sessions that were erased; of several erasures everything."""
        wanted = set(ids)
        found: dict[str, Erased] = {}
        for line in self.lines(_ERASED):
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
