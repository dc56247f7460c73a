"""Patterns of numbers: what is refused when a rule is saved, how a number is written, and that none repeats."""

from __future__ import annotations

from datetime import date
from itertools import pairwise, product

import pytest
from hypothesis import assume, given, strategies as st

from engine.errors import RuleViolation
from processes.numbering import rules
from processes.numbering.rules import Office

DAY = date(2026, 3, 4)
OFFICE = Office("办公室", "办")


def test_the_shipped_rule_writes_what_the_standard_asks_for() -> None:
    rules.check_pattern(rules.OFFICIAL, reset="yearly", scope="none")
    assert rules.write(rules.OFFICIAL, value=12, day=DAY, office=None) == "云启〔2026〕12号"


@pytest.mark.parametrize(
    ("pattern", "value", "text"),
    [
        ("{n}", 1, "1"),
        ("{n:4}", 12, "0012"),
        ("{n:4}", 12345, "12345"),
        ("EXP-{n:6}", 17, "EXP-000017"),
        ("{year}{month}{day}-{n}", 7, "20260304-7"),
        ("云启{department_code}〔{year}〕{n}号", 3, "云启办〔2026〕3号"),
        ("{department}（{ year }）{n}", 3, "办公室（2026）3"),
    ],
)
def test_a_number_is_written_as_the_pattern_says(pattern: str, value: int, text: str) -> None:
    assert rules.write(pattern, value=value, day=DAY, office=OFFICE) == text


@pytest.mark.parametrize(
    ("pattern", "reset", "scope", "why"),
    [
        ("云启〔{year}〕号", "yearly", "none", "exactly once"),
        ("{n}/{n:3}〔{year}〕", "yearly", "none", "exactly once"),
        ("{year}{year}-{n}", "yearly", "none", "twice"),
        ("{jahr}-{n}", "yearly", "none", "no place “jahr”"),
        ("{}{n}", "never", "none", "no place “”"),
        ("{n:x}", "never", "none", "no place “n:x”"),
        ("{n:99}", "never", "none", "at most"),
        ("{n} }", "never", "none", "stands alone"),
        ("{{n}", "never", "none", "stands alone"),
        ("A-{n}", "yearly", "none", "would be the same"),
        ("{month}-{n}", "yearly", "none", "would be the same"),
        ("{year}-{n}", "monthly", "none", "would be the same"),
        ("{year}-{n}", "yearly", "department", "would be the same"),
        ("{department}{n}", "never", "department", "no digit"),
        ("{department}{year}{n}", "yearly", "department", "no digit"),
        ("{n}0{department_code}", "never", "none", "no digit"),
        ("{department}{department_code}-{n}", "never", "department", "not both"),
    ],
)
def test_a_pattern_that_cannot_be_or_would_repeat_is_refused(pattern: str, reset: str, scope: str, why: str) -> None:
    with pytest.raises(RuleViolation, match=why) as refused:
        rules.check_pattern(pattern, reset=reset, scope=scope)
    assert refused.value.code == "bad_pattern"


def test_what_a_number_needs_of_its_department_must_be_there() -> None:
    with pytest.raises(RuleViolation) as refused:
        rules.write("{department}-{n}", value=1, day=DAY, office=None)
    assert refused.value.code == "department_missing"
    with pytest.raises(RuleViolation, match="办公室 has no code"):
        rules.write("{department_code}-{n}", value=1, day=DAY, office=Office("办公室", None))


# ------------------------------------------------------------------------------------------------- properties

WORDS = st.text(alphabet="云启0129-〔〕号ab", max_size=4)
PLACE = st.sampled_from(["{year}", "{month}", "{day}", "{department}", "{department_code}"])
NUMBER = st.sampled_from(["{n}", "{n:2}", "{n:4}", "{n:12}"])
NAMES = st.text(alphabet="A1-〕办0", min_size=1, max_size=5)
LIKE_EACH_OTHER = ("A", "A1", "A11", "1", "11", "1-1", "A-1", "A2026", "2026")
NUMBERS = (1, 2, 11, 12, 111, 112, 1111, 20261, 202611)
DAYS = (date(2026, 1, 11), date(2026, 11, 1), date(2026, 11, 11), date(2027, 1, 11))


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Places in any order with words between them, the number somewhere: many are sound, many are not."""
    places = draw(st.lists(PLACE, unique=True, max_size=4))
    places.insert(draw(st.integers(0, len(places))), draw(NUMBER))
    return "".join(draw(WORDS) + place for place in places) + draw(WORDS)


@given(patterns(), st.sampled_from(rules.RESETS), st.sampled_from(rules.SCOPES))
def test_two_numbers_of_an_accepted_pattern_never_read_alike(pattern: str, reset: str, scope: str) -> None:
    """Every number of departments, numbers and days chosen to look like each other."""
    try:
        rules.check_pattern(pattern, reset=reset, scope=scope)
    except RuleViolation:
        assume(False)
    seen: dict[str, object] = {}
    for name, value, day in product(LIKE_EACH_OTHER, NUMBERS, DAYS):
        series = (value, rules.period_of(reset, day), name if scope == "department" else "")
        text = rules.write(pattern, value=value, day=day, office=Office(name, name))
        assert seen.setdefault(text, series) == series, (pattern, text)


@given(st.lists(st.tuples(NAMES, st.integers(1, 200)), unique=True, min_size=2, max_size=60))
def test_departments_that_share_digits_are_told_apart(taken: list[tuple[str, int]]) -> None:
    """The narrow case of the property above: one pattern, names and numbers that look like each other."""
    pattern = "{department}-{n}"
    rules.check_pattern(pattern, reset="never", scope="department")
    texts = {rules.write(pattern, value=n, day=DAY, office=Office(name, None)) for name, n in taken}
    assert len(texts) == len(taken)


@given(patterns(), st.integers(1, 10**13), st.dates(date(2000, 1, 1), date(2099, 12, 31)), NAMES)
def test_a_number_can_be_read_in_its_text_and_no_place_is_left(pattern: str, value: int, day: date, name: str) -> None:
    text = rules.write(pattern, value=value, day=day, office=Office(name, name))
    assert str(value) in text
    assert "{" not in text
    assert "}" not in text


@given(st.sets(st.integers(1, 60)), st.integers(1, 61))
def test_what_is_missing_and_what_is_there_make_up_the_series(values: set[int], next_value: int) -> None:
    there = sorted(value for value in values if value < next_value)
    stretches = list(rules.missing(there, 1, next_value))
    gone = [value for first, last in stretches for value in range(first, last + 1)]
    assert sorted([*there, *gone]) == list(range(1, next_value))
    assert all(before[1] + 1 < after[0] for before, after in pairwise(stretches))
