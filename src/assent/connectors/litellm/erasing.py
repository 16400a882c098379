"""Finding and blanking the copies of conversations, on a connection that the caller opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from assent.connectors.litellm import statements
from assent.connectors.litellm.rows import run, tables
from assent.connectors.litellm.state import State
from assent.connectors.port import Copy
from assent.connectors.postgresql import mark

if TYPE_CHECKING:
    from sqlalchemy import Connection

_COLD: Final = "cold storage"
_COLD_NOTE: Final = "objects in cold storage: erase them there (a `files` connector), then set `cold_storage`"
_FILE: Final = "managed files"
_FILE_NOTE: Final = "it lies at a provider too: `DELETE /v1/files/ID` of the proxy removes it there"
_TABLES: Final = {one.kind: one.table for one in (*statements.PLACES, statements.MEMORIES_OF_PERSON)}


class Copies:
    """What is left of conversations, by one connection. `memories` of a person go with their last session."""

    def __init__(self, connection: Connection, *, memories: bool, cold: bool) -> None:
        """Ask which of LiteLLM's tables are there; `cold` looks for objects in cold storage."""
        self.tables = tables(connection)
        self._connection = connection
        self._cold = cold
        places = (*statements.PLACES, statements.MEMORIES_OF_PERSON) if memories else statements.PLACES
        self._places = [place for place in places if place.table in self.tables]

    def present(self, ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count, by conversation and kind of copy, the rows with something left in them."""
        found: dict[str, dict[str, int]] = {}
        for place in self._places:
            for name, count in self._run(place.find, ids=list(ids), kept=list(statements.KEPT_METADATA)):
                found.setdefault(name, {})[place.kind] = count
        if self._cold:
            for name, count in self._run(statements.COLD, ids=list(ids)):
                found.setdefault(name, {})[_COLD] = count
        return found

    def own_files(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Find, by conversation, the managed files that no other conversation names."""
        named = self._run(statements.FILES_NAMED, ids=list(ids)) if statements.FILES in self.tables else ()
        if not named:
            return {}
        files = sorted({row.file for row in named})
        shared = {row.file for row in self._run(statements.FILES_SHARED, ids=list(ids), files=files)}
        found: dict[str, list[str]] = {}
        for row in named:
            if row.file not in shared:
                found.setdefault(row.id, []).append(row.file)
        return found

    def of_files(self, files: Sequence[str]) -> list[Copy]:
        """Say what became of managed files: one whose bytes lie elsewhere is out of reach."""
        if not files or statements.FILES not in self.tables:
            return []
        rows = self._run(statements.FILES_THERE, files=list(files))
        away = sum(_is_elsewhere(row) for row in rows)
        copies = []
        if away:
            copies.append(Copy(_FILE, "a provider", "not reachable", _FILE_NOTE))
        if len(rows) > away:
            copies.append(Copy(_FILE, statements.CONTENTS, "present", f"{len(rows) - away:,} files"))
        return copies or [Copy(_FILE, statements.CONTENTS, "removed")]

    def blank(self, ids: Sequence[str], state: State) -> None:
        """Blank what is left, in the connection's transaction; what nothing names afterwards is remembered first."""
        files = self.own_files(ids)
        found = {name: [kind for kind in kinds if kind != _COLD] for name, kinds in self.present(ids).items()}
        erased = {name: (found.get(name, []), files.get(name, [])) for name in ids if found.get(name) or name in files}
        if not erased:
            return
        for place in self._places:
            self._run(place.erase, ids=list(ids), kept=list(statements.KEPT_METADATA))
        self._drop([file for some in files.values() for file in some])
        state.note(mark(self._connection, self.tables), erased)

    def _drop(self, files: Sequence[str]) -> None:
        """Remove bytes that are here; an entry that leads to bytes elsewhere stays, else nobody would find them."""
        if files:
            rows = self._run(statements.FILES_THERE, files=list(files))
            here = [row.url.removeprefix(statements.IN_DATABASE) for row in rows if _is_here(row)]
            if statements.CONTENTS in self.tables:
                self._run(statements.DROP_CONTENTS, contents=here)
            self._run(statements.DROP_FILES, files=[row.file for row in rows if not _is_elsewhere(row)])

    def _run(self, statement: str, **values: Any) -> Sequence[Any]:
        return run(self._connection, statement, **values)


def named(kinds: dict[str, int]) -> list[Copy]:
    """Say which copies are there."""
    return [
        Copy(kind, "a bucket", "not reachable", _COLD_NOTE)
        if kind == _COLD
        else Copy(kind, _TABLES[kind], "present", f"{count:,} rows")
        for kind, count in kinds.items()
    ]


def removed(kinds: Iterable[str]) -> list[Copy]:
    """Say which copies are gone."""
    return [Copy(kind, _TABLES.get(kind, "a bucket"), "removed") for kind in kinds]


def _is_here(row: Any) -> bool:
    return str(row.url).startswith(statements.IN_DATABASE)


def _is_elsewhere(row: Any) -> bool:
    return bool(row.elsewhere) or (bool(row.url) and not _is_here(row))
