"""What a decision about a batch of parts is made of, read by sets inside the transaction that will erase them."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa
from sqlalchemy import select

from assent.domain.instants import to_micros
from assent.store.columns import ACTS, FACTS, HOLDS
from assent.store.records import FactColumnsBatch
from assent.store.schema import choice, conversation, part, sealed
from assent.store.sql.choosing import Choosers, special_acts_among
from assent.store.sql.columns import NARROW, class_columns, facts_batch, rows_batch
from assent.store.sql.holds import hold_columns
from assent.store.sql.paging import plain
from assent.store.sql.reading import read_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Executable

    from assent.domain.facts import Facts
    from assent.store.sql.room import Database

SAMPLE: Final = 32
"""How many parts of a batch the reference evaluator decides too; of a smaller batch all."""

_AT_ONCE: Final = 1_000
"""Rows that are objects at a time; then they stand in columns, and cost the garbage collector nothing."""

_NARROW_COLUMNS: Final = len(NARROW.selected_columns)
_ROWS: Final = NARROW.add_columns(part.c.id, conversation.c.key, conversation.c.heading_slot, sealed.c.slot).outerjoin(
    sealed, sealed.c.part == part.c.key
)


class Found(NamedTuple):
    """A part: its conversation, the slots of the heading above it and of its text, and its names."""

    key: int
    home: int
    heading: int | None
    slot: int | None
    conversation: str
    part: str
    subject: str | None


class Parts(NamedTuple):
    """Many parts: the fields of `Found` as columns."""

    keys: Sequence[int] = ()
    homes: Sequence[int] = ()
    headings: Sequence[int | None] = ()
    slots: Sequence[int | None] = ()
    conversations: Sequence[str] = ()
    parts: Sequence[str] = ()
    subjects: Sequence[str | None] = ()

    @classmethod
    def of(cls, rows: Iterable[Found]) -> Parts:
        """Lay parts out as columns."""
        return cls(*zip(*rows, strict=True))

    def only(self, places: Sequence[int]) -> Parts:
        """Take the parts at these places, in this order."""
        taken: list[Any] = [[column[place] for place in places] for column in self]
        return Parts(*taken)


class Batch(NamedTuple):
    """The parts that are still here, in the order of their keys, and what decides about them."""

    parts: Parts
    facts: FactColumnsBatch


def read_batch(database: Database, connection: Connection, keys: Sequence[int]) -> Batch:
    """Read facts, acts and holds of these parts as they are in this transaction; parts that are gone are left out."""
    query = _ROWS.where(database.among(connection, "asked", keys)(part.c.key))
    columns = _columns(database, connection, query)
    if not columns:
        return Batch(Parts(), FactColumnsBatch(_table([], FACTS), _table([], ACTS), _table([], HOLDS), {}))
    narrow, (ids, homes, headings, slots) = columns[:_NARROW_COLUMNS], columns[_NARROW_COLUMNS:]
    here, _, subjects, names, *_ = narrow
    facts = facts_batch(narrow, class_columns(connection), Choosers(connection))
    theirs = database.among(connection, "theirs", set(homes))(conversation.c.key)
    acts = [rows_batch(stretch, ACTS) for stretch in _acts(database, connection, theirs, subjects)]
    held = hold_columns(connection, theirs)
    holds = [] if held is None else [rows_batch(rows, HOLDS) for rows in _stretches(database, connection, held)]
    return Batch(
        Parts(here, homes, headings, slots, names, ids, subjects),
        FactColumnsBatch(
            pa.Table.from_batches([facts]), _table(acts, ACTS), _table(holds, HOLDS), _sample(connection, here)
        ),
    )


def _stretches(database: Database, connection: Connection, query: Executable) -> Iterator[Sequence[tuple[Any, ...]]]:
    with closing(database.stream(connection, query, _AT_ONCE)) as stretches:
        yield from stretches


def _columns(database: Database, connection: Connection, query: Executable) -> list[list[Any]]:
    columns: list[list[Any]] = []
    for stretch in _stretches(database, connection, query):
        further = zip(*stretch, strict=True)
        if columns:
            for known, more in zip(columns, further, strict=True):
                known.extend(more)
        else:
            columns = [list(first) for first in further]
    return columns


def _acts(
    database: Database, connection: Connection, theirs: ColumnElement[bool], subjects: Iterable[str | None]
) -> Iterator[Sequence[tuple[object, ...]]]:
    wide = select(choice.c.subject, choice.c.purpose, choice.c.act, plain(choice.c.at))
    wide = wide.where(choice.c.scope == "everything")
    yield from _stretches(
        database, connection, wide.where(choice.c.subject.in_(select(conversation.c.subject).where(theirs)))
    )
    special = special_acts_among(connection, {subject for subject in subjects if subject is not None})
    while several := list(islice(special, _AT_ONCE)):
        yield [(*said, to_micros(at)) for *said, at in several]


def _table(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(batches, schema=schema)


def _sample(connection: Connection, keys: Sequence[int]) -> dict[int, Facts]:
    """Read some parts another way, spread over the batch."""
    picked = keys[:: max(1, -(-len(keys) // SAMPLE))]
    return {one.key: one.facts for one in read_facts(connection, part.c.key.in_(picked))}
