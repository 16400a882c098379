"""What stays, looked at from three sides: the product's API, its database's rows, the bytes of its folder."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.clients.open_webui import OpenWebUi
from tests.clients.open_webui_seed import Seeded


def seen(server: OpenWebUi, seeded: Seeded) -> dict[str, Any]:
    """Give everything of the chats that stay as their owners see it, files and what is found in them included."""
    names = {person.id: name for name, person in server.people.items()}
    view: dict[str, Any] = {}
    for chat in seeded.kept:
        who = server.people[names[seeded.owners[chat]]]
        view[chat] = server.chat(who, chat)
        view[f"tags of {chat}"] = server.call("GET", f"/api/v1/chats/{chat}/tags", who)
        if view[chat].get("share_id"):
            view[f"share of {chat}"] = server.call("GET", f"/api/v1/chats/share/{view[chat]['share_id']}", who)
        for file in seeded.files[chat]:
            view[f"file {file}"] = server.call("GET", f"/api/v1/files/{file}", who)
            view[f"content {file}"] = server.call("GET", f"/api/v1/files/{file}/content", who)
            asked = {"collection_name": f"file-{file}", "query": "a line with something", "k": 4}
            view[f"found in {file}"] = server.post("/api/v1/retrieval/query/doc", who, **asked)
    for name in ("ada", "cleo"):
        memories = server.call("GET", "/api/v1/memories/", server.people[name])
        view[f"memories of {name}"] = _staying(memories, seeded)
        chats = server.call("GET", f"/api/v1/chats/list/user/{server.people[name].id}", server.admin())
        view[f"chats of {name}"] = sorted(chat["id"] for chat in chats if chat["id"] in seeded.kept)
    rated = server.call("GET", "/api/v1/evaluations/feedbacks/all/export", server.admin())
    view["ratings"] = sorted((one for one in rated if one["meta"]["chat_id"] in seeded.kept), key=lambda one: one["id"])
    return view


def _staying(found: Iterable[Any], seeded: Seeded) -> list[str]:
    goes = [word.text for word in seeded.words.of(doomed=True)]
    return sorted(text for text in map(json.dumps, found) if not any(word in text for word in goes))


def rows(database: Path | str, seeded: Seeded) -> dict[str, set[str]]:
    """Give every row of every table that names a chat, a word or a file that stays."""
    stays = {*seeded.kept, *(word.text for word in seeded.words.of(doomed=False))}
    stays |= {file for chat in seeded.kept for file in seeded.files[chat]}
    goes = set(seeded.doomed)
    found: dict[str, set[str]] = {}
    for name, row in _all_rows(database):
        if any(one in row for one in stays) and not any(one in row for one in goes):
            found.setdefault(name, set()).add(row)
    return found


def _all_rows(database: Path | str) -> Iterator[tuple[str, str]]:
    if isinstance(database, str):
        with psycopg.connect(database) as connection:
            named = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            for (name,) in connection.execute(named).fetchall():
                query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name))
                yield from ((name, row) for (row,) in connection.execute(query))
        return
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        named = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (name,) in connection.execute(named).fetchall():
            yield from ((name, repr(row)) for row in connection.execute(f'SELECT * FROM "{name}"'))


def uploads(folder: Path, seeded: Seeded) -> dict[str, str]:
    """Give a digest of every upload that stays."""
    stays = {file for chat in seeded.kept for file in seeded.files[chat]}
    found = {path.name: path for path in (folder / "uploads").iterdir() if path.name.split("_")[0] in stays}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}
