"""ISO 8601 durations, calendar-correct and never empty.

Adding a duration adds its months first, cutting the day to the end of a shorter month
(29 February + P1Y is 28 February: never later than the promise), then days, then the
exact time. That is also what SQL interval arithmetic does, so both evaluators agree.
Zero, blank, null and negative durations are refused: a provider once lost a customer's
data because a blank field silently became a term (`spec/policy.md`, durations).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from assent.domain.errors import Invalid
from assent.domain.instants import LATEST

_PATTERN: Final = re.compile(
    r"P(?:(?P<years>[0-9]{1,12})Y)?(?:(?P<months>[0-9]{1,12})M)?(?:(?P<weeks>[0-9]{1,12})W)?(?:(?P<days>[0-9]{1,12})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,12})H)?(?:(?P<minutes>[0-9]{1,12})M)?(?:(?P<seconds>[0-9]{1,12})S)?)?"
)
_LONGEST_MONTHS: Final = 12 * 200
_FIX: Final = "write an ISO 8601 duration longer than zero, as `P30D`, `P5Y` or `PT72H`"


@dataclass(frozen=True, slots=True, order=False)
class Duration:
    """A length of time: calendar months, calendar days, and exact seconds. Never zero."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        """Write the shortest ISO 8601 form; equal durations write alike."""
        years, months = divmod(self.months, 12)
        date = "".join(f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if n)
        hours, rest = divmod(self.seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
        return f"P{date}T{time}" if time else f"P{date}"

    def words(self) -> str:
        """Say the duration as a person would: `5 years`, `30 days`, `72 hours`."""
        years, months = divmod(self.months, 12)
        hours, rest = divmod(self.seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        named = (
            (years, "year"),
            (months, "month"),
            (self.days, "day"),
            (hours, "hour"),
            (minutes, "minute"),
            (seconds, "second"),
        )
        return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in named if n)

    def shortest(self) -> timedelta:
        """Return a length that adding this duration to any instant always reaches (a month is at least 28 days).

        The sweep index nominates with it: a candidate time is never later than the truth.
        """
        years, months = divmod(self.months, 12)
        return timedelta(days=365 * years + 28 * months + self.days, seconds=self.seconds)


def parse_duration(text: str) -> Duration:
    """Read an ISO 8601 duration. Raises `Invalid` for anything empty, zero, negative, fractional or over 200 years."""
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None or text.endswith(("P", "T")):
        raise Invalid(f"`{text}` is not a duration", _FIX)
    part = {name: int(value or 0) for name, value in match.groupdict().items()}
    duration = Duration(
        months=part["years"] * 12 + part["months"],
        days=part["weeks"] * 7 + part["days"],
        seconds=part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"],
    )
    if duration == Duration():
        raise Invalid(f"`{text}` is zero", _FIX)
    if duration.months > _LONGEST_MONTHS or duration.days > _LONGEST_MONTHS * 31 or duration.seconds > 10**10:
        raise Invalid(f"`{text}` is longer than 200 years", 'write `"indefinite"` if there is no end')
    return duration


def add(instant: datetime, duration: Duration) -> datetime:
    """Add a duration to an instant by the calendar; the result is cut at the latest representable instant."""
    if duration.months:
        month = instant.month - 1 + duration.months
        year, month = instant.year + month // 12, month % 12 + 1
        if year >= LATEST.year:
            return LATEST
        day = instant.day
        if day > 28:  # only then can the target month be too short
            day = min(day, monthrange(year, month)[1])
        instant = instant.replace(year=year, month=month, day=day)
    return min(instant + timedelta(days=duration.days, seconds=duration.seconds), LATEST)
