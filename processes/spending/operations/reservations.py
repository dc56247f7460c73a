"""The ledger of budgets: an approved request reserves, a closed or withdrawn one gives back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.i18n import _
from engine.service_tasks import StepFacts, service_task
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.money import Money
from processes.organization.models import Department
from processes.spending import rules
from processes.spending.models import Budget, BudgetEntry, ExpenseRequest

RECORD_TYPE = "spending.expense_request"


@service_task("spending.reserve_budget", _("Approve the request and reserve its budget"))
def reserve_budget(session: Session, actor: Actor, _facts: StepFacts, *, request_id: int) -> dict[str, Any]:
    """Mark the request approved and reserve its lines in every budget they fall under.

    A budget that stops refuses the approval as a whole (RuleViolation names it, what is left and what to do); one that
    warns lets it pass, marked. Requests racing for the last yuan wait for each other at the budget's row: one wins.
    Returns {"warnings": ["<budget>"], "budgets": count}.
    """
    request = lock_for_change(session, ExpenseRequest, request_id)
    if request.state == "approved":
        return _answer(session, request)
    rules.check_move(request.number, request.state, "approved")
    wanted, budgets = _lock_budgets(session, request)
    left = _left(session, budgets)
    claims = [rules.Claim(str(budget), budget.policy, wanted[budget.id], left[budget.id]) for budget in budgets]
    warnings = rules.check_budgets(claims)
    now = clock.now()
    again = _reserved_before(session, request.id)
    session.add_all(
        BudgetEntry(
            budget_id=budget.id,
            request_id=request.id,
            kind="reserve",
            amount=wanted[budget.id].amount,
            key=f"reserve:{request.id}:{budget.id}" + (f":{again}" if again else ""),
            at=now,
            actor_id=actor.person_id,
        )
        for budget in budgets
    )
    before = {"state": request.state}
    request.state = "approved"
    request.over_budget = bool(warnings)
    stamp(request, actor)
    session.flush()
    after: dict[str, Any] = {"state": "approved", "reserved": {claim.budget: str(claim.wanted) for claim in claims}}
    if warnings:
        after["over_budget"] = {claim.budget: str(claim.left) for claim in warnings}
    journal.audit(session, actor, RECORD_TYPE, request.id, "approved", before, after)
    return {"warnings": [claim.budget for claim in warnings], "budgets": len(claims)}


def _reserved_before(session: Session, request_id: int) -> int:
    """Lines of an earlier approval, before the process was opened again."""
    wanted = select(func.count()).where(BudgetEntry.request_id == request_id, BudgetEntry.kind == "reserve")
    return session.scalar(wanted) or 0


@service_task("spending.release_reservation", _("Give back what the request has reserved"))
def release_reservation(session: Session, actor: Actor, _facts: StepFacts, *, request_id: int) -> dict[str, Any]:
    """Give back what is reserved and not spent. Returns {"released": count of budgets}."""
    request = lock_for_change(session, ExpenseRequest, request_id)
    return {"released": release(session, actor, request)}


def release(session: Session, actor: Actor, request: ExpenseRequest) -> int:
    """Give back, in every budget, what this request holds; the caller has locked the request."""
    held: dict[int, Money] = defaultdict(lambda: Money.zero(request.currency))
    moved = 0
    for entry in session.scalars(select(BudgetEntry).where(BudgetEntry.request_id == request.id)):
        amount = Money(entry.amount, request.currency)
        held[entry.budget_id] += amount if entry.kind == "reserve" else Money.zero(request.currency) - amount
        moved += 1
    open_budgets = sorted(budget_id for budget_id, amount in held.items() if amount.amount > 0)
    session.execute(select(Budget.id).where(Budget.id.in_(open_budgets)).order_by(Budget.id).with_for_update()).all()
    now = clock.now()
    for budget_id in open_budgets:
        session.add(
            BudgetEntry(
                budget_id=budget_id,
                request_id=request.id,
                kind="release",
                amount=held[budget_id].amount,
                key=f"release:{request.id}:{budget_id}:{moved}",
                at=now,
                actor_id=actor.person_id,
            )
        )
    if open_budgets:
        session.flush()
        released = {str(budget_id): str(held[budget_id]) for budget_id in open_budgets}
        journal.audit(session, actor, RECORD_TYPE, request.id, "released", None, {"released": released})
    return len(open_budgets)


def _lock_budgets(session: Session, request: ExpenseRequest) -> tuple[dict[int, Money], Sequence[Budget]]:
    """What the lines want of each budget they fall under, and these budgets, locked in id order.

    A budget may be archived or moved between being found and being locked: then it is looked for again.
    """
    while True:
        wanted = _wanted_by_budget(session, request)
        budgets = session.scalars(
            select(Budget)
            .where(Budget.id.in_(wanted))
            .order_by(Budget.id)
            .with_for_update(of=Budget)
            .execution_options(populate_existing=True)
        ).all()
        if _wanted_by_budget(session, request) == wanted:
            return wanted, budgets


def _wanted_by_budget(session: Session, request: ExpenseRequest) -> dict[int, Money]:
    """What the lines want of each budget they fall under."""
    by_category: dict[int, Money] = defaultdict(lambda: Money.zero(request.currency))
    for line in request.lines:
        by_category[line.category_id] += Money(line.amount, request.currency)
    department = session.get(Department, request.department_id) if request.department_id is not None else None
    wanted: dict[int, Money] = {}
    for category_id, amount in by_category.items():
        wanted |= dict.fromkeys(_budgets_for(session, request, department, category_id), amount)
    return wanted


def _budgets_for(
    session: Session, request: ExpenseRequest, department: Department | None, category_id: int
) -> list[int]:
    """The budgets of the nearest department, going up, that has any for this category and day: month, quarter and year.

    None at all: the expense is not budgeted, and nothing is reserved.
    """
    while department is not None:
        found = select(Budget.id).where(
            Budget.department_id == department.id,
            Budget.category_id == category_id,
            Budget.currency == request.currency,
            Budget.state == "active",
            Budget.starts_on <= request.filed_on,
            Budget.ends_on > request.filed_on,
        )
        budgets = list(session.scalars(found))
        if budgets:
            return budgets
        department = session.get(Department, department.parent_id) if department.parent_id is not None else None
    return []


def _left(session: Session, budgets: Sequence[Budget]) -> dict[int, Money]:
    """What is left of budgets whose rows are locked, read after the lock: the ledger as it is now."""
    ids = [budget.id for budget in budgets]
    rows = session.execute(select(Budget.id, Budget.left, Budget.currency).where(Budget.id.in_(ids)))
    return {row.id: Money(row.left, row.currency) for row in rows}


def _answer(session: Session, request: ExpenseRequest) -> dict[str, Any]:
    """What reserving said the first time, for a step that is repeated."""
    count = len(session.scalars(select(BudgetEntry.id).where(BudgetEntry.request_id == request.id)).all())
    return {"warnings": [], "budgets": count}


def take_back(session: Session, actor: Actor, *, instance_id: int, state: str, action: str) -> None:
    """What was decided counts no more: the process is voided ("withdrawn") or opened again ("in_approval").

    What the request still holds goes back; a closed one has been spent and stays as it is.
    """
    request = session.scalar(
        select(ExpenseRequest).where(ExpenseRequest.instance_id == instance_id).with_for_update(of=ExpenseRequest)
    )
    if request is None or request.state in ("closed", state):
        return
    release(session, actor, request)
    before = request.state
    request.state = state
    stamp(request, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, request.id, action, {"state": before}, {"state": state})
