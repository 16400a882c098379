"""Small databases of made-up products, by the statements that make them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from assent.connectors.port import Copy, state_of
from assent.connectors.sql.product import Settings, SqlProduct, connect

PLAIN = """
[conversations]
table = "chat"
id = "id"
owner = "person"
created_at = "begun"

[[messages]]
table = "message"
conversation = "chat_id"
id = "id"
role = "role"
content = "body"
created_at = "at"
"""

PLAIN_TABLES = """
CREATE TABLE chat (id TEXT PRIMARY KEY, person TEXT, begun TEXT);
CREATE TABLE message (id INTEGER PRIMARY KEY, chat_id TEXT, role TEXT, body TEXT, at TEXT);
INSERT INTO chat VALUES ('a', 'p1', '2026-01-01 10:00:00'), ('b', 'p2', '2026-01-02T10:00:00Z');
INSERT INTO message VALUES
    (1, 'a', 'user', 'first alpha', '2026-01-01 10:00:00'),
    (2, 'a', 'assistant', 'answer alpha', '2026-01-01 10:01:00'),
    (3, 'b', 'user', 'first beta', '2026-01-02T10:00:00+01:00'),
    (4, 'b', 'assistant', 'answer beta', '1767348000');
"""


class OwnTables:
    """A SQLite file, the mapping beside it, and what can be asked of both."""

    def __init__(self, tmp: Path, tables: str = PLAIN_TABLES, mapping: str = PLAIN) -> None:
        self.file, self.mapping, self.own = tmp / "chats.db", tmp / "mapping.toml", tmp / "own"
        self.mapping.write_text(mapping)
        self.run(tables)

    def run(self, script: str) -> None:
        with closing(sqlite3.connect(self.file)) as database:
            database.executescript(script)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute(query).fetchall()

    def product(self) -> SqlProduct:
        return connect(Settings(name="own", folder=self.own, file=self.file, mapping=self.mapping), Path.read_text)

    def erase(self, *ids: str) -> dict[str, str]:
        """Erase with maintenance; returns what each came to."""
        answers = self.product().erase(ids, maintenance=True)
        return {name: state_of(copies) for name, copies in answers.items()}

    def found(self, name: str) -> set[tuple[str, str]]:
        """Say what `copies` finds of a conversation, as (kind, note)."""
        found: list[Copy] = list(self.product().copies([name])[name])
        return {(copy.kind, copy.note) for copy in found}

    def bytes_of(self, word: str) -> int:
        return sum(path.read_bytes().count(word.encode()) for path in self.file.parent.glob("chats.db*"))
