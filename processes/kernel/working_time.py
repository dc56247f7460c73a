"""Working time: office hours in Asia/Shanghai on a calendar of holidays and make-up days (调休).

`WorkingCalendar` is a value: the statutory one by default, a company's own where one is kept (processes.organization).
What counts for a day is asked in this order: the company's exception for that date, the State Council's calendar, the
office hours of the weekday.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import chinese_calendar

logger = logging.getLogger(__name__)

ZONE = ZoneInfo("Asia/Shanghai")

Spans = tuple[tuple[time, time], ...]
"""Stretches of office hours of one day, in order, none touching another."""

OFFICE_HOURS: Spans = ((time(9), time(12)), (time(13), time(18)))
WEEK: Mapping[int, Spans] = MappingProxyType(dict.fromkeys(range(5), OFFICE_HOURS))
"""What the house takes until a company says otherwise: Monday (0) to Friday."""

_FIRST_YEAR = min(chinese_calendar.holidays).year
_LAST_YEAR = max(chinese_calendar.holidays).year
_KEPT_DAYS = 4000
"""how many reckoned days a calendar remembers: the years people work in, not those a wild number walks through"""


def business_date(instant: datetime) -> date:
    """The calendar day an instant belongs to, in Shanghai."""
    return instant.astimezone(ZONE).date()


def knows_statutory(year: int) -> bool:
    """Whether the installed package `chinesecalendar` carries that year."""
    known: bool = _FIRST_YEAR <= year <= _LAST_YEAR
    return known


@cache
def is_statutory(year: int) -> bool:
    """Whether the State Council's calendar of that year is known; if not, the weekday alone decides.

    Each missing year is logged once: an update of the package `chinesecalendar`, or the announcement imported into the
    company's calendar, brings it.
    """
    known = knows_statutory(year)
    if not known:
        logger.warning("working_time.calendar_missing", extra={"year": year, "known_until": _LAST_YEAR})
    return known


def statutory(day: date) -> tuple[str, str] | None:
    """("holiday" | "working", what it is called) where the State Council has named the day, else None."""
    if not knows_statutory(day.year):
        return None
    if day in chinese_calendar.workdays:
        return "working", str(chinese_calendar.workdays[day])
    if day in chinese_calendar.holidays:
        return "holiday", str(chinese_calendar.holidays[day])
    return None


# ------------------------------------------------------------------------------------------------- the value


@dataclass(frozen=True)
class WorkingCalendar:
    """When a company works.

    week: office hours by weekday (Monday = 0); a weekday that is missing is off.  days: exceptions by date; () = off.
    announced: years whose holidays the company has entered itself, so that none is missing.
    """

    week: Mapping[int, Spans] = field(default_factory=lambda: WEEK)
    days: Mapping[date, Spans] = field(default_factory=lambda: MappingProxyType({}))
    announced: frozenset[int] = frozenset()
    _known: dict[date, tuple[tuple[datetime, datetime], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """days already reckoned; the same answer every time, so threads may fill it at once"""

    def __post_init__(self) -> None:
        if not any(self.week.values()):
            raise ValueError("a calendar without office hours never lets any working time pass")

    @property
    def usual(self) -> Spans:
        """Office hours of a make-up day on a weekday that is otherwise off: those of the week's first working day."""
        return next(self.week[weekday] for weekday in range(7) if self.week.get(weekday))

    @property
    def day_length(self) -> timedelta:
        """What one working day (工作日) is worth: the hours of the week's first working day, eight in the house's own.

        A fixed length, whatever a single day is shortened to: so two days are twice one day, and time adds up.
        """
        return length(self.usual)

    def hours_of(self, day: date) -> Spans:
        """The office hours of that date; () = nobody works."""
        if day in self.days:
            return self.days[day]
        weekly = self.week.get(day.weekday(), ())
        if day.year not in self.announced and not is_statutory(day.year):
            return weekly
        named = statutory(day)
        if named is None:
            return weekly
        return (weekly or self.usual) if named[0] == "working" else ()

    def spans(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The same in UTC, so that subtraction counts real time."""
        found = self._known.get(day)
        if found is None:
            found = tuple((_instant(day, opens), _instant(day, closes)) for opens, closes in self.hours_of(day))
            if len(self._known) < _KEPT_DAYS:
                self._known[day] = found
        return found

    def spans_from(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        while day < date.max:
            yield from self.spans(day)
            day += timedelta(days=1)

    def missing(self, year: int) -> bool:
        """Whether nobody has told the holidays of that year yet."""
        return year not in self.announced and not knows_statutory(year)


STATUTORY = WorkingCalendar()


def length(spans: Spans) -> timedelta:
    """How much working time a day of these hours holds."""
    return sum((_of_day(closes) - _of_day(opens) for opens, closes in spans), timedelta())


def _of_day(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute)


def _instant(day: date, moment: time) -> datetime:
    """Shanghai has had no summer time since 1991, so a day's hours need no care beyond the zone itself."""
    return datetime.combine(day, moment, ZONE).astimezone(UTC)


# ------------------------------------------------------------------------------------------------- the functions


def is_working_day(day: date, calendar: WorkingCalendar = STATUTORY) -> bool:
    return bool(calendar.hours_of(day))


def add_working_time(
    start: datetime, *, days: float = 0, hours: float = 0, calendar: WorkingCalendar = STATUTORY
) -> datetime:
    """The first instant by which that much working time has passed since `start`; aware, UTC. Asked for timers.

    Eight hours from Monday 09:00 end on Monday 18:00, not on Tuesday 09:00; nothing ends at once. A working day
    (工作日) is the calendar's `day_length`, eight hours unless the company works otherwise: two of them from Friday
    15:00 end on Tuesday 15:00.
    """
    return after(start, calendar.day_length * days + timedelta(hours=hours), calendar)


def working_time_between(start: datetime, end: datetime, calendar: WorkingCalendar = STATUTORY) -> timedelta:
    """How much of [start, end) is working time; nothing when `end` lies before `start`."""
    worked = timedelta()
    for opens, closes in calendar.spans_from(business_date(start)):
        if opens >= end:
            return worked
        worked += max(min(closes, end) - max(opens, start), timedelta())
    return worked


def working_days_in(
    first: date, last: date, *, from_noon: bool = False, until_noon: bool = False, calendar: WorkingCalendar = STATUTORY
) -> Decimal:
    """Working days (工作日) of a span of days, both ends in it, in halves.

    from_noon, until_noon: the first day begins, the last day ends at noon; on a day off that changes nothing.
    """
    half_days = 0
    day = first
    while day <= last:
        if is_working_day(day, calendar):
            half_days += 2 - (from_noon and day == first) - (until_noon and day == last)
        day += timedelta(days=1)
    return Decimal(half_days) / 2


def after(start: datetime, wanted: timedelta, calendar: WorkingCalendar = STATUTORY) -> datetime:
    """`start` plus this much working time; aware, UTC."""
    if wanted < timedelta():
        raise ValueError("working time only runs forward")
    if not wanted:
        return start.astimezone(UTC)
    for opens, closes in calendar.spans_from(business_date(start)):
        available = closes - max(opens, start)
        if available <= timedelta():
            continue
        if wanted <= available:
            return (max(opens, start) + wanted).astimezone(UTC)
        wanted -= available
    raise OverflowError("the calendar ends before the working time does")
