"""Open WebUI's data as 0.12.4 leaves it, and as much of its admin API as erasing needs.

Tables, files and what each order leaves behind were taken from a real server, on which `make check-clients` runs the
same connector. A marker stands in every copy that the product makes of a chat.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool
from tests.conformance.connectors.kit import Seeded
from tests.postgres_server import Server

from assent.connectors.open_webui.product import OpenWebUi, Settings, connect

BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)
HERE = Path(__file__).parent
ODD = ("a/b", "../../etc", "%", "*", "x'; --", 'a"b', "-rf", "ä ö", "🦊", "a\nb", "z" * 300)
PASSWORD = "correct horse"
TOKEN = "token"


class OpenWebUiWorld:
    """One installation in a folder; its database is SQLite's file there, or PostgreSQL at an address."""

    odd_ids: Sequence[str] = ODD

    def __init__(self, folder: Path, server: Server | None = None) -> None:
        self.data = folder / "data"
        self._own, self._postgres = folder / "own", server
        self.database = "" if server is None else server.blank()
        self._address = "" if server is None else server.address(self.database)
        self._random = random.Random(7)
        self._count = 0
        self.lies = False
        for name in ("uploads", "cache/audio/speech", "vector_db"):
            (self.data / name).mkdir(parents=True)
        (folder / "password").write_text(PASSWORD)
        with self.open() as database:
            for statement in (HERE / "open_webui_tables.sql").read_text("utf-8").split(";\n"):
                database.execute(text(statement.replace(":", r"\:")))
            database.execute(text("""INSERT INTO "group" (id, name) VALUES ('g', 'plus')"""))
            database.execute(text("INSERT INTO group_member VALUES ('m', 'g', :owner)"), {"owner": person(1)})
        with closing(self.chroma()) as vectors:
            vectors.executescript((HERE / "open_webui_chroma.sql").read_text("utf-8"))
        self._server: ThreadingHTTPServer | None = None
        self.start()

    # -- the system ---------------------------------------------------------------------------

    @contextmanager
    def open(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    @cached_property
    def _engine(self) -> Engine:
        if self._address:
            return create_engine(self._address.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)

        def connect_file() -> sqlite3.Connection:
            database = sqlite3.connect(self.data / "webui.db")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            database.execute("PRAGMA secure_delete = OFF")
            return database

        return create_engine("sqlite://", creator=connect_file, poolclass=NullPool)

    def chroma(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.data / "vector_db" / "chroma.sqlite3")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA secure_delete = OFF")
        return database

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port if self._server is not None else 9}"

    def product(self, **keys: Any) -> OpenWebUi:
        folder = self._own.parent
        if self._address:
            (folder / "address").write_text(self._address)
            keys["database_address_file"] = folder / "address"
        own = {"name": "ours", "folder": self._own, "base_url": self.url, "data_dir": self.data}
        admin = {"admin_email": "admin@example.org", "admin_password_file": folder / "password"}
        return connect(Settings.model_validate({**own, **admin, **keys}), Path.read_text)

    def break_down(self) -> None:
        self.stop()
        self.data.rename(self.data.with_name("away"))
        if self._postgres is not None:
            self._postgres.run("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.database)

    def mend(self) -> None:
        self.data.with_name("away").rename(self.data)
        if self._postgres is not None:
            self._postgres.run("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.database)
        self.start()

    @contextmanager
    def maintenance(self) -> Iterator[None]:
        self.stop()
        yield
        self.start()

    @contextmanager
    def lie(self) -> Iterator[None]:
        self.lies = True
        yield
        self.lies = False

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        wanted = [marker.encode() for marker in markers]
        found = {}
        folders = {path.name: path for path in self.data.iterdir()} | self._of_postgres()
        for place, folder in folders.items():
            for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
                whole = (path.read_bytes() if path.is_file() else b"") + path.name.encode()
                found[place] = found.get(place, 0) + sum(whole.count(marker) for marker in wanted)
        return found

    def _of_postgres(self) -> dict[str, Path]:
        """Name the folders of the server: what it holds in memory is written to them first."""
        if self._postgres is None:
            return {}
        self._postgres.run("CHECKPOINT")
        ((number,),) = self._postgres.run(
            "SELECT oid FROM pg_database WHERE datname = current_database()", database=self.database
        )
        data = Path(str(self._postgres.url.query["host"])) / "data"
        return {"database": data / "base" / str(number), "write-ahead log": data / "pg_wal"}

    # -- what people do -----------------------------------------------------------------------

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        """Write chats with every copy; each shares a file with the next, and all of them one with the first."""
        names = list(ids) if ids is not None else [self._uuid() for _ in range(count)]
        shared = self._uuid()
        with self.open() as database, closing(self.chroma()) as vectors, vectors:
            self._file(database, vectors, shared, person(0), "shared.txt", "for two and more")
            seeded = [self._chat(database, vectors, name, shared) for name in names]
        if self._postgres is not None:  # as autovacuum does: samples of the columns go into pg_statistic
            for order in ("VACUUM ANALYZE", "VACUUM pg_catalog.pg_statistic"):
                self._postgres.run(order, database=self.database)
        return seeded

    def _chat(self, database: Connection, vectors: sqlite3.Connection, name: str, shared: str) -> Seeded:
        self._count += 1
        number, word = self._count, f"marker{self._count:05d}x"
        owner, at = person(number % 3), int(BEGIN.timestamp()) + 3600 * number
        own, web = self._uuid(), f"web-search-{self._uuid()}"
        asked, answered = self._uuid(), self._uuid()
        files = [
            {"type": "file", "id": own, "name": f"{word}.txt"},
            {"type": "file", "id": shared, "name": "shared.txt"},
        ]
        files.append({"type": "web_search", "name": word, "collection_name": web})
        question = {"id": asked, "parentId": None, "childrenIds": [answered], "role": "user", "timestamp": at}
        question |= {"content": f"what does the word {word} mean to you?", "files": files}
        answer = {"id": answered, "parentId": asked, "childrenIds": [], "role": "assistant", "timestamp": at + 20}
        answer |= {"content": f"**{word}** is a word. Nobody knows it."}
        chat = {"title": word, "history": {"messages": {asked: question, answered: answer}, "currentId": answered}}
        self._row(database, name, owner, at, chat, {"tags": [f"tag_{word}", "both"]})
        child = self._uuid()
        self._row(database, child, owner, at + 9, {"title": word}, {"internal": True, "parent_chat_id": name})
        self._file(database, vectors, own, owner, f"{word}.txt", f"all about {word}")
        self._collection(vectors, web, self._uuid(), f"a page about {word}")
        rows: list[tuple[str, dict[str, Any]]] = [
            *(("chat_file", {"id": self._uuid(), "user_id": owner, "chat_id": name, "file_id": one, "created_at": at,
                             "updated_at": at}) for one in (own, shared)),
            ("shared_chat", {"id": self._uuid(), "chat_id": name, "user_id": owner, "title": word, "chat": chat}),
            ("access_grant", {"id": self._uuid(), "resource_type": "shared_chat", "resource_id": name,
                              "principal_type": "user", "principal_id": "*", "permission": "read", "created_at": at}),
            ("chatidtag", {"id": self._uuid(), "tag_name": word, "chat_id": name, "user_id": owner}),
            ("tag", {"id": f"tag_{word}", "name": word, "user_id": owner}),
            ("feedback", {"id": self._uuid(), "user_id": owner, "data": {"comment": word}, "meta": {"chat_id": name},
                          "snapshot": {"chat": chat}, "created_at": at, "updated_at": at}),
            ("automation_run", {"id": self._uuid(), "automation_id": "a", "chat_id": name, "status": "done",
                                "created_at": at}),
        ]  # fmt: skip
        for table, row in rows:
            _insert(database, table, row)
        self._memory(database, vectors, owner, f"likes {word}", at + 5, {"created_by": "tool", "chat_id": name})
        self._say(word, f"{word} is a word.")
        self._log({"request_uri": f"/api/chat/completions?{name}", "request_object": json.dumps(question)})
        self._log(
            {"request_uri": "/api/v1/files/", "request_object": f"{word}", "response_object": f'{{"id":"{own}"}}'}
        )
        return Seeded(name, word, datetime.fromtimestamp(at, UTC), owner)

    def _row(
        self, database: Connection, name: str, owner: str, at: int, chat: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> None:
        row = {"id": name, "user_id": owner, "title": chat["title"], "created_at": at - 60, "updated_at": at + 9_000}
        _insert(database, "chat", {**row, "chat": chat, "meta": meta, "archived": False, "pinned": False})
        for one in chat.get("history", {}).get("messages", {}).values():
            said = {"id": f"{name}-{one['id']}", "chat_id": name, "user_id": owner, "role": one["role"]}
            said |= {"content": one["content"], "files": one.get("files"), "created_at": one["timestamp"]}
            _insert(database, "chat_message", {**said, "updated_at": at + 9_000})

    def _file(
        self, database: Connection, vectors: sqlite3.Connection, name: str, owner: str, filename: str, content: str
    ) -> None:
        path = self.data / "uploads" / f"{name}_{filename}"
        path.write_text(content)
        row = {"id": name, "user_id": owner, "filename": filename, "hash": f"hash-{name}", "path": str(path)}
        _insert(database, "file", {**row, "data": {"content": content}})
        self._collection(vectors, f"file-{name}", self._uuid(), content, file=name)

    def _memory(
        self, database: Connection, vectors: sqlite3.Connection, owner: str, said: str, at: int, meta: Mapping[str, Any]
    ) -> str:
        name = self._uuid()
        _insert(database, "memory", {"id": name, "user_id": owner, "content": said, "created_at": at, "meta": meta})
        self._collection(vectors, f"user-memory-{owner}", name, said)
        return name

    def add_memory(self, owner: str, said: str, at: int, meta: Mapping[str, Any]) -> str:
        with self.open() as database, closing(self.chroma()) as vectors, vectors:
            return self._memory(database, vectors, owner, said, at, meta)

    def _collection(self, vectors: sqlite3.Connection, name: str, chunk: str, content: str, file: str = "") -> None:
        """Add a chunk as Chroma does: rows, an index of words, a queue that keeps it all, a folder for vectors."""
        found = vectors.execute("SELECT id FROM collections WHERE name = ?", (name,)).fetchone()
        number = found[0] if found else self._uuid()
        if not found:
            index, rows = self._uuid(), self._uuid()
            vectors.execute("INSERT INTO collections (id, name, database_id) VALUES (?, ?, 'd')", (number, name))
            vectors.execute("INSERT INTO segments VALUES (?, 'hnsw', 'VECTOR', ?)", (index, number))
            vectors.execute("INSERT INTO segments VALUES (?, 'sqlite', 'METADATA', ?)", (rows, number))
            (self.data / "vector_db" / index).mkdir()
        segment = vectors.execute("SELECT id FROM segments WHERE scope = 'METADATA' AND collection = ?", (number,))
        (segment_id,) = segment.fetchone()
        told = json.dumps({"chroma:document": content, "file_id": file})
        topic = f"persistent://default/default/{number}"
        queue = "INSERT INTO embeddings_queue (operation, topic, id, vector, metadata) VALUES (0, ?, ?, ?, ?)"
        sequence = vectors.execute(queue, (topic, chunk, b"0" * 32, told)).lastrowid
        into = "INSERT INTO embeddings (segment_id, embedding_id, seq_id) VALUES (?, ?, ?)"
        row = vectors.execute(into, (segment_id, chunk, sequence)).lastrowid
        meta = "INSERT INTO embedding_metadata (id, key, string_value) VALUES (?, ?, ?)"
        vectors.execute(meta, (row, "chroma:document", content))
        vectors.execute(meta, (row, "hash", f"hash-{file}"))
        vectors.execute("INSERT INTO embedding_fulltext_search (rowid, string_value) VALUES (?, ?)", (row, content))
        vectors.execute("INSERT OR REPLACE INTO max_seq_id VALUES (?, ?)", (segment_id, sequence))

    def _say(self, word: str, sentence: str) -> None:
        speech = self.data / "cache" / "audio" / "speech"
        (speech / f"{word[6:11]}.json").write_text(json.dumps({"input": sentence, "voice": "a"}))
        (speech / f"{word[6:11]}.mp3").write_bytes(b"sound of " + word.encode())

    def _log(self, entry: Mapping[str, Any]) -> None:
        with (self.data / "audit.log").open("a") as file:
            file.write(json.dumps({"verb": "POST", **entry}) + "\n")

    def touch(self, id: str) -> None:  # noqa: A002 - the word of the port
        with self.open() as database:
            database.execute(
                text("UPDATE chat SET pinned = true, updated_at = updated_at + 99 WHERE id = :id"), {"id": id}
            )

    def take_turn(self, id: str, at: datetime) -> None:  # noqa: A002
        with self.open() as database:
            found = database.execute(text("SELECT user_id, CAST(chat AS TEXT) FROM chat WHERE id = :id"), {"id": id})
            owner, chat = found.one()
            fields, name, seconds = json.loads(chat), self._uuid(), int(at.timestamp())
            turn = {"id": name, "parentId": fields["history"]["currentId"], "childrenIds": [], "role": "user"}
            fields["history"]["messages"][name] = {**turn, "content": "and more", "timestamp": seconds}
            fields["history"]["currentId"] = name
            change = "UPDATE chat SET chat = :chat, updated_at = :at WHERE id = :id"
            database.execute(text(change), {"chat": json.dumps(fields), "at": seconds, "id": id})
            row = {"id": f"{id}-{name}", "chat_id": id, "user_id": owner, "role": "user", "content": "and more"}
            _insert(database, "chat_message", {**row, "created_at": seconds})

    def delete(self, id: str) -> None:  # noqa: A002
        with self.open() as database:
            self.delete_chat(database, id)

    # -- what the product does when it is asked -------------------------------------------------

    def do(self, order: str, name: str) -> None:
        """Follow an order of the API, unless it lies."""
        orders = {
            "chats": self.delete_chat,
            "files": self.delete_file,
            "evaluations/feedback": lambda database, one: _delete(database, "feedback", "id", one),
        }
        if self.lies:
            return
        if order in orders:
            with suppress(json.JSONDecodeError), self.open() as database:  # it answers 500 to what it cannot read
                orders[order](database, name)
        elif order == "retrieval/delete":
            self.delete_chunks(name)
        elif order == "memories/reindex":
            self.index_memories()

    @staticmethod
    def delete_chat(database: Connection, name: str) -> None:
        """Delete as the product does: the chat, its children, its tags; files, links, ratings, memories stay."""
        metas = {row[0]: row[1] for row in database.execute(text("SELECT id, CAST(meta AS TEXT) FROM chat"))}
        of = [one for one, meta in metas.items() if f'"parent_chat_id": "{name}"' in meta]
        for tag in json.loads(metas.pop(name, "{}")).get("tags", []):
            if not any(tag in meta for meta in metas.values()):
                _delete(database, "tag", "id", tag)
        for one in (name, *of):
            for table, column in (("chat_message", "chat_id"), ("shared_chat", "chat_id"), ("chat", "id")):
                _delete(database, table, column, one)

    def delete_file(self, database: Connection, name: str) -> None:
        """Delete row and upload; the collection stays."""
        _delete(database, "file", "id", name)
        for path in (self.data / "uploads").glob(f"{name}_*"):
            path.unlink()

    def delete_chunks(self, file: str) -> None:
        """Delete the chunks of a file; the queue keeps their text, and gets a line more for each."""
        with closing(self.chroma()) as vectors, vectors:
            found = "SELECT id FROM embedding_metadata WHERE key = 'hash' AND string_value = ?"
            for (row,) in vectors.execute(found, (f"hash-{file}",)).fetchall():
                self._delete_chunk(vectors, row)

    @staticmethod
    def _delete_chunk(vectors: sqlite3.Connection, row: int) -> None:
        queue = (
            "INSERT INTO embeddings_queue (operation, topic, id) SELECT 3, 'persistent://default/default/' || "
            "s.collection, e.embedding_id FROM embeddings e JOIN segments s ON s.id = e.segment_id WHERE e.id = ?"
        )
        vectors.execute(queue, (row,))
        for table, column in (
            ("embedding_fulltext_search", "rowid"), ("embedding_metadata", "id"), ("embeddings", "id")
        ):  # fmt: skip
            vectors.execute(f"DELETE FROM {table} WHERE {column} = ?", (row,))

    def index_memories(self) -> None:
        """Make the collections of memories anew, from the rows that are left."""
        with self.open() as database, closing(self.chroma()) as vectors, vectors:
            memories = "SELECT id FROM collections WHERE name LIKE 'user-memory-%'"
            rows = "SELECT e.id FROM embeddings e JOIN segments s ON s.id = e.segment_id WHERE s.collection IN"
            for (row,) in vectors.execute(f"{rows} ({memories})").fetchall():
                self._delete_chunk(vectors, row)
            vectors.execute(f"DELETE FROM segments WHERE collection IN ({memories})")
            vectors.execute("DELETE FROM collections WHERE name LIKE 'user-memory-%'")
            for name, owner, content in database.execute(text("SELECT id, user_id, content FROM memory")).all():
                self._collection(vectors, f"user-memory-{owner}", name, content)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def close(self) -> None:
        self.stop()
        if self._postgres is not None:
            self._postgres.drop(self.database)
        shutil.rmtree(self.data, ignore_errors=True)


def _insert(database: Connection, table: str, row: Mapping[str, Any]) -> None:
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    plain = {name: value if _is_plain(value) else json.dumps(value) for name, value in row.items()}
    if table == "chat_message":
        plain["content"] = json.dumps(row["content"])
    database.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), plain)


def _delete(database: Connection, table: str, column: str, name: str) -> None:
    database.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": name})


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | bool)


def _handler(world: OpenWebUiWorld) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: two would wait for each other

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            signed_in = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            if self.path == "/health" or signed_in:
                self._answer(200, {"status": True, "role": "admin"})
            else:
                self._answer(401, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            if self.path == "/api/v1/auths/signin":
                good = body == {"email": "admin@example.org", "password": PASSWORD}
                self._answer(200 if good else 400, {"token": TOKEN} if good else {})
                return
            world.do(self.path.removeprefix("/api/v1/"), body.get("file_id", ""))
            self._answer(200, {"status": True})

        def do_DELETE(self) -> None:
            kind, _, name = self.path.removeprefix("/api/v1/").rpartition("/")
            world.do(kind, unquote(name))
            self._answer(200, {"status": True})

        def _answer(self, status: int, value: object) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def person(number: int) -> str:
    return str(uuid.UUID(int=4_000_000_000 + number, version=4))
