"""The period of a report, as its address says it."""

from __future__ import annotations

from datetime import date, timedelta

from flask import request

from engine import clock
from engine.i18n import Sentence, _
from processes.kernel.periods import Period
from processes.kernel.working_time import business_date

QUICK: tuple[tuple[Sentence, int], ...] = (
    (_("Today"), 1),
    (_("7 days"), 7),
    (_("30 days"), 30),
    (_("90 days"), 90),
)
"""what a click chooses: so many days, today among them"""


def asked_period(usual_days: int) -> Period:
    """args: last (so many days up to today), else from and to. Without them the usual days."""
    today = business_date(clock.now())
    days = request.args.get("last", type=int)
    if days is not None and any(days == known for _title, known in QUICK):
        return Period.of(today - timedelta(days=days - 1), today)
    last = read_day(request.args.get("to", "")) or today
    first = read_day(request.args.get("from", "")) or last - min(timedelta(days=usual_days - 1), last - date.min)
    return Period.of(first, last)


def read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
