"""Erasing: what a running server has to do itself, and what goes only while it is stopped.

Before either, the traces are on disk. Either may be done again, from any place where it stopped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, bindparam, text

from assent.connectors import postgresql
from assent.connectors.open_webui.api import Api
from assent.connectors.open_webui.chroma import Chroma
from assent.connectors.open_webui.database import Database, batches, delete, rows_of, tables
from assent.connectors.open_webui.disk import AuditLog, sound_files, uploads
from assent.connectors.open_webui.looking import BY_CHAT, BY_ID
from assent.connectors.open_webui.traces import Traces

_NAME: Final = re.compile(r"(?!all$)[0-9A-Za-z_-]{1,200}")
"""Ids that mean the same in an address and outside: any other never becomes part of one. `all` means all of them."""

TABLES: Final = (*BY_CHAT, *BY_ID, "tag", "access_grant", "automation_run")
"""Tables that an erasure takes rows out of, or changes."""

_THERE: Final = "SELECT id FROM chat WHERE id IN :ids"


def order(database: Database, api: Api, chroma: Chroma, data: Path, traces: Sequence[Traces]) -> None:
    """Order the deletion of all that a running server can let go. What it answers is not read.

    Nothing else of a chat goes before its row is gone: a server that refuses keeps whole chats.
    """
    for one in traces:
        for name in one.chats:
            if _NAME.fullmatch(name):
                api.delete("chats", name)
    with database.open() as connection:
        odd = [name for one in traces for name in one.chats if not _NAME.fullmatch(name)]
        _delete_chats(connection, odd)
        left = {row[0] for row in rows_of(connection, _THERE, [name for one in traces for name in one.chats])}
    gone = [one for one in traces if not left.intersection(one.chats)]
    for one in gone:
        for name in one.feedback:
            api.delete("evaluations/feedback", name)
        for name in one.files:
            api.delete_chunks(f"file-{name}", name)  # before the file: the server knows its chunks by the file's hash
            api.delete("files", name)
    with database.open() as connection:
        _delete_orphans(connection, gone)
    _unlink(sound_files(data, {name for one in gone for name in one.sounds}))
    memories = {name for one in gone for name in one.memories}
    if memories and chroma.there and chroma.vectors(memories):
        api.index_memories_again()


def clean(database: Database, chroma: Chroma, log: AuditLog, data: Path, traces: Sequence[Traces]) -> None:
    """Erase with the server stopped: every row, file, vector and line, then the bytes that they left behind.

    The caller has seen that nobody has the databases open.
    """
    with database.open() as connection:
        _delete_chats(connection, [name for one in traces for name in one.chats])
        _delete_orphans(connection, traces)
        for table, ids in (
            ("feedback", [name for one in traces for name in one.feedback]),
            ("file", [name for one in traces for name in one.files]),
        ):
            delete(connection, table, "id", ids)
    files = {name for one in traces for name in one.files}
    _unlink([path for paths in uploads(data, files).values() for path in paths])
    _unlink(sound_files(data, {name for one in traces for name in one.sounds}))
    collections = {number for one in traces for _, number in one.collections}
    memories = {name for one in traces for name in one.memories}
    if chroma.there:  # also where none of these had a vector: their words may stand in the files of any index
        chroma.erase(collections, memories)
        chroma.tidy()
    named = {name: one.chat for one in traces for name in one.ids}
    lines = {line for one in traces for line in one.lines}
    lines.update(line for some in log.lines_of(named, {}).values() for line in some)
    log.empty(lines)


def mark(database: Database) -> str:
    """Note from where on to look for what the erased rows left; empty for SQLite, whose file is searched."""
    if database.file is not None:
        return ""
    with database.open() as connection:
        return json.dumps(postgresql.mark(connection, TABLES))


def write_anew(database: Database, marks: Sequence[str], *, log_files: bool) -> dict[str, str]:
    """Write the database anew, without free pages and dead rows, and its log; marks come back moved on."""
    known = sorted({one for one in marks if one})
    with database.alone() as connection:
        if database.file is None:
            moved = postgresql.tidy(connection, TABLES, [json.loads(one) for one in known], log_files=log_files)
            return dict(zip(known, map(json.dumps, moved), strict=True))
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.execute(text(statement)).close()
    return {}


def _delete_chats(connection: Connection, chats: Sequence[str]) -> None:
    """Delete chats as the product does: runs of automations stay, and name no chat any more."""
    if "automation_run" in tables(connection):
        forget = text("UPDATE automation_run SET chat_id = NULL WHERE chat_id IN :ids")
        for batch in batches(chats):
            connection.execute(forget.bindparams(bindparam("ids", expanding=True)), {"ids": batch})
    delete(connection, "chat", "id", chats)


def _delete_orphans(connection: Connection, traces: Collection[Traces]) -> None:
    """Delete what no order of the API removes, of chats that are gone."""
    there = tables(connection)
    chats = [name for one in traces for name in one.chats]
    for table, (column, _) in BY_CHAT.items():
        if table in there and table != "chat":
            delete(connection, table, column, chats)
    if "access_grant" in there:
        delete(connection, "access_grant", "resource_id", chats, "AND resource_type = 'shared_chat'")
    if "memory" in there:
        delete(connection, "memory", "id", [name for one in traces for name in one.memories])
    drop = text("DELETE FROM tag WHERE user_id = :owner AND id = :tag")
    for owner, tag in {(one.owner, tag) for one in traces for tag in one.tags}:
        connection.execute(drop, {"owner": owner, "tag": tag})


def _unlink(paths: Collection[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
