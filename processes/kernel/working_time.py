"""Working time: office hours in Asia/Shanghai on the statutory calendar with its make-up days (调休)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import chinese_calendar

logger = logging.getLogger(__name__)

ZONE = ZoneInfo("Asia/Shanghai")
OFFICE_HOURS = ((time(9), time(12)), (time(13), time(18)))
WORKING_DAY = timedelta(hours=8)

_FIRST_YEAR = min(chinese_calendar.holidays).year
_LAST_YEAR = max(chinese_calendar.holidays).year


def business_date(instant: datetime) -> date:
    """The calendar day an instant belongs to, in Shanghai."""
    return instant.astimezone(ZONE).date()


@cache
def is_statutory(year: int) -> bool:
    """Whether the State Council's calendar of that year is known; if not, Monday to Friday are taken as working days.

    Each missing year is logged once: an update of the package `chinesecalendar` brings it.
    """
    known: bool = _FIRST_YEAR <= year <= _LAST_YEAR
    if not known:
        logger.warning("working_time.calendar_missing", extra={"year": year, "known_until": _LAST_YEAR})
    return known


def is_working_day(day: date) -> bool:
    if is_statutory(day.year):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


def add_working_time(start: datetime, *, days: int = 0, hours: float = 0) -> datetime:
    """The first instant by which that much working time has passed since `start`; aware, UTC. Asked for timers.

    Eight hours from Monday 09:00 end on Monday 18:00, not on Tuesday 09:00; nothing ends at once. A working day
    (工作日) is eight working hours: two of them from Friday 15:00 end on Tuesday 15:00.
    """
    return _after(start, WORKING_DAY * days + timedelta(hours=hours))


def working_time_between(start: datetime, end: datetime) -> timedelta:
    """How much of [start, end) is working time; nothing when `end` lies before `start`."""
    worked = timedelta()
    for opens, closes in _spans_from(business_date(start)):
        if opens >= end:
            return worked
        worked += max(min(closes, end) - max(opens, start), timedelta())
    return worked


def working_days_in(first: date, last: date, *, from_noon: bool = False, until_noon: bool = False) -> Decimal:
    """Working days (工作日) of a span of days, both ends in it, in halves.

    from_noon, until_noon: the first day begins, the last day ends at noon; on a day off that changes nothing.
    """
    half_days = 0
    day = first
    while day <= last:
        if is_working_day(day):
            half_days += 2 - (from_noon and day == first) - (until_noon and day == last)
        day += timedelta(days=1)
    return Decimal(half_days) / 2


def _after(start: datetime, wanted: timedelta) -> datetime:
    if wanted < timedelta():
        raise ValueError("working time only runs forward")
    if not wanted:
        return start.astimezone(UTC)
    for opens, closes in _spans_from(business_date(start)):
        available = closes - max(opens, start)
        if available <= timedelta():
            continue
        if wanted <= available:
            return (max(opens, start) + wanted).astimezone(UTC)
        wanted -= available
    raise OverflowError("the calendar ends before the working time does")


def _spans_from(day: date) -> Iterator[tuple[datetime, datetime]]:
    """Every stretch of office hours from that day on, in UTC, so that subtraction counts real time."""
    while day < date.max:
        if is_working_day(day):
            for opens, closes in OFFICE_HOURS:
                yield (
                    datetime.combine(day, opens, ZONE).astimezone(UTC),
                    datetime.combine(day, closes, ZONE).astimezone(UTC),
                )
        day += timedelta(days=1)
