"""Who is due a reminder: people of the audience without an answer, once for each offset of the campaign file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.durations import add
from assent.store.records import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.durations import Duration
    from assent.services.campaign.definition import Campaign
    from assent.services.campaign.machine import Course
    from assent.store.port import Prompts
    from assent.store.records import Question, Waiting


@dataclass(frozen=True, slots=True)
class Reminder:
    """One person to remind of one question. `offset` says which of the reminders it is."""

    subject: str
    purpose: str
    deadline: datetime
    offset: Duration


@dataclass(frozen=True, slots=True)
class Reminders:
    """A page of reminders. `after` is where the next page starts, None at the end; a page may hold none."""

    items: tuple[Reminder, ...]
    after: str | None


def due_reminders(
    store: Prompts, course: Course, question: Question, *, now: datetime, after: str = "", limit: int = 1_000
) -> Reminders:
    """Look through up to `limit` people behind `after` who have not answered, and list who is due a reminder now.

    A reminder that was missed is not made up for: only the newest offset that has been reached
    counts. Who was shown the question or put it off within the cool-down is left alone.
    """
    if not course.live_at(now):
        return Reminders((), None)
    waiting = store.waiting(question, after, limit)
    items = [
        Reminder(one.subject, question.purpose, deadline, offset)
        for one in waiting
        if (deadline := course.campaign.deadline_of(one.opened_at)) > now
        and (offset := _reached(course.campaign.reminders, deadline, now)) is not None
        and _is_due(course.campaign, one, deadline, offset, now)
    ]
    return Reminders(tuple(items), waiting[-1].subject if len(waiting) == limit else None)


def reminded(reminder: Reminder, campaign: str, at: datetime) -> Prompt:
    """Return the prompt that says that a reminder was sent."""
    return Prompt(campaign, reminder.subject, reminder.purpose, at, "reminded")


def _reached(offsets: Sequence[Duration], deadline: datetime, now: datetime) -> Duration | None:
    reached = [offset for offset in offsets if add(now, offset) >= deadline]
    return min(reached, key=lambda offset: add(now, offset), default=None)


def _is_due(campaign: Campaign, one: Waiting, deadline: datetime, offset: Duration, now: datetime) -> bool:
    if one.reminded_at is not None and add(one.reminded_at, offset) >= deadline:
        return False
    quiet_since = max((at for at in (one.shown_at, one.deferred_at) if at is not None), default=None)
    return quiet_since is None or add(quiet_since, campaign.cool_down) <= now
