"""Claude Code (`~/.claude`): transcripts by project, and what else remembers a session.

| where | what | found by |
| --- | --- | --- |
| `projects/*/<id>.jsonl`, `.../agent-*.jsonl`, `.../<id>/` | transcript, subagents, tool output | name, first line |
| `projects/*/sessions-index.json` | summary and first prompt | entry's id |
| `history.jsonl` | every prompt | line's id; without one, the prompt, its folder and time |
| `paste-cache/` | pasted text | a history line of the session, and of no other |
| `plans/` | plans | named in the transcript, and in no kept one |
| `file-history/`, `todos/`, `tasks/`, `session-env/`, `debug/`, `telemetry/` | files, lists, logs | name |
| `sessions/` | which program runs it | content |
| `projects/*/memory/` | what the agent noted for later | a rule: notes do not say where they come from |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

import orjson

from assent.connectors.coding_agents.agent import Agent, Dates, Session, Trace, first_line, id_in, top_id
from assent.connectors.coding_agents.rewriting import entries
from assent.connectors.formats.claude_code import IMPORTER
from assent.connectors.formats.claude_code_folder import COMPANIONS
from assent.connectors.formats.claude_code_lines import Session as Lines
from assent.connectors.formats.fields import instant, mapping, string
from assent.connectors.formats.jsonl import read_objects
from assent.connectors.formats.port import Importer, Malformed
from assent.connectors.tree import FileAt, Tree
from assent.domain.conversation import last_turn
from assent.domain.errors import Invalid

MemoryRule = Literal["keep", "with-project"]

HISTORY: Final = "history.jsonl"
INDEX: Final = "sessions-index.json"
PLANS: Final = "plans"
PASTES: Final = "paste-cache"

_NAMED: Final = {
    "file-history": "files before an edit",
    "todos": "to-do list",
    "tasks": "task list",
    "session-env": "environment",
    "debug": "debug log",
    "telemetry": "telemetry",
}
_KINDS: Final = {"subagents": "subagents", "tool-results": "tool output", "workflows": "workflows"}
_PLAN: Final = re.compile(rb'plans[/\\]{1,4}([\w.-]{1,100}\.md)|"slug":\s*"([\w-]{1,100})"')
_PASTE: Final = re.compile(rb'"contentHash":\s*"(\w{4,128})"')
_ASIDE: Final = timedelta(seconds=5)
"""How far a line of the history may lie from its prompt in the transcript."""


@dataclass(frozen=True, slots=True)
class ClaudeCode(Agent):
    """Where Claude Code keeps sessions. `memory`: a project's notes stay, or go with its last session."""

    memory: MemoryRule = "keep"
    importer: ClassVar[Importer] = IMPORTER
    keep_levels: ClassVar[int] = 1
    reach: ClassVar[str] = (
        "transcripts with subagents and tool output, prompt history, plans, pasted text, file history, to-do lists and "
        "logs under ~/.claude; not backups of that folder, ~/.claude.json, or what a tool wrote elsewhere"
    )

    def sessions(self, home: Tree) -> Iterator[Session]:
        project = ""
        files: dict[str, list[FileAt]] = {}
        for file in home.below("projects"):
            parts = file.path.split("/")
            if len(parts) < 3:
                continue
            if parts[1] != project:
                yield from _of_project(files)
                project, files = parts[1], {}
            _sort_in(home, files, file, parts)
        yield from _of_project(files)

    def dates(self, home: Tree, session: Session) -> Dates | None:
        found = Lines()
        file = session.files[0]
        for line in read_objects(home.root / file.path, file.name, lambda _count: None):
            if isinstance(line, Malformed):
                continue
            try:
                found.add(line[1], f"line {line[0]}")
            except Invalid:
                continue
        parts = found.finish()
        if not parts:
            return None
        times = [part.created_at for part in parts if part.created_at]
        return Dates(min(times, default=None), last_turn(parts), found.cwd)

    def traces(self, home: Tree, wanted: Mapping[str, Session | None], kept: Mapping[str, Session]) -> Iterator[Trace]:
        for key, session in wanted.items():
            for file in session.files if session is not None else ():
                yield _own(key, file)
        yield from self._named(home, wanted, kept)
        yield from self._history(home, wanted)
        yield from _plans(home, wanted, kept)
        for project in home.folders("projects"):
            index = f"{project}/{INDEX}"
            for entry in entries(home.content(index), "entries"):
                if (key := self.is_of(index, entry)) in wanted:
                    yield Trace(key, "session index", f"projects/*/{INDEX}", index, "entries")
        if self.memory == "with-project":
            yield from _memory(home, wanted, kept)

    def lines_of(self, home: Tree, path: str, wanted: Mapping[str, Session | None]) -> Callable[[bytes], str]:
        del path  # the only file whose lines sessions share
        return _History(home, wanted).owner

    def is_of(self, path: str, value: object) -> str:  # noqa: ARG002 - every shared file says it in the same way
        return top_id(value, "sessionId", "session_id")

    def is_shared(self, path: str) -> bool:
        return path == HISTORY or path.endswith(f"/{INDEX}") or (path.startswith("projects/") and "/memory/" in path)

    def key_of(self, path: str) -> str:
        return "entries" if path.endswith(INDEX) else ""

    def _named(self, home: Tree, wanted: Mapping[str, Session | None], kept: Mapping[str, Session]) -> Iterator[Trace]:
        known = wanted.keys() | kept.keys()
        for folder, kind in _NAMED.items():
            for path in home.paths_below(folder):
                _, entry, *below = path.split("/", 2)
                if (key := id_in(entry, known)) in wanted:
                    yield Trace(key, kind, f"{folder}/{entry}/" if below else path, path)
        for file in home.below("sessions"):
            if (key := self.is_of(file.path, first_line(home, file))) in wanted:
                yield Trace(key, "running program", file.path, file.path)

    def _history(self, home: Tree, wanted: Mapping[str, Session | None]) -> Iterator[Trace]:
        if home.look(HISTORY) is None:
            return
        pastes: dict[str, set[str]] = {}
        owner = self.lines_of(home, HISTORY, wanted)
        for line in home.lines(HISTORY):
            key = owner(line)
            if key:
                yield Trace(key, "prompt history", HISTORY, HISTORY, "lines")
            for found in _PASTE.findall(line):
                pastes.setdefault(found.decode(), set()).add(key)
        for file in home.below(PASTES):
            owners = pastes.get(file.stem, set())
            if owners and "" not in owners:  # no kept session pasted the same text
                for key in owners:
                    yield Trace(key, "pasted text", file.path, file.path)


@dataclass(slots=True)
class _History:
    """Says whose a line of the prompt history is. Older lines have no id: their prompt, folder and time tell."""

    home: Tree
    wanted: Mapping[str, Session | None]
    _prompts: dict[tuple[str, str], list[tuple[datetime, str]]] | None = None

    def owner(self, line: bytes) -> str:
        """Name the wanted session that a line belongs to, "" for none."""
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            return _cut_off(line, self.wanted)
        if not isinstance(value, dict):
            return ""
        if "sessionId" in value:
            key = string(value["sessionId"])
            return key if key in self.wanted else ""
        at = instant(value.get("timestamp"))
        said = (string(value.get("project")), string(value.get("display")))
        if at is None or not said[1]:
            return ""
        if self._prompts is None:
            self._prompts = self._read_prompts()
        return next((key for when, key in self._prompts.get(said, ()) if abs(when - at) <= _ASIDE), "")

    def _read_prompts(self) -> dict[tuple[str, str], list[tuple[datetime, str]]]:
        found: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
        for key, session in self.wanted.items():
            if session is None:
                continue
            file = session.files[0]
            for line in read_objects(self.home.root / file.path, file.name, lambda _count: None):
                if isinstance(line, Malformed) or line[1].get("type") != "user":
                    continue
                text = mapping(line[1].get("message")).get("content")
                at = instant(line[1].get("timestamp"))
                if isinstance(text, str) and at is not None:
                    found.setdefault((string(line[1].get("cwd")), text), []).append((at, key))
        return found


def _cut_off(line: bytes, wanted: Mapping[str, object]) -> str:
    """Name the session of a line that a crash cut off: it says the id before it ends."""
    found = re.search(rb'"sessionId":\s*"([^"]{1,200})"', line)
    key = found[1].decode("utf-8", "replace") if found else ""
    return key if key in wanted else ""


def _sort_in(home: Tree, files: dict[str, list[FileAt]], file: FileAt, parts: list[str]) -> None:
    """Add a file of a project folder to its session; the transcript comes first."""
    if len(parts) == 3:
        if not file.name.endswith(".jsonl"):
            return
        if file.name.startswith("agent-"):
            key = string(first_line(home, file).get("sessionId"))
            if key:
                files.setdefault(key, []).append(file)
        else:
            files.setdefault(file.stem, []).insert(0, file)
    elif any(part in COMPANIONS for part in parts[3:-1]):
        files.setdefault(parts[2], []).append(file)


def _of_project(files: dict[str, list[FileAt]]) -> Iterator[Session]:
    for key, found in files.items():
        yield Session(key, tuple(found), whole=found[0].path.count("/") == 2 and found[0].stem == key)


def _own(key: str, file: FileAt) -> Trace:
    parts = file.path.split("/")
    companion = next((part for part in parts[3:-1] if part in COMPANIONS), "")
    if companion:
        return Trace(key, _KINDS[companion], f"projects/*/{parts[2]}/{companion}/", file.path)
    kind = "subagents" if file.name.startswith("agent-") else "transcript"
    return Trace(key, kind, f"projects/*/{file.name}", file.path)


def _plans(home: Tree, wanted: Mapping[str, Session | None], kept: Mapping[str, Session]) -> Iterator[Trace]:
    named: dict[str, set[str]] = {}
    for key, session in wanted.items():
        for file in session.files if session is not None else ():
            for plan in _plan_names(home.content(file.path)):
                named.setdefault(plan, set()).add(key)
    present = {file.name: file for file in home.below(PLANS)}
    named = {plan: keys for plan, keys in named.items() if plan in present}
    if named:
        for content in home.contents(file.path for session in kept.values() for file in session.files):
            for plan in _plan_names(content):
                named.pop(plan, None)
    for plan, keys in named.items():
        for key in keys:
            yield Trace(key, "plan", f"{PLANS}/{plan}", present[plan].path)


def _plan_names(content: bytes) -> set[str]:
    if b"plans" not in content and b'"slug"' not in content:  # most sessions: much faster than the pattern
        return set()
    return {(path or slug + b".md").decode() for path, slug in _PLAN.findall(content)}


def _memory(home: Tree, wanted: Mapping[str, Session | None], kept: Mapping[str, Session]) -> Iterator[Trace]:
    """Find the notes of projects that have no kept session any more."""
    going: dict[str, str] = {}
    for key, session in wanted.items():
        if session is not None:
            going.setdefault(session.files[0].path.split("/")[1], key)
    for session in kept.values():
        going.pop(session.files[0].path.split("/")[1], None)
    for project, key in going.items():
        for file in home.below(f"projects/{project}/memory"):
            yield Trace(key, "project notes", "projects/*/memory/", file.path)
