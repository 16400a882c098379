"""Somebody's own chat tables on real databases: children of children, keys in a circle, shared rows, rows that stay."""

import re
import sqlite3
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable
from tests.conformance.connectors.kit import ODD_IDS, Seeded
from tests.mariadb_server import MariaDb
from tests.postgres_server import Server

from assent.connectors.sql.product import Settings, SqlProduct, connect

BEGIN = datetime(2026, 3, 4, 9, tzinfo=UTC)
MARKER = re.compile(rb"marker[0-9]{7}q")

MAPPING = """
[conversations]
table = "chat"
id = "id"
owner = "user_id"
plan = "account.plan"
title = "title"
created_at = "created_at"
updated_at = "updated_at"
times = "seconds"

[[joins]]
table = "account"
on = { id = "chat.user_id" }

[[messages]]
table = "message"
conversation = "chat_id"
id = "id"
role = "role"
content = "body"
created_at = "created_at"
times = "seconds"
roles = { customer = "person", bot = "model" }

[[copies]]
table = "attachment"

[[copies]]
table = "preview"

[[copies]]
table = "upload"
on = { id = "attachment.upload_id" }
shared = true
used_by = ["profile.picture_id"]

[[copies]]
table = "usage"
conversation = "chat_id"
do = "blank"
blank = ["prompt", "answer"]
"""

TABLES = sa.MetaData()
ID = sa.String(320)
ACCOUNT = sa.Table("account", TABLES, sa.Column("id", ID, primary_key=True), sa.Column("plan", sa.String(20)))
CHAT = sa.Table(
    "chat",
    TABLES,
    sa.Column("id", ID, primary_key=True),
    sa.Column("user_id", ID),
    sa.Column("title", sa.Text),
    sa.Column("created_at", sa.BigInteger),
    sa.Column("updated_at", sa.BigInteger),
    sa.Column("forked_from", ID, sa.ForeignKey("chat.id", ondelete="CASCADE")),
    sa.Column("current_message", sa.Integer),
)
MESSAGE = sa.Table(
    "message",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("chat_id", ID, sa.ForeignKey("chat.id"), nullable=False, index=True),
    sa.Column("parent_id", sa.Integer, sa.ForeignKey("message.id")),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger),
)
UPLOAD = sa.Table(
    "upload", TABLES, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), sa.Column("text", sa.Text)
)
ATTACHMENT = sa.Table(
    "attachment",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("message_id", sa.Integer, sa.ForeignKey("message.id"), nullable=False, index=True),
    sa.Column("upload_id", sa.Integer, sa.ForeignKey("upload.id"), index=True),
    sa.Column("caption", sa.Text),
)
PREVIEW = sa.Table(
    "preview",
    TABLES,
    sa.Column("attachment_id", sa.Integer, sa.ForeignKey("attachment.id"), primary_key=True),
    sa.Column("page", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text),
)
PROFILE = sa.Table("profile", TABLES, sa.Column("owner", ID, primary_key=True), sa.Column("picture_id", sa.Integer))
USAGE = sa.Table(
    "usage",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("chat_id", ID, index=True),
    sa.Column("prompt", sa.Text),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("tokens", sa.Integer),
)


class SqlWorld(ABC):
    """Tables of a product, filled as the product would."""

    odd_ids: ClassVar[Sequence[str]] = ODD_IDS
    current_key: ClassVar[str] = (
        "ALTER TABLE chat ADD CONSTRAINT current_key FOREIGN KEY (current_message) REFERENCES message (id)"
    )

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self.mapping = tmp / "mapping.toml"
        self.mapping.write_text(MAPPING)
        self.number = 0
        with self.open() as connection:
            self.make(connection)

    @abstractmethod
    def engine(self) -> sa.Engine: ...

    @abstractmethod
    def where(self) -> dict[str, Any]:
        """The keys that say which database it is."""

    @contextmanager
    def open(self) -> Iterator[sa.Connection]:
        with self.engine().begin() as connection:
            yield connection

    def make(self, connection: sa.Connection) -> None:
        TABLES.create_all(connection)
        connection.exec_driver_sql(self.current_key)

    def product(self) -> SqlProduct:
        keys = {"name": "own", "folder": self.tmp / "own", "mapping": self.mapping, **self.where()}
        return connect(Settings(**keys), Path.read_text)

    # -- what people and their product do ---------------------------------------------------

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        numbers = range(self.number + 1, self.number + 1 + count)
        self.number += count
        names = list(ids) if ids is not None else [f"chat-{number:07d}" for number in numbers]
        made = [self._chat(number, name) for number, name in zip(numbers, names, strict=True)]
        rows: dict[sa.Table, list[dict[str, Any]]] = {}
        for _, of_one in made:
            for table, some in of_one.items():
                rows.setdefault(table, []).extend(some)
        with self.open() as connection:
            known = set(connection.execute(sa.select(ACCOUNT.c.id)).scalars())
            people = {person for person in ("p-0", "p-1", "p-2") if person not in known}
            if people:
                connection.execute(sa.insert(ACCOUNT), [{"id": one, "plan": "pro"} for one in sorted(people)])
            there = set(connection.execute(sa.select(UPLOAD.c.id)).scalars())
            rows[UPLOAD] = [one for one in {row["id"]: row for row in rows[UPLOAD]}.values() if one["id"] not in there]
            for table in (CHAT, MESSAGE, UPLOAD, ATTACHMENT, PREVIEW, USAGE):
                if rows[table]:
                    connection.execute(sa.insert(table), rows[table])
            for name, current in zip(names, (4 * number + 2 for number in numbers), strict=True):
                connection.execute(sa.update(CHAT).where(CHAT.c.id == name).values(current_message=current))
            # every second one was forked from the one before: a kept chat that a cascade must not take along
            for before, name in zip(names[::2], names[1::2], strict=False):
                connection.execute(sa.update(CHAT).where(CHAT.c.id == name).values(forked_from=before))
        self.settle()
        return [seeded for seeded, _ in made]

    def _chat(self, number: int, name: str) -> tuple[Seeded, dict[sa.Table, list[dict[str, Any]]]]:
        """Two turns, an attachment of two pages, an upload of its own and one for two neighbours, the bill."""
        word, person, first = f"marker{number:07d}q", f"p-{number % 3}", BEGIN + timedelta(hours=number)
        at = int(first.timestamp())
        said = [("customer", f"tell me about {word}"), ("bot", f"{word} is a word"),
                ("user", f"more of {word}"), ("bot", f"{word} again")]  # fmt: skip
        messages = [
            {"id": 4 * number + step, "chat_id": name, "parent_id": 4 * number + step - 1 if step else None,
             "role": role, "body": body, "created_at": at + 60 * step}
            for step, (role, body) in enumerate(said)
        ]  # fmt: skip
        uploads = [{"id": 2 * number, "text": f"pages of {word}"}, {"id": 2 * (number // 2) + 1, "text": "for two"}]
        attached = [
            {"id": 2 * number + step, "message_id": 4 * number, "upload_id": one["id"], "caption": word}
            for step, one in enumerate(uploads)
        ]
        previews = [{"attachment_id": 2 * number, "page": page, "text": f"page of {word}"} for page in (1, 2)]
        chat = {"id": name, "user_id": person, "title": f"on {word}", "created_at": at, "updated_at": at + 900}
        usage = {"chat_id": name, "prompt": f"prompt {word}", "answer": f"answer {word}", "tokens": 7}
        rows = {
            CHAT: [chat],
            MESSAGE: messages,
            UPLOAD: uploads,
            ATTACHMENT: attached,
            PREVIEW: previews,
            USAGE: [usage],
        }
        return Seeded(name, word, first + timedelta(minutes=2), person), rows

    def settle(self) -> None:  # noqa: B027 - not every server does anything
        """Do what the server does by itself after a while."""

    def touch(self, id: str) -> None:  # noqa: A002
        with self.open() as connection:
            connection.execute(sa.update(CHAT).where(CHAT.c.id == id).values(updated_at=CHAT.c.updated_at + 10**6))

    def take_turn(self, id: str, at: datetime) -> None:  # noqa: A002
        with self.open() as connection:
            number = (connection.execute(sa.select(sa.func.max(MESSAGE.c.id))).scalar() or 0) + 1_000
            turn = {"id": number, "chat_id": id, "role": "user", "body": "and now?", "created_at": int(at.timestamp())}
            connection.execute(sa.insert(MESSAGE), [turn])
            connection.execute(sa.update(CHAT).where(CHAT.c.id == id).values(updated_at=int(at.timestamp())))

    def delete(self, id: str) -> None:  # noqa: A002
        own = sa.select(MESSAGE.c.id).where(MESSAGE.c.chat_id == id)
        attached = sa.select(ATTACHMENT.c.id).where(ATTACHMENT.c.message_id.in_(own))
        with self.open() as connection:
            connection.execute(sa.update(CHAT).where(CHAT.c.id == id).values(current_message=None))
            connection.execute(sa.update(CHAT).where(CHAT.c.forked_from == id).values(forked_from=None))
            connection.execute(sa.update(MESSAGE).where(MESSAGE.c.chat_id == id).values(parent_id=None))
            connection.execute(sa.delete(PREVIEW).where(PREVIEW.c.attachment_id.in_(attached)))
            connection.execute(sa.delete(ATTACHMENT).where(ATTACHMENT.c.message_id.in_(own)))
            connection.execute(sa.delete(MESSAGE).where(MESSAGE.c.chat_id == id))
            connection.execute(sa.delete(USAGE).where(USAGE.c.chat_id == id))
            connection.execute(sa.delete(CHAT).where(CHAT.c.id == id))

    def rows(self, table: sa.Table) -> list[Any]:
        with self.open() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key)))

    def maintenance(self) -> AbstractContextManager[None]:
        return nullcontext()

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        words = {marker.encode() for marker in markers}
        found: Counter[str] = Counter()
        for place, path in self.raw():
            found[place] += sum(word in words for word in MARKER.findall(path.read_bytes()))
        return found

    @abstractmethod
    def raw(self) -> Iterator[tuple[str, Path]]:
        """Every file of the system, by place."""


class SqliteWorld(SqlWorld):
    """A file with a write-ahead log and an index of texts that triggers keep up."""

    mapped = MAPPING + '\n[[copies]]\ntable = "message_fts"\non = { rowid = "message.id" }\ndo = "look"\n'

    def __init__(self, tmp: Path, *, journal: str = "wal") -> None:
        self.file = tmp / "product" / "chats.db"
        self.file.parent.mkdir()
        with closing(sqlite3.connect(self.file)) as database:
            database.execute(f"PRAGMA journal_mode = {journal}")
        super().__init__(tmp)
        self.mapping.write_text(self.mapped)

    def engine(self) -> sa.Engine:
        return sa.create_engine(f"sqlite:///{self.file}", poolclass=NullPool)

    def where(self) -> dict[str, Any]:
        return {"file": self.file}

    def make(self, connection: sa.Connection) -> None:
        for table in TABLES.sorted_tables:
            made = str(CreateTable(table).compile(connection))
            if table is CHAT:  # SQLite adds no key to a table that is there
                made = made.replace("current_message INTEGER", "current_message INTEGER REFERENCES message (id)")
            connection.exec_driver_sql(made)
            for index in table.indexes:
                index.create(connection)
        connection.exec_driver_sql("CREATE VIRTUAL TABLE message_fts USING fts5(body)")
        connection.exec_driver_sql(
            "CREATE TRIGGER told AFTER INSERT ON message BEGIN"
            " INSERT INTO message_fts (rowid, body) VALUES (new.id, new.body); END"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER gone AFTER DELETE ON message BEGIN DELETE FROM message_fts WHERE rowid = old.id; END"
        )

    def raw(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self.file.parent.iterdir()):
            yield path.name, path

    def break_down(self) -> None:
        self.file.parent.rename(self.tmp / "away")

    def mend(self) -> None:
        (self.tmp / "away").rename(self.file.parent)

    @contextmanager
    def lie(self) -> Iterator[None]:
        with self.open() as connection:
            for table in TABLES.tables:
                for what in ("DELETE", "UPDATE"):
                    ignored = f"BEFORE {what} ON {table} BEGIN SELECT RAISE(IGNORE); END"
                    connection.exec_driver_sql(f"CREATE TRIGGER lie_{what}_{table} {ignored}")
        yield
        with self.open() as connection:
            for table in TABLES.tables:
                for what in ("DELETE", "UPDATE"):
                    connection.exec_driver_sql(f"DROP TRIGGER lie_{what}_{table}")


class PostgresWorld(SqlWorld):
    """A database of a server of our own; its write-ahead log counts only where that is asked for."""

    def __init__(self, tmp: Path, server: Server, *, log_files: bool = False) -> None:
        self._server = server
        self._log_files = log_files
        self.name = server.blank()
        super().__init__(tmp)

    def engine(self) -> sa.Engine:
        url = sa.make_url(self._server.address(self.name)).set(drivername="postgresql+psycopg")
        return sa.create_engine(url, poolclass=NullPool)

    def where(self) -> dict[str, Any]:
        return {"database": self._server.address(self.name), "log_files": self._log_files}

    def settle(self) -> None:
        with self.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in (
                f"VACUUM ANALYZE {', '.join(TABLES.tables)}",
                "VACUUM pg_catalog.pg_statistic",
                "CHECKPOINT",
            ):
                connection.exec_driver_sql(statement)

    def raw(self) -> Iterator[tuple[str, Path]]:
        with self.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")  # what the server keeps in memory is in its files then
            oid = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar()
        data = Path(str(self._server.url.query["host"])) / "data"
        places = {"database": data / "base" / str(oid)} | ({"log": data / "pg_wal"} if self._log_files else {})
        for place, folder in places.items():
            yield from ((place, path) for path in folder.rglob("*") if path.is_file())

    def break_down(self) -> None:
        self._server.run("alter database {} allow_connections false", self.name)

    def mend(self) -> None:
        self._server.run("alter database {} allow_connections true", self.name)

    def give_back(self) -> None:
        self._server.drop(self.name)

    @contextmanager
    def lie(self) -> Iterator[None]:
        with self.open() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION lie() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            )
            for table in TABLES.tables:
                each = f'BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION lie()'
                connection.exec_driver_sql(f"CREATE TRIGGER lie {each}")
        yield
        with self.open() as connection:
            connection.exec_driver_sql("DROP FUNCTION lie() CASCADE")


class MariaDbWorld(SqlWorld):
    """A database of a server in a temporary folder; its undo and redo logs are out of the connector's reach."""

    def __init__(self, tmp: Path, server: MariaDb) -> None:
        self._server = server
        self.name = server.blank()
        super().__init__(tmp)

    def engine(self) -> sa.Engine:
        return sa.create_engine(self._server.address(self.name), poolclass=NullPool)

    def where(self) -> dict[str, Any]:
        address = self._server.address(self.name).set(drivername="mariadb")
        return {"database": address.render_as_string(hide_password=False)}

    def raw(self) -> Iterator[tuple[str, Path]]:
        # what the server keeps in memory is in the tables' files then
        names = ", ".join(f"`{self.name}`.`{table}`" for table in TABLES.tables)
        with self.engine().connect() as connection:
            connection.exec_driver_sql(f"FLUSH TABLES {names} FOR EXPORT")
            connection.exec_driver_sql("UNLOCK TABLES")
        folder = self._server.folder / "data" / self.name
        yield from (("tables", path) for path in sorted(folder.iterdir()) if path.is_file())

    def break_down(self) -> None:
        self._server.run(f"RENAME TABLE {self.name}.chat TO {self.name}.away")

    def mend(self) -> None:
        self._server.run(f"RENAME TABLE {self.name}.away TO {self.name}.chat")

    def give_back(self) -> None:
        self._server.run(f"DROP DATABASE {self.name}")
