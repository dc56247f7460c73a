"""Overdue approvals: their holders are reminded, then their superiors may decide as well."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine import clock, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import RuleViolation
from engine.i18n import _
from engine.models import Instance, WorkItem
from engine.service_tasks import StepFacts, service_task
from processes.approval import rules
from processes.kernel.working_time import working_time_between
from processes.messaging.operations import sms_to_employee
from processes.organization.assignments import line_above
from processes.organization.models import Employee


@service_task("approval.remind_overdue", _("Remind whoever has not decided"))
def remind_overdue(session: Session, actor: Actor, facts: StepFacts, *, host: str) -> dict[str, Any]:
    """Write an SMS to everybody with whom an item of this task still lies.

    host: id of the overdue task (`boundary.host` behind its timer).
    Returns {"reminded": [person id], "unreachable": [person id]}.
    """
    reminded: list[int] = []
    unreachable: list[int] = []
    for item in work_items.open_items(session, facts.instance_id, host):
        for person in _holders(session, item):
            reached = _tell(session, actor, facts, person, item, "approval_reminder")
            (reminded if reached else unreachable).append(person.id)
    return {"reminded": reminded, "unreachable": unreachable}


@service_task("approval.escalate_overdue", _("Let the superior decide as well"))
def escalate_overdue(session: Session, actor: Actor, facts: StepFacts, *, host: str) -> dict[str, Any]:
    """Give every overdue item of this task to its holders' superiors too, and tell them by SMS.

    Nobody above, or only the starter above: the holder is reminded once more, for nobody else may decide.
    Returns {"escalated_to": [person id], "reminded": [person id]}.
    """
    escalated: list[int] = []
    reminded: list[int] = []
    for item in work_items.open_items(session, facts.instance_id, host):
        holders = _holders(session, item)
        for holder in holders:
            superior = rules.escalation_target(line_above(session, holder.id), holders, facts.starter_id)
            if superior is None:
                _tell(session, actor, facts, holder, item, "approval_reminder")
                reminded.append(holder.id)
            elif superior.id not in escalated:
                work_items.add_candidate(session, actor, item, superior.id, f"overdue at {holder.name}")
                _tell(session, actor, facts, superior, item, "approval_escalated", holder=holder.name)
                escalated.append(superior.id)
    return {"escalated_to": escalated, "reminded": reminded}


def _holders(session: Session, item: WorkItem) -> list[Employee]:
    """The people with whom an item lies: its assignee, or everybody in its pool."""
    principals = [item.assignee_id] if item.assignee_id is not None else item.candidates
    ids: dict[int, None] = {}
    for principal in principals:
        members = (principal,) if principal > 0 else _members(session, principal)
        ids |= dict.fromkeys(members)
    people = (session.get(Employee, person_id) for person_id in ids)
    return [person for person in people if person is not None and person.is_active]


def _members(session: Session, principal: int) -> tuple[int, ...]:
    return CATALOG.directory.members(session, principal) if CATALOG.directory is not None else ()


def _tell(
    session: Session, actor: Actor, facts: StepFacts, person: Employee, item: WorkItem, template: str, **more: str
) -> bool:
    """Whether an SMS could be written; an employee without mobile number still finds the item in the inbox."""
    instance = session.get_one(Instance, item.instance_id)
    waiting = working_time_between(item.created_at, clock.now())
    values = {
        "title": instance.title,
        "step": item.title,
        "starter": instance.starter_name,
        "waiting_hours": int(waiting.total_seconds() // 3600),
        **more,
    }
    occasion = f"{facts.idempotency_key}:{item.id}"
    try:
        sms_to_employee(
            session, actor, person, template=template, values=values, occasion=occasion, instance_id=facts.instance_id
        )
    except RuleViolation as refusal:
        if refusal.code != "no_mobile_number":
            raise
        return False
    return True
