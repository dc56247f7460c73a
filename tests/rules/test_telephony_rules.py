"""Numbers as exchanges report them and as they are dialled; what a call came to."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from engine.errors import RuleViolation
from processes.kernel.phone_number import shown
from processes.telephony.rules import NumberPlan, read_number, result_of, state_of, to_dial, wanted_number

PLAIN, SHENZHEN = NumberPlan(), NumberPlan(outside="9", area="0755")


@pytest.mark.parametrize(
    ("reported", "read"),
    [
        ("13800138000", "+8613800138000"),
        ("013800138000", "+8613800138000"),
        ("913800138000", "+8613800138000"),
        ("9013800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("+8613800138000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("075512345678", "+8675512345678"),
        ("9075512345678", "+8675512345678"),
        ("86075512345678", "+8675512345678"),
        ("8675512345678", "+8675512345678"),
        ("82345678", "+8675582345678"),
        ("982345678", "+8675582345678"),
        ("4008001234", "+864008001234"),
        ("0014155550123", "+14155550123"),
        ("900014155550123", "900014155550123"),
        ("8001", "8001"),
        ("98001", "98001"),
        ("10086", "10086"),
        ("", ""),
        ("anonymous", ""),
        ("<unknown>", ""),
        ("Unavailable", ""),
        ("*98", "*98"),
    ],
)
def test_reported_numbers(reported: str, read: str) -> None:
    assert read_number(reported, SHENZHEN) == read


def test_without_a_plan_nothing_is_guessed() -> None:
    assert read_number("82345678", PLAIN) == "82345678"
    assert read_number("913800138000", PLAIN) == "913800138000"


@pytest.mark.parametrize(
    ("number", "plain", "with_nine", "people"),
    [
        ("+8613800138000", "13800138000", "913800138000", "138 0013 8000"),
        ("+8675512345678", "075512345678", "9075512345678", "0755-12345678"),
        ("+861012345678", "01012345678", "901012345678", "010-12345678"),
        ("+864008001234", "4008001234", "94008001234", "400 800 1234"),
        ("+14155550123", "0014155550123", "90014155550123", "+14155550123"),
        ("8001", "8001", "8001", "8001"),
    ],
)
def test_dialled_and_shown(number: str, plain: str, with_nine: str, people: str) -> None:
    assert to_dial(number, PLAIN) == plain
    assert to_dial(number, SHENZHEN) == with_nine
    assert shown(number) == people


@given(
    st.one_of(
        st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True), st.from_regex(r"\+86755[2-8][0-9]{7}", fullmatch=True)
    )
)
def test_what_we_dial_is_read_back_as_the_same_number(number: str) -> None:
    assert read_number(to_dial(number, SHENZHEN), SHENZHEN) == number
    assert wanted_number(shown(number), SHENZHEN) == number


@given(st.text(max_size=60))
def test_whatever_is_reported_is_read(text: str) -> None:
    assert len(read_number(text, SHENZHEN)) <= 40


def test_wanted_numbers() -> None:
    assert wanted_number("138 0013-8000", PLAIN) == "+8613800138000"
    assert wanted_number(" 8001 ", PLAIN) == "8001"
    for wrong in ("", "abc", "1380013", "+", "138\r\n0013"):
        with pytest.raises(RuleViolation):
            wanted_number(wrong, PLAIN)


def test_results_and_states() -> None:
    assert result_of("in", "normal", answered=True) == "answered"
    assert result_of("in", "timed_out", answered=False) == "missed"
    assert result_of("in", "link_lost", answered=False) == "link_lost"
    assert result_of("out", "unknown_number", answered=False) == "unknown_number"
    assert result_of("out", "strange", answered=False) == "failed"
    assert state_of([], answered=False, held=False, ended=False) == "dialling"
    assert state_of(["ringing", "over"], answered=False, held=False, ended=False) == "ringing"
    assert state_of(["talking", "over"], answered=True, held=True, ended=False) == "held"
    assert state_of(["ringing", "over"], answered=True, held=False, ended=False) == "ringing"
    assert state_of(["over"], answered=True, held=False, ended=True) == "ended"
