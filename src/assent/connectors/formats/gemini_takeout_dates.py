"""Dates as Google writes them into activity pages, in the language of the account.

English, German, French, Spanish, Italian, Portuguese, Dutch and ISO 8601. A date without a
known zone is not read: half a day's error could move a conversation across a deadline.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from assent.domain.errors import Invalid
from assent.domain.instants import parse_instant

_MONTHS: Final = (
    ("jan", "gen", "ene"),
    ("feb", "fev", "fév", "febr"),
    ("mar", "mär", "mrz", "mrt", "maa"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mag", "mei"),
    ("jun", "giu", "juin"),
    ("jul", "lug", "juil"),
    ("aug", "ago", "aoû", "aou"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "dic", "déc"),
)
_MONTH_BY_START: Final = {start: number for number, starts in enumerate(_MONTHS, 1) for start in starts}
_LONGEST_START: Final = 4

# Abbreviations that mean one offset in the languages above; others, as IST, mean several.
_ZONES: Final = {
    **dict.fromkeys(("utc", "gmt", "z", "wet", "wez", "hora de greenwich"), 0),
    **dict.fromkeys(("bst", "cet", "mez", "west", "wesz"), 60),
    **dict.fromkeys(("cest", "mesz", "eet", "oez", "sast"), 120),
    **dict.fromkeys(("eest", "oesz", "msk"), 180),
    "jst": 540,
    "aest": 600,
    "aedt": 660,
    "nzst": 720,
    "nzdt": 780,
    "nst": -210,
    "ndt": -150,
    "adt": -180,
    "brt": -180,
    "art": -180,
    "ast": -240,
    "edt": -240,
    "est": -300,
    "cdt": -300,
    "cst": -360,
    "mdt": -360,
    "mst": -420,
    "pdt": -420,
    "pst": -480,
    "akdt": -480,
    "akst": -540,
    "hst": -600,
}
_OFFSET: Final = re.compile(r"(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)

_CLOCK: Final = r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:\s*(?P<half>[ap])\.?\s?m\.?)?"
_ZONE: Final = r"(?:\s+\(?(?P<zone>[^\W\d_]+(?:[+-][\d:]+)?|[+-][\d:]+)\)?)?"
_JOINED: Final = r"(?:,?\s+(?:à|at|um|om|a las|alle(?: ore)?|às)\s+|,?\s+)"
_WORD: Final = r"(?P<month>[^\W\d_]{3,10})\.?"
_SHAPES: Final = tuple(
    re.compile(rf"(?:[^\W\d_]+\.?,\s+)?{day}{_JOINED}{_CLOCK}{_ZONE}", re.IGNORECASE)
    for day in (
        rf"{_WORD}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})",  # Apr 12, 2026
        rf"(?P<day>\d{{1,2}})\.?(?:\s+de)?\s+{_WORD}(?:\s+de)?\s+(?P<year>\d{{4}})",  # 12. April, 10 de mai. de 2026
        r"(?P<day>\d{1,2})[.-](?P<number>\d{1,2})[.-](?P<year>\d{4})",  # 18.04.2026, 18-04-2026
        r"(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})",  # 2026-04-18
    )
)
_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2009]+")
_LOOKS_LIKE: Final = re.compile(r"(?=.{8,60}$)(?=.*\d{4})(?=.*\d{1,2}[:.h]\d{2})")
_NOON: Final = 12
_DAY_MINUTES: Final = 24 * 60


def looks_like_date(text: str) -> bool:
    """Tell whether a line stands where the date stands, even in a language that is not read."""
    return bool(_LOOKS_LIKE.match(_tidy(text)))


def parse_date(text: str) -> datetime | None:
    """Read a date line; None when the language, the order or the zone is not known."""
    text = _tidy(text)
    if not _LOOKS_LIKE.match(text):
        return None
    try:
        return parse_instant(text)
    except Invalid:
        pass
    for shape in _SHAPES:
        found = shape.fullmatch(text)
        if found:
            return _instant(found.groupdict())
    return None


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", text).replace("\u2212", "-").replace("\u200e", "").replace("\u200f", "").strip()


def _instant(found: dict[str, str | None]) -> datetime | None:
    month = _month(found)
    offset = _offset_minutes((found["zone"] or "").lower())
    if not month or offset is None:
        return None
    hour = int(found["hour"] or 0)
    if found["half"]:
        hour = hour % _NOON + (_NOON if found["half"].lower() == "p" else 0)
    try:
        local = datetime(
            int(found["year"] or 0),
            month,
            int(found["day"] or 0),
            hour,
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=timezone(timedelta(minutes=offset)),
        )
        return parse_instant(local.astimezone(UTC).isoformat())
    except (ValueError, OverflowError, Invalid):
        return None


def _month(found: dict[str, str | None]) -> int:
    """Give the month as a number, 0 if the word is none."""
    word = (found.get("month") or "").lower()
    if not word:
        return int(found["number"] or 0)
    starts = (word[:length] for length in range(_LONGEST_START, 2, -1))
    return next((_MONTH_BY_START[start] for start in starts if start in _MONTH_BY_START), 0)


def _offset_minutes(zone: str) -> int | None:
    if zone in _ZONES:
        return _ZONES[zone]
    offset = _OFFSET.fullmatch(zone)
    if not offset:
        return None
    minutes = int(offset[2]) * 60 + int(offset[3] or 0)
    return None if minutes >= _DAY_MINUTES else (minutes if offset[1] == "+" else -minutes)
