"""Money is exact, and parts sum to the whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from engine.errors import RuleViolation
from processes.kernel.money import Money, in_capitals

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


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("0.55", "伍角伍分"),
        ("10", "壹拾元整"),
        ("325.04", "叁佰贰拾伍元零肆分"),  # this one and the next four: the central bank's own examples
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("1005", "壹仟零伍元整"),
        ("1.005", "壹元零壹分"),
        ("1001000000000.10", "壹万零壹拾亿元壹角整"),
        ("12345.60", "壹万贰仟叁佰肆拾伍元陆角整"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("100500", "壹拾万零伍佰元整"),
        ("100000005", "壹亿零伍元整"),
        ("1000050000", "壹拾亿零伍万元整"),
        ("1000000000000", "壹万亿元整"),
        ("-3.20", "负叁元贰角整"),
        ("-0.001", "零元整"),
    ],
)
def test_is_spelled_in_capitals_as_cheques_do(amount: str, words: str) -> None:
    assert in_capitals(Decimal(amount)) == words


_WORTH = {"拾": 10, "佰": 100, "仟": 1000}


def _cents(words: str) -> int:
    """Reads capitals back, by another road than they were written."""
    total = section = digit = 0
    for sign in words.removesuffix("整"):
        if sign in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(sign)
        elif sign in _WORTH:
            section, digit = section + digit * _WORTH[sign], 0
        elif sign == "万":
            total, section, digit = total + (section + digit) * 10**6, 0, 0
        elif sign == "亿":
            total, section, digit = (total + (section + digit) * 100) * 10**8, 0, 0
        elif sign == "元":
            total, section, digit = total + (section + digit) * 100, 0, 0
        else:
            total, digit = total + digit * {"角": 10, "分": 1}[sign], 0
    return total


@given(st.integers(0, 10**13 - 1))
def test_capitals_say_the_whole_amount(cents: int) -> None:
    words = in_capitals(Decimal(cents) / 100)
    assert _cents(words) == cents
    assert "零零" not in words
