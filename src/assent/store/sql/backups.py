"""The room of backups: the whole store as columns and back, and the mark of a store that comes back."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, func, insert, literal, select, update

from assent.domain.errors import NotFound, Refused
from assent.store.migrate import NEWEST
from assent.store.records import Backup, Restore
from assent.store.schema import METADATA, Instant
from assent.store.schema import backup as known
from assent.store.schema import restore as restores
from assent.store.sql.paging import plain
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Table

    from assent.store.sql.room import Database

_ROWS: Final = 20_000


class SqlSnapshot:
    """Every table at the instant of one transaction."""

    step = NEWEST

    def __init__(self, database: Database, connection: Connection) -> None:
        """Read through this connection, which is in a transaction of its own."""
        self._database = database
        self._connection = connection
        self.tables = tuple(table.name for table in METADATA.sorted_tables)

    def rows(self, table: str) -> Iterator[pa.RecordBatch]:
        found = METADATA.tables[table]
        query = select(*map(plain, found.columns)).order_by(*found.primary_key.columns)
        schema = _schema(found)
        with closing(self._database.stream(self._connection, query, _ROWS)) as stretches:
            for stretch in stretches:
                columns = zip(*stretch, strict=True)
                yield pa.record_batch(
                    [
                        pa.array(map(_truth, values) if field.type == pa.bool_() else values, field.type)
                        for field, values in zip(schema, columns, strict=True)
                    ],
                    schema=schema,
                )

    def numbers(self) -> dict[str, int]:
        return {table.name: self._database.next_key(self._connection, table) - 1 for table in _NUMBERED}


class BackupRoom(Room):
    """Copies, and the way back."""

    @contextmanager
    def snapshot(self) -> Iterator[SqlSnapshot]:
        with self._database.reading() as connection:
            yield SqlSnapshot(self._database, connection)

    def begin_restore(self, restore: Restore) -> None:
        with self._database.writing(replaying=True) as connection:
            begun = _restoring(connection)
            if begun is not None and begun.backup == restore.backup:
                return
            if begun is not None or (full := _filled(connection)) is not None:
                what = f"a restore of `{begun.backup}`" if begun else f"rows of `{full}`"
                raise Refused(f"the store already holds {what}", "restore into an empty one")
            connection.execute(insert(restores).values(asdict(restore)))

    def load(self, snapshot: Mapping[str, Iterable[pa.RecordBatch]], numbers: Mapping[str, int]) -> None:
        with self._database.writing(replaying=True) as connection:
            if (full := _filled(connection)) is not None:
                raise Refused(f"the store already holds rows of `{full}`", "restore into an empty one")
            for table in METADATA.sorted_tables:
                if table is restores:
                    continue
                for batch in snapshot[table.name]:
                    rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                    self._database.insert_rows(connection, table, list(rows))
            for table in _NUMBERED:
                if last := numbers[table.name]:
                    self._database.give_keys(connection, table, last)

    def loaded(self) -> bool:
        with self._database.reading() as connection:
            return _filled(connection) is not None

    def restoring(self) -> Restore | None:
        with self._database.reading() as connection:
            return _restoring(connection)

    def restored_at(self) -> datetime | None:
        with self._database.reading() as connection:
            newest: datetime | None = connection.scalar(select(func.max(restores.c.finished_at)))
        return newest

    def replayed(self, journal: int) -> None:
        with self._database.writing(replaying=True) as connection:
            connection.execute(update(restores).where(restores.c.finished_at.is_(None)).values(journal=journal))

    def finish_restore(
        self,
        at: datetime,
        *,
        backups: Sequence[Backup] = (),
        lost_by: str | None = None,
        lost_reason: str | None = None,
    ) -> None:
        with self._database.writing(replaying=True) as connection:
            for one in backups:
                _note(connection, one)
            end = {"finished_at": at, "lost_by": lost_by, "lost_reason": lost_reason}
            connection.execute(update(restores).where(restores.c.finished_at.is_(None)).values(end))

    def note_backup(self, backup: Backup) -> None:
        with self._database.writing() as connection:
            _note(connection, backup)

    def key_backup_gone(self, backup: str, at: datetime) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(known.c.id).where(known.c.id == backup)) is None:
                raise NotFound(f"there is no backup `{backup}`", "list them with `assent backup list`")
            first = (known.c.id == backup) & known.c.keys_gone_at.is_(None)
            connection.execute(update(known).where(first).values(keys_gone_at=at))

    def backups(self) -> list[Backup]:
        with self._database.reading() as connection:
            rows = connection.execute(select(known).order_by(known.c.taken_at, known.c.id)).mappings()
            return [Backup(**row) for row in rows]


_NUMBERED: Final = tuple(table for table in METADATA.sorted_tables if table.dialect_options["sqlite"]["autoincrement"])
"""Tables whose numbers are never given twice, also those of rows that are gone."""


def _note(connection: Connection, backup: Backup) -> None:
    if connection.scalar(select(known.c.id).where(known.c.id == backup.id)) is None:
        connection.execute(insert(known).values(asdict(backup)))


def _restoring(connection: Connection) -> Restore | None:
    query = select(*(column for column in restores.c if column.name != "id")).where(restores.c.finished_at.is_(None))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Restore(**row)


def _filled(connection: Connection) -> str | None:
    """Name a table that holds rows; the mark does not count."""
    for table in METADATA.sorted_tables:
        if table is not restores and connection.execute(select(literal(1)).select_from(table).limit(1)).first():
            return table.name
    return None


def _schema(table: Table) -> pa.Schema:
    return pa.schema([(column.name, _arrow(column.type)) for column in table.columns])


def _arrow(kind: Any) -> pa.DataType:
    if isinstance(kind, Boolean):
        return pa.bool_()
    if isinstance(kind, LargeBinary):
        return pa.binary()
    if isinstance(kind, Float):
        return pa.float64()
    return pa.int64() if isinstance(kind, Instant | BigInteger | Integer) else pa.string()


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)
