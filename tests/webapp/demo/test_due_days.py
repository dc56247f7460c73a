"""The demo company plans on working days, and its queues are filled whatever day it moves in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from processes.activity.models import Appointment
from processes.activity.rules import end_of_week, queue_of
from processes.kernel.working_time import STATUTORY, ZONE, is_working_day
from tests.webapp.demo.test_demo import empty_house
from webapp import demo
from webapp.demo.following import due_days

__all__ = ["empty_house"]

FROM = date(2026, 1, 1)
YEAR = [FROM + timedelta(days=number) for number in range(365)]
QUEUES = {"overdue", "today", "week"}


def of_week_left(today: date) -> Iterator[date]:
    return (today + timedelta(days=ahead) for ahead in range(1, (end_of_week(today) - today).days + 1))


def test_on_every_day_of_a_year_the_queues_are_filled_and_the_days_off_are_free() -> None:
    for today in YEAR:
        found = Counter(due_days(today, STATUTORY))
        off = {one for one in found if not is_working_day(one)}
        works_on = any(is_working_day(one) for one in of_week_left(today))
        assert off <= ({today} if works_on else {today, today + timedelta(days=1)}), today
        assert sum(found[one] for one in off - {today}) <= 1, today
        filled = {queue_of(one, None, today, 30) for one in found}
        assert filled >= (QUEUES if today.weekday() < 6 else QUEUES - {"week"}), (
            "on a Sunday no day of the week is left"
        )
        assert sum(count for one, count in found.items() if one > end_of_week(today)) >= 5, today


@pytest.mark.parametrize("today", [date(2026, 11, 28), date(2026, 9, 30)])
def test_the_appointments_it_moves_in_with_lie_there(empty_house: Session, today: date) -> None:
    """A Saturday, and the day before the long holiday."""
    morning = datetime.combine(today, time(10), ZONE).astimezone(UTC)
    with clock.turned_to(lambda: morning):
        demo.load(empty_house)
        demo.move_in(empty_house)
        due = set(empty_house.scalars(select(Appointment.due_on).where(Appointment.state == "open")))
    off = {one for one in due if not is_working_day(one)}
    works_on = any(is_working_day(one) for one in of_week_left(today))
    assert off <= ({today} if works_on else {today, today + timedelta(days=1)})
    assert {queue_of(one, None, today, 30) for one in due} >= QUEUES
