"""Budgets: set, raised, lowered, closed. Their ledger is written by reservations alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry, differences
from processes.kernel.money import Money
from processes.organization.models import Department
from processes.spending import permissions, rules
from processes.spending.models import Budget, BudgetEntry, ExpenseCategory

RECORD_TYPE = "spending.budget"

_IDENTITY = ("department", "category", "period_kind", "starts_on")


def _amount(value: Any) -> Decimal:
    amount = Money.parse(value).amount
    if amount < 0:
        raise RuleViolation(_("A budget cannot be less than nothing."))
    return amount


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.reference("department", Department, required=True)
    entry.reference("category", ExpenseCategory, required=True)
    entry.choice("period_kind", rules.PERIODS, required=True)
    entry.day("starts_on", required=True)
    entry.parsed("amount", _amount, required=True)
    entry.choice("policy", rules.POLICIES, required=is_new)
    return entry.finish()


def create_budget(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Budget:
    """values: department, category, period_kind, starts_on (any day of the period), amount, policy."""
    permissions.require(actor, permissions.MANAGE_BUDGETS)
    clean = _read(session, values, is_new=True)
    clean["starts_on"], ends_on = rules.period_of(clean["period_kind"], clean["starts_on"])
    _check_unique(session, clean)
    budget = Budget(**clean, ends_on=ends_on)
    records.create(session, actor, RECORD_TYPE, budget, clean)
    session.refresh(budget)
    return budget


def change_budget(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Budget:
    """Raise or lower it, or change what happens beyond it; what it is for stays once money has moved."""
    permissions.require(actor, permissions.MANAGE_BUDGETS)
    budget = lock_for_change(session, Budget, record_id, version)
    clean = _read(session, values, is_new=False)
    kind = clean.get("period_kind", budget.period_kind)
    clean["starts_on"], clean["ends_on"] = rules.period_of(kind, clean.get("starts_on", budget.starts_on))
    _before, after = differences(budget, clean)
    if after.keys() & set(_IDENTITY):
        _check_untouched(session, budget)
        _check_unique(session, {name: clean.get(name, getattr(budget, name)) for name in _IDENTITY}, record_id)
    if "amount" in after:
        _check_not_below_commitments(budget, clean["amount"])
    records.change(session, actor, RECORD_TYPE, budget, clean)
    session.refresh(budget)
    return budget


def archive_budget(session: Session, actor: Actor, *, record_id: int) -> None:
    """Nothing more is reserved of it; refused while a reservation is open."""
    permissions.require(actor, permissions.MANAGE_BUDGETS)
    budget = lock_for_change(session, Budget, record_id)
    if budget.reserved:
        raise RuleViolation(
            _(
                "{amount} of the budget {budget} are still reserved.",
                amount=str(Money(budget.reserved, budget.currency)),
                budget=str(budget),
            ),
            code="budget_in_use",
            remedy=_("Close the requests that hold it first."),
        )
    records.archive(session, actor, RECORD_TYPE, budget)


def _check_unique(session: Session, clean: Mapping[str, Any], record_id: int = 0) -> None:
    starts_on: date = clean["starts_on"]
    other = session.scalar(
        select(Budget).where(
            Budget.department_id == clean["department"].id,
            Budget.category_id == clean["category"].id,
            Budget.period_kind == clean["period_kind"],
            Budget.starts_on == starts_on,
            Budget.id != record_id,
        )
    )
    if other is not None:
        raise RuleViolation(
            _("There is already a budget {budget}.", budget=str(other)),
            code="budget_exists",
            remedy=_("Change that one instead."),
        )


def _check_untouched(session: Session, budget: Budget) -> None:
    if session.scalar(select(exists().where(BudgetEntry.budget_id == budget.id))):
        raise RuleViolation(
            _(
                "Money has already moved on the budget {budget}; only its amount and policy can change.",
                budget=str(budget),
            ),
            code="budget_in_use",
        )


def _check_not_below_commitments(budget: Budget, amount: Decimal) -> None:
    committed = budget.reserved + budget.spent
    if amount < committed:
        raise RuleViolation(
            _(
                "{committed} of the budget {budget} are reserved or spent already; it cannot be lowered to {amount}.",
                committed=str(Money(committed, budget.currency)),
                budget=str(budget),
                amount=str(Money(amount, budget.currency)),
            ),
            code="budget_below_commitments",
        )
