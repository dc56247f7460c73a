"""Delegations that may be and those that may not: circles, chains, overlaps, limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as some

from engine.errors import RuleViolation
from processes.approval import rules
from processes.approval.rules import Link
from processes.kernel.money import Money

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
A, B, C, D, E = range(1, 6)


def link(giver: int, taker: int, first: int = 0, last: int = 10, **more: Any) -> Link:
    """From day `first` to day `last` after NOON."""
    return Link(giver, taker, NOON + first * DAY, NOON + last * DAY, **more)


def refusal(new: Link, *others: Link) -> str | None:
    try:
        rules.check_delegation(new, others, NOON)
    except RuleViolation as violation:
        return violation.code
    return None


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (link(A, B), None),
        (link(A, A), "delegation_to_oneself"),
        (link(A, B, 5, 5), "period_reversed"),
        (link(A, B, 5, 4), "period_reversed"),
        (link(A, B, -5, 0), "period_over"),
        (link(A, B, -5, 1), None),
        (link(A, B, 0, 367), "period_too_long"),
        (link(A, B, scope="everything"), "no_such_scope"),
        (link(A, B, scope="processes"), "no_processes"),
        (link(A, B, scope="processes", processes=frozenset({"leave"})), None),
        (link(A, B, scope="amount"), "no_limit"),
        (link(A, B, scope="amount", limit=Money(Decimal(0))), "no_limit"),
        (link(A, B, scope="amount", limit=Money(Decimal(5000))), None),
    ],
)
def test_a_delegation_alone(new: Link, code: str | None) -> None:
    assert refusal(new) == code


def only(*keys: str) -> dict[str, Any]:
    return {"scope": "processes", "processes": frozenset(keys)}


@pytest.mark.parametrize(
    ("there", "new", "code"),
    [
        (link(A, B, 0, 5), link(A, C, 5, 9), None),
        (link(A, B, 0, 5), link(A, C, 4, 9), "delegation_overlaps"),
        (link(A, B, 0, 5), link(A, B, 0, 5), "delegation_overlaps"),
        (link(A, B, **only("leave")), link(A, C, **only("expense")), None),
        (link(A, B, **only("leave", "x")), link(A, C, **only("x")), "delegation_overlaps"),
        (link(A, B, **only("leave")), link(A, C), "delegation_overlaps"),
        (link(A, B, scope="amount", limit=Money(Decimal(1))), link(A, C, **only("x")), "delegation_overlaps"),
        (link(B, A, 0, 5), link(A, B, 4, 9), "delegation_circle"),
        (link(B, A, 0, 5), link(A, B, 5, 9), None),
        (link(B, A, **only("leave")), link(A, B, **only("expense")), "delegation_circle"),
        (link(C, B), link(A, B), None),
    ],
)
def test_two_delegations(there: Link, new: Link, code: str | None) -> None:
    assert refusal(new, there) == code


def test_a_circle_of_three_is_refused_wherever_it_closes() -> None:
    circle = [link(A, B), link(B, C), link(C, A)]
    for closing in circle:
        others = [one for one in circle if one is not closing]
        assert refusal(closing, *others) == "delegation_circle"


def test_three_may_follow_one_another_and_not_a_fourth() -> None:
    chain = [link(A, B), link(B, C), link(C, D), link(D, E)]
    for last in chain:
        others = [one for one in chain if one is not last]
        assert refusal(last, *others) == "delegation_chain"
    for few in (chain[:3], chain[1:]):
        for last in few:
            assert refusal(last, *[one for one in few if one is not last]) is None


def test_what_follows_at_different_times_is_no_chain() -> None:
    others = [link(A, B, 0, 3), link(B, C, 3, 6), link(C, D, 0, 6)]
    assert refusal(link(D, E, 0, 6), *others) is None
    assert refusal(link(D, E, 0, 6), link(A, B, 0, 4), *others[1:]) == "delegation_chain", "on the fourth day it is"


# ------------------------------------------------------------------------------------------------- who acts


def acts(person: int, *links: Link, process: str = "expense", amount: str | None = None) -> int:
    by_giver: dict[int, list[Link]] = {}
    for one in links:
        by_giver.setdefault(one.delegator, []).append(one)
    return rules.end_of_chain(person, by_giver, process, lambda: Money.parse(amount) if amount else None)


def test_the_last_of_the_chain_acts() -> None:
    assert acts(A, link(A, B), link(B, C), link(C, D)) == D
    assert acts(A) == A


def test_a_partial_delegation_ends_the_chain_for_what_it_does_not_cover() -> None:
    links = (link(A, B), link(B, C, **only("leave")))
    assert acts(A, *links, process="leave") == C
    assert acts(A, *links) == B


@pytest.mark.parametrize(("amount", "who"), [("5000.00", B), ("5000.01", A), (None, A)])
def test_a_limit_holds_for_what_has_an_amount(amount: str | None, who: int) -> None:
    assert acts(A, link(A, B, scope="amount", limit=Money(Decimal(5000))), amount=amount) == who


def test_another_currency_is_within_no_limit() -> None:
    assert not link(A, B, scope="amount", limit=Money(Decimal(5000))).covers("x", lambda: Money(Decimal(1), "USD"))


def test_the_amount_is_asked_only_where_there_is_a_limit() -> None:
    def never() -> Money | None:
        raise AssertionError("nobody needs it")

    assert link(A, B).covers("x", never)
    assert link(A, B, **only("x")).covers("x", never)


@given(some.lists(some.tuples(some.integers(1, 6), some.integers(1, 6), some.integers(0, 4), some.integers(1, 4))))
def test_whatever_was_accepted_one_by_one_has_neither_circle_nor_long_chain(
    wishes: list[tuple[int, int, int, int]],
) -> None:
    accepted: list[Link] = []
    for giver, taker, first, length in wishes:
        new = link(giver, taker, first, first + length)
        if refusal(new, *accepted) is None:
            accepted.append(new)
    for day in range(9):
        moment = NOON + day * DAY
        now = {one.delegator: one.delegate for one in accepted if one.starts <= moment < one.ends}
        for person in now:
            steps, at = 0, person
            while at in now:
                at, steps = now[at], steps + 1
                assert steps <= rules.LONGEST_CHAIN
                assert at != person
