"""Office hours in Shanghai, holidays and make-up days included."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from processes.kernel import working_time
from processes.kernel.working_time import (
    ZONE,
    add_working_time,
    is_working_day,
    working_time_between,
)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


instants = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # beyond the known years
minutes = st.integers(min_value=1, max_value=60 * 100)


@pytest.mark.parametrize(
    ("day", "working", "why"),
    [
        (date(2026, 11, 23), True, "Monday"),
        (date(2026, 11, 22), False, "Sunday"),
        (date(2026, 10, 1), False, "National Day"),
        (date(2026, 10, 10), True, "a Saturday worked for the National Day holidays (调休)"),
        (date(2026, 2, 17), False, "Spring Festival"),
        (date(2031, 10, 1), True, "no calendar yet: a Wednesday"),
        (date(2031, 10, 4), False, "no calendar yet: a Saturday"),
    ],
)
def test_working_days(day: date, *, working: bool, why: str) -> None:
    assert is_working_day(day) is working, why


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-23T09:00", 8, "2026-11-23T18:00"),
        ("2026-11-23T09:00", 8.5, "2026-11-24T09:30"),
        ("2026-11-23T11:30", 1, "2026-11-23T13:30"),
        ("2026-11-23T12:30", 1, "2026-11-23T14:00"),
        ("2026-11-20T17:00", 2, "2026-11-23T10:00"),
        ("2026-11-21T10:00", 1, "2026-11-23T10:00"),
        ("2026-11-23T20:00", 0, "2026-11-23T20:00"),
        ("2026-09-30T17:00", 8, "2026-10-08T17:00"),
        ("2026-10-09T17:00", 8, "2026-10-10T17:00"),
    ],
)
def test_working_hours(start: str, hours: float, end: str) -> None:
    assert add_working_time(shanghai(start), hours=hours) == shanghai(end)


def test_two_working_days_from_friday_afternoon_end_on_tuesday_afternoon() -> None:
    assert add_working_time(shanghai("2026-11-20T15:00"), days=2) == shanghai("2026-11-24T15:00")


def test_days_and_hours_are_added_together() -> None:
    start = shanghai("2026-11-20T15:00")
    assert add_working_time(start, days=1, hours=2) == shanghai("2026-11-23T17:00")
    assert add_working_time(start) == start


@given(instants, minutes)
def test_the_added_time_is_exactly_what_has_passed(start: datetime, wanted: int) -> None:
    end = add_working_time(start, hours=wanted / 60)
    assert working_time_between(start, end) == timedelta(hours=wanted / 60)
    assert working_time_between(start, end - timedelta(microseconds=1)) < timedelta(hours=wanted / 60)


@given(instants, minutes, minutes)
def test_time_adds_up(start: datetime, first: int, second: int) -> None:
    middle = add_working_time(start, hours=first / 60)
    end = add_working_time(middle, hours=second / 60)
    parts = timedelta(hours=first / 60) + timedelta(hours=second / 60)
    assert working_time_between(start, end) == parts


@given(instants, instants)
def test_never_more_than_the_wall_clock_and_never_negative(one: datetime, other: datetime) -> None:
    assert timedelta(0) <= working_time_between(one, other) <= max(other - one, timedelta(0))


@given(instants)
def test_a_week_has_at_most_seven_working_days(start: datetime) -> None:
    assert working_time_between(start, start + timedelta(days=7)) <= 7 * timedelta(hours=8)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_time(shanghai("2026-11-23T09:00"), hours=-1)


def test_a_year_without_calendar_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    working_time.is_statutory.cache_clear()
    with caplog.at_level(logging.WARNING):
        is_working_day(date(2040, 1, 2))
        is_working_day(date(2040, 1, 3))
    assert [(r.message, r.year) for r in caplog.records] == [("working_time.calendar_missing", 2040)]


def test_a_business_date_is_the_day_in_shanghai() -> None:
    assert working_time.business_date(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == date(2027, 1, 1)
