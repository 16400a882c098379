"""Saying of each copy what the system's own data says now: rows, vectors, files, lines, bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from assent.connectors.open_webui.database import rows_of, tables
from assent.connectors.open_webui.traces import Traces
from assent.connectors.port import Copy
from assent.domain.copies import CopyState

BY_CHAT: Final = {
    "chat": ("id", "chat row"),
    "chat_message": ("chat_id", "message rows"),
    "shared_chat": ("chat_id", "shared copy"),
    "chat_file": ("chat_id", "links to files"),
    "chatidtag": ("chat_id", "links to tags"),
}
"""Tables whose rows say which chat they are of: the column, and what they are called."""

BY_ID: Final = {"feedback": "rating with a copy of the chat", "file": "file row with its text", "memory": "memory"}
"""Tables whose rows are remembered by their own ids."""

GRANTS: Final = """
SELECT resource_id, count(*) FROM access_grant WHERE resource_type = 'shared_chat' AND resource_id IN :ids GROUP BY 1
"""

STAYED: Final = "it was ordered to go: see ENABLE_ADMIN_CHAT_ACCESS of Open WebUI, or stop it and use --maintenance"
AGAIN: Final = "the erasure was interrupted: order it once more"
FREE_PAGES: Final = "bytes of rows that are gone: stop Open WebUI and use --maintenance"
QUEUE: Final = "the queue of the vector store keeps the text: stop Open WebUI and use --maintenance"
LOGGED: Final = "the server has the log open: stop Open WebUI and use --maintenance"
NO_API: Final = "no order of the API reaches it: stop Open WebUI and use --maintenance"
INDEXED: Final = (
    "the index of a person's memories holds it: order a new index (settings of Open WebUI), then --maintenance"
)
ELSEWHERE: Final = "the vector store is not Chroma's file in the data folder: look there by hand"
OBJECTS: Final = "uploads lie in an object store: look there by hand"


@dataclass(slots=True)
class Seen:
    """What one look at everything found, each by its id: how many rows by table, and what is there of the rest."""

    rows: dict[str, Counter[str]] = field(default_factory=dict)
    uploads: frozenset[str] = frozenset()
    chunks: frozenset[str] = frozenset()
    """Of collections and vectors, those that readers reach."""
    queued: frozenset[str] = frozenset()
    """Of collections and vectors, those that the queue or an index on disk still holds."""
    indexed: frozenset[str] = frozenset()
    sounds: frozenset[str] = frozenset()
    lines: frozenset[str] = frozenset()
    bytes: frozenset[str] = frozenset()
    vector_bytes: frozenset[str] = frozenset()
    tags: frozenset[tuple[str, str]] = frozenset()
    left: dict[str, list[Copy]] | None = None
    """What PostgreSQL keeps of rows that were erased, by mark; None where the database is a file of SQLite."""
    vector_store: bool = True
    database: str = "webui.db"


def rows_seen(connection: Connection, traces: Collection[Traces]) -> dict[str, Counter[str]]:
    """Count by table and id the rows that are left of these."""
    there = tables(connection)
    chats = sorted({name for one in traces for name in one.chats})
    seen = {
        table: _counted(connection, f"SELECT {column}, count(*) FROM {table} WHERE {column} IN :ids GROUP BY 1", chats)  # noqa: S608 - words of this file
        for table, (column, _) in BY_CHAT.items()
        if table in there
    }
    if "access_grant" in there:
        seen["access_grant"] = _counted(connection, GRANTS, chats)
    own = {
        "feedback": {name for one in traces for name in one.feedback},
        "file": {name for one in traces for name in one.files},
        "memory": {name for one in traces for name in one.memories},
    }
    for table, ids in own.items():
        if table in there:
            query = f"SELECT id, count(*) FROM {table} WHERE id IN :ids GROUP BY 1"  # noqa: S608
            seen[table] = _counted(connection, query, sorted(ids))
    return seen


def with_tables(connection: Connection, traces: Collection[Traces]) -> list[Traces]:
    """Add to each the tables that have rows of it now."""
    rows = rows_seen(connection, traces)
    by_chat = [table for table in (*BY_CHAT, "access_grant") if table in rows]
    return [
        one.with_found(Traces(one.chat, tables=tuple(t for t in by_chat if any(rows[t][name] for name in one.chats))))
        for one in traces
    ]


def tags_seen(connection: Connection, traces: Collection[Traces]) -> frozenset[tuple[str, str]]:
    """Return owner and tag of those tags that are still there."""
    wanted = {(one.owner, tag) for one in traces for tag in one.tags}
    rows = rows_of(connection, "SELECT user_id, id FROM tag WHERE user_id IN :ids", sorted({one for one, _ in wanted}))
    return frozenset((owner, tag) for owner, tag in rows) & wanted


def _counted(connection: Connection, query: str, ids: Sequence[str]) -> Counter[str]:
    return Counter({row[0]: row[1] for row in rows_of(connection, query, ids)})


def told(traces: Traces, before: Traces | None, seen: Seen) -> list[Copy]:
    """Name the copies of one chat, each with what was found of it now.

    `before`: what was remembered of it when it was erased, None if it never was; then what is not there is not named.
    """
    live = bool(seen.rows.get("chat", Counter())[traces.chat])
    known = before is not None
    copies = [
        *_rows(traces, seen, STAYED if live and known else ""),
        *_vectors(traces, seen, live=live),
        *_files(traces, seen),
    ]
    copies += _lines(traces, before, seen, live=live)
    if not live:
        copies += _bytes(traces, before, seen)
    return [copy for copy in copies if known or copy.state != "removed"]


def _rows(traces: Traces, seen: Seen, note: str) -> Iterator[Copy]:
    place = seen.database
    for table, (_, kind) in {**BY_CHAT, "access_grant": ("", "grants on its share")}.items():
        count = sum(seen.rows.get(table, Counter())[name] for name in traces.chats)
        if count or table in traces.tables:
            yield Copy(kind, f"{place}: {table}", _state(there=count), note if table == "chat" else "")
    for table, ids in (("feedback", traces.feedback), ("file", traces.files), ("memory", traces.memories)):
        for name in ids:
            yield Copy(BY_ID[table], f"{place}: {table} {name}", _state(there=seen.rows.get(table, Counter())[name]))
    if traces.tags:
        there = sum((traces.owner, tag) in seen.tags for tag in traces.tags)
        yield Copy("tags that no other chat has", f"{place}: tag", _state(there=there))


def _files(traces: Traces, seen: Seen) -> Iterator[Copy]:
    for name in traces.files:
        if name in traces.objects:
            gone = not seen.rows.get("file", Counter())[name]
            yield Copy(
                "upload", f"object store: {name}", "not reachable" if gone else "present", OBJECTS if gone else ""
            )
        else:
            yield Copy("upload", f"uploads: {name}", _state(there=name in seen.uploads))
    for name in traces.sounds:
        yield Copy("read-aloud cache", f"cache: {name}", _state(there=name in seen.sounds))


def _vectors(traces: Traces, seen: Seen, *, live: bool) -> Iterator[Copy]:
    if not seen.vector_store:
        if traces.vectors:
            yield Copy("vectors", "vector store", "not reachable", ELSEWHERE)
        return
    for name, number in traces.collections:
        there = number in seen.chunks
        # the server takes the chunks of a file out as long as it has the file, and no others
        ordered = seen.rows.get("file", Counter())[name.removeprefix("file-")]
        state: CopyState = "pending maintenance" if there and not ordered and not live else _state(there=there)
        yield Copy("vector collection", f"vector_db: {number}", state, NO_API if state == "pending maintenance" else "")
    for name in traces.memories:
        there = name in seen.chunks
        yield Copy("vector of a memory", f"vector_db: {name}", _state(there=there))
        if not there and name in seen.indexed:
            yield Copy("index of memories", f"vector_db: {name}", "pending maintenance", INDEXED)
    if traces.vectors:
        left = any(number in seen.queued for _, number in traces.collections)
        left = left or any(name in seen.queued for name in traces.memories)
        state = "removed" if not left else "present" if live else "pending maintenance"
        yield Copy("queue of the vector store", "vector_db", state, "" if state != "pending maintenance" else QUEUE)


def _lines(traces: Traces, before: Traces | None, seen: Seen, *, live: bool) -> Iterator[Copy]:
    lines = dict.fromkeys((*traces.lines, *(before.lines if before else ())))
    if lines:
        left = any(line in seen.lines for line in lines)
        state: CopyState = "removed" if not left else "present" if live else "pending maintenance"
        yield Copy("bodies in the audit log", "audit log", state, LOGGED if state == "pending maintenance" else "")


def _bytes(traces: Traces, before: Traces | None, seen: Seen) -> Iterator[Copy]:
    """Tell of bytes that no reader reaches: as long as no maintenance pass ended, they are taken to be there."""
    unclean = before is not None and not before.cleaned
    if seen.left is not None and before is not None:
        yield from seen.left.get(before.mark) or [
            Copy("dead row versions", seen.database, "pending maintenance", AGAIN)
        ]
    for place, found, own in (
        (seen.database, seen.bytes, seen.left is None),
        ("vector_db/chroma.sqlite3", seen.vector_bytes, traces.vectors and seen.vector_store),
    ):
        if own:
            left = unclean or any(name in found for name in traces.ids)
            state: CopyState = "pending maintenance" if left else "removed"
            yield Copy("free pages and write-ahead log", place, state, FREE_PAGES if left else "")


def _state(*, there: int) -> CopyState:
    return "present" if there else "removed"
