"""Erasing traces: files go, lines, entries and rows leave the files that sessions share."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from assent.connectors.coding_agents.agent import Agent, Session, Trace
from assent.connectors.coding_agents.rewriting import (
    compact,
    delete_rows,
    rewrite_entries,
    rewrite_lines,
)
from assent.connectors.replacing import BusyError
from assent.connectors.tree import Tree

IN_USE: Final = "in use: another program is writing here; close the session and ask again"
_WHY: Final = {
    errno.EACCES: "may not be changed: check the permissions of the file and its folder",
    errno.EPERM: "may not be changed: check the permissions of the file and its folder",
    errno.EROFS: "lies on a disk that is read-only",
    errno.ENOSPC: "there is no space to write it anew",
}


def carry_out(
    home: Tree, agent: Agent, wanted: Mapping[str, Session | None], traces: Sequence[Trace]
) -> dict[str, str]:
    """Erase traces; returns why a path could not be changed, by path.

    A session's own files go last: what else there is of it is found through them, so a run
    that is cut short is finished by the next one.
    """
    problems: dict[str, str] = {}
    shared: dict[str, list[Trace]] = {}
    for trace in traces:
        if trace.how != "file":
            shared.setdefault(trace.path, []).append(trace)
    for path, found in shared.items():
        try:
            _take_out(home, agent, wanted, path, found)
        except (OSError, ValueError, IndexError) as problem:
            problems[path] = _why(problem)
    own = {file.path for session in wanted.values() if session is not None for file in session.files}
    files = {trace.path for trace in traces if trace.how == "file"}
    for path in [*sorted(files - own), *sorted(files & own)]:
        _remove(home, path, problems)
    _tidy(home, files - problems.keys(), agent.keep_levels)
    return problems


def _take_out(
    home: Tree,
    agent: Agent,
    wanted: Mapping[str, Session | None],
    path: str,
    traces: Sequence[Trace],
) -> None:
    going = {trace.id for trace in traces}
    how = traces[0].how
    if how == "lines":
        owner = agent.lines_of(home, path, {key: wanted[key] for key in going})
        rewrite_lines(home, path, lambda line: not owner(line))
    elif how == "entries":
        rewrite_entries(home, path, lambda entry: agent.is_of(path, entry) not in going, agent.key_of(path))
    else:
        delete_rows(home, path, sorted(going))


def rewrite_databases(home: Tree, traces: Iterable[Trace]) -> dict[str, str]:
    """Write the databases anew in which rows were deleted, without their free pages; returns why not, by path."""
    problems = {}
    for path in sorted({trace.path for trace in traces if trace.how == "rows"}):
        try:
            if home.look(path) is not None:
                compact(home, path)
        except OSError as problem:
            problems[path] = _why(problem)
    return problems


def _remove(home: Tree, path: str, problems: dict[str, str]) -> None:
    file = home.look(path)
    if file is None:
        return
    if file.links > 1:
        problems[path] = "has a second name on this disk, under which its bytes would stay"
        return
    try:
        home.unlink(file)
    except OSError as problem:
        problems[path] = _why(problem)


def _tidy(home: Tree, paths: Iterable[str], keep: int) -> None:
    for folder in sorted({path.rpartition("/")[0] for path in paths} - {""}, reverse=True):
        home.tidy(folder, keep=keep)


def _why(problem: Exception) -> str:
    if isinstance(problem, BusyError):
        return IN_USE
    if isinstance(problem, OSError):
        return _WHY.get(problem.errno or 0, "cannot be changed" if problem.errno else str(problem))
    return "is damaged: no entry can be taken out of it without harm to the others"
