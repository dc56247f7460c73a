"""A year of the working calendar as its page draws it: what each day is, why, and from when to when people work."""

from __future__ import annotations

import calendar as weeks
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from babel.dates import get_day_names, get_month_names
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.i18n import Sentence, _, current_locale
from processes.kernel.working_time import WorkingCalendar, length, statutory
from processes.organization.calendar import company_calendar
from processes.organization.models import CalendarDay
from processes.organization.rules import write_hours

HOLIDAY_NAMES: Mapping[str, Sentence] = {
    "New Year's Day": _("New Year's Day"),
    "Spring Festival": _("Spring Festival"),
    "Tomb-sweeping Day": _("Tomb-sweeping Day"),
    "Labour Day": _("Labour Day"),
    "Dragon Boat Festival": _("Dragon Boat Festival"),
    "Mid-autumn Festival": _("Mid-autumn Festival"),
    "National Day": _("National Day"),
    "Anti-Fascist 70th Day": _("Victory Day"),
}
"""What the package `chinesecalendar` calls them."""


@dataclass(frozen=True)
class Kind:
    """A kind of day: the word of the legend, and the sign that stands in the day beside its colour."""

    title: Sentence
    sign: Sentence | str = ""


KINDS: Mapping[str, Kind] = {
    "work": Kind(_("Working day")),
    "off": Kind(_("Weekend")),
    "holiday": Kind(_("Holiday"), _("off")),
    "makeup": Kind(_("Make-up working day"), _("on")),
    "short": Kind(_("Shortened day"), _("short")),
}


@dataclass(frozen=True)
class Day:
    date: date
    kind: str
    name: str
    hours: str
    today: bool = False
    own: CalendarDay | None = None
    """the company's exception, where there is one"""

    @property
    def word(self) -> Kind:
        return KINDS[self.kind]


@dataclass(frozen=True)
class Month:
    number: int
    name: str
    weeks: tuple[tuple[Day | None, ...], ...]
    working: int


@dataclass(frozen=True)
class Year:
    number: int
    months: tuple[Month, ...]
    weekdays: tuple[str, ...]
    counts: Mapping[str, int]
    known: bool
    """somebody has told its holidays"""

    @property
    def working(self) -> int:
        return sum(month.working for month in self.months)


@dataclass(frozen=True)
class Weekday:
    name: str
    hours: str
    total: str


def year(session: Session, number: int, today: date) -> Year:
    calendar = company_calendar(session)
    between = CalendarDay.day.between(date(number, 1, 1), date(number, 12, 31))
    own = {one.day: one for one in session.scalars(select(CalendarDay).where(between))}
    months = []
    counts: Counter[str] = Counter()
    names = get_month_names("wide", "stand-alone", locale=_babel())
    for month in range(1, 13):
        rows = []
        working = 0
        for week in weeks.Calendar().monthdatescalendar(number, month):
            days = [_day(calendar, one, own.get(one), today) if one.month == month else None for one in week]
            counts.update(day.kind for day in days if day)
            working += sum(1 for day in days if day and day.hours)
            rows.append(tuple(days))
        months.append(Month(month, names[month], tuple(rows), working))
    short = get_day_names("narrow", "stand-alone", locale=_babel())
    weekdays = tuple(short[day] for day in range(7))
    return Year(number, tuple(months), weekdays, counts, not calendar.missing(number))


def _day(calendar: WorkingCalendar, day: date, own: CalendarDay | None, today: date) -> Day:
    spans = calendar.hours_of(day)
    weekly = bool(calendar.week.get(day.weekday()))
    named = statutory(day)
    name = str(HOLIDAY_NAMES.get(named[1], named[1])) if named else ""
    kind = "work" if spans else "off"
    if own is not None:
        name = own.name or (name if (own.kind == "holiday") == (named is not None and named[0] == "holiday") else "")
        kind = {"holiday": "holiday", "short": "short"}.get(own.kind, "work" if weekly else "makeup")
    elif named is not None:
        kind = "holiday" if named[0] == "holiday" else "makeup"
    return Day(day, kind, name, write_hours(spans), day == today, own)


def week(session: Session) -> tuple[Weekday, ...]:
    """The office hours of a usual week."""
    calendar = company_calendar(session)
    names = get_day_names("wide", "stand-alone", locale=_babel())
    found = []
    for day in range(7):
        spans = calendar.week.get(day, ())
        hours = length(spans).total_seconds() / 3600
        found.append(Weekday(names[day], write_hours(spans), f"{hours:g}" if spans else ""))
    return tuple(found)


def day_length(session: Session) -> str:
    """How many hours a working day is worth."""
    return f"{company_calendar(session).day_length.total_seconds() / 3600:g}"


def _babel() -> str:
    return current_locale().replace("-", "_")
