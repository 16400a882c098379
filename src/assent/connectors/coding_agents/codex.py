"""Codex (`$CODEX_HOME`, `~/.codex`): rollouts by day or archived, and what else remembers a session.

| where | what | found by |
| --- | --- | --- |
| `sessions/**/rollout-*.jsonl`, `archived_sessions/` | the session; archiving keeps it | first line |
| `history.jsonl` | every prompt | line's `session_id` |
| `session_index.jsonl` | names of sessions | line's `id` |
| `*.sqlite`, `sqlite/*.db` | titles, first prompts, logs | rows by thread or session id |
| `attachments/`, `shell_snapshots/`, `generated_images/` | files of a session | name |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import orjson

from assent.connectors.coding_agents.agent import Agent, Session, Trace, first_line, id_in, top_id
from assent.connectors.coding_agents.rewriting import rows_of
from assent.connectors.formats.codex import IMPORTER
from assent.connectors.formats.fields import mapping, string
from assent.connectors.formats.port import Importer
from assent.connectors.tree import FileAt, Tree

_SESSIONS: Final = ("sessions", "archived_sessions")
_LINES: Final = {"history.jsonl": "prompt history", "session_index.jsonl": "session index"}
_NAMED: Final = {
    "attachments": "attachments",
    "shell_snapshots": "shell snapshot",
    "generated_images": "images",
}
_STATE: Final = re.compile(r"[^/]+\.sqlite|sqlite/[^/]+\.(?:db|sqlite)")
_SAYS_ID: Final = re.compile(rb'"(?:session_id|id)":\s*"([^"]{1,200})"')


@dataclass(frozen=True, slots=True)
class Codex(Agent):
    """Where Codex keeps sessions."""

    importer: ClassVar[Importer] = IMPORTER
    keep_levels: ClassVar[int] = 1
    reach: ClassVar[str] = (
        "rollouts, archived ones too, prompt history, index, state databases and attachments under ~/.codex; "
        "not log/, memories/, backups of that folder, or what the provider keeps"
    )

    def sessions(self, home: Tree) -> Iterator[Session]:
        found: dict[str, list[FileAt]] = {}
        for folder in _SESSIONS:
            for file in home.below(folder):
                if file.name.endswith(".jsonl"):
                    found.setdefault(_id_of(home, file), []).append(file)
        for key, files in found.items():
            yield Session(key, tuple(files))

    def traces(self, home: Tree, wanted: Mapping[str, Session | None], kept: Mapping[str, Session]) -> Iterator[Trace]:
        known = wanted.keys() | kept.keys()
        for key, session in wanted.items():
            for file in session.files if session is not None else ():
                kind = "archived session" if file.path.startswith(_SESSIONS[1]) else "session"
                yield Trace(key, kind, file.path, file.path)
        for path, kind in _LINES.items():
            owner = self.lines_of(home, path, wanted)
            for line in home.lines(path):
                if key := owner(line):
                    yield Trace(key, kind, path, path, "lines")
        for folder, kind in _NAMED.items():
            for file in home.below(folder):
                if (key := id_in(file.path.split("/")[1], known)) in wanted:
                    yield Trace(key, kind, file.path, file.path)
        for file in home.files():
            if _STATE.fullmatch(file.path):
                for key in rows_of(home, file.path, list(wanted)):
                    yield Trace(key, "state database", file.path, file.path, "rows")

    def lines_of(self, home: Tree, path: str, wanted: Mapping[str, Session | None]) -> Callable[[bytes], str]:
        del home  # every line names its session

        def owner(line: bytes) -> str:
            try:
                key = self.is_of(path, orjson.loads(line))
            except orjson.JSONDecodeError:  # cut off by a crash, behind the id
                found = _SAYS_ID.search(line)
                key = found[1].decode("utf-8", "replace") if found else ""
            return key if key in wanted else ""

        return owner

    def is_of(self, path: str, value: object) -> str:
        return top_id(value, "id") if path == "session_index.jsonl" else top_id(value, "session_id")

    def is_shared(self, path: str) -> bool:
        return path in _LINES or path.startswith(("log/", "memories/"))


def _id_of(home: Tree, file: FileAt) -> str:
    """Read a session's id as the importer does: from its own line, else the name of the file."""
    line = first_line(home, file)
    about = mapping(line.get("payload")) if line.get("type") == "session_meta" else {} if "type" in line else line
    return string(about.get("id")) or file.stem
