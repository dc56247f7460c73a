"""Money is exact, and parts sum to the whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from engine.errors import RuleViolation
from processes.kernel.money import Money

yuan = st.decimals(min_value=-1_000_000_000, max_value=1_000_000_000, places=2).map(Money)


@pytest.mark.parametrize(
    ("given_value", "amount", "currency"),
    [
        ("1200.50", "1200.50", "CNY"),
        (" 12 ", "12.00", "CNY"),
        (7, "7.00", "CNY"),
        (Decimal("0.1"), "0.10", "CNY"),
        ("-0.00", "0.00", "CNY"),
        ({"amount": "9.99", "currency": "USD"}, "9.99", "USD"),
        ({"amount": "1500", "currency": "JPY"}, "1500", "JPY"),
    ],
)
def test_reads_what_people_and_machines_write(given_value: object, amount: str, currency: str) -> None:
    assert Money.parse(given_value).as_dict() == {"amount": amount, "currency": currency}


@pytest.mark.parametrize(
    "value",
    ["", "12,30", "1.234", "NaN", "Infinity", "1e30", 12.3, True, None, [], {"amount": None}, {"currency": "CNY"},
     {"amount": "1", "currency": "XYZ"}, {"amount": "0.5", "currency": "JPY"}],
)  # fmt: skip
def test_refuses_what_is_no_exact_amount(value: object) -> None:
    with pytest.raises(RuleViolation):
        Money.parse(value)


@given(yuan)
def test_its_json_reads_back_as_itself(money: Money) -> None:
    assert Money.parse(money.as_dict()) == money


@given(st.lists(yuan, max_size=20))
def test_a_total_is_the_exact_sum_in_any_order(parts: list[Money]) -> None:
    assert Money.total(parts) == Money.total(reversed(parts))
    assert Money.total(parts).amount == sum((part.amount for part in parts), Decimal(0))


@pytest.mark.parametrize(
    ("amount", "factor", "rounded"),
    [("0.05", "0.5", "0.03"), ("-0.05", "0.5", "-0.03"), ("10.00", "0.3333", "3.33"), ("0.01", "0.4", "0.00")],
)
def test_a_product_is_rounded_half_up(amount: str, factor: str, rounded: str) -> None:
    assert Money.parse(amount).times(Decimal(factor)) == Money.parse(rounded)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(RuleViolation):
        Money.parse("1") + Money.parse("1", "USD")
    with pytest.raises(RuleViolation):
        Money.parse("1") < Money.parse("1", "USD")  # noqa: B015


def test_is_written_for_people_with_thousands() -> None:
    assert str(Money.parse("12345.6")) == "12,345.60"
    assert str(Money.parse("12345.6", "USD")) == "USD 12,345.60"
