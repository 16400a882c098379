"""The room of flags: what was found in content, on a clock of its own, and who read content and why."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update

from assent.domain.errors import NotFound, Refused
from assent.store.records import Access, Flag, Listing
from assent.store.schema import access as accesses
from assent.store.schema import account, candidate, conversation, flag_review, hold, hold_reach
from assent.store.schema import finding as findings
from assent.store.schema import flag as flags
from assent.store.sql.paging import listing, values_of
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping, Select

    from assent.store.records import Page

FLAG: Final[Select[Any]] = select(
    findings.c.id,
    findings.c.conversation,
    findings.c.at,
    findings.c.category,
    findings.c.flagged_by.label("by"),
    findings.c.reason,
    findings.c.reversed_at,
    findings.c.reviewed_at,
    findings.c.score,
)


UNKNOWN_SEVERITY: Final = 2
"""How severe a flag counts whose category says nothing of it, from 1 to 3."""


class FlagRoom(Room):
    """Safety findings. What the flags of a conversation come to stands in its row."""

    def add_flag(self, flag: Flag) -> None:
        with self._database.writing() as connection:
            add_flag(connection, flag)

    def reverse_flag(self, flag: str, at: datetime) -> None:
        self._change(flag, findings.c.reversed_at.is_(None), reversed_at=at)

    def review_flag(self, flag: str, at: datetime) -> None:
        self._change(flag, or_(findings.c.reviewed_at.is_(None), findings.c.reviewed_at < at), reviewed_at=at)

    def _change(self, flag: str, where: ColumnElement[bool], **values: datetime) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(findings.c.id).where(findings.c.id == flag)) is None:
                raise NotFound(f"there is no flag `{flag}`", "list the flags to see their ids")
            change_flag(connection, flag, where, **values)

    def flags(self, page: Page, conversation: str | None = None, *, subject: str | None = None) -> Listing[Flag]:
        query = FLAG
        for column, value in ((findings.c.conversation, conversation), (findings.c.subject, subject)):
            if value is not None:
                query = query.where(column == value)
        with self._database.reading() as connection:
            return listing(connection, query, (findings.c.at, findings.c.id), page, _flag)

    def flag(self, flag: str) -> Flag | None:
        with self._database.reading() as connection:
            found = connection.execute(FLAG.where(findings.c.id == flag)).mappings().one_or_none()
            return None if found is None else _flag(found)

    def forget_findings(self, before: datetime) -> int:
        with self._database.writing() as connection:
            ended = connection.execute(delete(findings).where(_ended(before))).rowcount
            # what was decided goes with the finding, and of what was never flagged after the same time
            connection.execute(delete(flag_review).where(flag_review.c.at < before, _alone()))
        return ended

    def findings_alone(self, before: datetime) -> int:
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(findings).where(_ended(before))) or 0


class AccessRoom(Room):
    """Who read what, and why."""

    def log_access(self, access: Access) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(accesses).values(asdict(access)))

    def accesses(self, page: Page, conversation: str | None = None) -> Listing[Access]:
        query = select(accesses)
        if conversation is not None:
            query = query.where(accesses.c.conversation == conversation)
        with self._database.reading() as connection:
            return listing(connection, query, (accesses.c.id,), page, _access)


def _ended(before: datetime) -> ColumnElement[bool]:
    """Say which findings have ended: their content is gone, and so is their time, or they were overturned.

    The facts that a query asks for went with the content, so while any query is held its findings stay.
    """
    here = exists().where(flags.c.id == findings.c.id)
    names = (
        hold.c.scope.in_(("everyone", "query")),
        and_(hold.c.scope == "person", hold.c.target == findings.c.subject),
        and_(hold.c.scope == "conversation", hold.c.target == findings.c.conversation),
        and_(
            hold.c.scope == "organisation",
            hold.c.target.in_(select(account.c.organisation).where(account.c.subject == findings.c.subject)),
        ),
    )
    reached = or_(
        and_(hold_reach.c.scope == "person", hold_reach.c.target == findings.c.subject),
        and_(hold_reach.c.scope == "conversation", hold_reach.c.target == findings.c.conversation),
    )
    once = exists().where(hold_reach.c.hold == hold.c.id, reached)
    held = exists().where(hold.c.released_at.is_(None), or_(*names, once))
    return and_(or_(findings.c.at < before, findings.c.reversed_at.is_not(None)), ~here, ~held)


def _alone() -> ColumnElement[bool]:
    """Say which reviews are about nothing that is still here."""
    return and_(
        ~exists().where(findings.c.id == flag_review.c.candidate),
        ~exists().where(candidate.c.id == flag_review.c.candidate),
    )


def add_flag(connection: Connection, flag: Flag) -> None:
    """Flag a conversation as `Flags.add_flag` does; people are to look at it, unless they did."""
    found = connection.execute(FLAG.where(findings.c.id == flag.id)).mappings().one_or_none()
    if found is not None:
        if replace(_flag(found), reversed_at=flag.reversed_at, reviewed_at=flag.reviewed_at) != flag:
            raise Refused(f"flag `{flag.id}` is recorded with another meaning", "record it under an id of its own")
        return
    here = select(conversation.c.key, conversation.c.subject).where(conversation.c.id == flag.conversation)
    home = connection.execute(here).one_or_none()
    if home is None:
        raise NotFound(f"there is no conversation `{flag.conversation}`", "it may have been erased")
    row = asdict(flag)
    row |= {"subject": home.subject, "flagged_by": row.pop("by")}
    connection.execute(insert(findings).values(row))
    connection.execute(insert(flags).values(id=flag.id, conversation=home.key))
    if connection.scalar(select(candidate.c.id).where(candidate.c.id == flag.id)) is None:
        waits = {"id": flag.id, "conversation": home.key, "band": "flag", "category": flag.category}
        waits |= {"severity": UNKNOWN_SEVERITY, "detector": flag.by, "queued_at": flag.at, "score": flag.score}
        settled = flag.reversed_at or flag.reviewed_at
        connection.execute(insert(candidate).values(waits | {"drawn": False, "settled_at": settled}))
    _sum_up(connection, home.key)


def change_flag(connection: Connection, flag: str, where: ColumnElement[bool], **values: datetime) -> None:
    """Change a flag if a condition holds, and what the flags of its conversation come to; it waits no more."""
    connection.execute(update(findings).where(findings.c.id == flag, where).values(values))
    key: int | None = connection.scalar(select(flags.c.conversation).where(flags.c.id == flag))
    if key is not None:
        over = update(candidate).where(candidate.c.id == flag, candidate.c.settled_at.is_(None))
        connection.execute(over.values(settled_at=max(values.values())))
        _sum_up(connection, key)


def _flag(row: RowMapping) -> Flag:
    return Flag(**values_of(row))


def _access(row: RowMapping) -> Access:
    return Access(**{name: value for name, value in values_of(row).items() if name != "id"})


def _sum_up(connection: Connection, key: int) -> None:
    query = select(findings.c.at, findings.c.reversed_at, findings.c.reviewed_at).join_from(flags, findings)
    found = connection.execute(query.where(flags.c.conversation == key).order_by(findings.c.at, findings.c.id)).all()
    standing = [flag for flag in found if flag.reversed_at is None]
    newest = (standing or found)[-1]
    connection.execute(
        update(conversation)
        .where(conversation.c.key == key)
        .values(
            flagged_at=newest.at,
            flag_reversed_at=newest.reversed_at,
            reviewed_at=max((f.reviewed_at for f in found if f.reviewed_at is not None), default=None),
        )
    )
