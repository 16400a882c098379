"""Open WebUI as a product: list, read, find every copy, erase, look again, watch."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson
from pydantic import Field
from sqlalchemy import Connection

from assent.connectors import postgresql
from assent.connectors.formats.fields import instant
from assent.connectors.formats.open_webui import read_chat
from assent.connectors.formats.port import Malformed, Record
from assent.connectors.open_webui.api import Api
from assent.connectors.open_webui.chroma import Chroma
from assent.connectors.open_webui.database import Database, all_rows, rows_of
from assent.connectors.open_webui.disk import AuditLog, sound_files, sounds, uploads
from assent.connectors.open_webui.erasing import clean, mark, order, write_anew
from assent.connectors.open_webui.gathering import MemoryRule, gather, used, used_tags, with_collections
from assent.connectors.open_webui.looking import Seen, rows_seen, tags_seen, told, with_tables
from assent.connectors.open_webui.residue import Residue
from assent.connectors.open_webui.traces import Remembered, Traces
from assent.connectors.open_webui.watching import watch
from assent.connectors.port import Change, Copy, Listed, Unlisted, state_of
from assent.connectors.table import Secret, Table
from assent.domain.conversation import Conversation
from assent.domain.errors import Invalid, NotFound, Place, Refused

SUMMARY: Final = "chats of Open WebUI 0.12 and every copy of them, on SQLite or PostgreSQL"

_Left: TypeAlias = dict[str, list[Copy]]

_PLACE: Final = Place("chat")

_LIST: Final = """
SELECT c.id, c.user_id, c.created_at, t.last_turn, CAST(c.meta AS TEXT) AS meta,
       CASE WHEN t.last_turn IS NULL THEN CAST(c.chat AS TEXT) END AS chat
FROM chat c LEFT JOIN (
    SELECT chat_id, max(created_at) AS last_turn FROM chat_message WHERE role = 'user' GROUP BY chat_id
) t ON t.chat_id = c.id
WHERE t.last_turn IS NULL OR t.last_turn >= :since
"""
"""The newest message of the person. `chat.updated_at` moves when a chat is pinned or filed, so nobody reads it;
chats that came before the table of messages have their times in their own text alone."""

_GROUPS: Final = 'SELECT m.user_id, g.name FROM group_member m JOIN "group" g ON g.id = m.group_id ORDER BY g.name'
_READ: Final = """
SELECT id, user_id, title, CAST(chat AS TEXT) AS chat, created_at, folder_id FROM chat WHERE id IN :ids
"""


class Settings(Table):
    """The keys of an Open WebUI's file."""

    base_url: str = Field(description="where it answers: http://127.0.0.1:8080")
    data_dir: Path = Field(
        description="its data folder: uploads, vector_db, cache, and webui.db unless `database` says"
    )
    admin_email: str = Field("", description="an administrator's e-mail address")
    admin_password_file: Path | None = Field(None, description="a file with that administrator's password")
    api_key_file: Path | None = Field(None, description="or a file with an administrator's API key")
    database: Path | None = Field(None, description="its SQLite file, where it is not webui.db in the data folder")
    database_address_file: Path | None = Field(None, description="or a file with its postgresql:// address")
    audit_log: Path | None = Field(None, description="its audit log, where it is not audit.log in the data folder")
    plan_groups: tuple[str, ...] = Field(
        (), description="groups that are plans, the first of a person's counts; without: all of a person's groups"
    )
    log_files: bool = Field(
        default=True, description="PostgreSQL: look at the write-ahead log too; off where nobody may read it"
    )
    memories: MemoryRule = Field(
        "of-chat",
        description="memories: keep all, erase those that a model wrote in the chat, or also any made while it went on",
    )


def connect(settings: Settings, secret: Secret) -> OpenWebUi:
    """Connect an installation. Raises `Invalid` for keys that exclude each other, `NotFound` for a missing secret."""
    if settings.database is not None and settings.database_address_file is not None:
        raise Invalid("`database` and `database_address_file` name two databases", "give the one that it uses")
    address = settings.database_address_file
    where = settings.database or settings.data_dir / "webui.db" if address is None else secret(address)
    return OpenWebUi(settings, Database(where), Api(settings.base_url, partial(_credentials, settings, secret)))


def _credentials(settings: Settings, secret: Secret) -> dict[str, str] | str:
    if settings.api_key_file is not None:
        return secret(settings.api_key_file)
    if not settings.admin_email or settings.admin_password_file is None:
        fix = "give `admin_email` and `admin_password_file`, or `api_key_file`"
        raise Refused("erasing while Open WebUI runs needs an administrator", fix)
    return {"email": settings.admin_email, "password": secret(settings.admin_password_file)}


class OpenWebUi:
    """One installation."""

    format = "open-webui"
    reach = (
        "every row, file, vector, cached sound and audit line of a chat, and files that nothing kept uses; free pages, "
        "write-ahead logs, the queue of the vector store and the audit log only in maintenance; neither backups, the "
        "server's own log and webhooks, nor the models behind it"
    )

    def __init__(self, settings: Settings, database: Database, api: Api) -> None:
        self.name = settings.name
        self._settings = settings
        self._data = settings.data_dir
        self._database = database
        self._api = api
        self._chroma = Chroma(settings.data_dir)
        self._log = AuditLog(settings.audit_log or settings.data_dir / "audit.log")
        self._remembered = Remembered(settings.folder)
        self._rows_left = None if database.file is None else Residue(database.file, rows=True)
        self._vectors_left = Residue(self._chroma.file, rows=False)

    # -- list and read ------------------------------------------------------------------------

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        floor = -1 if since is None else since.timestamp()
        with self._database.open() as connection:
            plans: dict[str, list[str]] = {}
            for owner, group in connection.exec_driver_sql(_GROUPS):
                plans.setdefault(owner, []).append(group)
            for row in all_rows(connection, _LIST, {"since": floor}):
                if '"internal"' in (row.meta or "") and _object(row.meta).get("internal") is True:
                    continue  # a chat that a chat started is one of its copies
                turn = instant(row.last_turn) if row.chat is None else _last_turn(row)
                if since is None or turn is None or turn >= since:
                    yield Listed(row.id, row.user_id, instant(row.created_at), turn, self._plan(plans.get(row.user_id)))

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        with self._database.open() as connection:
            for row in rows_of(connection, _READ, list(dict.fromkeys(ids))):
                yield from _records(row._mapping)  # noqa: SLF001 - how SQLAlchemy names it

    def watch(self, cursor: str = "") -> Iterator[Change]:
        yield from watch(self._database, self._remembered, self._settings.folder, self._data, cursor)

    # -- copies -------------------------------------------------------------------------------

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        """Find every copy that there is; one that is gone is not named."""
        found = self.verify(ids)
        return {name: [copy for copy in copies if copy.state != "removed"] for name, copies in found.items()}

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        known = self._remembered.of(ids)
        traces = self._traces(ids, known)
        seen = self._seen(list(traces.values()), known)
        return {name: told(one, known.get(name), seen) for name, one in traces.items()}

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        known = self._remembered.of(ids)
        traces = self._traces(ids, known)
        cleaned = [one for one in traces.values() if one.cleaned]
        seen = self._seen(cleaned, known)
        done = {one.chat for one in cleaned if state_of(told(one, known.get(one.chat), seen)) == "removed"}
        going = [replace(one, ordered=True) for name, one in traces.items() if one.owner and name not in done]
        with self._database.open() as connection:
            going = with_tables(connection, going)
        if maintenance:
            self._refuse_if_running()
            self._remembered.keep(going)
            self._clean(going)
            return self.verify(ids)
        with self._api as api:
            self._remembered.keep(going)  # before anything goes: afterwards nothing tells what was whose
            order(self._database, api, self._chroma, self._data, going)
        where = mark(self._database)
        self._remembered.keep(replace(one, mark=where) for one in going)
        return self.verify(ids)

    def _clean(self, going: Sequence[Traces]) -> None:
        """Erase these, and clean up after all that were erased before while the server ran."""
        named = {one.chat for one in going}
        before = {one.chat: one for one in self._remembered.pending() if one.chat not in named}
        with self._database.open() as connection:
            back = {row[0] for row in rows_of(connection, "SELECT id FROM chat WHERE id IN :ids", list(before))}
        older = self._traces([name for name in before if name not in back], before)
        traces = [*going, *older.values()]
        if all(one.cleaned for one in traces):
            return
        clean(self._database, self._chroma, self._log, self._data, traces)
        where = mark(self._database)
        moved = write_anew(self._database, [where], log_files=self._settings.log_files)
        traces = [replace(one, mark=moved.get(where, where)) for one in traces]
        seen = self._seen(traces, {})
        self._remembered.keep(
            replace(one, cleaned=not any(copy.state == "present" for copy in told(one, one, seen))) for one in traces
        )

    def _refuse_if_running(self) -> None:
        fix = "stop it for as long as the maintenance takes"
        if self._api.runs():
            raise Refused("Open WebUI still answers", fix)
        self._database.refuse_if_open()
        self._chroma.refuse_if_open()

    # -- looking ------------------------------------------------------------------------------

    def _traces(self, ids: Sequence[str], known: Mapping[str, Traces]) -> dict[str, Traces]:
        """Find what belongs to these chats now, and add what is remembered of them and used by nothing kept since."""
        if not self._data.is_dir():
            raise NotFound("the data folder of Open WebUI is not where the connector's file says", "check `data_dir`")
        with self._database.open() as connection:
            found = gather(connection, list(dict.fromkeys(ids)), self._settings.memories)
            names = {name for one in found.values() for name in one.collections}
            traces = with_collections(found, self._vectors_of(names))
            remembered = {
                name: known[name].without(one.files, dict(one.collections), one.tags)
                for name, one in traces.items()
                if name in known
            }
            going = {chat for one in traces.values() for chat in one.chats}
            files, webs = used(
                connection,
                {file for one in remembered.values() for file in one.files},
                self._vectors_of({web for one in remembered.values() for web, _ in one.collections}),
                going,
            )
            tags = used_tags(connection, {one.owner for one in remembered.values() if one.tags}, going)
        texts = {name: one.texts for name, one in found.items() if one.texts}
        heard = sounds(self._data, found.values())
        lines = self._log.lines_of({name: one.chat for one in traces.values() for name in one.ids}, texts)
        return {
            name: known.get(name, Traces(name))
            .without(files, webs, tags.get(one.owner or (known[name].owner if name in known else ""), ()))
            .with_found(replace(one, sounds=tuple(heard.get(name, ())), lines=tuple(sorted(lines.get(name, ())))))
            for name, one in traces.items()
        }

    def _vectors_of(self, names: Collection[str]) -> dict[str, str]:
        """Give the ids of those collections that are there, by name."""
        return self._chroma.collections(names) if self._chroma.there else {}

    def _seen(self, traces: Sequence[Traces], known: Mapping[str, Traces]) -> Seen:
        """Look everywhere once for all of these."""
        collections = {number for one in traces for _, number in one.collections}
        memories = {name for one in traces for name in one.memories}
        names = {name for one in traces for name in one.sounds}
        seen = Seen(
            uploads=frozenset(uploads(self._data, {name for one in traces for name in one.files})),
            sounds=frozenset(name for name in names if sound_files(self._data, [name])),
            lines=frozenset(self._log.left({line for one in traces for line in one.lines})),
            vector_store=self._chroma.there,
            database="PostgreSQL" if self._database.file is None else self._database.file.name,
        )
        with self._database.open() as connection:
            seen.rows = rows_seen(connection, traces)
            seen.tags = tags_seen(connection, traces)
            if self._database.file is None:
                seen.left = self._left(connection, known)
        if self._chroma.there:
            seen.chunks = frozenset(self._chroma.chunks(collections) | self._chroma.vectors(memories))
            seen.queued = frozenset(self._chroma.queued(collections, memories))
            seen.indexed = frozenset(self._chroma.indexed(memories))
        # what no maintenance pass cleaned is pending whatever its bytes say
        searched = [
            name
            for one in traces
            if not seen.rows["chat"][one.chat] and (one.chat not in known or known[one.chat].cleaned)
            for name in one.ids
        ]
        if self._rows_left is not None:
            seen.bytes = frozenset(self._rows_left.of(searched))
        if self._chroma.there:
            seen.vector_bytes = frozenset(self._vectors_left.of(searched))
        return seen

    def _left(self, connection: Connection, known: Mapping[str, Traces]) -> _Left:
        """Ask PostgreSQL what it keeps of erased rows, by mark; a mark that could move on is remembered."""
        left: _Left = {}
        for one in {one.mark for one in known.values() if one.mark}:
            left[one], moved = postgresql.look(connection, json.loads(one), log_files=self._settings.log_files)
            new = json.dumps(moved)
            if new != one:
                self._remembered.keep(replace(other, mark=new) for other in known.values() if other.mark == one)
        return left

    def _plan(self, groups: Sequence[str] | None) -> str:
        if self._settings.plan_groups:
            return next((name for name in self._settings.plan_groups if name in (groups or ())), "")
        return ", ".join(groups or ())


def _records(row: Mapping[Any, Any]) -> Iterator[Record]:
    try:
        chat = orjson.loads(row["chat"] or "null")
    except orjson.JSONDecodeError:
        yield Malformed(_PLACE, "a chat's content is not JSON")
        return
    yield from read_chat({**row, "chat": chat}, _PLACE, set())


def _last_turn(row: Any) -> datetime | None:
    chat = {"id": row.id, "user_id": row.user_id, "chat": row.chat, "created_at": row.created_at}
    return next((one.last_turn_at for one in _records(chat) if isinstance(one, Conversation)), None)


def _object(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
