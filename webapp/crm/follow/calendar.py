"""The appointments of a person by day, a month at a time: one is dragged to another day, with a reason."""

from __future__ import annotations

from calendar import Calendar
from dataclasses import dataclass
from datetime import date

from babel.dates import get_day_names, get_month_names
from flask import render_template, request

from engine.db import Sessions
from processes.activity import operations
from processes.activity.models import Appointment
from processes.activity.permissions import WRITE
from processes.kernel.working_time import is_working_day
from processes.organization.calendar import company_calendar
from webapp.crm.follow.call_list import pages
from webapp.security.access import current_actor, requires
from webapp.skin.formats import babel_locale
from webapp.skin.keys import read_key
from webapp.skin.periods import read_day

EARLIEST, LATEST = date(1970, 1, 1), date(8999, 12, 1)
MOST_SHOWN = 4
"""further ones of a day stand behind a click"""


@dataclass(frozen=True)
class Day:
    date: date
    in_month: bool
    works: bool
    """a working day of the company: on others nobody is expected"""
    plans: list[Appointment]


@pages.get("/calendar")
@requires(WRITE)
def calendar() -> str:
    """args: month (2026-12), person (somebody below)."""
    session, actor, today = Sessions(), current_actor(), operations.today()
    person = operations.person_in(session, actor, request.args.get("person", type=read_key))
    month = (read_day(f"{request.args.get('month', '')}-01") or today).replace(day=1)
    month = min(max(month, EARLIEST), LATEST)
    weeks = Calendar().monthdatescalendar(month.year, month.month)
    of_day: dict[date, list[Appointment]] = {}
    for plan in operations.planned(session, actor, first=weeks[0][0], last=weeks[-1][-1], person_id=person):
        of_day.setdefault(plan.due_on, []).append(plan)
    working = company_calendar(session)
    days = [
        [Day(one, one.month == month.month, is_working_day(one, working), of_day.get(one, [])) for one in week]
        for week in weeks
    ]
    names = get_day_names("abbreviated", locale=babel_locale())
    return render_template(
        "crm/follow/calendar.html",
        weeks=days,
        month=month,
        month_name=get_month_names("wide", context="stand-alone", locale=babel_locale())[month.month],
        weekdays=[names[number] for number in range(7)],
        before=_months_on(month, -1),
        after=_months_on(month, 1),
        today=today,
        most=MOST_SHOWN,
        count=sum(len(day.plans) for week in days for day in week if day.in_month),
        overdue=operations.counts(session, actor, person)["overdue"],
        person=person if person != actor.person_id else None,
        team=operations.people_below(session, actor),
    )


def _months_on(month: date, step: int) -> date:
    number = month.year * 12 + month.month - 1 + step
    return date(number // 12, number % 12 + 1, 1)
