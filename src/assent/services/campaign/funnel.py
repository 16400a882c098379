"""What asking came to, by layout, client, surface and locale, and the alarm when one of them leans.

No figure here says which layout is best: a layout is right if people understand it and do not
regret their answer. The share that allows is shown to find a layout that steers (R52, R53).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, get_args

from assent.services.campaign.intervals import Interval, difference, share
from assent.store.records import Arm, PersonPhase, Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.services.campaign.definition import Campaign
    from assent.services.campaign.machine import Course
    from assent.store.port import Prompts
    from assent.store.records import AnswerTime, FunnelCell

ARMS: Final[tuple[Arm, ...]] = get_args(Arm)[1:]
WATCHED: Final[tuple[Arm, ...]] = ("layout", "client")
"""What the alarm compares: variants of the layout, and kinds of device."""

FASTEST, SLOWEST = 0.8, 1.25
"""Allowing takes as long as declining, within these bounds of the ratio of the medians (spec/campaign.md)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of people, each once. `arm` is what they have in common, empty for all.

    `shown` saw the question, `left_open` of them did nothing at all, `deferred` put it off at least once. `allowed`
    and `declined` is the first answer; `changed` of them answered the other way later, which is the regret to watch.
    """

    arm: str
    shown: int
    left_open: int
    deferred: int
    allowed: int
    declined: int
    changed: int
    allow_share: Interval | None
    median_allow_s: float | None
    median_decline_s: float | None

    @property
    def answers(self) -> int:
        """How many people answered."""
        return self.allowed + self.declined

    @property
    def time_ratio(self) -> float | None:
        """Median time to allow over median time to decline; None without both."""
        if not self.median_allow_s or not self.median_decline_s:
            return None
        return self.median_allow_s / self.median_decline_s


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something leans. `value`, `low` and `high` are a difference of allow shares, or None for one of times."""

    kind: str
    one: str
    other: str
    says: str
    apart: Interval | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """One question of a campaign at an instant.

    `states` counts everybody of the audience once, and `left` those who met the question and are
    no longer in the audience, by the same states. So `in_audience` is the sum of `states`.
    """

    campaign: str
    purpose: str
    at: datetime
    in_audience: int
    states: dict[PersonPhase, int]
    left: dict[PersonPhase, int]
    total: Figures
    by: dict[Arm, list[Figures]]
    alarms: list[Alarm]


def question_of(course: Course, purpose: str, now: datetime) -> Question:
    """Put a question of a campaign as the store can count it."""
    since = course.started_at or course.campaign.start
    return Question(course.campaign.id, purpose, course.notices, course.campaign.audience, since, now)


def funnel(store: Prompts, course: Course, purpose: str, now: datetime) -> Funnel:
    """Count one question of a campaign; everything is counted by the database."""
    question = question_of(course, purpose, now)
    cells = store.funnel(question)
    people = store.in_audience(question.audience)
    inside = _by_phase(cell for cell in cells if cell.inside)
    times = store.answer_times(question)
    by = {arm: _figures(cells, arm, times) for arm in ARMS}
    total = _one("", cells, [time for time in times if not time.kind])
    return Funnel(
        campaign=course.campaign.id,
        purpose=purpose,
        at=now,
        in_audience=people,
        states=inside | {"unseen": people - sum(inside.values())},
        left=_by_phase(cell for cell in cells if not cell.inside),
        total=total,
        by=by,
        alarms=[*alarms(course.campaign, by), *_leaning_times(course.campaign, [total, *by["layout"], *by["client"]])],
    )


def alarms(campaign: Campaign, by: dict[Arm, list[Figures]]) -> list[Alarm]:
    """Compare the allow shares of layouts, and of clients, pair by pair.

    A pair raises the alarm if both have enough answers, the shares are at least the threshold
    apart, and the interval of the difference, widened for the number of pairs, leaves out zero.
    """
    found = []
    for arm in WATCHED:
        judged = [figures for figures in by[arm] if figures.answers >= campaign.alarm_answers]
        pairs = list(combinations(judged, 2))
        for one, other in pairs:
            apart = difference((one.allowed, one.answers), (other.allowed, other.answers), len(pairs))
            # shares are quotients of whole numbers: compare them without rounding
            wide = abs(one.allowed * other.answers - other.allowed * one.answers) * 100
            if wide >= campaign.alarm_threshold * one.answers * other.answers and not apart.low <= 0 <= apart.high:
                points = f"{abs(apart.value) * 100:.1f} percentage points"
                says = f"{arm} `{one.arm}` and `{other.arm}` differ by {points}: look at both for what steers"
                found.append(Alarm(arm, one.arm, other.arm, says, apart))
    return found


def _leaning_times(campaign: Campaign, figures: Sequence[Figures]) -> list[Alarm]:
    found = []
    for one in figures:
        ratio = one.time_ratio
        enough = min(one.allowed, one.declined) >= campaign.alarm_answers
        if ratio is not None and enough and not FASTEST <= ratio <= SLOWEST:
            where = f"`{one.arm}`" if one.arm else "all answers together"
            says = f"allowing took {ratio:.2f} times as long as declining in {where}: one of them is harder"
            found.append(Alarm("time", one.arm, "", says))
    return found


def _figures(cells: Iterable[FunnelCell], arm: Arm, times: Sequence[AnswerTime]) -> list[Figures]:
    grouped: dict[str, list[FunnelCell]] = {}
    for cell in cells:
        grouped.setdefault(getattr(cell, arm), []).append(cell)
    return [
        _one(value, found, [time for time in times if (time.kind, time.value) == (arm, value)])
        for value, found in sorted(grouped.items())
    ]


def _one(arm: str, cells: Sequence[FunnelCell], times: Sequence[AnswerTime]) -> Figures:
    allowed = sum(cell.people for cell in cells if cell.first_allows is True)
    declined = sum(cell.people for cell in cells if cell.first_allows is False)
    medians = {time.allows: time.median_s for time in times}
    return Figures(
        arm=arm,
        shown=sum(cell.shown for cell in cells),
        left_open=sum(cell.left_open for cell in cells),
        deferred=sum(cell.deferred for cell in cells),
        allowed=allowed,
        declined=declined,
        changed=sum(cell.people for cell in cells if cell.phase == "changed"),
        allow_share=share(allowed, allowed + declined) if allowed + declined else None,
        median_allow_s=medians.get(True),
        median_decline_s=medians.get(False),
    )


def _by_phase(cells: Iterable[FunnelCell]) -> dict[PersonPhase, int]:
    counts: dict[PersonPhase, int] = dict.fromkeys(get_args(PersonPhase), 0)
    for cell in cells:
        counts[cell.phase] += cell.people
    return counts
