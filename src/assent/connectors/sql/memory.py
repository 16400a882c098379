"""What the connector remembers between calls, in a small database of its own: keys of rows, never content.

Of each erased conversation: in which tables it had rows, and the keys by which rows of other tables are found that
may be left when those are gone. Of each erasure: what the database still keeps of it. And for watching: the
conversations as they were last seen, and what became of them since.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from assent.connectors.sql.database import PORTION, portions
from assent.connectors.sql.tracing import Anchors, Trace

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS erasure (number INTEGER PRIMARY KEY, left_over TEXT);
CREATE TABLE IF NOT EXISTS erased (
    conversation TEXT, name TEXT, erasure INTEGER, PRIMARY KEY (conversation, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS anchor (
    conversation TEXT, name TEXT, columns TEXT, words TEXT,
    PRIMARY KEY (conversation, name, columns, words)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (conversation TEXT PRIMARY KEY, mark TEXT, look INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_look ON seen (look);
CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY, conversation TEXT, kind TEXT, at TEXT);
"""

FILES: Final = "\0files"
"""Stands after the name of a table whose rows named files."""


class Memory:
    """The connector's own folder, made when first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Give the database in one transaction, durable at the end."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / "memory.db"
        file.touch(mode=0o600)
        with closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_TABLES)
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    def note(self, trace: Trace, left_over: Mapping[str, Any]) -> None:
        """Remember what is about to be erased, and from where on to look for what the database keeps of it."""
        with self.open() as database:
            number = database.execute("INSERT INTO erasure (left_over) VALUES (?)", (json.dumps(left_over),)).lastrowid
            names = [(one, name) for one, of_one in trace.counts.items() for name in of_one]
            names += [(one, f"{name}{FILES}") for one, of_one in trace.files.items() for name in of_one]
            database.executemany(
                "INSERT INTO erased VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET erasure = excluded.erasure",
                [(one, name, number) for one, name in names],
            )
            database.executemany(
                "INSERT OR IGNORE INTO anchor VALUES (?, ?, ?, ?)",
                (
                    (one, name, json.dumps(columns), json.dumps(words))
                    for (name, columns), keys in trace.anchors.items()
                    for words, whose in keys.items()
                    for one in whose
                ),
            )

    def erased(self, ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """Say in which tables these conversations had rows when they were erased, and in which erasure."""
        found: dict[str, dict[str, int]] = {}
        for one, name, number in self._of(ids, "SELECT conversation, name, erasure FROM erased WHERE conversation"):
            found.setdefault(one, {})[name] = number
        return found

    def anchors(self, ids: Iterable[str]) -> Anchors:
        """Return the keys of rows that these conversations had when they were erased."""
        found: Anchors = {}
        query = "SELECT conversation, name, columns, words FROM anchor WHERE conversation"
        for one, name, columns, words in self._of(ids, query):
            group = (name, tuple(json.loads(columns)))
            found.setdefault(group, {}).setdefault(tuple(json.loads(words)), set()).add(one)
        return found

    def left_over(self) -> dict[int, dict[str, Any]]:
        """Say of each erasure from where on to look for what the database keeps of it."""
        if not self._there:
            return {}
        with self.open() as database:
            rows = database.execute("SELECT number, left_over FROM erasure WHERE left_over IS NOT NULL")
            return {number: json.loads(state) for number, state in rows}

    def keep_left_over(self, states: Mapping[int, Mapping[str, Any] | None]) -> None:
        """Remember how far the database has let go of erasures; None: wholly."""
        with self.open() as database:
            database.executemany(
                "UPDATE erasure SET left_over = ? WHERE number = ?",
                [(None if state is None else json.dumps(state), number) for number, state in states.items()],
            )

    def _of(self, ids: Iterable[str], query: str) -> Iterator[Sequence[Any]]:
        if not self._there:
            return
        with self.open() as database:
            for some in portions(dict.fromkeys(ids), PORTION):
                yield from database.execute(f"{query} IN ({', '.join('?' * len(some))})", some)

    @property
    def _there(self) -> bool:
        return (self._folder / "memory.db").exists()

    def now_ns(self) -> int:
        """Ask the disk for its time."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / "clock"
        file.touch(mode=0o600)
        return file.stat().st_mtime_ns
