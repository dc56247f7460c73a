"""Following up without a database: which contacts count, when the next one is, in which queue somebody stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from engine.errors import RuleViolation
from processes.activity import rules
from processes.activity.rules import Frequency, Qualifying
from processes.kernel.periods import Period, begin_of

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("way", "result", "content", "counts"),
    [
        ("call", "reached", "谈了价格和交货时间", True),
        ("call", "reached", "已联系", False),  # a 3-character contact record does not qualify
        ("call", "reached", "。。。，，，   ！！！", False),
        ("call", "not_reached", "打了三次电话都没有人接听", False),
        ("sms", "", "谈了价格和交货时间", False),
        ("visit", "", "谈了价格和交货时间", True),
    ],
)
def test_a_contact_counts_when_somebody_was_reached_and_it_says_of_what(
    way: str, result: str, content: str, counts: bool
) -> None:
    assert rules.is_qualified(way, result, content, Qualifying()) is counts


def test_the_house_sets_the_bar() -> None:
    assert rules.is_qualified("sms", "", "好", Qualifying.parse(1, "sms call"))
    for shortest, ways in ((1, "pigeon"), (1, ""), (-1, "call")):
        with pytest.raises(ValueError):
            Qualifying.parse(shortest, ways)


def test_a_future_contact_is_refused_and_one_too_long_ago() -> None:
    rules.check_at(NOW, NOW)
    rules.check_at(NOW - timedelta(days=rules.BACKDATED_DAYS), NOW)
    for at in (NOW + timedelta(hours=1), NOW - timedelta(days=rules.BACKDATED_DAYS, minutes=1)):
        with pytest.raises(RuleViolation):
            rules.check_at(at, NOW)


def test_the_most_particular_policy_decides() -> None:
    everybody, level, stage = Frequency(30, 60), Frequency(10, 20, level="B"), Frequency(5, 9, stage="interested")
    both = Frequency(3, 6, level="B", role="decides")
    known = [everybody, stage, level, both]
    assert rules.frequency(known, "B", "interested", "decides") is both
    assert rules.frequency(known, "B", "interested", "uses") is level, "level goes before stage"
    assert rules.frequency(known, "D", "interested", "decides") is stage
    assert rules.frequency(known, "D", "lost", "") is everybody
    assert rules.frequency([], "A", "prospect", "").days == 7
    assert rules.frequency([], "D", "prospect", "").days == 60


@pytest.mark.parametrize(
    ("contacted", "days", "due"),
    [
        (date(2026, 1, 26), 7, date(2026, 2, 2)),
        (date(2026, 9, 24), 7, date(2026, 10, 8)),  # the frequency lands in the national holiday
        (date(2026, 2, 7), 7, date(2026, 2, 14)),  # … on a 调休 working Saturday, which counts
        (date(2026, 2, 8), 7, date(2026, 2, 24)),  # … in the spring festival
        (date(2026, 3, 6), 8, date(2026, 3, 16)),  # … on an ordinary Saturday
    ],
)
def test_the_proposal_is_a_working_day(contacted: date, days: int, due: date) -> None:
    assert rules.proposed(contacted, contacted, Frequency(days, 60)) == due


def test_a_proposal_is_never_in_the_past_and_who_was_not_reached_is_tried_soon() -> None:
    often = Frequency(7, 14)
    assert rules.proposed(TODAY - timedelta(days=40), TODAY, often) == TODAY
    assert rules.proposed(TODAY, TODAY, often, result="not_reached") == TODAY + timedelta(days=1)
    friday = date(2026, 11, 27)
    assert rules.proposed(friday, friday, often, result="not_reached") == date(2026, 11, 30)


def test_nobody_may_put_it_later_than_the_policy_allows() -> None:
    rules.check_due(TODAY + timedelta(days=14), TODAY, TODAY, 14)
    with pytest.raises(RuleViolation) as refusal:
        rules.check_due(TODAY + timedelta(days=15), TODAY, TODAY, 14)
    assert refusal.value.code == "too_late"
    with pytest.raises(RuleViolation):
        rules.check_due(TODAY - timedelta(days=1), TODAY, TODAY, 14)


@given(st.dates(), st.dates())
def test_any_two_days_make_a_period_of_a_year_at_most(one: date, other: date) -> None:
    period = Period.of(one, other)
    assert 1 <= period.days <= 367
    assert begin_of(period.first).astimezone(UTC) < begin_of(period.last + timedelta(days=1)).astimezone(UTC)


_day = st.one_of(st.none(), st.dates(TODAY - timedelta(days=400), TODAY + timedelta(days=60)))


@given(_day, _day.filter(lambda day: day is None or day <= TODAY), st.integers(1, 120))
def test_everybody_stands_in_one_queue_or_has_a_reason_for_none(
    next_on: date | None, last_on: date | None, idle: int
) -> None:
    holds = {
        "overdue": next_on is not None and next_on < TODAY,
        "today": next_on == TODAY,
        "week": next_on is not None and TODAY < next_on <= date(2026, 11, 29),
        "idle": next_on is None and last_on is not None and (TODAY - last_on).days > idle,
        "never": next_on is None and last_on is None,
        None: next_on > date(2026, 11, 29)
        if next_on is not None
        else last_on is not None and (TODAY - last_on).days <= idle,
    }
    assert [queue for queue, held in holds.items() if held] == [rules.queue_of(next_on, last_on, TODAY, idle)]
