"""Watching: what became of conversations since they were last looked at.

Nothing runs in the database in between. Each look goes through all of them in pages and is compared with the one
before: by the column `updated_at` where there is one, and by the person's last turn. What differs is written down
with a number, which is the cursor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

from assent.connectors.port import Change, Unlisted
from assent.connectors.sql.memory import Memory
from assent.connectors.sql.reading import Row
from assent.domain.errors import Invalid
from assent.domain.instants import format_instant, parse_instant

Kind = Literal["created", "turn", "changed", "deleted"]


def watch(memory: Memory, pages: Iterable[list[Row | Unlisted]], cursor: str) -> Iterator[Change]:
    """Look, write down what differs, yield what is behind the cursor. Raises `Invalid` for a foreign cursor."""
    if cursor and not cursor.isdecimal():
        raise Invalid("this is not a cursor of this connector", "leave it out to begin from the beginning")
    now = datetime.fromtimestamp(memory.now_ns() / 1e9, UTC)
    with memory.open() as database:  # one look, whole or not at all: cut short, the next one starts over
        _look(database, pages, now)
    number = int(cursor or 0)
    while True:
        with memory.open() as database:
            query = "SELECT number, conversation, kind, at FROM change WHERE number > ? ORDER BY number LIMIT 1000"
            some = database.execute(query, (number,)).fetchall()
        if not some:
            return
        for number, name, kind, at in some:
            yield Change(name, kind, parse_instant(at), str(number))


def _look(database: sqlite3.Connection, pages: Iterable[list[Row | Unlisted]], now: datetime) -> None:
    look = 1 + (database.execute("SELECT max(look) FROM seen").fetchone()[0] or 0)
    database.execute("CREATE TEMP TABLE new (conversation TEXT, kind TEXT, at TEXT)")
    for page in pages:
        for row in page:
            if not isinstance(row, Unlisted):
                _compare(database, row, look, now)
    gone = "SELECT conversation, 'deleted', ? FROM seen WHERE look < ?"
    database.execute(f"INSERT INTO new {gone}", (format_instant(now), look))
    database.execute("DELETE FROM seen WHERE look < ?", (look,))
    database.execute(
        "INSERT INTO change (conversation, kind, at) SELECT conversation, kind, at FROM new ORDER BY at, conversation"
    )


def _compare(database: sqlite3.Connection, row: Row, look: int, now: datetime) -> None:
    one = row.listed
    turn = "" if one.last_turn_at is None else format_instant(one.last_turn_at)
    known = database.execute("SELECT mark FROM seen WHERE conversation = ?", (one.id,)).fetchone()
    mark = f"{turn} {row.updated}"
    if known is None or known[0] != mark:
        kind: Kind = "created" if known is None else "changed" if known[0].startswith(f"{turn} ") else "turn"
        at = turn if turn and kind != "changed" else format_instant(now)
        database.execute("INSERT INTO new VALUES (?, ?, ?)", (one.id, kind, at))
    database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (one.id, mark, look))
