"""The rooms of the pages: sessions, staff, looks and kept figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from assent.domain.errors import NotFound, Refused
from assent.store.records import Figure, Look, Session, StaffMember
from assent.store.schema import figure, look, session, spent, staff
from assent.store.sql.paging import listing, values_of, walk
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import RowMapping

    from assent.store.records import Listing, Page


class SessionRoom(Room):
    """Who is signed in, and which one-time tokens are spent."""

    def add_session(self, item: Session) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(session.c.digest).where(session.c.digest == item.digest)) is not None:
                raise Refused("there is a session under this token already", "draw a fresh token")
            connection.execute(insert(session).values(asdict(item)))

    def session(self, digest: str) -> Session | None:
        with self._database.reading() as connection:
            row = connection.execute(select(session).where(session.c.digest == digest)).mappings().one_or_none()
        return None if row is None else Session(**row)

    def sessions_of(self, who: str) -> list[Session]:
        query = select(session).where(session.c.who == who).order_by(session.c.began_at.desc(), session.c.digest)
        with self._database.reading() as connection:
            return [Session(**row) for row in connection.execute(query).mappings()]

    def end_session(self, digest: str) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(delete(session).where(session.c.digest == digest)).rowcount)

    def end_sessions_of(self, who: str, kinds: tuple[str, ...]) -> int:
        with self._database.writing() as connection:
            return connection.execute(delete(session).where(session.c.who == who, session.c.kind.in_(kinds))).rowcount

    def forget_sessions(self, before: datetime) -> int:
        with self._database.writing() as connection:
            over = connection.execute(delete(session).where(session.c.ends_at < before)).rowcount
            return over + connection.execute(delete(spent).where(spent.c.until < before)).rowcount

    def spend(self, digest: str, until: datetime) -> bool:
        with self._database.writing() as connection:
            if connection.scalar(select(spent.c.digest).where(spent.c.digest == digest)) is not None:
                return False
            connection.execute(insert(spent).values(digest=digest, until=until))
            return True


class StaffRoom(Room):
    """Who may sign in to the console."""

    def put_staff(self, item: StaffMember) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(staff).where(staff.c.name == item.name))
            connection.execute(insert(staff).values(asdict(item)))

    def staff_member(self, name: str) -> StaffMember | None:
        with self._database.reading() as connection:
            row = connection.execute(select(staff).where(staff.c.name == name)).mappings().one_or_none()
        return None if row is None else StaffMember(**row)

    def staff(self) -> Iterator[StaffMember]:
        return walk(self._database, select(staff), (staff.c.name,), lambda row: StaffMember(**values_of(row)))

    def drop_staff(self, name: str) -> None:
        kinds = ("staff", "invitation")
        with self._database.writing() as connection:
            if not connection.execute(delete(staff).where(staff.c.name == name)).rowcount:
                raise NotFound(f"`{name}` is no member of staff", "list the staff to see their names")
            connection.execute(delete(session).where(session.c.who == name, session.c.kind.in_(kinds)))


class LookRoom(Room):
    """Sensitive views."""

    def log_look(self, item: Look) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(look).values(asdict(item)))

    def last_look(self, by: str, page: str, about: str) -> Look | None:
        query = select(look).where(look.c.by == by, look.c.page == page, look.c.about == about)
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(look.c.at.desc()).limit(1)).mappings().one_or_none()
        return None if row is None else _look(row)

    def looks(self, page: Page, *, about: str | None = None, by: str | None = None) -> Listing[Look]:
        query = select(look)
        if about is not None:
            query = query.where(look.c.about == about)
        if by is not None:
            query = query.where(look.c.by == by)
        with self._database.reading() as connection:
            return listing(connection, query, (look.c.at, look.c.id), page, _look)


class FigureRoom(Room):
    """What takes long to work out."""

    def keep_figure(self, item: Figure) -> None:
        with self._database.writing() as connection:
            kept = connection.scalar(select(figure.c.at).where(figure.c.name == item.name))
            if kept is not None and kept > item.at:
                return
            connection.execute(delete(figure).where(figure.c.name == item.name))
            connection.execute(insert(figure).values(asdict(item)))

    def figure(self, name: str) -> Figure | None:
        with self._database.reading() as connection:
            row = connection.execute(select(figure).where(figure.c.name == name)).mappings().one_or_none()
        return None if row is None else Figure(**row)


def _look(row: RowMapping) -> Look:
    return Look(**{name: value for name, value in values_of(row).items() if name != "id"})
