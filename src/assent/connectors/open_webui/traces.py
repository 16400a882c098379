"""What a chat left where, as ids only: found before it is erased, since afterwards nothing tells what was its own.

Kept in a file of the connector's own folder, so that another process can look for the same things later, and so
that an interrupted erasure goes on where it stopped. No content, no title and no name of a file is among it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import orjson

BUSY_S: Final = 30


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything of one chat, as ids.

    `chats`: itself and the chats that it started. `files`: uploads that nothing kept names, `objects`: those of them
    whose bytes lie in an object store. `collections`: of the vector store, each as its name and its id there.
    `tables`: those that had rows of it. `tags`: of the owner, that no other chat has. `sounds`: names in the cache of
    sounds. `lines`: digests of lines of the audit log that name it or repeat its words. `ordered`: it was to be erased,
    and not only seen to be deleted by the product. `cleaned`: a maintenance pass ended after all of it was gone for
    readers. `mark`: where to look in PostgreSQL for what its rows left (`postgresql.Mark` as JSON).
    """

    chat: str
    owner: str = ""
    chats: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    memories: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    collections: tuple[tuple[str, str], ...] = ()
    sounds: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    ordered: bool = False
    cleaned: bool = False
    mark: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Give every id by which one of its rows begins."""
        return (*self.chats, *self.feedback, *self.shares, *self.memories, *self.files)

    @property
    def vectors(self) -> bool:
        """Something of it was in the vector store."""
        return bool(self.collections or self.memories)

    def with_found(self, found: Traces) -> Traces:
        """Add what was found now; where anything was, it is yet to be cleaned."""
        both = {name: tuple(dict.fromkeys((*getattr(self, name), *getattr(found, name)))) for name in _LISTS}
        new = any(set(getattr(found, name)) for name in _LISTS if name != "chats") or found.owner != ""
        cleaned = self.cleaned and not new
        return replace(self, owner=found.owner or self.owner, cleaned=cleaned, **both)  # type: ignore[arg-type]

    def without(self, files: Collection[str], collections: Collection[str], tags: Collection[str]) -> Traces:
        """Leave out what something kept uses by now."""
        own = {f"file-{name}" for name in files}
        return replace(
            self,
            files=tuple(name for name in self.files if name not in files),
            tags=tuple(name for name in self.tags if name not in tags),
            collections=tuple(one for one in self.collections if one[0] not in own and one[0] not in collections),
        )


_LISTS: Final = tuple(
    field.name for field in fields(Traces) if field.name not in ("chat", "owner", "ordered", "cleaned", "mark")
)


class Remembered:
    """The traces of erased chats: a small database in the connector's folder, made when it is first written to."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "erased.sqlite3"

    def of(self, ids: Iterable[str]) -> dict[str, Traces]:
        """Give what is known of these chats."""
        if not self._path.exists():
            return {}
        with self._open() as database:
            told = "SELECT told FROM traces WHERE chat = ?"
            found = (database.execute(told, (name,)).fetchone() for name in ids)
            return {traces.chat: traces for row in found if row for traces in (_from_json(row[0]),)}

    def pending(self) -> list[Traces]:
        """Give what was ordered to go and no maintenance pass has cleaned yet."""
        if not self._path.exists():
            return []
        with self._open() as database:
            found = [_from_json(told) for (told,) in database.execute("SELECT told FROM traces WHERE NOT cleaned")]
        return [one for one in found if one.ordered]

    def keep(self, traces: Iterable[Traces]) -> None:
        """Write these down, on disk when this returns."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS traces (chat TEXT PRIMARY KEY, told BLOB NOT NULL, cleaned INTEGER)"
            )
            rows = [(one.chat, orjson.dumps(one), one.cleaned) for one in traces]
            database.executemany("INSERT OR REPLACE INTO traces VALUES (?, ?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=BUSY_S)) as database:
            database.execute("PRAGMA synchronous = FULL")
            with database:
                yield database


def _from_json(told: bytes) -> Traces:
    value: dict[str, Any] = orjson.loads(told)
    value |= {name: tuple(value[name]) for name in _LISTS}
    return Traces(**{**value, "collections": tuple((name, number) for name, number in value["collections"])})
