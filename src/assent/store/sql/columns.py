"""The room of columns: facts, acts and holds as Arrow batches, streamed from one instant of the database."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select, text

from assent.domain.instants import to_micros
from assent.store.columns import ACTS, FACTS, HOLDS, INSTANTS
from assent.store.records import RetentionClass
from assent.store.schema import account, choice, conversation, part, retention_class
from assent.store.sql.choosing import Choosers, special_acts, special_acts_among
from assent.store.sql.classes import COLUMNS, Categories, permitted_in
from assent.store.sql.holds import hold_columns
from assent.store.sql.paging import plain, values_of, walk
from assent.store.sql.resting import WOKEN, resting_parts
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping, Select, TextualSelect

    from assent.policy.nominate import Bound

_BATCH_ROWS: Final = 50_000

NARROW: Final[Select[Any]] = (
    select(
        part.c.key,
        part.c.retention_class,
        conversation.c.subject,
        conversation.c.id,
        account.c.user_duration,
        plain(part.c.created_at),
        plain(conversation.c.last_turn_at),
        plain(part.c.recorded_at),
        plain(conversation.c.deleted_at),
        plain(account.c.closed_at),
        plain(account.c.moved_to_business_at),
        plain(conversation.c.flagged_at),
        plain(conversation.c.flag_reversed_at),
        plain(conversation.c.reviewed_at),
        plain(conversation.c.feedback_at),
        plain(account.c.acknowledged_at),
    )
    .join_from(part, conversation)
    .outerjoin(account, account.c.subject == conversation.c.subject)
    .order_by(part.c.key)
)
"""What differs from part to part; the categories come from the class. The instants stand in the order of INSTANTS."""

# CROSS JOIN keeps SQLite to this order: the few classes or events outside, a range of an index inside.
_CLASS_CLOCKS: Final = {
    clock: f"SELECT p.key FROM nominated AS n CROSS JOIN part AS p WHERE p.retention_class = n.class AND {reached}"  # noqa: S608
    for clock in ("created_at", "last_turn_at", "recorded_at")
    for reached in (f"p.{clock} <= n.{clock}",)
}
_EVENTS: Final = {
    event: f"SELECT p.key FROM part AS p CROSS JOIN nominated AS n WHERE p.{event} <= ({furthest})"  # noqa: S608
    f" AND n.class = p.retention_class AND p.{event} <= n.{event}"
    for event in ("deleted_at", "account_closed_at", "moved_to_business_at")
    for furthest in (f"SELECT max({event}) FROM nominated",)  # noqa: S608
}
_WHOLE: Final = (
    "SELECT p.key FROM nominated AS n CROSS JOIN part AS p WHERE n.whole = 1 AND p.retention_class = n.class"
    " AND p.retention_class BETWEEN (SELECT min(class) FROM nominated WHERE whole = 1)"
    " AND (SELECT max(class) FROM nominated WHERE whole = 1)"
)
# What people permitted for good may have ended with their last acts: all that rested on it is looked at.
_CANDIDATES: Final = {
    kind: " UNION ".join((*_CLASS_CLOCKS.values(), *_EVENTS.values(), _WHOLE, f"SELECT key FROM ({woken}) AS w"))  # noqa: S608
    for kind in ("postgresql", "sqlite")
    for woken in (resting_parts(kind, WOKEN),)
}
_CLOCKS: Final = (*_CLASS_CLOCKS, *_EVENTS)
_WIDE: Final = select(choice.c.subject, choice.c.purpose, choice.c.act, plain(choice.c.at)).where(
    choice.c.scope == "everything"
)


class ColumnRoom(Room):
    """Facts for the set evaluator."""

    def retention_classes(self) -> Iterator[RetentionClass]:
        query = select(retention_class.c.id, *COLUMNS, retention_class.c.permits, retention_class.c.since)
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
            classes = class_columns(connection)
            query = NARROW
            if nominated is not None:
                query = query.where(part.c.key.in_(self._candidates(connection, nominated, classes["id"], at)))
            choosers = Choosers(connection)
            with closing(self._database.stream(connection, query, batch_rows)) as stretches:
                for rows in stretches:
                    yield facts_batch(list(zip(*rows, strict=True)), classes, choosers)

    def _candidates(
        self,
        connection: Connection,
        nominated: Mapping[int, tuple[Bound, ...] | None],
        known: pa.ChunkedArray,
        at: datetime,
    ) -> TextualSelect:
        """Ask for the keys of the parts that these bounds nominate."""
        rows = [_limits(number, nominated.get(number), at) for number in known.to_pylist()]
        begin, values = self._database.beside(connection, "nominated", ("class", "whole", *_CLOCKS), rows)
        return text(begin + _CANDIDATES[connection.dialect.name]).bindparams(**values).columns(part.c.key)

    def act_batches(self, subjects: pa.ChunkedArray | None = None) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(ACTS, self._acts(subjects))

    def _acts(self, subjects: pa.ChunkedArray | None) -> Iterator[pa.RecordBatch]:
        with self._database.reading() as connection:
            if subjects is None:
                yield from self._batches(connection, _WIDE, ACTS)
                yield from _special_batches(special_acts(connection))
                return
            for piece in pieces(subject.as_py() for subject in subjects):
                yield from self._batches(connection, _WIDE.where(choice.c.subject.in_(piece)), ACTS)
                yield from _special_batches(special_acts_among(connection, piece))

    def hold_batches(self, conversations: pa.ChunkedArray | None = None) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(HOLDS, self._holds(conversations))

    def _holds(self, conversations: pa.ChunkedArray | None) -> Iterator[pa.RecordBatch]:
        with self._database.reading() as connection:
            if conversations is None:
                yield from self._batches(connection, hold_columns(connection), HOLDS)
                return
            for piece in pieces(name.as_py() for name in conversations):
                query = hold_columns(connection, conversation.c.id.in_(piece))
                yield from self._batches(connection, query, HOLDS)

    def _batches(
        self, connection: Connection, query: Select[Any] | None, schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        if query is None:
            return
        with closing(self._database.stream(connection, query, _BATCH_ROWS)) as stretches:
            for rows in stretches:
                yield rows_batch(rows, schema)

    def names_of(self, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
        found: dict[int, tuple[str, str]] = {}
        with self._database.reading() as connection:
            for piece in pieces(keys):
                query = select(part.c.key, conversation.c.id, part.c.id).join_from(part, conversation)
                for key, where, name in connection.execute(query.where(part.c.key.in_(piece))):
                    found[key] = (where, name)
        return found


def _special_batches(acts: Iterator[tuple[str, str, str, datetime]]) -> Iterator[pa.RecordBatch]:
    while several := list(islice(acts, _BATCH_ROWS)):
        yield rows_batch([(*said, to_micros(at)) for *said, at in several], ACTS)


def _retention_class(row: RowMapping) -> RetentionClass:
    values = dict(values_of(row))
    number, permits, since = (values.pop(name) for name in ("id", "permits", "since"))
    return RetentionClass(number, Categories(**values).facts(), permitted_in(permits), since)


def class_columns(connection: Connection) -> pa.Table:
    """Read the categories of every retention class."""
    rows = connection.execute(select(retention_class.c.id, *COLUMNS)).all()
    schema = pa.schema([("id", pa.int64()), *(FACTS.field(name) for name in Categories._fields)])
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=schema)


def _limits(number: int, bounds: tuple[Bound, ...] | None, at: datetime) -> tuple[int | None, ...]:
    """Say up to where each clock nominates parts of a class. Of two bounds on one clock the wider one counts."""
    limits: dict[str, int] = {}
    for bound in bounds or ():
        limit = to_micros(at - bound.after)
        limits[bound.clock] = max(limit, limits.get(bound.clock, limit))
    return number, int(bounds is None), *(limits.get(clock) for clock in _CLOCKS)


def rows_batch(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Lay one row or more out in a schema; instants are the numbers that the database holds."""
    columns = zip(*rows, strict=True)
    arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def facts_batch(narrow: Sequence[Sequence[Any]], classes: pa.Table, choosers: Choosers) -> pa.RecordBatch:
    """Lay the columns of `NARROW` out in the schema FACTS."""
    keys, numbers, subjects, names, durations, *instants = narrow
    places = pc.index_in(pa.array(numbers, pa.int64()), value_set=classes["id"])
    arrays = {
        "part": pa.array(keys, pa.int64()).cast(pa.string()),
        "chooser": pa.array(choosers.of(list(zip(subjects, names, strict=True))), pa.string()),
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
