"""The room of reviewing: what waits for people, and what they decided."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, insert, or_, select, update

from assent.domain.errors import NotFound, Refused
from assent.domain.people import plain_name
from assent.store.records import Candidate, Listing, Review
from assent.store.schema import candidate as waiting
from assent.store.schema import conversation, flag_review, rights_request
from assent.store.schema import finding as findings
from assent.store.sql.flags import FLAG, add_flag, change_flag
from assent.store.sql.paging import values_of, walk
from assent.store.sql.requests import keep_events
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping, Select

    from assent.store.port.reviews import Settle
    from assent.store.records import CandidateBand, Event, Flag, Page, RightsRequest, Settlement

_CANDIDATE: Final[Select[Any]] = select(
    *(column for column in waiting.c if column.name != "conversation"),
    conversation.c.id.label("conversation"),
).join_from(waiting, conversation, conversation.c.key == waiting.c.conversation)

_SURE: Final = func.abs(func.coalesce(waiting.c.score, 0.5) - 0.5)


class ReviewRoom(Room):
    """What people look at, and what they decided."""

    def nominate(self, candidates: Sequence[Candidate], flags: Sequence[Flag] = ()) -> int:
        with self._database.writing() as connection:
            known = _known(connection, [one.id for one in candidates])
            keys = _keys(connection, {one.conversation for one in candidates})
            for flag in flags:
                if flag.conversation in keys:
                    add_flag(connection, flag)
            new = {one.id: one for one in candidates if one.id not in known and one.conversation in keys}
            flagged = _known(connection, list(new))  # a flag that is set queues itself, with what it knows
            for one in new.values():
                row = asdict(one) | {"conversation": keys[one.conversation]}
                if one.id in flagged:
                    connection.execute(update(waiting).where(waiting.c.id == one.id).values(row))
                else:
                    connection.execute(insert(waiting).values(row))
            drawn = [one.id for one in candidates if one.drawn and known.get(one.id) is False]
            for piece in pieces(drawn):
                connection.execute(update(waiting).where(waiting.c.id.in_(piece)).values(drawn=True))
        return len(new)

    def candidate(self, candidate: str) -> Candidate | None:
        with self._database.reading() as connection:
            return _found(connection, candidate)

    def candidates(
        self, page: Page, *, band: CandidateBand | None = None, drawn: bool | None = None
    ) -> Listing[Candidate]:
        query = _CANDIDATE.where(waiting.c.settled_at.is_(None))
        if band is not None:
            query = query.where(waiting.c.band == band)
        if drawn is not None:
            query = query.where(waiting.c.drawn == drawn)
        start = int(page.after) if page.after and page.after.isdecimal() else 0
        order = (waiting.c.severity.desc(), _SURE, waiting.c.queued_at, waiting.c.id)
        with self._database.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
            found = connection.execute(query.order_by(*order).offset(start).limit(page.limit)).mappings().all()
        end = start + len(found)
        return Listing(tuple(map(_candidate, found)), total, str(end) if end < total and found else None)

    def candidates_of(self, conversations: Collection[str]) -> dict[str, list[Candidate]]:
        found: dict[str, list[Candidate]] = {}
        with self._database.reading() as connection:
            for piece in pieces(conversations):
                query = _CANDIDATE.where(conversation.c.id.in_(piece)).order_by(waiting.c.id)
                for row in connection.execute(query).mappings():
                    found.setdefault(row["conversation"], []).append(_candidate(row))
        return found

    def record_review(self, review: Review, settle: Settle) -> Settlement | None:
        with self._database.writing() as connection:
            found = _found(connection, review.candidate)
            if found is None:
                fix = "list what waits; it may have been erased"
                raise NotFound(f"nothing with the id `{review.candidate}` waits for people", fix)
            before = _reviews_of(connection, review.candidate, "review")
            if (said := _said_by(before, review.reviewer)) is not None:
                if said.decision != review.decision:
                    raise Refused("this person decided otherwise before", "let somebody else decide")
                return settle(before)
            if found.settled_at is not None:
                raise Refused(f"`{review.candidate}` is decided already", "the person may appeal against a flag")
            connection.execute(insert(flag_review).values(asdict(review)))
            settled = settle([*before, review])
            if settled is not None:
                _carry_out(connection, review.candidate, settled)
                if settled.event is not None:
                    keep_events(self._database, connection, [settled.event])
            return settled

    def decide_appeal(self, review: Review, request: RightsRequest, *, was: str, events: Sequence[Event]) -> bool:
        with self._database.writing() as connection:
            place = and_(rights_request.c.id == request.id, rights_request.c.status == was)
            if not connection.execute(update(rights_request).where(place).values(asdict(request))).rowcount:
                return False
            connection.execute(insert(flag_review).values(asdict(review)))
            if review.decision == "reverse":
                change_flag(connection, review.candidate, findings.c.reversed_at.is_(None), reversed_at=review.at)
            keep_events(self._database, connection, events)
        return True

    def reviews_of(self, candidate: str) -> list[Review]:
        with self._database.reading() as connection:
            return _reviews_of(connection, candidate)

    def reviews(self, since: datetime | None = None) -> Iterator[Review]:
        query = select(flag_review) if since is None else select(flag_review).where(flag_review.c.at >= since)
        order = (flag_review.c.candidate, flag_review.c.stage, flag_review.c.reviewer)
        return walk(self._database, query, order, _review)


def _carry_out(connection: Connection, name: str, settled: Settlement) -> None:
    """Let a decision count: the candidate waits no more, and its flag stands, begins or ends."""
    connection.execute(update(waiting).where(waiting.c.id == name).values(settled_at=settled.at))
    if settled.flag is not None:
        add_flag(connection, settled.flag)
    if connection.execute(FLAG.where(findings.c.id == name)).first() is None:
        return
    if settled.decision == "reverse":
        change_flag(connection, name, findings.c.reversed_at.is_(None), reversed_at=settled.at)
    else:
        newer: ColumnElement[bool] = or_(findings.c.reviewed_at.is_(None), findings.c.reviewed_at < settled.at)
        change_flag(connection, name, newer, reviewed_at=settled.at)


def _known(connection: Connection, names: Sequence[str]) -> dict[str, bool]:
    """Say which candidates are there, and which of them are drawn."""
    found: dict[str, bool] = {}
    for piece in pieces(names):
        query = select(waiting.c.id, waiting.c.drawn).where(waiting.c.id.in_(piece))
        found.update((row.id, row.drawn) for row in connection.execute(query))
    return found


def _keys(connection: Connection, names: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for piece in pieces(names):
        query = select(conversation.c.id, conversation.c.key).where(conversation.c.id.in_(piece))
        found.update((row.id, row.key) for row in connection.execute(query))
    return found


def _said_by(reviews: Sequence[Review], reviewer: str) -> Review | None:
    return next((one for one in reviews if plain_name(one.reviewer) == plain_name(reviewer)), None)


def _found(connection: Connection, name: str) -> Candidate | None:
    row = connection.execute(_CANDIDATE.where(waiting.c.id == name)).mappings().one_or_none()
    return None if row is None else _candidate(row)


def _reviews_of(connection: Connection, name: str, stage: str | None = None) -> list[Review]:
    query = select(flag_review).where(flag_review.c.candidate == name)
    if stage is not None:
        query = query.where(flag_review.c.stage == stage)
    order = (flag_review.c.at, flag_review.c.stage.desc(), flag_review.c.reviewer)
    return [_review(row) for row in connection.execute(query.order_by(*order)).mappings()]


def _candidate(row: RowMapping) -> Candidate:
    return Candidate(**values_of(row))


def _review(row: RowMapping) -> Review:
    return Review(**values_of(row))
