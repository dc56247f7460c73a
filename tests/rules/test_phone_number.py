"""Phone numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from engine.errors import RuleViolation
from processes.kernel import phone_number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("199 0000 1234", "+8619900001234"),
        ("+86 199-0000-1234", "+8619900001234"),
        ("8619900001234", "+8619900001234"),
        ("008619900001234", "+8619900001234"),
        ("１９９００００１２３４", "+8619900001234"),
        ("（010）1234 5678", "+861012345678"),
        ("+86-755-12345678", "+8675512345678"),
        ("400-000-1234", "+864000001234"),
        ("+1 (202) 555-0100", "+12025550100"),
    ],
)
def test_reads(written: str, number: str) -> None:
    assert phone_number.parse(written) == number
    assert phone_number.parse(number) == number


@pytest.mark.parametrize(
    "written", ["", "12345", "1990000123", "199000012345", "19900001a34", "+86123", "12345678", "+"]
)
def test_refuses(written: str) -> None:
    with pytest.raises(RuleViolation):
        phone_number.parse(written)


@given(st.text(max_size=40))
def test_whatever_is_read_is_e164_and_reads_as_itself(text: str) -> None:
    try:
        number = phone_number.parse(text)
    except RuleViolation:
        return
    assert number.startswith("+")
    assert number[1:].isascii()
    assert number[1:].isdigit()
    assert phone_number.parse(number) == number


def test_only_mobiles_get_an_sms() -> None:
    assert phone_number.is_mobile("+8619900001234")
    assert phone_number.is_mobile("+12025550100")
    assert not phone_number.is_mobile("+861012345678")
    assert not phone_number.is_mobile("+864000001234")


def test_logs_keep_four_digits() -> None:
    assert phone_number.masked("+8619900001234") == "**********1234"
