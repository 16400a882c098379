"""The room of adoption: content that lies in the database, from before the vault, is moved out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, select, update

from assent.store.schema import content, conversation, part, retention_class, sealed
from assent.store.sql.room import Room
from assent.store.sql.sealing import Sealer, lane_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from sqlalchemy import Connection

AT_ONCE: Final = 1_000
"""Parts or titles moved in one transaction: some megabytes of text, a fraction of a second."""


class AdoptRoom(Room):
    """The way from the database into the vault."""

    def unadopted(self) -> int:
        """Count the parts that the database itself holds: none, but for one from before the vault."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(content)) or 0

    def adopt(self, *, day: date, on_parts: Callable[[int], None]) -> int:
        """Move content and titles into the vault, `AT_ONCE` a transaction; returns how many parts that were.

        `day` names the segments; `on_parts` hears how many parts each transaction moved. The old
        rows go last and together, with their files: stopped anywhere, a second call goes on.
        """
        for _ in self._moved(_move_titles, day):
            pass
        self._database.rewrite(conversation)
        moved = 0
        for count in self._moved(_move_parts, day):
            moved += count
            on_parts(count)
        self._database.empty(content)
        self._database.checkpoint()
        return moved

    def _moved(self, move: Callable[[Connection, Sealer, int, date], list[int]], day: date) -> Iterator[int]:
        after = -1
        while True:
            with self._database.writing() as connection:
                keys = move(connection, Sealer(self._database, connection, self.contents), after, day)
            if not keys:
                return
            after = keys[-1]
            yield len(keys)


def _move_parts(connection: Connection, sealer: Sealer, after: int, day: date) -> list[int]:
    query = (
        select(content.c.part, conversation.c.mode, retention_class.c.data, content.c.body)
        .join_from(content, part)
        .join(conversation)
        .join(retention_class)
        .outerjoin(sealed, sealed.c.part == content.c.part)
        .where(content.c.part > after, sealed.c.slot.is_(None))
        .order_by(content.c.part)
        .limit(AT_ONCE)
    )
    keys = []
    for key, mode, data, body in connection.execute(query):
        sealer.part(key, lane_of(mode, data), body)
        keys.append(key)
    sealer.seal(day=day)
    sealer.write()
    return keys


def _move_titles(connection: Connection, sealer: Sealer, after: int, day: date) -> list[int]:
    query = select(conversation.c.key, conversation.c.title).order_by(conversation.c.key).limit(AT_ONCE)
    rows = connection.execute(query.where(conversation.c.key > after, conversation.c.title != "")).all()
    slots = {key: sealer.heading(title) for key, title in rows}
    headings = sealer.seal(day=day)
    if slots:
        change = update(conversation).where(conversation.c.key == bindparam("of")).values(title="")
        values = [{"of": key, "heading": headings[slot], "heading_slot": slot} for key, slot in slots.items()]
        connection.execute(change.values(heading=bindparam("heading"), heading_slot=bindparam("heading_slot")), values)
    sealer.write()
    return list(slots)
