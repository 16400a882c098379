"""The room of conversations: what is kept, for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import func, select, update

from assent.domain.errors import NotFound
from assent.store.records import ConversationEntry, ConversationFilter, Listing, Page, StoredConversation, StoredPart
from assent.store.schema import content, part, retention_class
from assent.store.schema import conversation as kept
from assent.store.sql.paging import place_of, stretch, token_of, values_of
from assent.store.sql.reading import read_facts
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping, Select

    from assent.domain.conversation import Mark
    from assent.domain.facts import Facts

_PARTS = (
    select(func.count()).select_from(part).where(part.c.conversation == kept.c.key).correlate(kept).scalar_subquery()
)
_ENTRY: Select[Any] = select(
    *(c for c in kept.c if c.name not in ("key", "digest", "flag_reversed_at", "reviewed_at")),
    _PARTS.label("parts"),
)
_TIMED = (kept.c.last_turn_at, kept.c.key)
_UNTIMED = (kept.c.key,)


def _entry(row: RowMapping) -> ConversationEntry:
    return ConversationEntry(**values_of(row))


class ConversationRoom(Room):
    """What is kept."""

    def conversations(self, which: ConversationFilter, page: Page) -> Listing[ConversationEntry]:
        conditions = _conditions(which)
        with self._database.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(kept).where(*conditions)) or 0
            items, after = _newest(connection, _ENTRY.where(*conditions), page)
        return Listing(tuple(_entry(row) for row in items), total, after)

    def conversation(self, conversation: str) -> StoredConversation | None:
        with self._database.reading() as connection:
            key = connection.scalar(select(kept.c.key).where(kept.c.id == conversation))
            if key is None:
                return None
            entry = _entry(connection.execute(_ENTRY.where(kept.c.key == key)).mappings().one())
            query = (
                select(part, retention_class.c.origin, retention_class.c.data, retention_class.c.plan)
                .join_from(part, retention_class)
                .where(part.c.conversation == key)
                .order_by(part.c.ordinal, part.c.key)
            )
            parts = tuple(_part(row) for row in connection.execute(query).mappings())
        return StoredConversation(entry, parts)

    def facts_of(self, conversation: str) -> list[Facts]:
        with self._database.reading() as connection:
            return [found.facts for found in read_facts(connection, kept.c.id == conversation)]

    def facts_of_several(self, conversations: Collection[str]) -> dict[str, list[Facts]]:
        found: dict[str, list[Facts]] = {}
        with self._database.reading() as connection:
            for piece in pieces(conversations):
                for one in read_facts(connection, kept.c.id.in_(piece)):
                    found.setdefault(one.facts.conversation or "", []).append(one.facts)
        return found

    def content_of(self, keys: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            for piece in pieces(keys):
                query = select(content.c.part, content.c.body).where(content.c.part.in_(piece))
                found |= {key: body for key, body in connection.execute(query)}  # noqa: C416 - rows are not pairs
        return found

    def request_deletion(self, conversation: str, at: datetime) -> None:
        with self._database.writing() as connection:
            if not _mark_deleted(connection, kept.c.id == conversation, at):
                known = connection.scalar(select(kept.c.key).where(kept.c.id == conversation))
                if known is None:
                    raise NotFound(f"there is no conversation `{conversation}`", "it may have been erased")

    def request_deletion_of_all(self, subject: str, at: datetime) -> int:
        with self._database.writing() as connection:
            return _mark_deleted(connection, kept.c.subject == subject, at)


def _conditions(which: ConversationFilter) -> list[ColumnElement[bool]]:
    equal = {
        name: value
        for name in ("subject", "source", "project", "surface", "mode")
        if (value := getattr(which, name)) is not None
    }
    conditions: list[ColumnElement[bool]] = [kept.c[name] == value for name, value in equal.items()]
    for column, happened in ((kept.c.deleted_at, which.deleted), (kept.c.flagged_at, which.flagged)):
        if happened is not None:
            conditions.append(column.is_not(None) if happened else column.is_(None))
    if which.title is not None:
        conditions.append(kept.c.title.icontains(which.title, autoescape=True))
    return conditions


def _newest(connection: Connection, query: Select[Any], page: Page) -> tuple[list[RowMapping], str | None]:
    """Read a page of those with a time, newest first, then of those without, so that each can use its index."""
    place = place_of(page, 1, 2)
    wanted = page.limit + 1
    rows: list[RowMapping] = []
    if len(place) != 1:
        rows = stretch(connection, query.where(kept.c.last_turn_at.is_not(None)), _TIMED, place, wanted)
        place = []
    if len(rows) < wanted:
        untimed = query.where(kept.c.last_turn_at.is_(None))
        rows += stretch(connection, untimed, _UNTIMED, place, wanted - len(rows))
    return rows[: page.limit], token_of(rows, page)


def _mark_deleted(connection: Connection, which: ColumnElement[bool], at: datetime) -> int:
    keys = list(connection.scalars(select(kept.c.key).where(which, kept.c.deleted_at.is_(None))))
    for piece in pieces(keys):
        connection.execute(update(kept).where(kept.c.key.in_(piece)).values(deleted_at=at))
        connection.execute(update(part).where(part.c.conversation.in_(piece)).values(deleted_at=at))
    return len(keys)


def _part(row: RowMapping) -> StoredPart:
    names = StoredPart.__dataclass_fields__
    values = {name: value for name, value in row.items() if name in names}
    marks = frozenset(cast("list[Mark]", row["marks"].split(","))) if row["marks"] else frozenset()
    return StoredPart(**{**values, "marks": marks})
