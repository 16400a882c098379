"""The room of cuts: which were taken, and who was in them, by stretches of numbers."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from assent.domain.errors import NotFound, Refused
from assent.store.records import Cut, CutLeaf, CutRow
from assent.store.schema import conversation, part
from assent.store.schema import cut as cuts
from assent.store.schema import cut_leaf as cut_leaves
from assent.store.schema import cut_member as members
from assent.store.schema import leaf as leaves
from assent.store.sql.columns import rows_batch
from assent.store.sql.ledger import count_leaves
from assent.store.sql.paging import listing, values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping

    from assent.store.records import Listing, Page, StagedReceipt

_CUT: Final = select(*(cuts.c[name] for name in Cut.__dataclass_fields__))


def in_number(number: int | ColumnElement[int]) -> ColumnElement[bool]:
    """Name the members of one number of whatever cut is named beside it."""
    return and_(members.c.since <= number, or_(members.c.until.is_(None), members.c.until >= number))


IN_CUT: Final = and_(members.c.name == cuts.c.name, in_number(cuts.c.number))
"""What joins a member to the cuts that it is in."""

_LEAVES: Final = (
    update(members)
    .where(
        members.c.name == bindparam("of"),
        members.c.conversation == bindparam("whose"),
        members.c.part == bindparam("which"),
        members.c.until.is_(None),
    )
    .values(until=bindparam("last"))
)


_KEYS: Final = pa.schema([("part", pa.int64())])
_AT_ONCE: Final = 50_000


def _cut(row: RowMapping) -> Cut:
    return Cut(**values_of(row))


def _member(row: RowMapping) -> CutRow:
    return CutRow(**values_of(row))


class CutRoom(Room):
    """Selections, and who was in them."""

    def record_cut(
        self, cut: Cut, joined: Iterable[CutRow], left: Iterable[CutRow] = (), leaf: StagedReceipt | None = None
    ) -> None:
        with self._database.writing() as connection:
            found = connection.scalar(select(cuts.c.manifest).where(_named(cut.name, cut.number)))
            if found == cut.manifest:
                return
            newest = connection.scalar(select(func.max(cuts.c.number)).where(cuts.c.name == cut.name)) or 0
            if found is not None or cut.number != newest + 1:
                fix = f"take number `{newest + 1}`"
                raise Refused(f"cut `{cut.name}` cannot have the number `{cut.number}`", fix)
            key = connection.scalar(insert(cuts).values(asdict(cut)).returning(cuts.c.id))
            for piece in pieces(left):
                gone = [{"of": cut.name, "whose": row.conversation, "which": row.part, "last": newest} for row in piece]
                connection.execute(_LEAVES, gone)
            for piece in pieces(joined):
                new = [
                    {"name": cut.name, "conversation": row.conversation, "part": row.part, "subject": row.subject,
                     "since": cut.number}
                    for row in piece
                ]  # fmt: skip
                connection.execute(insert(members), new)
            _stage(connection, key, leaf)

    def retire_cut(self, name: str, number: int, at: datetime, leaf: StagedReceipt | None = None) -> None:
        with self._database.writing() as connection:
            query = select(cuts.c.id, cuts.c.retired_at).where(_named(name, number))
            found = connection.execute(query).one_or_none()
            if found is None:
                raise NotFound(f"there is no cut `{name}` with the number `{number}`", "list them: assent cut show")
            if found.retired_at is None:
                connection.execute(update(cuts).where(cuts.c.id == found.id).values(retired_at=at))
                _stage(connection, found.id, leaf)

    def cuts(self, page: Page) -> Listing[Cut]:
        with self._database.reading() as connection:
            return listing(connection, _CUT, (cuts.c.id,), page, _cut)

    def cuts_named(self, name: str) -> list[Cut]:
        with self._database.reading() as connection:
            query = _CUT.where(cuts.c.name == name).order_by(cuts.c.number)
            return [_cut(row) for row in connection.execute(query).mappings()]

    def members(self, name: str, number: int) -> Iterator[CutRow]:
        query = select(members.c.conversation, members.c.part, members.c.subject).where(_in(name, number))
        return walk(self._database, query, (members.c.conversation, members.c.part), _member)

    def count_members(self, name: str, number: int) -> int:
        query = select(func.count()).select_from(members).where(_in(name, number))
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def member_keys(self, name: str, number: int) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(_KEYS, self._member_keys(name, number))

    def _member_keys(self, name: str, number: int) -> Iterator[pa.RecordBatch]:
        query = (
            select(part.c.key)
            .join_from(members, conversation, conversation.c.id == members.c.conversation)
            .join(part, (part.c.conversation == conversation.c.key) & (part.c.id == members.c.part))
            .where(_in(name, number))
        )
        with (
            self._database.reading() as connection,
            closing(self._database.stream(connection, query, _AT_ONCE)) as stretches,
        ):
            for rows in stretches:
                yield rows_batch(rows, _KEYS)

    def cuts_with(self, conversation: str) -> list[Cut]:
        return self._cuts_of(members.c.conversation == conversation)

    def cuts_with_person(self, subject: str) -> list[Cut]:
        return self._cuts_of(members.c.subject == subject)

    def _cuts_of(self, which: ColumnElement[bool]) -> list[Cut]:
        query = _CUT.where(select(members.c.name).where(IN_CUT, which).correlate(cuts).exists()).order_by(cuts.c.id)
        with self._database.reading() as connection:
            return [_cut(row) for row in connection.execute(query).mappings()]

    def cut_record(self, leaf: int) -> str | None:
        with self._database.reading() as connection:
            return connection.scalar(select(cut_leaves.c.record).where(cut_leaves.c.leaf == leaf))

    def cut_leaves(self, name: str, number: int) -> list[CutLeaf]:
        query = select(cut_leaves.c.leaf, cut_leaves.c.record).join_from(cut_leaves, cuts).where(_named(name, number))
        with self._database.reading() as connection:
            return [CutLeaf(*row) for row in connection.execute(query.order_by(cut_leaves.c.leaf))]


def _in(name: str, number: int) -> ColumnElement[bool]:
    """Name the members of one number of a cut."""
    return and_(members.c.name == name, in_number(number))


def _named(name: str, number: int) -> ColumnElement[bool]:
    return and_(cuts.c.name == name, cuts.c.number == number)


def _stage(connection: Connection, cut: int | None, leaf: StagedReceipt | None) -> None:
    """Give the ledger its leaf, which the next checkpoint signs."""
    if leaf is None:
        return
    number = count_leaves(connection)
    row = {"number": number, "choice": None, "salt": leaf.salt, "commitment": leaf.commitment}
    connection.execute(insert(leaves).values(row))
    connection.execute(insert(cut_leaves).values(leaf=number, cut=cut, record=leaf.record))
