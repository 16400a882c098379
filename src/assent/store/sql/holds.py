"""The room of holds: what courts ordered, and what the orders cover.

`held_spans` is the one place that says what a hold covers; single decisions, columns and
erasure all ask it. The words of a hold are read anew each time. Before a fact changes that
such words ask for, `Reach` keeps what they covered until then.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from sqlalchemy import and_, exists, func, insert, literal, or_, select, true, union_all, update

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.facts import HoldSpan
from assent.domain.instants import from_micros
from assent.store.records import Coverage, Hold, HoldOn, HoldScope, Matter, hold_query
from assent.store.schema import account, conversation, hold_reach
from assent.store.schema import hold as holds
from assent.store.schema import matter as matters
from assent.store.sql.paging import plain, values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, CompoundSelect, Connection, FromClause, RowMapping, Select

    from assent.store.records import HoldQuery

_HOME: Final = ("key", "id", "subject", "project", "source", "surface", "mode", "plan")
_CLOCKS: Final = ("created_at", "last_turn_at", "flagged_at")
_SCOPES: Final = get_args(HoldScope)
_AT_ONCE: Final = 100
_STANDING: Final = holds.c.released_at.is_(None)


class HoldRoom(Room):
    """Legal holds. One writer at a time: a hold that is acknowledged stood before the next erasure began to read."""

    def place_hold(self, hold: Hold) -> None:
        with self._database.writing() as connection:
            found = _found_hold(connection, hold.id)
            if found is None:
                open_matter(connection, hold)
                connection.execute(insert(holds).values(asdict(hold)))
            elif replace(found, released_at=hold.released_at, released_by=hold.released_by) != hold:
                raise Refused(f"hold `{hold.id}` is recorded with another meaning", "record it under an id of its own")

    def release_hold(self, hold: str, *, at: datetime, by: str) -> None:
        with self._database.writing() as connection:
            found = _needed(connection, hold)
            if at < found.start:
                raise Invalid(f"hold `{hold}` starts after this release", "a hold is released after it was placed")
            if found.released_at is None:
                connection.execute(update(holds).where(holds.c.id == hold).values(released_at=at, released_by=by))

    def hold(self, hold: str) -> Hold | None:
        with self._database.reading() as connection:
            return _found_hold(connection, hold)

    def holds(self) -> Iterator[Hold]:
        return walk(self._database, select(holds), (holds.c.start, holds.c.id), _hold)

    def coverage(self, hold: str) -> Coverage:
        with self._database.reading() as connection:
            found = _needed(connection, hold)
            spans = held_spans(connection, only=holds.c.id == hold)
            if spans is None:
                return Coverage(0, 0)
            covered = spans.subquery()
            count = select(func.count(), func.count(conversation.c.subject.distinct()))
            talks, people = connection.execute(
                count.join_from(covered, conversation, conversation.c.id == covered.c.id)
            ).one()
            undecidable = 0
            if found.scope == "query":
                perhaps = matching(hold_query(found.target or ""), conversation, unknown=True)
                query = select(func.count()).select_from(_with_account(conversation)).where(perhaps)
                undecidable = connection.scalar(query.where(conversation.c.id.not_in(select(covered.c.id)))) or 0
        return Coverage(talks, people, undecidable)

    def holds_on(self, subject: str) -> list[HoldOn]:
        named = or_(
            holds.c.scope == "everyone",
            and_(holds.c.scope == "person", holds.c.target == subject),
            and_(holds.c.scope == "organisation", holds.c.target.in_(_organisation_of(subject))),
            holds.c.id.in_(
                select(hold_reach.c.hold).where(hold_reach.c.scope == "person", hold_reach.c.target == subject)
            ),
        )
        with self._database.reading() as connection:
            counts: dict[str, int] = {}
            spans = held_spans(connection, conversation.c.subject == subject)
            if spans is not None:
                covered = spans.subquery()
                query = select(covered.c.hold, func.count()).group_by(covered.c.hold)
                counts = {name: number for name, number in connection.execute(query)}  # noqa: C416 - rows are no pairs
            query = select(holds).where(or_(named, holds.c.id.in_(counts)), holds.c.gag.is_(False))
            found = connection.execute(query.order_by(holds.c.start, holds.c.id)).mappings().all()
        return [HoldOn(_hold(row), counts.get(row["id"], 0)) for row in found]

    def matters(self) -> Iterator[Matter]:
        return walk(self._database, select(matters), (matters.c.opened_at, matters.c.id), _matter)

    def close_matter(self, matter: str, at: datetime) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(matters.c.id).where(matters.c.id == matter)) is None:
                raise NotFound(f"there is no matter `{matter}`", "list the matters to see their names")
            standing = exists().where(holds.c.matter == matter, holds.c.released_at.is_(None))
            if connection.scalar(select(standing)):
                raise Refused(f"a hold of matter `{matter}` stands", "release its holds first")
            change = update(matters).where(matters.c.id == matter, matters.c.closed_at.is_(None))
            connection.execute(change.values(closed_at=at))


def held_spans(
    connection: Connection,
    which: ColumnElement[bool] | None = None,
    *,
    only: ColumnElement[bool] | None = None,
) -> CompoundSelect[Any] | Select[Any] | None:
    """Ask which holds cover which conversations: `id`, `hold`, `start`, `released_at`, each pair once.

    `which` names conversations by columns of `conversation`, `only` holds by columns of `hold`; None is all.
    Instants are the numbers that the database holds. None if nothing is held, as in most stores.
    """
    chosen = holds.c.id.is_not(None) if only is None else only
    present = connection.execute(select(*(exists().where(_is(scope), chosen) for scope in _SCOPES))).one()
    scopes = {scope for scope, found in zip(_SCOPES, present, strict=True) if found}
    if not scopes:
        return None
    home: FromClause = conversation
    if which is not None:
        home = select(*(conversation.c[name] for name in (*_HOME, *_CLOCKS))).where(which).cte("home")
    span = (
        home.c.id,
        holds.c.id.label("hold"),
        plain(holds.c.start).label("start"),
        plain(holds.c.released_at).label("released_at"),
    )
    branches: list[Select[Any]] = []
    if "everyone" in scopes:
        branches.append(select(*span).join_from(home, holds, true()).where(holds.c.scope == "everyone"))
    for scope, target in (("conversation", home.c.id), ("person", home.c.subject)):
        if scope in scopes:
            branches.append(select(*span).join_from(home, holds, holds.c.target == target).where(_is(scope)))
    if "organisation" in scopes:
        theirs = select(*span).join_from(home, account, account.c.subject == home.c.subject)
        branches.append(theirs.join(holds, holds.c.target == account.c.organisation).where(_is("organisation")))
        left = _reached(home, span, "person", home.c.subject).where(_is("organisation"))
        left = left.outerjoin(account, account.c.subject == home.c.subject)
        branches.append(left.where(account.c.organisation.is_distinct_from(holds.c.target)))
    branches = [branch.where(chosen) for branch in branches]
    if "query" in scopes:
        asking = select(holds.c.id, holds.c.target).where(_is("query"), chosen)
        branches += [_queried(home, span, name, hold_query(said)) for name, said in connection.execute(asking)]
    return _together(branches)


def _together(branches: Sequence[Select[Any]]) -> CompoundSelect[Any] | Select[Any]:
    """Join queries, a few at a time: SQLite takes 500 in one UNION, and there may be more holds by query."""
    while len(branches) > 1:
        groups = [
            union_all(*several) for several in (branches[n : n + _AT_ONCE] for n in range(0, len(branches), _AT_ONCE))
        ]
        if len(groups) == 1:
            return groups[0]
        branches = [select(*group.subquery().columns) for group in groups]
    return branches[0]


def hold_columns(connection: Connection, which: ColumnElement[bool] | None = None) -> Select[Any] | None:
    """Ask for the rows of the schema HOLDS (`store.columns`) of these conversations; None if nothing is held."""
    spans = held_spans(connection, which)
    if spans is None:
        return None
    rows = spans.subquery()
    return select(rows.c.id, rows.c.start, rows.c.released_at)


def _is(scope: str) -> ColumnElement[bool]:
    return holds.c.scope == scope


def _reached(home: FromClause, span: Any, scope: str, target: ColumnElement[Any]) -> Select[Any]:
    joined = select(*span).join_from(home, hold_reach, and_(hold_reach.c.target == target, hold_reach.c.scope == scope))
    return joined.join(holds, holds.c.id == hold_reach.c.hold)


def _queried(home: FromClause, span: Any, hold: str, query: HoldQuery) -> Select[Any]:
    kept = select(hold_reach.c.target).where(hold_reach.c.hold == hold, hold_reach.c.scope == "conversation")
    found = select(*span).select_from(_with_account(home)).join(holds, holds.c.id == hold)
    return found.where(or_(matching(query, home), home.c.id.in_(kept)))


def matching(query: HoldQuery, home: FromClause, *, unknown: bool = False) -> ColumnElement[bool]:
    """Say in SQL what a query asks of a conversation and its account; with `unknown` what is not known fits too."""
    asked = [
        _fits(home.c[name].in_(values), home.c[name], unknown=unknown)
        for name in ("project", "source", "surface", "mode", "plan")
        if (values := getattr(query, name))
    ]
    if query.region:
        asked.append(_fits(account.c.region.in_(query.region), account.c.region, unknown=unknown))
    for name in ("created", "last_turn"):
        clock = home.c[f"{name}_at"]
        if (first := getattr(query, f"{name}_from")) is not None:
            asked.append(_fits(clock >= first, clock, unknown=unknown))
        if (behind := getattr(query, f"{name}_to")) is not None:
            asked.append(_fits(clock < behind, clock, unknown=unknown))
    if query.flagged:
        asked.append(home.c.flagged_at.is_not(None))
    return and_(*asked)


def _fits(condition: ColumnElement[bool], column: ColumnElement[Any], *, unknown: bool) -> ColumnElement[bool]:
    return or_(condition, column.is_(None)) if unknown else condition


def _with_account(home: FromClause) -> FromClause:
    return home.outerjoin(account, account.c.subject == home.c.subject)


class Covering:
    """The holds that cover some conversations, as facts name them."""

    def __init__(self, connection: Connection, conversations: Iterable[str], *, shown: bool = False) -> None:
        """Read the holds on these conversations; with `shown`, those alone that the person may know of."""
        self._spans: dict[str, list[tuple[HoldSpan, str]]] = {}
        only = holds.c.gag.is_(False) if shown else None
        for piece in pieces(conversations):
            spans = held_spans(connection, conversation.c.id.in_(piece), only=only)
            if spans is None:
                return
            for name, hold, start, released_at in connection.execute(spans):
                end = None if released_at is None else from_micros(released_at)
                self._spans.setdefault(name, []).append((HoldSpan(from_micros(start), end), hold))

    def of(self, conversation: str) -> tuple[HoldSpan, ...]:
        """Return the spans of the holds that cover one conversation, by start."""
        found = sorted(self._spans.get(conversation, ()), key=lambda pair: (pair[0].start, pair[1]))
        return tuple(span for span, _ in found)


class Reach:
    """Keeps what the words of holds covered, before a fact changes that they ask for.

    Inside one writing transaction; it costs one query where no hold asks for facts.
    """

    def __init__(self, connection: Connection) -> None:
        """Read the holds that ask for facts which can change."""
        self._connection = connection
        asking = select(holds.c.id, holds.c.target).where(_is("query"), _STANDING)
        self._queries = [(name, hold_query(target)) for name, target in connection.execute(asking)]
        self._organisations = bool(connection.scalar(select(exists().where(_is("organisation"), _STANDING))))

    def conversations(self, which: ColumnElement[bool]) -> None:
        """Keep which of these conversations, by columns of `conversation`, the queries match now."""
        for name, query in self._queries:
            scope, target = literal("conversation"), conversation.c.id
            rows = select(literal(name), scope, target).select_from(_with_account(conversation))
            self._keep(rows.where(which, matching(query, conversation)), name, scope, target)

    def people(self, subjects: Iterable[str]) -> None:
        """Keep which of these people's organisations are held, and which of their conversations queries match."""
        if not (self._queries or self._organisations):
            return
        for piece in pieces(subjects):
            if self._queries:
                self.conversations(conversation.c.subject.in_(piece))
            if self._organisations:
                scope, target = literal("person"), account.c.subject
                rows = select(holds.c.id, scope, target).join_from(
                    holds, account, holds.c.target == account.c.organisation
                )
                self._keep(
                    rows.where(_is("organisation"), _STANDING, account.c.subject.in_(piece)), holds.c.id, scope, target
                )

    def _keep(self, rows: Select[Any], hold: Any, scope: Any, target: Any) -> None:
        known = exists().where(hold_reach.c.hold == hold, hold_reach.c.scope == scope, hold_reach.c.target == target)
        self._connection.execute(insert(hold_reach).from_select(["hold", "scope", "target"], rows.where(~known)))


def _organisation_of(subject: str) -> Select[Any]:
    return select(account.c.organisation).where(account.c.subject == subject, account.c.organisation.is_not(None))


def _hold(row: RowMapping) -> Hold:
    return Hold(**values_of(row))


def _matter(row: RowMapping) -> Matter:
    return Matter(**values_of(row))


def _found_hold(connection: Connection, hold: str) -> Hold | None:
    row = connection.execute(select(holds).where(holds.c.id == hold)).mappings().one_or_none()
    return None if row is None else _hold(row)


def _needed(connection: Connection, hold: str) -> Hold:
    found = _found_hold(connection, hold)
    if found is None:
        raise NotFound(f"there is no hold `{hold}`", "list the holds to see their ids")
    return found


def open_matter(connection: Connection, hold: Hold) -> None:
    """Open the matter of a hold if it is not there. Raises `Refused` if it is closed."""
    row = connection.execute(select(matters).where(matters.c.id == hold.matter)).mappings().one_or_none()
    if row is None:
        opened = {"id": hold.matter, "opened_by": hold.author, "opened_at": hold.start}
        connection.execute(insert(matters).values(opened))
    elif row["closed_at"] is not None:
        raise Refused(f"matter `{hold.matter}` is closed", "open one of another name")
