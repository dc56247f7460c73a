"""When a request may be filed, which way it may go, and what a budget allows. Sources: rows 121 and 122."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel.money import Money

PERIODS = {"month": 1, "quarter": 3, "year": 12}
"""Kind of period -> its months."""

POLICIES = ("stop", "warn", "ignore")

STATE_NAMES = {
    "in_approval": _("In approval"),
    "approved": _("Approved"),
    "rejected": _("Rejected"),
    "withdrawn": _("Withdrawn"),
    "closed": _("Closed"),
}
"""What people read of a request's state."""

NEXT_STATES = {
    "in_approval": {"in_approval", "approved", "rejected", "withdrawn"},
    "approved": {"closed"},
    "rejected": set[str](),
    "withdrawn": set[str](),
    "closed": set[str](),
}


def check_move(number: str | None, state: str, to: str) -> None:
    """A request moves forward only; what has been decided stays decided."""
    if to not in NEXT_STATES[state]:
        raise RuleViolation(
            _(
                "The request {number} is “{state}” and cannot become “{to}”.",
                number=number,
                state=STATE_NAMES[state],
                to=STATE_NAMES[to],
            ),
            code="wrong_state",
        )


def check_lines(amounts: Collection[Money]) -> None:
    """Something is asked for, and no line takes from another."""
    if not amounts:
        raise RuleViolation(_("A request needs at least one line."), code="no_lines")
    smallest = min(amounts, key=lambda money: money.amount)
    if smallest.amount <= 0:
        raise RuleViolation(
            _("Every line must ask for more than nothing, not for {amount}.", amount=str(smallest)),
            code="line_not_positive",
        )


def period_of(kind: str, day: date) -> tuple[date, date]:
    """The period [first day, first day of the next) of that kind in which a day lies."""
    months = PERIODS[kind]
    first = (day.month - 1) // months * months + 1
    after = first + months
    return date(day.year, first, 1), date(day.year + after // 13, (after - 1) % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request wants of one budget, and what is left of it."""

    budget: str
    policy: str
    wanted: Money
    left: Money

    @property
    def is_short(self) -> bool:
        return self.wanted > self.left

    @property
    def verdict(self) -> Literal["ok", "warn", "stop"]:
        if not self.is_short or self.policy == "ignore":
            return "ok"
        return "warn" if self.policy == "warn" else "stop"


def check_budgets(claims: Iterable[Claim]) -> list[Claim]:
    """The claims a warning is due for; the first budget that stops them refuses all."""
    warnings = []
    for claim in claims:
        if claim.verdict == "stop":
            raise RuleViolation(
                _(
                    "The budget {budget} has {left} left, {wanted} are asked for.",
                    budget=claim.budget,
                    left=str(claim.left),
                    wanted=str(claim.wanted),
                ),
                code="budget_exceeded",
                remedy=_("Have the budget raised, or return the request so that it asks for less."),
            )
        if claim.verdict == "warn":
            warnings.append(claim)
    return warnings
