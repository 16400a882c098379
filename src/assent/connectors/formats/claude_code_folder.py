"""Where Claude Code keeps a session: its transcript, what its subagents wrote, spilled output, other copies.

- `<home>/projects/<project>/` holds
    - `<session>.jsonl`: the transcript
    - `agent-<id>.jsonl`: a subagent, in older versions
    - `<session>/subagents/**`: subagents, workflow journals
    - `<session>/tool-results/*`: output too long for a line
    - `<session>/workflows/*.json`: workflow runs
    - `memory/`, `sessions-index.json`: side copies
- `<home>/history.jsonl`, `<home>/file-history/<session>/`, ...: side copies
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Final

import orjson

from assent.connectors.formats.fields import files_below, string

COMPANIONS: Final = ("subagents", "tool-results", "workflows")
SHARED_COPIES: Final = ("history.jsonl", "telemetry", "paste-cache", "plans", "shell-snapshots")
"""Copies in the home folder that mix sessions; the others have one entry for each session."""

SESSION_COPIES: Final = ("file-history", "todos", "tasks", "session-env", "debug")
PROJECT_COPIES: Final = ("memory", "sessions-index.json")

_HEAD_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class SessionFiles:
    """The files of one session, in reading order."""

    stem: str
    transcripts: list[Path] = field(default_factory=list)
    agents: list[Path] = field(default_factory=list)
    spilled: list[Path] = field(default_factory=list)
    workflows: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """The sessions of one project folder and the files in it that belong to none."""

    sessions: dict[str, SessionFiles] = field(default_factory=dict)
    side_copies: list[Path] = field(default_factory=list)
    strangers: list[Path] = field(default_factory=list)


def batches(path: Path) -> Iterator[Batch]:
    """Group the files below PATH by project and session, one project folder at a time."""
    if path.is_file():
        companion = path.with_suffix("")
        below = files_below(companion) if companion.is_dir() else []
        yield _sorted_into_sessions(path.parent, [path, *below])
        return
    root = path / "projects" if (path / "projects").is_dir() else path
    folders = [item for item in sorted(root.iterdir()) if item.is_dir()]
    companions = any((item / name).is_dir() for item in [root, *folders] for name in COMPANIONS)
    if companions or any(root.glob("*.jsonl")):
        yield _sorted_into_sessions(root, files_below(root))
        return
    yield _sorted_into_sessions(root, [item for item in sorted(root.iterdir()) if item.is_file()])
    for folder in folders:
        yield _sorted_into_sessions(folder, files_below(folder))


def _sorted_into_sessions(root: Path, paths: list[Path]) -> Batch:
    batch = Batch()
    for path in paths:
        parts = path.relative_to(root).parts
        companion = next((at for at, part in enumerate(parts[:-1]) if part in COMPANIONS), None)
        if companion is not None:
            session = _session(batch, parts[companion - 1] if companion else root.name)
            _companion_list(session, parts[companion], path).append(path)
        elif "memory" in parts[:-1] or path.name in PROJECT_COPIES:
            batch.side_copies.append(path)
        elif path.suffix != ".jsonl":
            batch.strangers.append(path)
        elif path.name.startswith("agent-"):
            _session(batch, _first_session_id(path) or path.stem).agents.append(path)
        else:
            _session(batch, path.stem).transcripts.append(path)
    return batch


def _session(batch: Batch, stem: str) -> SessionFiles:
    return batch.sessions.setdefault(stem, SessionFiles(stem))


def _companion_list(session: SessionFiles, kind: str, path: Path) -> list[Path]:
    if kind == "tool-results":
        return session.spilled
    if path.suffix == ".jsonl":
        return session.agents
    return session.workflows if kind == "workflows" and path.suffix == ".json" else session.others


def _first_session_id(path: Path) -> str:
    """Read which session a loose subagent file belongs to."""
    try:
        with path.open("rb") as stream:
            line = stream.readline(_HEAD_BYTES)
        value = orjson.loads(line)
    except (OSError, orjson.JSONDecodeError):
        return ""
    return string(value.get("sessionId")) if isinstance(value, dict) else ""


def home_of(path: Path) -> Path | None:
    """Find the home folder that PATH is, or lies in; None when PATH was copied out of one."""
    if (path / "projects").is_dir():
        return path
    return next((item.parent for item in (path, *path.parents) if item.name == "projects"), None)


def covers_home(path: Path, home: Path) -> bool:
    """Tell whether PATH means every session of the home folder."""
    return path in (home, home / "projects")


def shared_copies(home: Path, *, whole: bool) -> list[Path]:
    """List the side copies that cannot be told apart by session; all of them if the whole home is read."""
    names = SHARED_COPIES + SESSION_COPIES if whole else SHARED_COPIES
    return [home / name for name in names if (home / name).exists()]


class SessionCopies:
    """The side copies of a home that the id of a session names, alone or before a suffix; listed once for all."""

    def __init__(self, home: Path) -> None:
        """List the folders of this home that have an entry for each session."""
        folders = [home / name for name in SESSION_COPIES if (home / name).is_dir()]
        self._found = sorted((item.name, item) for folder in folders for item in folder.iterdir())

    def of(self, stem: str) -> list[Path]:
        """List the side copies of one session."""
        # in the order of names `-` and `.` stand side by side, and `/` behind them is in none
        return sorted([*self._between(stem, f"{stem}\0"), *self._between(f"{stem}-", f"{stem}/")])

    def _between(self, first: str, end: str) -> list[Path]:
        places = [bisect_left(self._found, name, key=itemgetter(0)) for name in (first, end)]
        return [path for _, path in self._found[slice(*places)]]
