"""Periods, moves, lines and what a budget allows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from engine.errors import RuleViolation
from processes.kernel.money import Money
from processes.spending import rules

days = st.dates(date(2020, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("kind", "day", "first", "after"),
    [
        ("month", date(2026, 11, 23), date(2026, 11, 1), date(2026, 12, 1)),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        ("quarter", date(2026, 11, 23), date(2026, 10, 1), date(2027, 1, 1)),
        ("quarter", date(2026, 3, 31), date(2026, 1, 1), date(2026, 4, 1)),
        ("year", date(2026, 1, 1), date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_periods(kind: str, day: date, first: date, after: date) -> None:
    assert rules.period_of(kind, day) == (first, after)


@given(st.sampled_from(sorted(rules.PERIODS)), days)
def test_every_day_lies_in_exactly_one_period_and_periods_touch(kind: str, day: date) -> None:
    first, after = rules.period_of(kind, day)
    assert first <= day < after
    assert rules.period_of(kind, first) == rules.period_of(kind, after - timedelta(days=1)) == (first, after)
    assert rules.period_of(kind, after)[0] == after


@pytest.mark.parametrize(
    ("state", "to", "allowed"),
    [
        ("in_approval", "in_approval", True),
        ("in_approval", "approved", True),
        ("in_approval", "rejected", True),
        ("in_approval", "withdrawn", True),
        ("in_approval", "closed", False),
        ("approved", "closed", True),
        ("approved", "rejected", False),
        ("approved", "in_approval", False),
        ("rejected", "approved", False),
        ("withdrawn", "approved", False),
        ("closed", "approved", False),
    ],
)
def test_moves(state: str, to: str, *, allowed: bool) -> None:
    if allowed:
        rules.check_move("EXP-000001", state, to)
        return
    with pytest.raises(RuleViolation, match="EXP-000001"):
        rules.check_move("EXP-000001", state, to)


@pytest.mark.parametrize("amounts", [[], ["0"], ["10", "-0.01"]])
def test_lines_that_ask_for_nothing(amounts: list[str]) -> None:
    with pytest.raises(RuleViolation):
        rules.check_lines([Money.parse(amount) for amount in amounts])


def test_lines_that_ask_for_something() -> None:
    rules.check_lines([Money.parse("0.01")])


def claim(policy: str, wanted: str, left: str) -> rules.Claim:
    return rules.Claim("销售部 / 差旅 / 2026-11", policy, Money.parse(wanted), Money.parse(left))


@pytest.mark.parametrize(
    ("policy", "wanted", "left", "verdict"),
    [
        ("stop", "100", "100", "ok"),
        ("stop", "100.01", "100", "stop"),
        ("warn", "100", "100", "ok"),
        ("warn", "100.01", "100", "warn"),
        ("ignore", "100.01", "100", "ok"),
        ("stop", "1", "-5", "stop"),
    ],
)
def test_what_a_budget_says(policy: str, wanted: str, left: str, verdict: str) -> None:
    assert claim(policy, wanted, left).verdict == verdict


def test_a_stopping_budget_is_named_with_what_is_left_and_the_remedy() -> None:
    with pytest.raises(RuleViolation) as refused:
        rules.check_budgets([claim("warn", "5", "1"), claim("stop", "1200", "1000")])
    assert "销售部 / 差旅 / 2026-11 has 1,000.00 left, 1,200.00 are asked for" in str(refused.value)
    assert refused.value.remedy is not None


def test_warnings_let_pass() -> None:
    warned = claim("warn", "5", "1")
    assert rules.check_budgets([claim("stop", "5", "5"), warned]) == [warned]
