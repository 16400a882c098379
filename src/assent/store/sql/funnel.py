"""The room of counting: who is asked, who was shown, who answered; all of it counted by the database.

A person counts where the question first met them: the screen of the first showing, or, if
they answered without one, the screen of the answer. So every person is in one cell, and a
layout that was drawn by lot is compared as it was drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from sqlalchemy import BigInteger, Float, and_, case, cast, func, literal, null, or_, select, type_coerce, union_all

from assent.store.records import AnswerTime, Arm, FunnelCell, Waiting
from assent.store.schema import account, choice, prompt, rendering
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import CTE, ColumnElement, ScalarSelect

    from assent.store.records import Audience, PromptKind, Question

_PLACES = ("layout", "client", "surface", "locale")


class FunnelRoom(Room):
    """What asking comes to."""

    def in_audience(self, audience: Audience) -> int:
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(account).where(_inside(audience))) or 0

    def funnel(self, question: Question) -> list[FunnelCell]:
        people = _people(question)
        cell = [people.c[name] for name in (*_PLACES, "phase", "standing_allows", "first_allows", "inside")]
        query = select(
            *cell,
            func.count().label("people"),
            func.sum(case((people.c.showings > 0, 1), else_=0)).label("shown"),
            func.sum(case((and_(people.c.showings > 0, people.c.acts == 0), 1), else_=0)).label("left_open"),
            func.sum(case((people.c.defers > 0, 1), else_=0)).label("deferred"),
            func.sum(people.c.showings).label("showings"),
        ).group_by(*cell)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(*cell)).mappings().all()
        flags = ("standing_allows", "first_allows", "inside")
        counted = ("people", "shown", "left_open", "deferred", "showings")
        return [
            FunnelCell(
                **dict(row)
                | {name: None if row[name] is None else bool(row[name]) for name in flags}
                # PostgreSQL sums whole numbers into decimals
                | {name: int(row[name]) for name in counted}
            )
            for row in rows
        ]

    def answer_times(self, question: Question) -> list[AnswerTime]:
        people = _kept(_people(question))
        where = (people.c.subject, people.c.answered_at, people.c.first_allows, *(people.c[n] for n in _PLACES))
        shown_at = func.max(type_coerce(prompt.c.at, BigInteger))
        took = (type_coerce(people.c.answered_at, BigInteger) - shown_at).label("took")
        query = select(people.c.first_allows.label("allows"), took, *(people.c[n] for n in _PLACES))
        query = query.join_from(people, prompt, and_(_of(question), prompt.c.subject == people.c.subject))
        query = query.where(prompt.c.kind == "shown", prompt.c.at <= people.c.answered_at)
        times = _kept(query.group_by(*where).cte("times"))
        # one row a person and arm, so that people are put together once and not once for each arm
        arms = [
            select(
                literal(arm).label("kind"),
                (times.c[arm] if arm else literal("")).label("value"),
                times.c.allows,
                times.c.took,
            )
            for arm in get_args(Arm)
        ]
        each = union_all(*arms).cte("each")
        group = (each.c.kind, each.c.value, each.c.allows)
        ranked = select(
            *group,
            each.c.took,
            func.row_number().over(partition_by=group, order_by=each.c.took).label("place"),
            func.count().over(partition_by=group).label("people"),
        ).cte("ranked")
        twice = ranked.c.place * 2 - ranked.c.people
        told = (ranked.c.kind, ranked.c.value, ranked.c.allows, ranked.c.people)
        median = func.avg(cast(ranked.c.took, Float))
        medians = select(*told, median.label("median")).where(twice.between(0, 2)).group_by(*told).order_by(*told)
        with self._database.reading() as connection:
            rows = connection.execute(medians).all()
        return [AnswerTime(row.kind, row.value, bool(row.allows), row.people, float(row.median) / 1e6) for row in rows]

    def waiting(self, question: Question, after: str, limit: int) -> list[Waiting]:
        decided = select(choice.c.subject).where(_counts(question), choice.c.act != "defer")
        whose = choice.c.subject == account.c.subject
        deferred = select(func.max(choice.c.at)).where(_counts(question), choice.c.act == "defer", whose)
        query = select(
            account.c.subject,
            account.c.opened_at,
            _newest(question, "reminded").label("reminded_at"),
            _newest(question, "shown").label("shown_at"),
            deferred.scalar_subquery().label("deferred_at"),
        )
        query = query.where(_inside(question.audience), account.c.subject > after, account.c.subject.not_in(decided))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(account.c.subject).limit(limit)).mappings().all()
        return [Waiting(**row) for row in rows]


def _newest(question: Question, kind: PromptKind) -> ScalarSelect[datetime]:
    of_them = and_(_of(question), prompt.c.kind == kind, prompt.c.subject == account.c.subject)
    return select(func.max(prompt.c.at)).where(of_them).scalar_subquery()


def _inside(audience: Audience) -> ColumnElement[bool]:
    """Put an audience as a condition on accounts; what is unknown is not inside."""
    tests: list[ColumnElement[bool]] = [
        account.c.plan.in_(audience.plans),
        account.c.age >= audience.age_from,
        account.c.closed_at.is_(None),
        account.c.moved_to_business_at.is_(None),
    ]
    if audience.age_below is not None:
        tests.append(account.c.age < audience.age_below)
    if audience.regions:
        tests.append(account.c.region.in_(audience.regions))
    if audience.outside:
        tests.append(account.c.region.not_in(audience.outside))
    if audience.signed_in is not None:
        tests.append(account.c.signed_in.is_(audience.signed_in))
    if audience.opened_before is not None:
        old = account.c.opened_at < audience.opened_before
        joins = [] if audience.sign_ups_from is None else [account.c.opened_at >= audience.sign_ups_from]
        tests.append(or_(old, *joins))
    return and_(*tests)


def _of(question: Question) -> ColumnElement[bool]:
    return and_(
        prompt.c.campaign == question.campaign,
        prompt.c.purpose == question.purpose,
        prompt.c.at <= question.until,
    )


def _counts(question: Question) -> ColumnElement[bool]:
    """Choose the acts that answer the question, or put it off."""
    texts = select(rendering.c.digest).where(rendering.c.notice.in_(question.notices))
    return and_(
        choice.c.purpose == question.purpose,
        choice.c.scope == "everything",
        choice.c.at <= question.until,
        or_(
            choice.c.campaign == question.campaign,
            choice.c.at >= question.since,
            choice.c.notice.in_(question.notices),
            choice.c.notice.in_(texts),
        ),
    )


def _kept(rows: CTE) -> CTE:
    """Have the database work rows out once and keep them, however often they are joined."""
    return rows.prefix_with("MATERIALIZED")


def _acts(question: Question) -> CTE:
    """Read one row a person who acted: first and newest answer, how often put off, and where the first answer was."""
    refuses = case((choice.c.act.in_(("decline", "withdraw")), 1), else_=0)
    decides = case((choice.c.act == "defer", 0), else_=1)
    order = (choice.c.at, refuses, choice.c.id)
    whose = (choice.c.subject, decides)
    one = select(
        choice.c.subject,
        choice.c.at,
        decides.label("decides"),
        case((choice.c.act == "allow", 1), else_=0).label("allows"),
        func.row_number().over(partition_by=whose, order_by=order).label("first"),
        func.row_number().over(partition_by=whose, order_by=[column.desc() for column in order]).label("last"),
        func.row_number().over(partition_by=choice.c.subject, order_by=order).label("place"),
        *(choice.c[name] for name in _PLACES),
    )
    one_by_one = one.where(_counts(question)).cte("one_act")
    row = one_by_one.c
    decided = row.decides == 1
    begun = and_(decided, row.first == 1)
    return (
        select(
            row.subject,
            func.count().label("acts"),
            func.sum(1 - row.decides).label("defers"),
            func.min(case((decided, row.at))).label("answered_at"),
            func.max(case((begun, row.allows))).label("first_allows"),
            func.max(case((and_(decided, row.last == 1), row.allows))).label("standing_allows"),
            func.max(case((decided, row.allows))).label("ever_allowed"),
            func.max(case((decided, 1 - row.allows))).label("ever_refused"),
            *(func.max(case((row.place == 1, row[name]))).label(name) for name in _PLACES),
        )
        .group_by(row.subject)
        .cte("acted")
    )


def _seen(question: Question) -> CTE:
    """Read one row a person who was shown the question: where first, and how often."""
    first = func.row_number().over(partition_by=prompt.c.subject, order_by=(prompt.c.at, prompt.c.id))
    query = select(prompt.c.subject, first.label("first"), *(prompt.c[name] for name in _PLACES))
    row = query.where(_of(question), prompt.c.kind == "shown").cte("showing").c
    return (
        select(
            row.subject,
            func.count().label("showings"),
            *(func.max(case((row.first == 1, row[name]))).label(name) for name in _PLACES),
        )
        .group_by(row.subject)
        .cte("seen")
    )


def _people(question: Question) -> CTE:
    """Read one row a person who was shown the question or acted on it.

    Acts and showings are laid below each other and summed up, not joined: a database that
    does not know how many there are would compare each with each.
    """
    acts, seen = _acts(question).c, _seen(question).c
    both = union_all(
        select(*acts, literal(0).label("showings"), *(null().label(f"shown_{name}") for name in _PLACES)),
        select(
            seen.subject,
            *(literal(0) if name in ("acts", "defers") else null() for name in acts.keys()[1:]),
            seen.showings,
            *(seen[name] for name in _PLACES),
        ),
    ).subquery("both")
    row = both.c
    most = {name: func.max(row[name]) for name in row.keys()[1:]}
    phase = case(
        (and_(most["ever_allowed"] == 1, most["ever_refused"] == 1), "changed"),
        (most["standing_allows"] == 1, "allowed"),
        (most["standing_allows"] == 0, "declined"),
        (most["defers"] > 0, "deferred"),
        else_="shown",
    )
    met = select(
        row.subject,
        phase.label("phase"),
        *(most[name].label(name) for name in ("answered_at", "first_allows", "standing_allows")),
        *(most[name].label(name) for name in ("acts", "defers", "showings")),
        *(func.coalesce(most[f"shown_{name}"], most[name]).label(name) for name in _PLACES),
    )
    people = met.group_by(row.subject).subquery("met")
    inside = case((_inside(question.audience), 1), else_=0)
    query = select(*people.c, inside.label("inside")).select_from(people)
    return query.outerjoin(account, account.c.subject == people.c.subject).cte("people")
