"""Watching: what became of chats since they were last looked at, by their rows.

The product's own events name no chats where it deletes many at once (a person, all of a person's chats), and are
sent once. So each look is compared with the one before, and what differs is written down with a number, which is the
cursor: a reader that stopped in the middle goes on where it was. The time of a deletion is the one that the event
function inside Open WebUI wrote down, if it is installed (`functions/assent_events.py`), else that of the look.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import orjson

from assent.connectors.formats.fields import instant, mapping, string
from assent.connectors.open_webui.database import Database, all_rows
from assent.connectors.open_webui.traces import BUSY_S, Remembered, Traces
from assent.connectors.port import Change
from assent.domain.errors import Invalid

EVENTS: Final = "assent-events.jsonl"
"""The file in the data folder that the event function writes."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS seen (chat TEXT PRIMARY KEY, owner TEXT, updated INTEGER, turn INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT, kind TEXT, at REAL);
"""
_NOW: Final = """
SELECT c.id, c.user_id, c.updated_at, t.last_turn, c.created_at, CAST(c.meta AS TEXT) AS meta
FROM chat c LEFT JOIN (
    SELECT chat_id, max(created_at) AS last_turn FROM chat_message WHERE role = 'user' GROUP BY chat_id
) t ON t.chat_id = c.id
"""

Kind = Literal["created", "turn", "changed", "deleted"]


def watch(database: Database, remembered: Remembered, folder: Path, data: Path, cursor: str) -> Iterator[Change]:
    """Look, write down what differs, yield what is behind the cursor. Raises `Invalid` for a foreign cursor.

    What the product deleted by itself is remembered as not cleaned: its bytes are there until a maintenance pass.
    """
    if cursor and not cursor.isdecimal():
        raise Invalid("this is not a cursor of this connector", "leave it out to begin from the beginning")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "watched.sqlite3"
    file.touch(mode=0o600)
    with closing(sqlite3.connect(file, timeout=BUSY_S)) as own:
        own.executescript(_SCHEMA)
        with database.open() as connection:
            now = {
                row.id: (row.user_id, row.updated_at, row.last_turn, row.created_at)
                for row in all_rows(connection, _NOW)
                if '"internal"' not in (row.meta or "")
            }
        before = {row[0]: row[1:] for row in own.execute("SELECT chat, owner, updated, turn FROM seen")}
        gone = {name: before[name][0] or "" for name in before.keys() - now.keys()}
        known = remembered.of(gone)
        remembered.keep(Traces(name, owner, (name,)) for name, owner in gone.items() if name not in known)
        with own:
            own.executemany(
                "INSERT INTO change (chat, kind, at) VALUES (?, ?, ?)", _differences(before, now, gone, folder, data)
            )
            own.executemany("DELETE FROM seen WHERE chat = ?", [(name,) for name in gone])
            own.executemany(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)",
                [(name, *row[:3]) for name, row in now.items() if before.get(name) != row[:3]],
            )
        behind = "SELECT number, chat, kind, at FROM change WHERE number > ? ORDER BY number"
        for number, name, kind, at in own.execute(behind, (int(cursor or 0),)):
            yield Change(name, kind, datetime.fromtimestamp(at, UTC), str(number))


def _differences(
    before: dict[str, tuple[object, ...]],
    now: dict[str, tuple[str, int | None, int | None, int | None]],
    gone: dict[str, str],
    folder: Path,
    data: Path,
) -> list[tuple[str, Kind, float]]:
    found: list[tuple[float, str, Kind]] = []
    for name, (owner, updated, turn, created) in now.items():
        if name not in before:
            found.append((_seconds(turn or created), name, "created"))
        elif before[name][2] != turn:
            found.append((_seconds(turn), name, "turn"))
        elif before[name] != (owner, updated, turn):
            found.append((_seconds(updated), name, "changed"))
    if gone:
        told = _deletions(data / EVENTS)
        looked = _disk_time(folder)
        found += [(min(told.get(name, looked), looked), name, "deleted") for name in gone]
    return [(name, kind, at) for at, name, kind in sorted(found)]


def _seconds(at: int | None) -> float:
    found = instant(at)
    return found.timestamp() if found is not None else 0.0


def _deletions(path: Path) -> dict[str, float]:
    """Read what the event function wrote: the first time that each chat was deleted; a line cut off is left out."""
    found: dict[str, float] = {}
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        try:
            fields = mapping(orjson.loads(line))
        except orjson.JSONDecodeError:
            continue
        at = fields.get("at")
        if fields.get("event") == "chat.deleted" and isinstance(at, int | float):
            found.setdefault(string(fields.get("chat")), float(at))
    return found


def _disk_time(folder: Path) -> float:
    """Ask the disk for the time: files are dated by the clock of the machine that holds them."""
    clock = folder / "clock"
    clock.touch(mode=0o600)
    return clock.stat().st_mtime
