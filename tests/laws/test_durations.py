"""Durations by the calendar: what `add` means, that SQL means the same, and that nothing empty is a duration."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.durations import Duration, add, parse_duration
from assent.domain.errors import Invalid
from assent.domain.instants import EARLIEST, LATEST

PAIRS = 20_000

instants = st.datetimes(EARLIEST.replace(tzinfo=None), datetime(2700, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
durations = st.builds(Duration, st.integers(0, 2400), st.integers(0, 5000), st.integers(0, 10**7)).filter(
    lambda duration: duration != Duration()
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


SUMS = [
    ("2024-02-29", "P1Y", "2025-02-28"),
    ("2024-02-29", "P4Y", "2028-02-29"),
    ("2024-02-29", "P5Y", "2029-02-28"),
    ("2025-02-28", "P5Y", "2030-02-28"),
    ("2025-01-31", "P1M", "2025-02-28"),
    ("2024-01-31", "P1M", "2024-02-29"),
    ("2025-03-31", "P1M", "2025-04-30"),
    ("2025-01-29", "P1M", "2025-02-28"),
    ("2025-01-30", "P13M", "2026-02-28"),
    ("2025-12-31", "P2M", "2026-02-28"),
    ("2025-11-30", "P1M", "2025-12-30"),
    ("2025-12-15", "P1M", "2026-01-15"),
    ("2025-01-31", "P1M1D", "2025-03-01"),
    ("2025-12-31", "P1D", "2026-01-01"),
    ("2100-02-28", "P1D", "2100-03-01"),
    ("2025-02-27", "P1W", "2025-03-06"),
    ("2999-12-31", "P1D", "3000-01-01"),
    ("2999-12-31", "P2D", "3000-01-01"),
    ("2990-06-01", "P10Y", "3000-01-01"),
    ("2950-06-01", "P49Y7M", "3000-01-01"),
    # clocks go forward and back in much of Europe and America on these days; UTC does not care
    ("2025-03-30", "P1D", "2025-03-31"),
    ("2025-10-26", "PT24H", "2025-10-27"),
    ("2025-03-09", "PT72H", "2025-03-12"),
]


@pytest.mark.parametrize(("start", "length", "end"), SUMS)
def test_sums_by_the_calendar(start: str, length: str, end: str) -> None:
    assert add(at(f"{start}T00:00:00Z"), parse_duration(length)) == at(f"{end}T00:00:00Z")


def test_the_time_of_day_and_its_microseconds_stay() -> None:
    assert add(at("2024-02-29T23:59:59.999999Z"), Duration(months=12)) == at("2025-02-28T23:59:59.999999Z")
    assert add(at("2025-01-31T00:00:00.000001Z"), Duration(1, 1, 1)) == at("2025-03-01T00:00:01.000001Z")


@given(instants, durations)
def test_adding_moves_forward(instant: datetime, duration: Duration) -> None:
    assert add(instant, duration) > instant


@given(instants, durations)
def test_the_shortest_length_is_always_reached(instant: datetime, duration: Duration) -> None:
    """The sweep index nominates with it: what it names can never be later than the truth."""
    assert min(instant + duration.shortest(), LATEST) <= add(instant, duration)


@given(instants, st.integers(1, 2400))
def test_the_shortest_month_has_28_days_and_the_shortest_year_365(instant: datetime, months: int) -> None:
    length = Duration(months=months).shortest()
    assert length == timedelta(days=365 * (months // 12) + 28 * (months % 12))


@given(instants, durations, st.integers(0, 60 * 60 * 24 * 40))
def test_a_later_start_never_ends_earlier(instant: datetime, duration: Duration, seconds: int) -> None:
    assert add(instant + timedelta(seconds=seconds), duration) >= add(instant, duration)


@given(instants, st.integers(1, 1200))
def test_months_cut_the_day_and_nothing_else(instant: datetime, months: int) -> None:
    end = add(instant, Duration(months=months))
    assert (end.year * 12 + end.month) - (instant.year * 12 + instant.month) == months
    assert end.timetz() == instant.timetz()
    assert end.day == instant.day or (end.day < instant.day and (end + timedelta(days=1)).day == 1)


@given(
    instants,
    st.tuples(st.integers(1, 4000), st.integers(1, 10**7)),
    st.tuples(st.integers(1, 4000), st.integers(1, 10**7)),
)
def test_days_and_seconds_add_up(instant: datetime, one: tuple[int, int], two: tuple[int, int]) -> None:
    """Associative without months; with months it cannot be: 31 January + P1M + P1M is 28 March, + P2M is 31 March."""
    together = Duration(days=one[0] + two[0], seconds=one[1] + two[1])
    assert add(add(instant, Duration(0, *one)), Duration(0, *two)) == add(instant, together)


def test_months_do_not_add_up() -> None:
    january = at("2025-01-31T00:00:00Z")
    assert add(add(january, Duration(1)), Duration(1)) == at("2025-03-28T00:00:00Z")
    assert add(january, Duration(2)) == at("2025-03-31T00:00:00Z")


def test_sql_intervals_mean_the_same() -> None:
    """Twenty thousand random pairs, many at month ends, in DuckDB's arithmetic: months, then days, then the time."""
    draw = random.Random(29)
    rows = []
    for _ in range(PAIRS):
        month_end = datetime(draw.randrange(1900, 2700), draw.randrange(1, 13), 1, tzinfo=UTC) - timedelta(days=1)
        instant = max(EARLIEST, month_end) + timedelta(
            days=draw.choice((0, 0, 1, 2, 28, 29, 30)), microseconds=draw.choice((0, 1, draw.randrange(86_400 * 10**6)))
        )
        months, days = draw.choice((0, 1, 11, 12, 13, 60, draw.randrange(2400))), draw.choice((0, 1, 30, 31, 365))
        duration = Duration(months, days, draw.choice((0, 1, 3600, draw.randrange(10**7))))
        rows.append((instant, duration, add(instant, duration)))
    with duckdb.connect() as session:
        columns = [
            [instant.replace(tzinfo=None) for instant, _, _ in rows],
            *([getattr(duration, unit) for _, duration, _ in rows] for unit in ("months", "days", "seconds")),
            [end.replace(tzinfo=None) for _, _, end in rows],
        ]
        found = session.execute(
            "SELECT * FROM (SELECT unnest($1) AS start, unnest($2) AS months, unnest($3) AS days,"
            " unnest($4) AS seconds, unnest($5) AS stop)"
            " WHERE start + to_months(months) + to_days(days) + to_seconds(seconds) <> stop",
            columns,
        ).fetchall()
    assert found == []


# -- text -------------------------------------------------------------------------------


@given(durations)
def test_what_is_written_is_read_back(duration: Duration) -> None:
    assert parse_duration(str(duration)) == duration
    assert str(parse_duration(str(duration))) == str(duration)


TEXTS = [
    ("P30D", Duration(days=30), "P30D", "30 days"),
    ("P1D", Duration(days=1), "P1D", "1 day"),
    ("P5Y", Duration(months=60), "P5Y", "5 years"),
    ("P18M", Duration(months=18), "P1Y6M", "1 year 6 months"),
    ("P12M", Duration(months=12), "P1Y", "1 year"),
    ("P2W", Duration(days=14), "P14D", "14 days"),
    ("P1W2D", Duration(days=9), "P9D", "9 days"),
    ("PT72H", Duration(seconds=259_200), "PT72H", "72 hours"),
    ("PT1M", Duration(seconds=60), "PT1M", "1 minute"),
    ("P1M", Duration(months=1), "P1M", "1 month"),
    ("PT90S", Duration(seconds=90), "PT1M30S", "1 minute 30 seconds"),
    ("P1Y2M3DT4H5M6S", Duration(14, 3, 14_706), "P1Y2M3DT4H5M6S", "1 year 2 months 3 days 4 hours 5 minutes 6 seconds"),
    ("P200Y", Duration(months=2400), "P200Y", "200 years"),
]


@pytest.mark.parametrize(("text", "duration", "written", "words"), TEXTS)
def test_forms(text: str, duration: Duration, written: str, words: str) -> None:
    assert parse_duration(text) == duration
    assert str(duration) == written
    assert duration.words() == words


REFUSED = [
    "", " ", "P", "PT", "P1DT", "P1YT", "T1H", "30", "30D", "1Y", "P-1D", "-P1D", "+P1D", "P1.5D", "P1,5D", "PT0.5H",
    "P0D", "P0Y", "PT0S", "P0Y0M0DT0H0M0S", "p30d", "P30d", "P30D ", " P30D", "P30D\n", "P1D1M", "PT1S1M", "P1H",
    "PT1D", "P1D1D", "indefinite", "null", "none", "P٣D", "P201Y", "P2401M", "P99999999D", "PT99999999999S", "P1Y/P2Y",
    f"P{'9' * 5000}D",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:20])
def test_what_is_not_a_duration_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(Invalid) as problem:
        parse_duration(text)
    assert problem.value.fix
    assert f"`{text}`" in problem.value.message


@pytest.mark.parametrize("value", [None, 0, 30, 30.0, True, b"P30D", ["P30D"]], ids=repr)
def test_only_text_is_a_duration(value: object) -> None:
    with pytest.raises(Invalid):
        parse_duration(value)  # type: ignore[arg-type]


@given(st.text(alphabet="PYMWDTHS0123456789.-+ ", max_size=12))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        duration = parse_duration(text)
    except Invalid:
        return
    assert duration != Duration()
    assert min(duration.months, duration.days, duration.seconds) >= 0
