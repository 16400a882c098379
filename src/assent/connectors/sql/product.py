"""Somebody's own tables as a product: list, read, find every copy, erase, look again, watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import Field
from sqlalchemy import Connection

from assent.connectors.formats.port import Record
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.sql import mapping as of_mapping
from assent.connectors.sql.database import Database, address, portions
from assent.connectors.sql.erasing import carry_out
from assent.connectors.sql.mapping import Belonging, Conversations, Fault, Join, Messages
from assent.connectors.sql.memory import FILES, Memory
from assent.connectors.sql.reading import read, rows_of
from assent.connectors.sql.residue import Residue, State, residue_of
from assent.connectors.sql.schema import Schema, check
from assent.connectors.sql.tracing import Trace, trace
from assent.connectors.sql.watching import watch
from assent.connectors.table import Secret, Table
from assent.domain.errors import Invalid

SUMMARY: Final = "the tables of your own chat product, by a mapping: SQLite, PostgreSQL, MariaDB"

EXAMPLE: Final = of_mapping.EXAMPLE

TOGETHER: Final = 200
"""Conversations in one transaction: it takes some milliseconds each, and locks no longer than that."""

_PLACE: Final = "the database"


class Settings(Table):
    """The keys of a connector to a database. The mapping stands here as tables, or in the file `mapping`."""

    file: Path | None = Field(None, description="the file of a SQLite database")
    database: str = Field(
        "", description="or the address of a server, without password: postgresql://NAME@HOST/DATABASE"
    )
    password_file: Path | None = Field(None, description="a file with the password of that account")
    db_schema: str = Field("", description="the schema of the tables, if it is not the account's first (PostgreSQL)")
    format: str = Field(
        "", description="what its conversations are called in a home: FORMAT:ID; if empty, the connector's name"
    )
    mapping: Path | None = Field(None, description="a file that says which tables hold what (--example shows one)")
    log_files: bool = Field(
        default=True,
        description="wait until the write-ahead log lets go, too; off where nobody may read it (PostgreSQL)",
    )
    conversations: Conversations | None = Field(None, description="the table of conversations")
    messages: tuple[Messages, ...] = Field((), description="tables of what was said")
    copies: tuple[Belonging, ...] = Field((), description="every other table with copies")
    joins: tuple[Join, ...] = Field((), description="tables with more on the owners")


def connect(settings: Settings, secret: Secret) -> SqlProduct:
    """Connect a database. Raises `Invalid` for settings or a mapping that cannot be meant."""
    if (settings.file is None) == (settings.database == ""):
        raise Invalid("nothing says which database it is", "give `file` (SQLite) or `database` (a server), not both")
    tables = settings.model_dump(include=set(of_mapping.Mapping.model_fields), exclude_defaults=True)
    if settings.mapping is not None and tables:
        raise Invalid("the mapping stands in two places", "leave out `mapping`, or the tables beside it")
    if settings.mapping is not None:
        mapping, fault = of_mapping.read(settings.mapping)
    else:
        fault = Fault()
        mapping = of_mapping.parse(tables, fault)
    password = "" if settings.password_file is None else secret(settings.password_file)
    where = settings.file if settings.file is not None else address(settings.database, password)
    return SqlProduct(settings, Database(where, settings.db_schema), mapping, fault)


class SqlProduct:
    """The tables of one database."""

    def __init__(self, settings: Settings, database: Database, mapping: of_mapping.Mapping, fault: Fault) -> None:
        self.name = settings.name
        self.format = settings.format or settings.name
        self._settings = settings
        self._database = database
        self._mapping = mapping
        self._fault = fault
        self._memory = Memory(settings.folder)

    @property
    def reach(self) -> str:
        """What it erases and what it does not reach."""
        mapped = {self._mapping.conversations.table, *(one.table for one in self._mapping.messages)}
        mapped |= {one.table for one in self._mapping.copies if one.do != "keep"}
        beyond = residue_of(self._database.dialect, (), log_files=self._settings.log_files).reach
        return f"rows in {', '.join(sorted(mapped))}; {beyond}"

    @cached_property
    def _schema(self) -> Schema:
        with self._database.reading() as connection:
            return check(connection, self._mapping, self._fault)

    @property
    def _residue(self) -> Residue:
        return residue_of(self._database.dialect, self._schema.tables, log_files=self._settings.log_files)

    # -- list, read, watch ------------------------------------------------------------------

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        for page in rows_of(self._database, self._schema):
            for row in page:
                if isinstance(row, Unlisted):
                    yield row
                elif since is None or row.listed.last_turn_at is None or row.listed.last_turn_at >= since:
                    yield row.listed

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        for some in portions(dict.fromkeys(ids), TOGETHER):
            with self._database.reading() as connection:
                records = list(read(connection, self._schema, some, self.format))
            yield from records

    def watch(self, cursor: str = "") -> Iterator[Change]:
        yield from watch(self._memory, rows_of(self._database, self._schema), cursor)

    # -- copies -----------------------------------------------------------------------------

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        found: dict[str, Sequence[Copy]] = {}
        if not ids:
            return found
        with self._database.reading() as connection:
            for some in portions(dict.fromkeys(ids), TOGETHER):
                one_look = trace(connection, self._schema, some)
                found |= {one: [*self._present(one_look, one)] for one in some}
        return found

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        for some in portions(dict.fromkeys(ids), TOGETHER):
            self._erase(some)
        if maintenance:
            self._tidy()
        return self.verify(ids)

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        found: dict[str, Sequence[Copy]] = {}
        if not ids:
            return found
        with self._database.reading() as connection:
            left = self._left_over(connection)
            for some in portions(dict.fromkeys(ids), TOGETHER):
                known = self._memory.erased(some)
                one_look = trace(connection, self._schema, some, self._memory.anchors(some), together=False)
                for one in some:
                    found[one] = [*self._present(one_look, one), *self._gone(one_look, one, known.get(one, {}), left)]
        return found

    def _erase(self, ids: Sequence[str]) -> None:
        """Erase in one transaction; what is needed to look afterwards is remembered before anything is gone."""
        known = self._memory.anchors(ids)
        with self._database.writing(enforced=self._schema.enforced) as connection:
            found = trace(connection, self._schema, ids, known)
            if not found.counts:
                return
            carry_out(connection, self._schema, found, known)
            self._memory.note(found, self._residue.mark(connection))

    def _tidy(self) -> None:
        states = self._memory.left_over()
        moved = self._residue.tidy(self._database, list(states.values())) if states else []
        self._memory.keep_left_over(dict(zip(states, moved, strict=True)))

    def _left_over(self, connection: Connection) -> dict[int, Sequence[Copy]]:
        """Look at what the database still keeps of each erasure, and remember which it let go of."""
        found: dict[int, Sequence[Copy]] = {}
        moved: dict[int, State | None] = {}
        for number, state in self._memory.left_over().items():
            found[number], now = self._residue.look(connection, state)
            if all(copy.state == "removed" for copy in found[number]):
                moved[number] = None
            elif now != state:
                moved[number] = now
        if moved:
            self._memory.keep_left_over(moved)
        return found

    # -- words ------------------------------------------------------------------------------

    def _present(self, found: Trace, one: str) -> Iterator[Copy]:
        for rows in self._schema.rows:
            if count := found.count(one, rows.name):
                yield Copy(rows.kind, _PLACE, note=f"{count:,} rows" if count > 1 else "1 row")
            if rows.files is not None and (count := found.files.get(one, {}).get(rows.name, 0)):
                yield self._files(rows.name)

    def _gone(
        self, found: Trace, one: str, known: Mapping[str, int], left: Mapping[int, Sequence[Copy]]
    ) -> Iterator[Copy]:
        """Name what was there when it was erased, and what the database keeps of that."""
        for name in sorted(known):
            if name.endswith(FILES):
                if not found.files.get(one, {}).get(name.removesuffix(FILES)):
                    yield self._files(name.removesuffix(FILES))
            elif not found.count(one, name):
                yield Copy(f"rows of {name}", _PLACE, "removed")
        for number in sorted(set(known.values())):
            yield from left.get(number, ())

    def _files(self, table: str) -> Copy:
        found = (rows.files.name for rows in self._schema.rows if rows.name == table and rows.files is not None)
        column = next(found, "")
        note = "their rows name them; nothing here reaches them: let the product remove them"
        return Copy(f"files named in {table}.{column}", "outside the database", "not reachable", note)
