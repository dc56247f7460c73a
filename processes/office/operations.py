"""Leave requests: filed from the form, marked by what was decided; and who should delegate before going away."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from engine.models import WorkItem
from engine.service_tasks import StepFacts, service_task
from processes.approval.models import Delegation
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.working_time import business_date, working_days_in
from processes.office import rules
from processes.office.models import LeaveRequest
from processes.office.rules import Span
from processes.organization.calendar import company_calendar
from processes.organization.models import Department, Employee

RECORD_TYPE = "office.leave_request"


@service_task("office.file_leave", _("File the leave request"))
def file_leave(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    kind: str,
    first_day: str,
    first_half: str,
    last_day: str,
    last_half: str,
    reason: str = "",
) -> dict[str, Any]:
    """Make the leave request of this process instance from the form, or bring it up to date after a revision.

    first_half: "morning" or "afternoon".  last_half: "noon" or "evening".
    Returns {"id", "number", "title", "days": text, "first_day", "last_day"}; the diagram keeps it as `leave`.
    """
    if kind not in rules.KINDS:
        raise RuleViolation(_("Please choose one of the offered values."), code="no_such_kind")
    span = Span(_day(first_day), _day(last_day), first_half == "afternoon", last_half == "noon")
    rules.check_span(span)
    days = working_days_in(
        span.first,
        span.last,
        from_noon=span.from_noon,
        until_noon=span.until_noon,
        calendar=company_calendar(session),
    )
    rules.check_days(days)
    _lock_person(session, facts.starter_id)
    starter = session.get_one(Employee, facts.starter_id)
    found = select(LeaveRequest).where(LeaveRequest.instance_id == facts.instance_id)
    leave = session.scalar(found.with_for_update(of=LeaveRequest))
    rules.check_overlap(span, _others(session, starter.id, facts.instance_id))
    action, before = "filed", None
    if leave is None:
        leave = LeaveRequest(
            instance_id=facts.instance_id,
            starter_id=starter.id,
            department_id=starter.department_id,
            created_by=actor.person_id,
            is_demo=starter.is_demo,
        )
        session.add(leave)
    else:
        rules.check_move(leave.number, leave.state, "in_approval")
        action, before = "revised", _told(leave)
    leave.kind, leave.reason, leave.state = kind, reason, "in_approval"
    leave.first_day, leave.last_day = span.first, span.last
    leave.from_noon, leave.until_noon = span.from_noon, span.until_noon
    leave.half_days = int(days * 2)
    stamp(leave, actor)
    session.flush()
    if leave.number is None:
        leave.number = f"LV-{leave.id:06d}"
        session.flush()
    journal.audit(session, actor, RECORD_TYPE, leave.id, action, before, _told(leave))
    return _told(leave)


def _lock_person(session: Session, person_id: int) -> None:
    """Two requests of one person that come at once see each other."""
    session.execute(select(Employee.id).where(Employee.id == person_id).with_for_update(key_share=True)).first()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleViolation(_("Please write a date, for example 2026-05-04.")) from None


def _others(session: Session, person_id: int, instance_id: int) -> list[tuple[str, Span]]:
    theirs = select(LeaveRequest).where(
        LeaveRequest.starter_id == person_id,
        LeaveRequest.state.in_(("in_approval", "approved")),
        LeaveRequest.instance_id != instance_id,
    )
    return [(str(one.number), span_of(one)) for one in session.scalars(theirs)]


def span_of(leave: LeaveRequest) -> Span:
    return Span(leave.first_day, leave.last_day, leave.from_noon, leave.until_noon)


def _told(leave: LeaveRequest) -> dict[str, Any]:
    return {
        "id": leave.id,
        "number": leave.number,
        "title": f"{leave.reason} {leave.first_day.isoformat()} – {leave.last_day.isoformat()}".strip(),
        "days": str(leave.days),
        "first_day": leave.first_day.isoformat(),
        "last_day": leave.last_day.isoformat(),
    }


@service_task("office.approve_leave", _("Mark the leave as approved"))
def approve_leave(session: Session, actor: Actor, _facts: StepFacts, *, leave_id: int) -> dict[str, Any]:
    """Returns {"state": "approved"}."""
    return _move(session, actor, lock_for_change(session, LeaveRequest, leave_id), "approved")


@service_task("office.reject_leave", _("Mark the leave as rejected"))
def reject_leave(session: Session, actor: Actor, _facts: StepFacts, *, leave_id: int) -> dict[str, Any]:
    """Returns {"state": "rejected"}."""
    return _move(session, actor, lock_for_change(session, LeaveRequest, leave_id), "rejected")


def mark_withdrawn(session: Session, actor: Actor, *, instance_id: int, state: str) -> None:
    """The process ended before anybody decided: withdrawn by its starter, or stopped by an administrator."""
    found = select(LeaveRequest).where(LeaveRequest.instance_id == instance_id)
    leave = session.scalar(found.with_for_update(of=LeaveRequest))
    if leave is not None and leave.state == "in_approval":
        _move(session, actor, leave, state)


def take_back(session: Session, actor: Actor, *, instance_id: int, state: str, action: str) -> None:
    """What was decided counts no more: the process is voided ("withdrawn") or opened again ("in_approval").

    Raises RuleViolation when other leave has taken the days of one that is opened again.
    """
    found = select(LeaveRequest).where(LeaveRequest.instance_id == instance_id)
    leave = session.scalar(found.with_for_update(of=LeaveRequest))
    if leave is None or leave.state == state:
        return
    if state == "in_approval":
        _lock_person(session, leave.starter_id)
        rules.check_overlap(span_of(leave), _others(session, leave.starter_id, instance_id))
    before = leave.state
    leave.state = state
    stamp(leave, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, leave.id, action, {"state": before}, {"state": state})


def _move(session: Session, actor: Actor, leave: LeaveRequest, state: str) -> dict[str, Any]:
    if leave.state != state:
        rules.check_move(leave.number, leave.state, state)
        before = leave.state
        leave.state = state
        stamp(leave, actor)
        session.flush()
        journal.audit(session, actor, RECORD_TYPE, leave.id, state, {"state": before}, {"state": state})
    return {"state": leave.state}


# ------------------------------------------------------------------------------------------------- before going away


def leave_to_cover(session: Session, actor: Actor) -> LeaveRequest | None:
    """The next approved leave of somebody who approves things and has nobody to stand in for that time."""
    if not actor.person_id:
        return None
    mine = (
        select(LeaveRequest)
        .where(
            LeaveRequest.starter_id == actor.person_id,
            LeaveRequest.state == "approved",
            LeaveRequest.last_day >= business_date(clock.now()),
        )
        .order_by(LeaveRequest.first_day)
    )
    leaves = session.scalars(mine).all()
    if not leaves or not _approves(session, actor):
        return None
    return next((leave for leave in leaves if not _is_covered(session, leave)), None)


def _approves(session: Session, actor: Actor) -> bool:
    """Somebody answers to them, or they have decided on something before: others are not bothered."""
    me = actor.person_id
    asked = [
        select(Employee.id).where(Employee.superior_id == me, Employee.state == "active"),
        select(Department.id).where(Department.head_id == me, Department.state == "active"),
        select(WorkItem.id).where(WorkItem.done_by == me, WorkItem.outcome.in_(("approve", "reject", "return"))),
    ]
    return bool(session.scalar(select(or_(*(exists(one) for one in asked)))))


def _is_covered(session: Session, leave: LeaveRequest) -> bool:
    span = span_of(leave)
    covering = select(Delegation.id).where(
        Delegation.delegator_id == leave.starter_id,
        Delegation.state.in_(("requested", "accepted", "active", "ended")),
        Delegation.starts_at < span.ends,
        Delegation.ends_at > span.starts,
    )
    return session.scalar(covering.limit(1)) is not None
