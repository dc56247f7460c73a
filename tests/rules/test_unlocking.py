"""The day a customer goes back to the pool: counted in calendar days, from the latest of what protects it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from processes.ownership.rules.unlocking import Held, Rule, due, due_by, warning

RULE = Rule(1, "久未跟踪", "no_contact", 30, date(2026, 1, 1))
HELD = Held(locked_on=date(2026, 3, 1))


def day_of(rule: Rule, held: Held) -> date | None:
    found = due_by(rule, held)
    return found.on if found is not None else None


def test_day_n_exactly_is_still_locked_the_next_unlocks() -> None:
    found = due_by(RULE, HELD)
    assert found is not None
    assert found.on == date(2026, 3, 1) + timedelta(days=31)
    assert found.days_left(date(2026, 3, 31)) == 1


@pytest.mark.parametrize(
    ("rule", "held", "on"),
    [
        (RULE, replace(HELD, qualified_on=date(2026, 3, 20)), date(2026, 4, 20)),
        (RULE, replace(HELD, qualified_on=date(2026, 2, 1)), date(2026, 4, 1)),
        (replace(RULE, starts_on=date(2026, 5, 1)), HELD, date(2026, 6, 1)),
        (RULE, replace(HELD, protected_until=date(2026, 7, 1)), date(2026, 7, 1)),
        (RULE, replace(HELD, protected_until=date(2026, 3, 5)), date(2026, 4, 1)),
        (RULE, replace(HELD, deal_on=date.max), date(2026, 4, 1)),
        (replace(RULE, kind="no_deal"), replace(HELD, deal_on=date.max), None),
        (replace(RULE, kind="no_deal"), replace(HELD, deal_on=date(2026, 4, 1)), date(2026, 5, 2)),
        (replace(RULE, kind="no_deal"), replace(HELD, qualified_on=date(2026, 3, 30)), date(2026, 4, 1)),
    ],
    ids=["contact", "before_the_lock", "rule_enabled", "protected", "protection_over", "other_kind", "active_deal",
         "suspended_deal_until_its_wake_date", "contact_is_no_deal"],
)  # fmt: skip
def test_what_it_is_reckoned_from(rule: Rule, held: Held, on: date | None) -> None:
    assert day_of(rule, held) == on


def test_the_first_rule_of_a_kind_that_fits_is_the_one_and_of_two_kinds_the_earlier_counts() -> None:
    long, short = replace(RULE, id=2, days=90, levels={"A"}), RULE
    of_deals = replace(RULE, id=3, kind="no_deal", days=10)
    a, c = replace(HELD, level="A"), replace(HELD, level="C")
    assert [found.rule.id for held in (a, c) if (found := due([long, short], held))] == [2, 1]
    found = due([long, short, of_deals], a)
    assert found is not None
    assert found.rule.id == 3
    assert due([replace(RULE, departments={7})], replace(HELD, department_id=8)) is None
    assert due([replace(RULE, departments={7}, industries={"it"})], replace(HELD, department_id=7)) is None
    assert due([], HELD) is None


def test_warnings_come_at_seven_three_and_one_and_a_missed_day_is_caught_up_with() -> None:
    found = due_by(RULE, HELD)
    assert found is not None
    seen = {left: warning(found, found.on - timedelta(days=left)) for left in range(9)}
    assert seen == {0: None, 1: 1, 2: 3, 3: 3, 4: 7, 5: 7, 6: 7, 7: 7, 8: None}


@given(
    days=st.integers(1, 400),
    starts=st.integers(0, 500),
    locked=st.integers(0, 500),
    contact=st.none() | st.integers(0, 500),
    protected=st.none() | st.integers(0, 900),
)
def test_never_sooner_than_n_days_after_the_rule_the_lock_and_the_contact(
    days: int, starts: int, locked: int, contact: int | None, protected: int | None
) -> None:
    def day(number: int | None) -> date | None:
        return None if number is None else date(2026, 1, 1) + timedelta(days=number)

    starts_on, locked_on = day(starts), day(locked)
    assert starts_on is not None
    assert locked_on is not None
    on = day_of(replace(RULE, days=days, starts_on=starts_on), Held(locked_on, day(contact), None, day(protected)))
    assert on is not None
    assert (on - max(one for one in (starts_on, locked_on, day(contact)) if one is not None)).days > days
    assert protected is None or on >= date(2026, 1, 1) + timedelta(days=protected)
