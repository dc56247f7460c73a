"""The company's calendar as a value, kept per process for as long as nobody changes it."""

from __future__ import annotations

from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.db import on_bind
from processes.kernel.working_time import STATUTORY, WEEK, WorkingCalendar, add_working_time, business_date
from processes.organization.models import CalendarDay, CalendarHead, OfficeHours
from processes.organization.rules import read_hours

HEAD = 1
"""id of the one row"""
ANNOUNCED_FROM_MONTH = 10
"""the State Council announces the coming year's holidays in late autumn: from then on a missing one is worth a word"""

_kept: tuple[str, WorkingCalendar] | None = None


def _forget() -> None:
    global _kept
    _kept = None


on_bind(_forget)


def company_calendar(session: Session) -> WorkingCalendar:
    """The calendar as it is now: one row is read to see whether the one at hand is still it.

    That row is written with every change, so another process's change is seen with the next question. It is read
    before the days are: what is kept may be newer than its revision says, never older.
    """
    global _kept
    revision = session.scalar(select(CalendarHead.revision).where(CalendarHead.id == HEAD))
    if revision is None:
        return STATUTORY
    kept = _kept
    if kept is not None and kept[0] == revision:
        return kept[1]
    calendar = read_calendar(session)
    _kept = (revision, calendar)
    return calendar


def read_calendar(session: Session) -> WorkingCalendar:
    """Put together from the tables."""
    weekly = {int(row.weekday) - 1: read_hours(row.hours) for row in session.execute(select(*_HOURS))}
    week = MappingProxyType({**WEEK, **weekly})
    usual = WorkingCalendar(week=week).usual
    days = {}
    announced = set()
    for row in session.execute(select(*_DAY)):
        hours = read_hours(row.hours)
        if row.kind == "working":
            hours = hours or week.get(row.day.weekday(), ()) or usual
        days[row.day] = () if row.kind == "holiday" else hours
        if row.source == "announcement":
            announced.add(row.day.year)
    return WorkingCalendar(week=week, days=MappingProxyType(days), announced=frozenset(announced))


_HOURS = (OfficeHours.weekday, OfficeHours.hours)
_DAY = (CalendarDay.day, CalendarDay.kind, CalendarDay.hours, CalendarDay.source)


def working_due(session: Session, start: datetime, *, days: int = 0, hours: float = 0) -> datetime:
    """What the engine asks for timers and due dates (CATALOG.calendar)."""
    return add_working_time(start, days=days, hours=hours, calendar=company_calendar(session))


def missing_years(session: Session, today: date | None = None) -> tuple[int, ...]:
    """The years whose holidays nobody has told though they should be known by now: this one, and from October on
    the coming one.
    """
    today = today or business_date(clock.now())
    calendar = company_calendar(session)
    wanted = [today.year] + ([today.year + 1] if today.month >= ANNOUNCED_FROM_MONTH else [])
    return tuple(year for year in wanted if calendar.missing(year))
