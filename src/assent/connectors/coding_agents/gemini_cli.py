"""Gemini CLI (`~/.gemini`): session files by project, and what else remembers a session.

| where | what | found by |
| --- | --- | --- |
| `tmp/*/chats/session-*.json[l]`, `.../<id>/` | the session, resumed copies, subagents | its `sessionId`, name |
| `tmp/*/logs.json` | every prompt | entry's `sessionId` |
| `tmp/*/<id>/`, `tmp/*/{logs,tool-outputs,plans,checkpoints}/` | plans, logs, tool output | name |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import orjson

from assent.connectors.coding_agents.agent import HEAD_BYTES, Agent, Session, Trace, id_in, top_id
from assent.connectors.coding_agents.rewriting import entries
from assent.connectors.formats.gemini_cli import IMPORTER
from assent.connectors.formats.port import Importer
from assent.connectors.tree import FileAt, Tree

CHATS: Final = "chats"
LOGS: Final = "logs.json"

_SAYS_ID: Final = re.compile(rb'"sessionId"\s*:\s*("(?:[^"\\]|\\.){1,400}")')
_OWN_DEPTH: Final = 4
"""`tmp`, the project, `chats`, the file: what lies deeper belongs to the session that its folder names."""


@dataclass(frozen=True, slots=True)
class GeminiCli(Agent):
    """Where Gemini CLI keeps sessions."""

    importer: ClassVar[Importer] = IMPORTER
    keep_levels: ClassVar[int] = 2
    reach: ClassVar[str] = (
        "session files with those of subagents, prompt logs, plans, tool output and logs under ~/.gemini/tmp; "
        "not checkpoints saved under a name of one's own, shell history, or the snapshots in ~/.gemini/history"
    )

    def sessions(self, home: Tree) -> Iterator[Session]:
        found: dict[str, list[FileAt]] = {}
        inner: list[tuple[str, FileAt]] = []
        for file in home.below("tmp"):
            parts = file.path.split("/")
            if len(parts) < _OWN_DEPTH or parts[2] != CHATS or not file.name.endswith((".json", ".jsonl")):
                continue
            if len(parts) > _OWN_DEPTH:
                inner.append((parts[3], file))
            else:
                found.setdefault(_id_of(home, file), []).append(file)
        for key, file in inner:
            if key in found:
                found[key].append(file)
            else:
                found.setdefault(_id_of(home, file), []).append(file)
        for key, files in found.items():
            yield Session(key, tuple(files), whole=files[0].path.count("/") < _OWN_DEPTH)

    def traces(self, home: Tree, wanted: Mapping[str, Session | None], kept: Mapping[str, Session]) -> Iterator[Trace]:
        known = wanted.keys() | kept.keys()
        for key, session in wanted.items():
            for file in session.files if session is not None else ():
                inner = file.path.count("/") >= _OWN_DEPTH
                yield Trace(key, "subagents" if inner else "session", _place(file), file.path)
        for file in home.below("tmp"):
            parts = file.path.split("/")
            if len(parts) == 3 and file.name == LOGS:
                for entry in entries(home.content(file.path)):
                    if (key := self.is_of(file.path, entry)) in wanted:
                        yield Trace(key, "prompt log", f"tmp/*/{LOGS}", file.path, "entries")
            elif len(parts) > 3 and parts[2] != CHATS:
                key = next((found for part in parts[2:] if (found := id_in(part, known))), "")
                if key in wanted:
                    yield Trace(key, "plans, logs and tool output", _place(file), file.path)

    def is_of(self, path: str, value: object) -> str:  # noqa: ARG002 - every shared file says it in the same way
        return top_id(value, "sessionId")

    def is_shared(self, path: str) -> bool:
        return path.endswith(f"/{LOGS}") or path.startswith("history/") or path.rpartition("/")[2] == "shell_history"


def _place(file: FileAt) -> str:
    """Leave out the name of the project."""
    return "/".join(("tmp", "*", *file.path.split("/")[2:]))


def _id_of(home: Tree, file: FileAt) -> str:
    """Read a session's id; a file may be one long line of which the beginning suffices."""
    try:
        with home.opened(file.path) as opened, open(opened, "rb", closefd=False) as stream:
            head = stream.read(HEAD_BYTES)
            found = _SAYS_ID.search(head) or (_SAYS_ID.search(stream.read()) if len(head) == HEAD_BYTES else None)
    except OSError:
        found = None
    key = _text(found[1]) if found else ""
    return key or file.stem


def _text(quoted: bytes) -> str:
    """Read a JSON string, "" if it is none."""
    try:
        value = orjson.loads(quoted)
    except orjson.JSONDecodeError:
        return ""
    return value if isinstance(value, str) else ""
