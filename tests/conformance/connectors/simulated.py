"""A chat product that misbehaves, all of it on disk, so that every process meets the same one; and its connector.

The product keeps chats in a database that leaves bytes in free pages, attachments as files that chats may share,
and a request log. What it does wrong is written in `mood.json` beside them:

- `late`: a chat that is deleted is hidden at once, and its row goes many requests later;
- `lies`: every order to delete is answered "200 OK", and nothing happens;
- `shifts`: while somebody lists, chats that were not said yet move to the front, and each page repeats the one before;
- `renames`: the product gives a chat another id when it is touched;
- `calls_left`: it goes down after so many requests; 0 is down.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.conformance.connectors.kit import ODD_IDS, Seeded

BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATE = 10_000
SCHEMA = """
create table if not exists chat (
    number integer primary key, id text unique, owner text, plan text, turned real, updated real, body text,
    formerly text default '', hidden_until integer
);
create table if not exists attached (chat text, file text, primary key (chat, file)) without rowid;
create index if not exists by_file on attached (file);
create table if not exists event (number integer primary key, chat text, kind text, at real);
"""


class ChatProduct:
    """The product: what its API answers, and what it does to its own data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "files").mkdir(parents=True, exist_ok=True)
        self.calls = 0
        with closing(self.open()) as database:
            database.executescript(SCHEMA)

    def open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.folder / "chats.db", isolation_level=None)
        database.execute("pragma secure_delete = off")
        database.execute("pragma synchronous = off")
        return database

    # -- mood ---------------------------------------------------------------------------

    @property
    def mood(self) -> dict[str, Any]:
        path = self.folder / "mood.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def feel(self, **changes: Any) -> None:
        (self.folder / "mood.json").write_text(json.dumps({**self.mood, **changes}))

    # -- API ----------------------------------------------------------------------------

    def get_page(self, offset: int, limit: int) -> dict[str, Any]:
        """List a page of chats, newest change first, as such APIs do."""
        with closing(self._called()) as database:
            shown = "from chat where hidden_until is null"
            total = database.execute(f"select count(*) {shown}").fetchone()[0]
            start = max(offset - 1, 0) if self.mood.get("shifts") else offset
            columns = "id, owner, plan, turned, updated"
            page = database.execute(
                f"select {columns} {shown} order by updated desc, number limit ? offset ?", (limit, start)
            ).fetchall()
            if self.mood.get("shifts"):
                database.execute(f"update chat set updated = updated + 1e6 where number = (select max(number) {shown})")
            return {"total": total, "chats": [dict(zip(columns.split(", "), row, strict=True)) for row in page]}

    def get_chat(self, name: str) -> dict[str, Any] | None:
        with closing(self._called()) as database:
            row = database.execute(
                "select id, owner, turned, body from chat where id = ? and hidden_until is null", (name,)
            ).fetchone()
            if row is None:
                return None
            return {"id": row[0], "owner": row[1], "turned": row[2], "turns": json.loads(row[3])}

    def delete_chat(self, name: str) -> int:
        """Delete a chat, and say 200 whatever became of it."""
        with closing(self._called()) as database:
            mood = self.mood
            if mood.get("lies"):
                return 200
            database.execute("begin")
            if mood.get("late"):
                database.execute("update chat set hidden_until = ? where id = ?", (self.calls + LATE, name))
            else:
                database.execute("delete from chat where id = ?", (name,))
            database.execute("delete from attached where chat = ?", (name,))
            at = BEGIN.timestamp() + 1e9
            database.execute("insert into event (chat, kind, at) values (?, 'deleted', ?)", (name, at))
            database.execute("commit")
            return 200

    def delete_file(self, name: str) -> int:
        self._called().close()
        if not self.mood.get("lies"):
            (self.folder / "files" / name).unlink(missing_ok=True)
        return 200

    def events(self, after: int) -> list[tuple[int, str, str, float]]:
        with closing(self._called()) as database:
            query = "select number, chat, kind, at from event where number > ? order by number"
            return database.execute(query, (after,)).fetchall()

    def _called(self) -> sqlite3.Connection:
        """Take a request, unless it is down; what is due to go, goes."""
        left = self.mood.get("calls_left")
        if left is not None:
            if left <= 0:
                raise ConnectionRefusedError(111, "connection refused")
            self.feel(calls_left=left - 1)
        self.calls += 1
        database = self.open()
        if self.mood.get("late"):
            database.execute("delete from chat where hidden_until <= ?", (self.calls,))
        return database

    # -- what its people and its operator do ----------------------------------------------

    def write_chat(self, number: int, name: str, owner: str, files: Mapping[str, str]) -> Seeded:
        """Have a person chat, attach files, and be logged."""
        marker, turn = f"marker{number:07d}q", BEGIN + timedelta(hours=number)
        turns = [
            {"who": "person", "at": turn.timestamp(), "text": f"tell me about {marker}"},
            {"who": "model", "at": (turn + timedelta(minutes=1)).timestamp(), "text": f"{marker} is a word"},
        ]
        updated = (turn + timedelta(hours=30)).timestamp()
        with closing(self.open()) as database:
            database.execute("begin")
            row = (number, name, owner, "pro-group", turn.timestamp(), updated, json.dumps(turns))
            database.execute(
                "insert into chat (number, id, owner, plan, turned, updated, body) values (?,?,?,?,?,?,?)", row
            )
            at = turn.timestamp()
            database.execute("insert into event (chat, kind, at) values (?, 'created', ?)", (name, at))
            for file, text in {f"own-{number}.txt": f"about {marker}", **files}.items():
                (self.folder / "files" / file).write_text(text)
                database.execute("insert or ignore into attached values (?, ?)", (name, file))
            database.execute("commit")
        with (self.folder / "requests.log").open("a") as log:
            log.write(json.dumps({"chat": name, "prompt": f"tell me about {marker}"}) + "\n")
        return Seeded(name, marker, turn, owner)

    def clone(self, name: str, new: str) -> None:
        """Copy a chat: from then on it is another one."""
        with closing(self.open()) as database:
            database.execute(
                "insert into chat (id, owner, plan, turned, updated, body) "
                "select ?, owner, plan, turned, updated, body from chat where id = ?",
                (new, name),
            )
            database.execute("insert into attached select ?, file from attached where chat = ?", (new, name))

    def touch(self, name: str) -> None:
        with closing(self.open()) as database:
            database.execute("update chat set updated = updated + 1e7 where id = ?", (name,))
            if self.mood.get("renames"):
                database.execute("update chat set formerly = id, id = id || '-2' where id = ?", (name,))
                database.execute("update attached set chat = chat || '-2' where chat = ?", (name,))

    def take_turn(self, name: str, at: datetime) -> None:
        with closing(self.open()) as database:
            database.execute("update chat set turned = ?, updated = ? where id = ?", (at.timestamp(),) * 2 + (name,))
            database.execute("insert into event (chat, kind, at) values (?, 'turn', ?)", (name, at.timestamp()))

    def tidy(self) -> None:
        """What its operator does while it is stopped: let late chats go, pack the database."""
        with closing(self.open()) as database:
            database.execute("delete from chat where hidden_until is not null")
            database.execute("vacuum")


class SimulatedWorld:
    """The world of the misbehaving product, for the kit."""

    odd_ids = ODD_IDS

    def __init__(self, folder: Path, **mood: Any) -> None:
        self._folder = folder
        self.system = ChatProduct(folder / "product")
        self.system.feel(**mood)

    def product(self) -> Any:
        from tests.conformance.connectors.simulated_kind import Settings, connect

        settings = Settings(name="chat", folder=self._folder / "of-its-own", data_dir=self.system.folder)
        return connect(settings, Path.read_text)

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        with closing(self.system.open()) as database:
            query = "select coalesce(max(number), 0) from (select number from chat union all select number from event)"
            first = database.execute(query).fetchone()[0] + 1
        numbers = range(first, first + count)
        names = list(ids) if ids is not None else [f"chat-{number:07d}" for number in numbers]
        # two neighbours share a file: whoever goes first must not take it along
        shared = [{f"shared-{number // 2}.txt": f"for two: shared{number // 2:07d}q"} for number in numbers]
        made = zip(numbers, names, shared, strict=True)
        return [self.system.write_chat(number, name, f"p-{number % 3}", files) for number, name, files in made]

    def touch(self, id: str) -> None:  # noqa: A002
        self.system.touch(id)

    def take_turn(self, id: str, at: datetime) -> None:  # noqa: A002
        self.system.take_turn(id, at)

    def delete(self, id: str) -> None:  # noqa: A002
        self.system.delete_chat(id)

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        words = {marker.encode() for marker in markers}
        return {
            str(path.relative_to(self.system.folder)): sum(path.read_bytes().count(word) for word in words)
            for path in sorted(self.system.folder.rglob("*"))
            if path.is_file()
        }

    def break_down(self) -> None:
        self.system.feel(calls_left=0)

    def mend(self) -> None:
        self.system.feel(calls_left=None)

    @contextmanager
    def maintenance(self) -> Iterator[None]:
        (self.system.folder / "stopped").touch()
        yield
        (self.system.folder / "stopped").unlink()

    @contextmanager
    def lie(self) -> Iterator[None]:
        self.system.feel(lies=True)
        yield
        self.system.feel(lies=False)
