"""Expense requests: filed from the form, marked by what was decided, closed when nothing more will be spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import Forbidden, NotFound, RuleViolation
from engine.i18n import _
from engine.service_tasks import StepFacts, service_task
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.money import Money
from processes.kernel.working_time import business_date
from processes.numbering import operations as numbering
from processes.organization.models import Employee
from processes.spending import permissions, rules
from processes.spending.models import ExpenseCategory, ExpenseLine, ExpenseRequest
from processes.spending.operations.reservations import RECORD_TYPE, release

NUMBERS = "expense_request"
"""The code of the rule requests are numbered by."""


@service_task("spending.file_request", _("File the expense request"))
def file_request(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    title: str,
    lines: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Make the request of this process instance from the form, or bring it up to date after a revision.

    lines: [{"category": code, "amount": money, "purpose": text}].
    Returns {"id", "number", "title", "amount": {"amount", "currency"}}; the diagram keeps it as `request`.
    """
    request = session.scalar(
        select(ExpenseRequest).where(ExpenseRequest.instance_id == facts.instance_id).with_for_update(of=ExpenseRequest)
    )
    amounts = [Money.parse(line.get("amount")) for line in lines]
    rules.check_lines(amounts)
    total = Money.total(amounts, amounts[0].currency)
    categories = _categories(session, lines)
    action, before = "filed", None
    if request is None:
        starter = session.get_one(Employee, facts.starter_id)
        request = ExpenseRequest(
            instance_id=facts.instance_id,
            starter_id=starter.id,
            department_id=starter.department_id,
            created_by=actor.person_id,
            is_demo=starter.is_demo,
        )
        session.add(request)
    else:
        rules.check_move(request.number, request.state, "in_approval")
        action, before = "revised", {"title": request.title, "amount": str(request.money)}
        request.lines.clear()
        session.flush()  # the old lines' places are free before the new ones take them
    request.title = title
    request.state = "in_approval"
    request.amount, request.currency = total.amount, total.currency
    request.filed_on = business_date(clock.now())
    request.lines = [
        ExpenseLine(
            position=position,
            category=categories[str(line.get("category"))],
            amount=amount.amount,
            purpose=line.get("purpose") or "",
        )
        for position, (line, amount) in enumerate(zip(lines, amounts, strict=True), start=1)
    ]
    stamp(request, actor)
    session.flush()
    if request.number is None:
        ensure_number_rule(session)
        record = (RECORD_TYPE, request.id)
        request.number = numbering.assign(
            session, actor, rule=NUMBERS, record=record, department=request.department
        ).text
        session.flush()
    journal.audit(
        session, actor, RECORD_TYPE, request.id, action, before, {"title": title, "amount": str(request.money)}
    )
    return {"id": request.id, "number": request.number, "title": request.title, "amount": request.money.as_dict()}


@service_task("spending.mark_rejected", _("Mark the request as rejected"))
def mark_rejected(session: Session, actor: Actor, _facts: StepFacts, *, request_id: int) -> dict[str, Any]:
    """Returns {"state": "rejected"}."""
    request = lock_for_change(session, ExpenseRequest, request_id)
    if request.state != "rejected":
        _move(session, actor, request, "rejected")
    return {"state": request.state}


def mark_withdrawn(session: Session, actor: Actor, *, instance_id: int, state: str) -> None:
    """The process ended before anybody decided: withdrawn by its starter, or stopped by an administrator."""
    request = session.scalar(
        select(ExpenseRequest).where(ExpenseRequest.instance_id == instance_id).with_for_update(of=ExpenseRequest)
    )
    if request is not None and request.state == "in_approval":
        _move(session, actor, request, state)


def close_request(session: Session, actor: Actor, *, record_id: int) -> None:
    """Nothing more will be spent on an approved request: what is left of its reservation goes back."""
    request = lock_for_change(session, ExpenseRequest, record_id)
    if not permissions.may_close(actor, request):
        seen = select(ExpenseRequest.id).where(ExpenseRequest.id == record_id, permissions.visible_to(actor))
        if session.scalar(seen) is None:
            raise NotFound
        raise Forbidden(_("Only its starter or finance may close the request {number}.", number=request.number))
    _move(session, actor, request, "closed")


def ensure_number_rule(session: Session) -> None:
    """The rule requests are numbered by. Numbers from before there were rules were the ids: it goes on after them."""
    numbering.ensure_rule(
        session,
        code=NUMBERS,
        name=_("Expense requests"),
        pattern="EXP-{n:6}",
        reset="never",
        start=lambda: (
            (session.scalar(select(func.max(ExpenseRequest.id)).where(ExpenseRequest.number.is_not(None))) or 0) + 1
        ),
    )


def _move(session: Session, actor: Actor, request: ExpenseRequest, state: str) -> None:
    rules.check_move(request.number, request.state, state)
    before = request.state
    request.state = state
    stamp(request, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, request.id, state, {"state": before}, {"state": state})
    release(session, actor, request)


def _categories(session: Session, lines: Sequence[Mapping[str, Any]]) -> dict[str, ExpenseCategory]:
    """The open categories the lines name, by code."""
    codes = {str(line.get("category")) for line in lines}
    wanted = select(ExpenseCategory).where(ExpenseCategory.code.in_(codes), ExpenseCategory.state == "active")
    found = {category.code: category for category in session.scalars(wanted)}
    for code in sorted(codes - found.keys()):
        raise RuleViolation(_("There is no expense category “{code}”.", code=code), code="no_such_category")
    return found
