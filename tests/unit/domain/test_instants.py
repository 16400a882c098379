"""Instants: one form inside, whatever unit or spelling outside, and nothing outside 1900 to 2999."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.domain.instants import (
    EARLIEST,
    LATEST,
    format_instant,
    from_epoch,
    from_micros,
    parse_instant,
    to_micros,
)

MICROSECOND = timedelta(microseconds=1)
DAY = datetime(2025, 10, 8, tzinfo=UTC)
instants = st.datetimes(
    EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None) - MICROSECOND, timezones=st.just(UTC)
)

FORMS = [
    ("2025-10-08T00:00:00Z", DAY),
    ("2025-10-08T00:00Z", DAY),
    ("2025-10-08 00:00:00+00:00", DAY),
    ("20251008T000000Z", DAY),
    ("2025-10-08T02:00:00+02:00", DAY),
    ("2025-10-07T19:00:00-05:00", DAY),
    ("2025-10-08T05:45:00+05:45", DAY),
    ("2025-10-08T00:00:00.5Z", DAY + timedelta(milliseconds=500)),
    ("2025-10-08T00:00:00.000001Z", DAY + MICROSECOND),
    ("2025-10-08T00:00:00.0000019Z", DAY + MICROSECOND),
    ("1900-01-01T00:00:00Z", EARLIEST),
    ("2999-12-31T23:59:59.999999Z", LATEST - MICROSECOND),
    ("3000-01-01T00:30:00+01:00", LATEST - timedelta(minutes=30)),
]


@pytest.mark.parametrize(("text", "instant"), FORMS)
def test_iso_forms(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


NO_INSTANTS = [
    ("2025-10-08T00:00:00", "no zone"),
    ("2025-10-08", "no zone"),
    ("", "not an instant"),
    ("yesterday", "not an instant"),
    ("1759881600", "not an instant"),
    ("2025-02-29T00:00:00Z", "not an instant"),
    ("2025-10-08T24:00:01Z", "not an instant"),
    ("2025-13-01T00:00:00Z", "not an instant"),
    ("3000-01-01T00:00:00Z", "outside 1900 to 2999"),
    ("2999-12-31T23:30:00-01:00", "outside 1900 to 2999"),
    ("1899-12-31T23:59:59.999999Z", "outside 1900 to 2999"),
    ("1900-01-01T00:00:00+00:01", "outside 1900 to 2999"),
    ("0001-01-01T00:00:00+10:00", "outside 1900 to 2999"),
    ("9999-12-31T23:59:59-10:00", "outside 1900 to 2999"),
]


@pytest.mark.parametrize(("text", "why"), NO_INSTANTS)
def test_what_is_no_instant_is_refused_with_a_remedy(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as problem:
        parse_instant(text)
    assert problem.value.fix


@pytest.mark.parametrize("value", [None, 1759881600, DAY, b"2025-10-08T00:00:00Z"], ids=repr)
def test_only_text_is_parsed(value: object) -> None:
    with pytest.raises(Invalid):
        parse_instant(value)  # type: ignore[arg-type]


# 10^11 seconds is the year 5138, 10^11 milliseconds is 3 March 1973: sizes overlap only where nobody has chats
EPOCHS = [
    (0, datetime(1970, 1, 1, tzinfo=UTC)),
    (1_759_881_600, DAY),
    (1_759_881_600.5, DAY + timedelta(milliseconds=500)),
    (1_759_881_600.123456, DAY + timedelta(microseconds=123_456)),
    (1_759_881_600_000, DAY),
    (1_759_881_600_123, DAY + timedelta(milliseconds=123)),
    (1_759_881_600_123.4, DAY + timedelta(microseconds=123_400)),
    (1_759_881_600_000_001, DAY + MICROSECOND),
    (1_759_881_600_000_001_999, DAY + MICROSECOND),
    (32_503_679_999, LATEST - timedelta(seconds=1)),
    (100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
    (100_000_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
    (100_000_000_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
    (-86_400, datetime(1969, 12, 31, tzinfo=UTC)),
    (-2_208_988_800, EARLIEST),
]


@pytest.mark.parametrize(("number", "instant"), EPOCHS)
def test_units_are_told_apart_by_size(number: float, instant: datetime) -> None:
    assert from_epoch(number) == instant


@pytest.mark.parametrize(
    "number",
    [
        *(32_503_680_000, 99_999_999_999, 99_999_999_999_999, -2_208_988_801),
        *(10**30, -(10**30), 1e308, math.inf, -math.inf, math.nan),
    ],
    ids=repr,
)
def test_numbers_that_are_no_moment_are_refused(number: float) -> None:
    with pytest.raises(Invalid) as problem:
        from_epoch(number)
    assert problem.value.fix


@given(st.integers(100_000_000, 32_000_000_000), st.sampled_from([1, 1000, 10**6, 10**9]))
def test_any_second_in_any_unit_since_1973_is_the_same_second(seconds: int, unit: int) -> None:
    assert from_epoch(seconds * unit) == from_epoch(seconds)


@given(instants)
def test_text_and_microseconds_are_read_back_to_the_microsecond(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant
    assert from_micros(to_micros(instant)) == instant
    assert from_micros(to_micros(instant)).tzinfo is UTC


@given(instants, instants)
def test_microseconds_keep_the_order(one: datetime, other: datetime) -> None:
    assert (to_micros(one) < to_micros(other)) is (one < other)


@given(instants, st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]))
def test_zones_of_the_world_lead_to_the_same_instant(instant: datetime, zone: str) -> None:
    """In the doubled hour of autumn too, for the text carries its offset."""
    text = instant.astimezone(ZoneInfo(zone)).isoformat()
    assert parse_instant(text) == instant


def test_one_written_form() -> None:
    assert format_instant(DAY) == "2025-10-08T00:00:00Z"
    assert format_instant(DAY + MICROSECOND) == "2025-10-08T00:00:00.000001Z"
    assert format_instant(parse_instant("2025-10-08T02:00:00+02:00")) == "2025-10-08T00:00:00Z"
    assert to_micros(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    assert to_micros(datetime(2025, 10, 8, 2, tzinfo=timezone(timedelta(hours=2)))) == to_micros(DAY)


def test_a_time_without_a_zone_is_refused_before_it_is_stored() -> None:
    with pytest.raises(Invalid, match="has no zone"):
        to_micros(datetime(2025, 10, 8))  # noqa: DTZ001 - the mistake
