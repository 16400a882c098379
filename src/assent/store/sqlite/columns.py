"""The room of columns: facts, acts and holds as Arrow batches, streamed from one instant of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select, text, true, union_all

from assent.domain.instants import to_micros
from assent.store.columns import ACTS, FACTS, HOLDS, INSTANTS
from assent.store.records import RetentionClass
from assent.store.schema import account, choice, conversation, hold, part, retention_class
from assent.store.sqlite.classes import COLUMNS, Categories
from assent.store.sqlite.database import Room, pieces
from assent.store.sqlite.paging import values_of, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Executable, RowMapping, Select

    from assent.policy.nominate import Bound

_BATCH_ROWS: Final = 50_000

_NARROW: Final[Select[Any]] = (
    select(
        part.c.key,
        part.c.retention_class,
        conversation.c.subject,
        conversation.c.id,
        account.c.user_duration,
        part.c.created_at,
        conversation.c.last_turn_at,
        part.c.recorded_at,
        conversation.c.deleted_at,
        account.c.closed_at,
        account.c.moved_to_business_at,
        conversation.c.flagged_at,
        conversation.c.flag_reversed_at,
        conversation.c.reviewed_at,
        conversation.c.feedback_at,
        account.c.acknowledged_at,
    )
    .join_from(part, conversation)
    .outerjoin(account, account.c.subject == conversation.c.subject)
    .order_by(part.c.key)
)
"""What differs from part to part; the categories come from the class. The instants stand in the order of INSTANTS."""

# CROSS JOIN keeps SQLite to this order: the few classes or events outside, a range of an index inside.
_CLASS_CLOCKS: Final = {
    "created_at": "SELECT p.key FROM temp.nominated AS n CROSS JOIN part AS p"
    " ON p.retention_class = n.class AND p.created_at <= n.created_at",
    "last_turn_at": "SELECT p.key FROM temp.nominated AS n CROSS JOIN part AS p"
    " ON p.retention_class = n.class AND p.last_turn_at <= n.last_turn_at",
    "recorded_at": "SELECT p.key FROM temp.nominated AS n CROSS JOIN part AS p"
    " ON p.retention_class = n.class AND p.recorded_at <= n.recorded_at",
}
_EVENTS: Final = {
    "deleted_at": "SELECT p.key FROM part AS p CROSS JOIN temp.nominated AS n ON n.class = p.retention_class"
    " WHERE p.deleted_at <= (SELECT max(deleted_at) FROM temp.nominated)"
    " AND p.deleted_at <= n.deleted_at",
    "account_closed_at": "SELECT p.key FROM part AS p CROSS JOIN temp.nominated AS n ON n.class = p.retention_class"
    " WHERE p.account_closed_at <= (SELECT max(account_closed_at) FROM temp.nominated)"
    " AND p.account_closed_at <= n.account_closed_at",
    "moved_to_business_at": "SELECT p.key FROM part AS p CROSS JOIN temp.nominated AS n ON n.class = p.retention_class"
    " WHERE p.moved_to_business_at <= (SELECT max(moved_to_business_at) FROM temp.nominated)"
    " AND p.moved_to_business_at <= n.moved_to_business_at",
}
_WHOLE: Final = (
    "SELECT p.key FROM temp.nominated AS n CROSS JOIN part AS p ON p.retention_class = n.class WHERE n.whole"
)
_CANDIDATES: Final = " UNION ".join((*_CLASS_CLOCKS.values(), *_EVENTS.values(), _WHOLE))
_CLOCKS: Final = (*_CLASS_CLOCKS, *_EVENTS)


class ColumnRoom(Room):
    """Facts for the set evaluator."""

    def retention_classes(self) -> Iterator[RetentionClass]:
        query = select(retention_class.c.id, *COLUMNS)
        return walk(self._database, query, (retention_class.c.id,), _retention_class)

    def fact_batches(
        self,
        nominated: Mapping[int, tuple[Bound, ...] | None] | None = None,
        *,
        at: datetime,
        batch_rows: int = _BATCH_ROWS,
    ) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(FACTS, self._facts(nominated, at, batch_rows))

    def _facts(
        self, nominated: Mapping[int, tuple[Bound, ...] | None] | None, at: datetime, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        with self._database.reading() as connection:
            classes = _class_columns(connection)
            query = _NARROW
            if nominated is not None:
                _nominate(connection, nominated, classes["id"].to_pylist(), at)
                query = query.where(part.c.key.in_(text(_CANDIDATES).columns(part.c.key)))
            for rows in _stretches(connection, query, batch_rows):
                yield _facts_batch(rows, classes)
            if nominated is not None:
                connection.execute(text("DROP TABLE temp.nominated"))

    def act_batches(self) -> pa.RecordBatchReader:
        query = select(choice.c.subject, choice.c.purpose, choice.c.act, choice.c.at)
        return pa.RecordBatchReader.from_batches(ACTS, self._batches(query, ACTS))

    def hold_batches(self) -> pa.RecordBatchReader:
        span = (conversation.c.id, hold.c.start, hold.c.released_at)
        query = union_all(
            select(*span)
            .join_from(hold, conversation, hold.c.target == conversation.c.id)
            .where(hold.c.scope == "conversation"),
            select(*span)
            .join_from(hold, conversation, hold.c.target == conversation.c.subject)
            .where(hold.c.scope == "person"),
            select(*span).join_from(hold, conversation, true()).where(hold.c.scope == "everyone"),
        )
        return pa.RecordBatchReader.from_batches(HOLDS, self._batches(query, HOLDS))

    def _batches(self, query: Executable, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with self._database.reading() as connection:
            for rows in _stretches(connection, query, _BATCH_ROWS):
                columns = zip(*rows, strict=True)
                arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def names_of(self, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
        found: dict[int, tuple[str, str]] = {}
        with self._database.reading() as connection:
            for piece in pieces(keys):
                query = select(part.c.key, conversation.c.id, part.c.id).join_from(part, conversation)
                for key, where, name in connection.execute(query.where(part.c.key.in_(piece))):
                    found[key] = (where, name)
        return found


def _retention_class(row: RowMapping) -> RetentionClass:
    values = dict(values_of(row))
    return RetentionClass(values.pop("id"), Categories(**values).facts())


def _class_columns(connection: Connection) -> pa.Table:
    rows = connection.execute(select(retention_class.c.id, *COLUMNS)).all()
    schema = pa.schema([("id", pa.int64()), *(FACTS.field(name) for name in Categories._fields)])
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=schema)


def _nominate(
    connection: Connection,
    nominated: Mapping[int, tuple[Bound, ...] | None],
    known: Sequence[int],
    at: datetime,
) -> None:
    """Lay the bounds beside the parts. Of two bounds on one clock the one that takes more parts counts."""
    connection.execute(
        text(
            "CREATE TABLE temp.nominated (class INTEGER PRIMARY KEY, whole INTEGER, created_at INTEGER,"
            " last_turn_at INTEGER, recorded_at INTEGER, deleted_at INTEGER, account_closed_at INTEGER,"
            " moved_to_business_at INTEGER)"
        )
    )
    rows = []
    for number in known:
        bounds = nominated.get(number)
        limits: dict[str, int] = {}
        for bound in bounds or ():
            limit = to_micros(at - bound.after)
            limits[bound.clock] = max(limit, limits.get(bound.clock, limit))
        rows.append((number, bounds is None, *(limits.get(clock) for clock in _CLOCKS)))
    if rows:
        connection.exec_driver_sql("INSERT INTO temp.nominated VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _stretches(connection: Connection, query: Executable, size: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    # straight from the driver: numbers stay numbers until Arrow has them
    cursor = connection.execute(query).cursor
    while cursor is not None and (rows := cursor.fetchmany(size)):
        yield rows


def _facts_batch(rows: Sequence[tuple[Any, ...]], classes: pa.Table) -> pa.RecordBatch:
    keys, numbers, subjects, names, durations, *instants = zip(*rows, strict=True)
    places = pc.index_in(pa.array(numbers, pa.int64()), value_set=classes["id"])
    arrays = {
        "part": pa.array(keys, pa.int64()).cast(pa.string()),
        "chooser": pa.array(subjects, pa.string()),
        "holder": pa.array(names, pa.string()),
        "user_duration": pa.array(durations, pa.string()),
    }
    for name in Categories._fields:
        arrays[name] = classes[name].combine_chunks().take(places)
    for name, values in zip(INSTANTS, instants, strict=True):
        arrays[name] = _array(values, FACTS.field(name).type)
    return pa.RecordBatch.from_arrays([arrays[field.name] for field in FACTS], schema=FACTS)


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64()).view(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
