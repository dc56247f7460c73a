"""A company's own calendar: its hours, its exceptions, the announcement of a year; and how a due date stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.errors import InvalidForm, RuleViolation
from processes.approval import rules as approval
from processes.kernel.working_time import (
    OFFICE_HOURS,
    STATUTORY,
    WEEK,
    ZONE,
    WorkingCalendar,
    add_working_time,
    after,
    is_working_day,
    working_time_between,
)
from processes.organization import rules


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


MORNING = ((time(9), time(12)),)
SHORT_FRIDAYS = WorkingCalendar(week={**WEEK, 4: MORNING})
OWN = WorkingCalendar(
    week={weekday: ((time(8, 30), time(12)), (time(13, 30), time(17, 30))) for weekday in range(5)},
    days={
        date(2026, 11, 24): (),
        date(2026, 11, 28): OFFICE_HOURS,
        date(2026, 11, 25): MORNING,
        date(2027, 1, 1): (),
    },
    announced=frozenset({2027}),
)

# ------------------------------------------------------------------------------------------------- examples


@pytest.mark.parametrize(
    ("calendar", "start", "days", "hours", "end"),
    [
        (STATUTORY, "2026-11-20T15:00", 2, 0, "2026-11-24T15:00"),
        (STATUTORY, "2026-11-23T11:30", 0, 1, "2026-11-23T13:30"),
        (STATUTORY, "2026-10-09T17:00", 1, 0, "2026-10-10T17:00"),  # 调休 Saturday
        (STATUTORY, "2026-09-30T17:00", 1, 0, "2026-10-08T17:00"),  # National Day holidays
        (STATUTORY, "2025-12-31T10:00", 1, 0, "2026-01-04T10:00"),  # year's end: holiday, then a Sunday that is worked
        (STATUTORY, "2030-12-31T10:00", 1, 0, "2031-01-01T10:00"),  # no calendar known: the weekday alone decides
        (STATUTORY, "2026-12-31T10:00", 1, 0, "2027-01-01T10:00"),  # nobody has announced 2027 yet …
        (OWN, "2026-12-31T10:00", 1, 0, "2027-01-04T10:00"),  # … here the company has
        (OWN, "2026-11-23T08:30", 1, 0, "2026-11-23T17:30"),  # its working day is 7.5 hours
        (OWN, "2026-11-23T08:30", 2, 0, "2026-11-26T14:30"),  # a holiday of its own, then a shortened day
        (OWN, "2026-11-27T17:00", 0, 1, "2026-11-28T09:30"),  # a Saturday of its own
        (SHORT_FRIDAYS, "2026-11-20T10:00", 1, 0, "2026-11-23T16:00"),  # a day stays eight hours
    ],
)
def test_when_it_is_over(calendar: WorkingCalendar, start: str, days: int, hours: float, end: str) -> None:
    assert add_working_time(shanghai(start), days=days, hours=hours, calendar=calendar) == shanghai(end)


def test_a_make_up_day_has_the_usual_hours_or_those_of_its_weekday() -> None:
    saturday = date(2026, 10, 10)
    assert OWN.hours_of(saturday) == OWN.usual
    six_days = WorkingCalendar(week={**WEEK, 5: MORNING})
    assert six_days.hours_of(saturday) == MORNING
    assert six_days.hours_of(date(2026, 11, 28)) == MORNING
    assert six_days.hours_of(date(2026, 10, 3)) == (), "a statutory holiday on a Saturday that is worked otherwise"


def test_the_companys_word_beats_the_state_councils() -> None:
    worked = WorkingCalendar(days={date(2026, 10, 1): OFFICE_HOURS, date(2026, 10, 10): ()})
    assert is_working_day(date(2026, 10, 1), worked)
    assert not is_working_day(date(2026, 10, 10), worked)


def test_a_calendar_needs_office_hours() -> None:
    with pytest.raises(ValueError, match="office hours"):
        WorkingCalendar(week={0: ()})


# ------------------------------------------------------------------------------------------------- properties

instants = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
spans = st.lists(st.integers(0, 24 * 4 - 1), min_size=2, max_size=6, unique=True).map(
    lambda quarters: tuple(
        (time(a // 4, a % 4 * 15), time(b // 4, b % 4 * 15))
        for a, b in zip(sorted(quarters)[::2], sorted(quarters)[1::2], strict=False)
    )
)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    week = draw(st.dictionaries(st.integers(0, 6), spans | st.just(()), min_size=1))
    week[draw(st.integers(0, 6))] = draw(spans)
    days = draw(st.dictionaries(st.dates(date(2024, 1, 1), date(2028, 12, 31)), spans | st.just(()), max_size=20))
    return WorkingCalendar(week=week, days=days, announced=draw(st.frozensets(st.integers(2024, 2029), max_size=3)))


durations = st.integers(0, 60 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(calendars(), instants, durations)
def test_between_measures_what_was_added(calendar: WorkingCalendar, start: datetime, wanted: timedelta) -> None:
    end = after(start, wanted, calendar)
    assert working_time_between(start, end, calendar) == wanted
    if wanted:
        assert working_time_between(start, end - timedelta(microseconds=1), calendar) < wanted


@given(calendars(), instants, durations, durations)
def test_one_after_the_other_is_both(
    calendar: WorkingCalendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    assert after(after(start, first, calendar), second, calendar) == after(start, first + second, calendar)


@given(calendars(), instants, st.integers(0, 20), st.integers(0, 20))
def test_days_add_up(calendar: WorkingCalendar, start: datetime, first: int, second: int) -> None:
    middle = add_working_time(start, days=first, calendar=calendar)
    together = add_working_time(start, days=first + second, calendar=calendar)
    assert add_working_time(middle, days=second, calendar=calendar) == together


@given(calendars(), instants, instants, instants)
def test_parts_make_the_whole(calendar: WorkingCalendar, a: datetime, b: datetime, c: datetime) -> None:
    first, middle, last = sorted((a, b, c))
    parts = working_time_between(first, middle, calendar) + working_time_between(middle, last, calendar)
    assert parts == working_time_between(first, last, calendar)


# ------------------------------------------------------------------------------------------------- office hours


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("09:00-12:00, 13:00-18:00", "09:00-12:00, 13:00-18:00"),
        ("13:00-18:00;9:00-12:00", "09:00-12:00, 13:00-18:00"),
        ("９：００－１２：００、13:00至18:00", "09:00-12:00, 13:00-18:00"),
        ("  ", ""),
    ],
)
def test_hours_are_read_and_written_one_way(text: str, kept: str) -> None:
    assert rules.write_hours(rules.read_hours(text)) == kept


@given(spans)
def test_written_hours_are_read_back(hours: Any) -> None:
    assert rules.read_hours(rules.write_hours(hours)) == hours


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nine to five", "no office hours"),
        ("09:00-12:00, 11:00-18:00", "overlap"),
        ("09:00-12:00, 12:00-18:00", "touch"),
        ("22:00-06:00", "ends before it begins"),
        ("09:00-09:00", "ends before it begins"),
        ("09:00-25:00", "no such time"),
        ("09:60-10:00", "no such time"),
        (", ".join(f"{hour:02}:00-{hour:02}:30" for hour in range(7)), "at most 6"),
    ],
)
def test_hours_that_cannot_be(text: str, why: str) -> None:
    with pytest.raises(RuleViolation, match=why):
        rules.read_hours(text)


# ------------------------------------------------------------------------------------------------- announcements

AS_CSV = """日期,类型,名称,时间
2027-01-01..2027-01-03,放假,元旦
2027-01-04,上班,元旦调休
2027-02-05,缩短,除夕前一天,09:00-12:00,13:00-15:00
"""
AS_JSON = (
    '[{"date": "2027-01-01..2027-01-03", "kind": "holiday", "name": "元旦"},'
    '{"date": "2027/01/04", "kind": "working", "name": "元旦调休"},'
    '{"date": "2027-02-05", "kind": "short", "name": "除夕前一天", "hours": "09:00-12:00, 13:00-15:00"}]'
)


@pytest.mark.parametrize(
    "text", [AS_CSV, AS_JSON, "\ufeff" + AS_CSV, AS_CSV.split("\n", 1)[1], AS_CSV.replace(",", "\t", 3)]
)
def test_an_announcement_is_read(text: str) -> None:
    days = rules.read_announcement(text)
    assert [(one.day.isoformat(), one.kind, one.name) for one in days] == [
        ("2027-01-01", "holiday", "元旦"),
        ("2027-01-02", "holiday", "元旦"),
        ("2027-01-03", "holiday", "元旦"),
        ("2027-01-04", "working", "元旦调休"),
        ("2027-02-05", "short", "除夕前一天"),
    ]
    assert days[-1].hours == "09:00-12:00, 13:00-15:00"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Paste the days"),
        ("# nothing but a remark", "Paste the days"),
        ("2027-02-30,holiday,x", "Line 1: “2027-02-30” is no date"),
        ("2027-01-01,调休,x", "no kind of day"),
        ("2027-01-01,holiday,x\n2027-01-01,working,y", "Line 2: 2027-01-01 stands there twice"),
        ("2027-01-01,short,x", "Say from when to when"),
        ("2027-01-01,holiday,x,09:00-12:00", "Nobody works on a holiday"),
        ("2027-01-03..2027-01-01,holiday,x", "runs forward"),
        ("2027-01-01..2029-01-01,holiday,x", "at most 60 days"),
        ("9999-01-01,holiday,x", "from 2000 to 2100"),
        ('{"date": "2027-01-01"}', "no JSON list"),
        ("[1, 2]", "no JSON list"),
        ("[" * 50_000, "no JSON list"),
        ("2027-01-01,holiday," + "x" * 200, "At most 100"),
        ("x" * 200_000, "too long"),
        ("\n".join("2027-01-01,holiday,x" for _line in range(1000)), "At most 400"),
    ],
)
def test_what_is_wrong_with_an_announcement_is_said(text: str, why: str) -> None:
    with pytest.raises(InvalidForm) as refusal:
        rules.read_announcement(text)
    assert why in " / ".join(str(problem.message) for problem in refusal.value.problems)


# ------------------------------------------------------------------------------------------------- due dates


@pytest.mark.parametrize(
    ("now", "state", "left"),
    [
        ("2026-11-23T09:00", "green", 24),
        ("2026-11-24T11:59", "green", 13 + 1 / 60),
        ("2026-11-24T14:00", "amber", 12),
        ("2026-11-25T17:59", "amber", 1 / 60),
        ("2026-11-25T18:00", "red", 0),
        ("2026-11-28T12:00", "red", 16),
    ],
)
def test_green_then_amber_then_red(now: str, state: str, left: float) -> None:
    found = approval.standing(shanghai("2026-11-23T09:00"), shanghai("2026-11-25T18:00"), shanghai(now), STATUTORY)
    assert (found.state, found.left) == (state, timedelta(hours=left))


def test_less_than_a_day_left_is_amber_though_half_the_time_has_not_passed() -> None:
    since, due = shanghai("2026-11-23T09:00"), shanghai("2026-11-24T12:00")  # eleven hours
    assert approval.standing(since, due, shanghai("2026-11-23T12:00"), STATUTORY).state == "green"
    assert approval.standing(since, due, shanghai("2026-11-23T13:01"), STATUTORY).state == "amber"


@given(calendars(), instants, instants, instants)
def test_it_never_turns_better(calendar: WorkingCalendar, a: datetime, b: datetime, c: datetime) -> None:
    since, earlier, later = sorted((a, b, c))
    due = after(since, timedelta(hours=30), calendar)
    ranks = [approval.STATES.index(approval.standing(since, due, now, calendar).state) for now in (earlier, later)]
    assert ranks == sorted(ranks)


@given(calendars(), instants, st.integers(1, 200))
def test_thresholds_come_in_order(calendar: WorkingCalendar, since: datetime, hours: int) -> None:
    due = after(since, timedelta(hours=hours), calendar)
    half, whole, more = (approval.threshold_at(since, due, one, calendar) for one in approval.THRESHOLDS)
    assert since <= half <= whole == due < more
    assert working_time_between(since, half, calendar) * 2 == timedelta(hours=hours)
    assert working_time_between(due, more, calendar) * 2 == timedelta(hours=hours)


def test_a_due_date_without_working_time_still_has_its_order() -> None:
    since, due = shanghai("2026-11-21T10:00"), shanghai("2026-11-21T20:00")  # a Saturday
    half, whole, more = (approval.threshold_at(since, due, one, STATUTORY) for one in approval.THRESHOLDS)
    assert half == since
    assert whole == due
    assert more == shanghai("2026-11-23T09:01")
