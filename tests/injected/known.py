"""Every fault that tests inject on purpose: what breaks, where, and what must hold whatever happens.

A test that injects one carries the mark `fault` with its name here. `python -m tests.injected`
runs them all, and writes what came of it into `docs/reference/faults.md`.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

TESTS: Final = Path(__file__).resolve().parents[1]


class Fault(NamedTuple):
    """A fault: its name in the marks, its kind, where it is injected, and what must hold."""

    name: str
    kind: str
    where: str
    holds: str


KNOWN: Final = (
    Fault(
        "killed sweep",
        "Processes that die",
        "`SIGKILL` of a sweep at a step of the store, at a call to the disk or at any instant; SQLite and PostgreSQL",
        "nothing that is claimed erased opens, nothing else is gone, and the next sweep ends exactly",
    ),
    Fault(
        "killed database",
        "Processes that die",
        "`SIGKILL` of the server process of PostgreSQL that works for a sweep; the whole server then recovers",
        "nothing that is claimed erased opens, nothing else is gone, and the next sweep ends exactly",
    ),
    Fault(
        "killed sweeper among several",
        "Processes that die",
        "`SIGKILL` of one of several `assent sweep --daemon` on one PostgreSQL, again and again; another is born",
        "each part goes once, every receipt is written, a hold stands, nothing is due at the end",
    ),
    Fault(
        "killed rotation",
        "Processes that die",
        "`SIGKILL` while the keys of the vault are wrapped anew, at each call to the kernel",
        "no key of what is kept is lost; the old epoch goes when the rotation returns",
    ),
    Fault(
        "killed writer of choices",
        "Processes that die",
        "the process beside the API that writes people's answers dies in the middle of a group",
        "another one does the group again, once; nothing acknowledged is lost",
    ),
    Fault(
        "killed connector",
        "Processes that die",
        "a process that erases in files of another system dies at each step",
        "no file is half written; a second run ends it",
    ),
    Fault(
        "killed training",
        "Processes that die",
        "a training process dies between checkpoints",
        "it ends with the same weights as one that was not killed",
    ),
    Fault(
        "stopped restore",
        "Processes that die",
        "a restore from a backup stops half-way",
        "nobody reads or writes before the replay is done; the restore goes on",
    ),
    Fault(
        "disk that refuses",
        "Disks",
        "`EIO` once or `ENOSPC` from then on, at each fsync, pwrite, link and unlink of carrying an erasure out",
        "the erasure is late and says so; nothing is claimed, nothing else is gone, a later run ends it",
    ),
    Fault(
        "disk that refuses the vault",
        "Disks",
        "`EIO`, `ENOSPC`, half a write, a late error, at each call of a rotation; also by the kernel (strace)",
        "no key is lost, nothing of the old epoch is dropped early",
    ),
    Fault(
        "disk that refuses the journal",
        "Disks",
        "a write to the journal of erasures fails",
        "what was refused is taken back, and the next line is whole",
    ),
    Fault(
        "power cut",
        "Disks",
        "everything that was not synced is lost, at each call of the vault",
        "what was destroyed stays destroyed, what was written stays written",
    ),
    Fault(
        "full disk below the database",
        "Disks",
        "the database has no room left: SQLite by a limit of pages, PostgreSQL on a file system that is full",
        "the write is refused in words, all of it or nothing is there, and it goes on when there is room",
    ),
    Fault(
        "clock that jumps",
        "Clocks",
        "the clock of a sweep runs ahead by years, or goes back",
        "nothing is erased until it is right again, or two people say that it is right",
    ),
    Fault(
        "cut line",
        "Networks",
        "every connection between the API and PostgreSQL is reset and new ones are refused",
        "503 with `Retry-After` in words, nothing acknowledged is lost, no restart",
    ),
    Fault(
        "frozen line",
        "Networks",
        "the connections between the API and PostgreSQL stand still, without an error",
        "503 within `answer_within_seconds`, nothing acknowledged is lost, no restart",
    ),
    Fault(
        "lost answers",
        "Networks",
        "PostgreSQL hears the API, and its answers are lost; some connections are half-closed",
        "503, nothing acknowledged is lost, what is asked again is done once, no restart",
    ),
    Fault(
        "cut line below a sweep",
        "Networks",
        "the line between a sweep and PostgreSQL is cut or frozen at any instant",
        "the sweep says so; nothing that is claimed erased opens, and the next sweep ends exactly",
    ),
    Fault(
        "packets that vanish",
        "Networks",
        "a firewall drops every packet to PostgreSQL while a statement is under way",
        "the connection is given up within about a minute, not after a quarter of an hour",
    ),
    Fault(
        "system that lies",
        "Other systems",
        "a chat product answers every order to delete with `200 OK` and deletes nothing",
        "it is not believed: the copy counts as present, and the erasure has no receipt",
    ),
    Fault(
        "system that is down",
        "Other systems",
        "a product or a vendor goes down at any request, or its folder is not there",
        "its copy is not reachable, never removed; the erasure stays open and is asked again",
    ),
    Fault(
        "system that is slow",
        "Other systems",
        "a product removes late, a receiver of events hangs, an answer never comes",
        "the erasure stays open and seen; others do not wait for it",
    ),
    Fault(
        "restored backup",
        "Restores",
        "a home is restored from a backup that is older than erasures, holds and choices",
        "what was erased stays erased, holds stand, tombstones are replayed before anybody reads",
    ),
    Fault(
        "hold against sweep",
        "Races",
        "holds of every scope are placed on what sweepers erase at that moment; SQLite and PostgreSQL",
        "no acknowledged hold is violated; two naive sweeps are caught",
    ),
    Fault(
        "withdrawal against run",
        "Races",
        "people withdraw while a training run starts; SQLite and PostgreSQL",
        "no run uses what was withdrawn before it started; a careless start is caught",
    ),
    Fault(
        "two sweeps at once",
        "Races",
        "two sweepers carry out one plan; one is paused until its lease is over",
        "each part goes once; whoever lost the lease is refused",
    ),
    Fault(
        "wrong order",
        "Mutants",
        "an erasure whose receipt comes first, whose key goes before the intent, or before the journal",
        "the audit of the kill loops catches each",
    ),
    Fault(
        "year",
        "Everything together",
        "a simulated year of people, choices, flags, holds, crashes, restores and a policy change, by a seed",
        "an oracle that shares no code agrees every day; a mistake is cut down to a few events",
    ),
)


@cache
def marked() -> dict[str, tuple[str, ...]]:
    """Return for each fault the tests that carry its mark, as `folder/file.py::test`, in order."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if "node_modules" in path.parts or "mark.fault(" not in (text := path.read_text("utf-8")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for name in filter(None, map(_fault_of, node.decorator_list)):
                    found.setdefault(name, []).append(f"{path.relative_to(TESTS.parent).as_posix()}::{node.name}")
    return {name: tuple(sorted(tests)) for name, tests in found.items()}


def _fault_of(mark: ast.expr) -> str | None:
    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
        [name] = mark.args
        return str(ast.literal_eval(name))
    return None
