"""The room of conversations: what is kept, for people to look at."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from sqlalchemy import func, select, text, update

from assent.domain.contents import Sealed
from assent.domain.errors import NotFound
from assent.settings import MAX_PAGE_ROWS
from assent.store.records import (
    ConversationEntry,
    ConversationFilter,
    Found,
    Listing,
    Page,
    ProjectEntry,
    StoredConversation,
    StoredPart,
)
from assent.store.schema import conversation as kept
from assent.store.schema import part, retention_class, sealed
from assent.store.sql.columns import rows_batch
from assent.store.sql.paging import place_of, plain, stretch, token, token_of
from assent.store.sql.reading import read_facts
from assent.store.sql.room import PIECE, Room, pieces
from assent.store.sql.sealing import titles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping, Select

    from assent.domain.facts import Facts

_PARTS = (
    select(func.count()).select_from(part).where(part.c.conversation == kept.c.key).correlate(kept).scalar_subquery()
)
_PLAIN: Final = tuple(name for name in ConversationEntry.__dataclass_fields__ if name not in ("title", "parts"))
_ENTRY: Select[Any] = select(
    *(kept.c[name] for name in _PLAIN), kept.c.heading, kept.c.heading_slot, _PARTS.label("parts")
)
_KEYED = _ENTRY.add_columns(kept.c.key)
_FIELDS: Final = tuple(StoredPart.__dataclass_fields__)
_OF_PART: Final = tuple((retention_class if name in ("origin", "data", "plan") else part).c[name] for name in _FIELDS)
_MARKS_AT: Final = _FIELDS.index("marks")
_STORED_PARTS: Final = select(part.c.conversation, *_OF_PART).join_from(part, retention_class)
_IN_PLACE: Final = (part.c.ordinal, part.c.key)
_DIGESTS: Final = pa.schema([("conversation", pa.string()), ("digest", pa.string())])
_AT_ONCE: Final = 50_000
_TIMED = (kept.c.last_turn_at, kept.c.key)
_UNTIMED = (kept.c.key,)


class ConversationRoom(Room):
    """What is kept."""

    def conversations(self, which: ConversationFilter, page: Page) -> Listing[ConversationEntry]:
        conditions = _conditions(which)
        with self._database.reading() as connection:
            if which.title:
                return self._titled(connection, conditions, which.title, page)
            total = connection.scalar(select(func.count()).select_from(kept).where(*conditions)) or 0
            items, after = _newest(connection, _ENTRY.where(*conditions), page)
        return Listing(self._entries(items), total, after)

    def _titled(
        self, connection: Connection, conditions: Sequence[ColumnElement[bool]], piece: str, page: Page
    ) -> Listing[ConversationEntry]:
        """List by a piece of the title: no database can look into headings, so all that pass the rest are opened."""
        query = select(kept.c.key, plain(kept.c.last_turn_at), kept.c.heading_slot, kept.c.heading)
        behind = _behind(place_of(page, 1, 2))
        wanted, found = piece.casefold(), []
        for rows in connection.execute(query.where(kept.c.heading_slot.is_not(None), *conditions)).partitions(PIECE):
            said = titles(self.contents, ((slot, body) for *_, slot, body in rows))
            found += [(at, key) for key, at, slot, _ in rows if wanted in said.get(slot, "").casefold()]
        found.sort(key=_order)
        chosen = [one for one in found if behind is None or _order(one) > behind][: page.limit + 1]
        keys = [key for _, key in chosen[: page.limit]]
        entries = {row["key"]: row for row in connection.execute(_KEYED.where(kept.c.key.in_(keys))).mappings()}
        after = None
        if len(chosen) > page.limit:
            at, key = chosen[page.limit - 1]
            after = token([key] if at is None else [at, key])
        return Listing(self._entries([entries[key] for key in keys]), len(found), after)

    def find_conversations(self, which: ConversationFilter, page: Page, *, look_at: int) -> Found:
        conditions = _conditions(which)
        with self._database.reading() as connection:
            if which.title:
                return self._found_by_title(connection, conditions, which.title, page, look_at)
            items, after = _newest(connection, _ENTRY.where(*conditions), page)
        return Found(self._entries(items), after)

    def _found_by_title(
        self,
        connection: Connection,
        conditions: Sequence[ColumnElement[bool]],
        piece: str,
        page: Page,
        look_at: int,
    ) -> Found:
        """Open the next titles in the order of the list, and stop when the page is full."""
        query = select(kept.c.key, kept.c.heading_slot, kept.c.heading).where(*conditions)
        rows, after = _newest(connection, query, Page(min(look_at, MAX_PAGE_ROWS), page.after))
        wanted, keys, looked = piece.casefold(), [], 0
        while True:
            said = titles(self.contents, ((row["heading_slot"], row["heading"]) for row in rows))
            looked += len(rows)
            for row in rows:
                if wanted in said.get(row["heading_slot"], "").casefold():
                    keys.append(row["key"])
                    if len(keys) == page.limit:
                        after = None if after is None and row is rows[-1] else _place(row)
                        return Found(self._by_keys(connection, keys), after)
            if after is None or looked >= look_at:
                return Found(self._by_keys(connection, keys), after, cut_short=after is not None)
            rows, after = _newest(connection, query, Page(min(look_at - looked, MAX_PAGE_ROWS), after))

    def _by_keys(self, connection: Connection, keys: Sequence[int]) -> tuple[ConversationEntry, ...]:
        rows = {row["key"]: row for row in connection.execute(_KEYED.where(kept.c.key.in_(keys))).mappings()}
        return self._entries([rows[key] for key in keys])

    def projects_of(self, subject: str, limit: int) -> list[ProjectEntry]:
        query = (
            select(kept.c.project, func.count(), func.max(kept.c.last_turn_at))
            # said as the index says it, not bound, so that the index serves
            .where(kept.c.subject == subject, text("project != ''"))
            .group_by(kept.c.project)
            .order_by(kept.c.project)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [ProjectEntry(*row) for row in connection.execute(query)]

    def _entries(self, rows: Sequence[RowMapping]) -> tuple[ConversationEntry, ...]:
        said = titles(self.contents, ((row["heading_slot"], row["heading"]) for row in rows))
        return tuple(
            ConversationEntry(
                **{name: row[name] for name in _PLAIN}, title=said.get(row["heading_slot"], ""), parts=row["parts"]
            )
            for row in rows
        )

    def conversation(self, conversation: str) -> StoredConversation | None:
        with self._database.reading() as connection:
            key = connection.scalar(select(kept.c.key).where(kept.c.id == conversation))
            if key is None:
                return None
            row = connection.execute(_ENTRY.where(kept.c.key == key)).mappings().one()
            query = _STORED_PARTS.where(part.c.conversation == key).order_by(*_IN_PLACE)
            parts = tuple(_part(values) for _, *values in connection.execute(query).all())
        (entry,) = self._entries([row])
        return StoredConversation(entry, parts)

    def conversations_of(self, conversations: Collection[str]) -> dict[str, StoredConversation]:
        rows: list[RowMapping] = []
        parts: dict[int, list[StoredPart]] = {}
        with self._database.reading() as connection:
            for piece in pieces(conversations):
                rows += connection.execute(_KEYED.where(kept.c.id.in_(piece))).mappings()
                query = _STORED_PARTS.where(part.c.conversation.in_(select(kept.c.key).where(kept.c.id.in_(piece))))
                for home, *values in connection.execute(query.order_by(part.c.conversation, *_IN_PLACE)).all():
                    parts.setdefault(home, []).append(_part(values))
        entries = self._entries(rows)
        return {
            entry.id: StoredConversation(entry, tuple(parts.get(row["key"], ())))
            for row, entry in zip(rows, entries, strict=True)
        }

    def content_digests(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(_DIGESTS, self._digests())

    def _digests(self) -> Iterator[pa.RecordBatch]:
        with (
            self._database.reading() as connection,
            closing(self._database.stream(connection, select(kept.c.id, kept.c.digest), _AT_ONCE)) as stretches,
        ):
            for rows in stretches:
                yield rows_batch(rows, _DIGESTS)

    def facts_of(self, conversation: str) -> list[Facts]:
        with self._database.reading() as connection:
            return [found.facts for found in read_facts(connection, kept.c.id == conversation)]

    def facts_of_several(self, conversations: Collection[str]) -> dict[str, list[Facts]]:
        return self._facts_of(conversations, shown=False)

    def _facts_of(self, conversations: Collection[str], *, shown: bool) -> dict[str, list[Facts]]:
        found: dict[str, list[Facts]] = {}
        with self._database.reading() as connection:
            for piece in pieces(conversations):
                for one in read_facts(connection, kept.c.id.in_(piece), shown=shown):
                    found.setdefault(one.facts.conversation or "", []).append(one.facts)
        return found

    def shown_facts_of(self, conversations: Collection[str]) -> dict[str, list[Facts]]:
        return self._facts_of(conversations, shown=True)

    def content_of(self, keys: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for piece in pieces(keys):
            found |= self._content_of(piece)
        return found

    def _content_of(self, keys: Sequence[int]) -> dict[int, str]:
        places = self._places(keys)
        while True:
            try:
                texts = self.contents.read(list(places.values()))
            except NotFound:
                before, places = places, self._places(keys)
                if places == before:
                    raise
                continue  # a segment was compacted, or erased with all that lay in it, since the rows were read
            return {key: texts[at.slot] for key, at in places.items() if at.slot in texts}

    def _places(self, keys: Sequence[int]) -> dict[int, Sealed]:
        with self._database.reading() as connection:
            query = select(sealed.c.part, *(sealed.c[name] for name in Sealed._fields)).where(sealed.c.part.in_(keys))
            return {key: Sealed(*place) for key, *place in connection.execute(query)}

    def request_deletion(self, conversation: str, at: datetime) -> None:
        with self._database.writing() as connection:
            if not _mark_deleted(connection, kept.c.id == conversation, at):
                known = connection.scalar(select(kept.c.key).where(kept.c.id == conversation))
                if known is None:
                    raise NotFound(f"there is no conversation `{conversation}`", "it may have been erased")

    def request_deletion_of_all(self, subject: str, at: datetime) -> int:
        with self._database.writing() as connection:
            return _mark_deleted(connection, kept.c.subject == subject, at)

    def withdraw_deletion(self, conversation: str, requested_at: datetime) -> bool:
        asked = (kept.c.id == conversation) & (kept.c.deleted_at == requested_at)
        with self._database.writing() as connection:
            key = connection.scalar(update(kept).where(asked).values(deleted_at=None).returning(kept.c.key))
            if key is not None:
                connection.execute(update(part).where(part.c.conversation == key).values(deleted_at=None))
            return key is not None

    def withdraw_deletion_of_all(self, subject: str, since: datetime) -> int:
        asked = (kept.c.subject == subject) & (kept.c.deleted_at >= since)
        with self._database.writing() as connection:
            keys = list(connection.scalars(update(kept).where(asked).values(deleted_at=None).returning(kept.c.key)))
            for piece in pieces(keys):
                connection.execute(update(part).where(part.c.conversation.in_(piece)).values(deleted_at=None))
            return len(keys)


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
    if which.deleted_since is not None:
        conditions.append(kept.c.deleted_at >= which.deleted_since)
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


def _place(row: RowMapping) -> str:
    """Write the place behind one row that `_newest` read."""
    return token([row[name] for name in ("order_0", "order_1") if row.get(name) is not None])


def _order(one: tuple[int | None, int]) -> tuple[bool, int, int]:
    """Newest turn first, those without a time last, as `_newest` reads them."""
    at, key = one
    return at is None, -(at or 0), -key


def _behind(place: Sequence[Any]) -> tuple[bool, int, int] | None:
    return _order((place[0] if len(place) == 2 else None, place[-1])) if place else None


def _mark_deleted(connection: Connection, which: ColumnElement[bool], at: datetime) -> int:
    keys = list(connection.scalars(select(kept.c.key).where(which, kept.c.deleted_at.is_(None))))
    for piece in pieces(keys):
        connection.execute(update(kept).where(kept.c.key.in_(piece)).values(deleted_at=at))
        connection.execute(update(part).where(part.c.conversation.in_(piece)).values(deleted_at=at))
    return len(keys)


def _part(values: list[Any]) -> StoredPart:
    said = values[_MARKS_AT]
    values[_MARKS_AT] = frozenset(said.split(",")) if said else frozenset()
    return StoredPart(*values)
