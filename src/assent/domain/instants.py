"""Instants: moments in UTC with microsecond precision.

Sources mix seconds, milliseconds, nanoseconds and ISO 8601 text; inside assent there is
one form, a timezone-aware `datetime` in UTC. Day-saving time cannot occur.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final

from assent.domain.errors import Invalid

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(3000, 1, 1, tzinfo=UTC)
"""Instants outside [EARLIEST, LATEST) are refused: they are unit mistakes (ms read as s), not data."""

_MICROSECOND: Final = timedelta(microseconds=1)
# Epoch numbers are told apart by size: 10^11 seconds is the year 5138, 10^11 milliseconds 1973.
_MILLISECONDS_FROM: Final = 1e11
_MICROSECONDS_FROM: Final = 1e14
_NANOSECONDS_FROM: Final = 1e17


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with a zone, as UTC.

    Digits finer than a microsecond are cut off. Raises `Invalid` when the text is no
    instant, has no zone, or lies outside [EARLIEST, LATEST).
    """
    try:
        value = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise Invalid(f"`{text}` is not an instant", "write ISO 8601 with a zone, as `2025-10-08T00:00:00Z`") from None
    if value.tzinfo is None:
        raise Invalid(f"`{text}` has no zone", "add `Z` for UTC or an offset such as `+02:00`")
    return _checked(value)


def from_epoch(number: float) -> datetime:
    """Read seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size.

    Integers keep full precision. Raises `Invalid` outside [EARLIEST, LATEST).
    """
    if not isfinite(number):
        raise Invalid("the number is no moment in time", "give seconds, ms or ns since 1970")
    size = abs(number)
    if size >= _NANOSECONDS_FROM:
        micros = int(number) // 1000
    elif size >= _MICROSECONDS_FROM:
        micros = int(number)
    elif size >= _MILLISECONDS_FROM:
        micros = round(number * 1000)
    else:
        micros = round(number * 1_000_000)
    try:
        return _checked(EPOCH + timedelta(microseconds=micros))
    except OverflowError:
        raise Invalid(f"`{number}` is not a moment in time", "give seconds, ms or ns since 1970") from None


def _checked(value: datetime) -> datetime:
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        value = EARLIEST - _MICROSECOND
    if not EARLIEST <= value < LATEST:
        raise Invalid(
            f"`{value.isoformat()}` is outside 1900 to 2999", "check the unit: seconds, ms and ns are easily mixed up"
        )
    return value


def to_micros(value: datetime) -> int:
    """Count microseconds since 1970, the form in which instants are stored and compared in columns.

    Raises `Invalid` for a time without a zone: nobody can know which moment it means.
    """
    try:
        return (value - EPOCH) // _MICROSECOND
    except TypeError:
        raise Invalid(f"`{value.isoformat()}` has no zone", "give an instant in UTC") from None


def from_micros(micros: int) -> datetime:
    """Turn stored microseconds since 1970 back into an instant."""
    return EPOCH + timedelta(microseconds=micros)


def in_utc(value: datetime) -> datetime:
    """Give an instant that was read from a column, where all are in UTC without saying so, its zone."""
    return value.replace(tzinfo=UTC)


def format_instant(value: datetime) -> str:
    """Write an instant in the one form that digests, files and answers use: `...Z`, fraction only if not zero."""
    return value.isoformat().replace("+00:00", "Z")
