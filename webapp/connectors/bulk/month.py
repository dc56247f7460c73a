"""The month beside what is to leave later: on each day as many messages as leave then."""

from __future__ import annotations

import calendar as weeks
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from babel.core import Locale
from babel.dates import get_day_names, get_month_names

from engine.i18n import current_locale
from processes.kernel.working_time import ZONE, business_date


@dataclass(frozen=True)
class Span:
    """The days that are shown: [since, until).  chosen: one day of the month, None for all of it."""

    first: date
    """of the month"""
    chosen: date | None = None

    @property
    def next_month(self) -> date:
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def month_before(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def month(self) -> tuple[datetime, datetime]:
        return _start(self.first), _start(self.next_month)

    @property
    def shown(self) -> tuple[datetime, datetime]:
        if self.chosen is None:
            return self.month
        return _start(self.chosen), _start(self.chosen + timedelta(days=1))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


def read(month: str, day: str, otherwise: date) -> Span:
    """From an address: "2026-12", "2026-12-24"; what cannot be read is the month of `otherwise`, all of it."""
    chosen = _day(day)
    first = chosen or _day(f"{month}-01") or otherwise
    return Span(first.replace(day=1), chosen)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 9999 else None


@dataclass(frozen=True)
class Cell:
    day: date
    count: int
    is_today: bool


@dataclass(frozen=True)
class Month:
    title: str
    weekdays: Sequence[str]
    weeks: Sequence[Sequence[Cell | None]]
    """None: a day of another month"""
    total: int


def month(span: Span, moments: Iterable[tuple[datetime, int]], today: date) -> Month:
    """moments: when how many messages leave."""
    counts: Counter[date] = Counter()
    for at, count in moments:
        counts[business_date(at)] += count
    first, locale = span.first, Locale.parse(current_locale().replace("-", "_"))
    rows = [
        [Cell(day, counts[day], day == today) if day.month == first.month else None for day in week]
        for week in weeks.Calendar().monthdatescalendar(first.year, first.month)
    ]
    names = get_day_names("narrow", "stand-alone", locale=locale)
    title = f"{first.year} · {get_month_names('wide', 'stand-alone', locale=locale)[first.month]}"
    return Month(title, [names[day] for day in range(7)], rows, sum(counts.values()))
