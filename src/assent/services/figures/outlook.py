"""The outlook: what is overdue, due soon and due when, of everything that is kept, worked out once and read often.

Deciding ten million conversations takes minutes; a page that shows them reads this figure, and
says how old it is. What must be counted at this moment (`overdue` of the last round) stands
beside it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import canonical
from assent.domain.instants import format_instant, parse_instant
from assent.services.campaign.acts import course_from
from assent.services.campaign.funnel import funnel
from assent.services.cut.freshness import freshness_within
from assent.services.cut.watch import live_cuts
from assent.services.forecast import Bucket, Forecast, from_ends
from assent.settings import MAX_PAGE_ROWS
from assent.store.answers import Ending, answers
from assent.store.records import Counts, Figure, Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.store.answers import Answers
    from assent.store.columns import Columns
    from assent.store.port import Store

NAME: Final = "outlook"
"""The name of the figure."""
SOON: Final = timedelta(days=7)
"""What must be gone within this time is due soon."""
MONTHS: Final = 60
"""Five years."""
REFRESH_AFTER: Final = timedelta(hours=1)
"""How old the figure may be before the daemon works it out again."""

_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class First:
    """One part that ends: where it is, by which rule, and by when it must be gone."""

    conversation: str
    part: str
    rule: str
    erase_by: datetime


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends in some time: by rule, and the first of it by name."""

    by_rule: tuple[Ending, ...]
    first: tuple[First, ...]

    @property
    def parts(self) -> int:
        """How many parts."""
        return sum(one.parts for one in self.by_rule)


@dataclass(frozen=True, slots=True)
class CutState:
    """How one cut stood: its rows, those erased since, and those not to be used, by reason."""

    name: str
    number: int
    rows: int
    erased: int
    stale: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How things stand at `at`: what is overdue, what must be gone within `SOON`, and the forecast of five years.

    `cuts` are those that are not retired, `alarms` what leans in live campaigns, as (campaign, sentence),
    `counts` how much was kept.
    """

    at: datetime
    overdue: Ends
    soon: Ends
    forecast: Forecast
    cuts: tuple[CutState, ...]
    alarms: tuple[tuple[str, str], ...]
    counts: Counts


def work_out(store: Store, columns: Columns, policies: Sequence[Policy], now: datetime, *, lead: timedelta) -> Outlook:
    """Decide everything that is kept, and say how it stands."""
    with answers(store, columns, policies, now, lead=lead) as found:
        ends = found.ends("month")
        cuts = [(cut, freshness_within(store, columns, cut, now)) for cut in live_cuts(store)]
        return Outlook(
            at=now,
            overdue=_ends(store, found, None, now),
            soon=_ends(store, found, now, now + SOON),
            forecast=from_ends(ends, now, "month", MONTHS),
            cuts=tuple(CutState(cut.name, cut.number, one.rows, one.erased, one.stale) for cut, one in cuts),
            alarms=tuple(_alarms(store, now)),
            counts=store.counts(),
        )


def refresh(store: Store, columns: Columns, policies: Sequence[Policy], now: datetime, *, lead: timedelta) -> Outlook:
    """Work the outlook out and keep it."""
    found = work_out(store, columns, policies, now, lead=lead)
    store.keep_figure(Figure(NAME, now, canonical(_record(found)).decode()))
    return found


def kept_outlook(store: Store) -> Outlook | None:
    """Read the newest outlook; None before the first."""
    figure = store.figure(NAME)
    return None if figure is None else _read(figure)


def old(store: Store, now: datetime) -> bool:
    """Tell whether the outlook is missing or older than `REFRESH_AFTER`."""
    figure = store.figure(NAME)
    return figure is None or now - figure.at >= REFRESH_AFTER


def _alarms(store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    page: Page | None = Page(MAX_PAGE_ROWS)
    while page is not None:
        listing = store.campaigns(page)
        for kept in listing.items:
            course = course_from(store, kept)
            if course.live_at(now):
                for purpose in course.campaign.purposes:
                    yield from ((kept.id, alarm.says) for alarm in funnel(store, course, purpose, now).alarms)
        page = Page(MAX_PAGE_ROWS, listing.after) if listing.after else None


def _ends(store: Store, found: Answers, after: datetime | None, until: datetime) -> Ends:
    first = found.first_to_end(after, until, _SHOWN)
    names = store.names_of([part for part, _, _ in first])
    return Ends(
        tuple(found.ending(after, until)),
        tuple(First(*names[part], rule, erase_by) for part, erase_by, rule in first if part in names),
    )


# -- as JSON ------------------------------------------------------------------------------------------


def _record(found: Outlook) -> dict[str, Any]:
    ahead = found.forecast
    return {
        "overdue": _ends_record(found.overdue),
        "soon": _ends_record(found.soon),
        "forecast": {
            "buckets": [[format_instant(bucket.start), bucket.parts] for bucket in ahead.buckets],
            "later": ahead.later,
            "held": ahead.held,
            "endless": ahead.endless,
        },
        "cuts": [[cut.name, cut.number, cut.rows, cut.erased, dict(cut.stale)] for cut in found.cuts],
        "alarms": [list(alarm) for alarm in found.alarms],
        "counts": {**asdict(found.counts), "by_source": dict(found.counts.by_source)},
    }


def _ends_record(ends: Ends) -> dict[str, Any]:
    return {
        "by_rule": [[e.rule, e.parts, e.conversations, e.people, format_instant(e.first)] for e in ends.by_rule],
        "first": [[f.conversation, f.part, f.rule, format_instant(f.erase_by)] for f in ends.first],
    }


def _read(figure: Figure) -> Outlook:
    said = json.loads(figure.document)
    ahead = said["forecast"]
    buckets = tuple(Bucket(parse_instant(start), parts) for start, parts in ahead["buckets"])
    return Outlook(
        figure.at,
        _ends_of(said["overdue"]),
        _ends_of(said["soon"]),
        Forecast(figure.at, "month", buckets, ahead["later"], ahead["held"], ahead["endless"]),
        tuple(CutState(name, number, rows, erased, stale) for name, number, rows, erased, stale in said["cuts"]),
        tuple((campaign, says) for campaign, says in said["alarms"]),
        Counts(**said["counts"]),
    )


def _ends_of(said: dict[str, Any]) -> Ends:
    return Ends(
        tuple(
            Ending(rule, parts, conversations, people, parse_instant(at))
            for rule, parts, conversations, people, at in said["by_rule"]
        ),
        tuple(First(where, part, rule, parse_instant(at)) for where, part, rule, at in said["first"]),
    )
