"""Overdue approvals as a diagram draws them: their holders are reminded, then their superiors may decide as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.i18n import _
from engine.models import WorkItem
from engine.service_tasks import StepFacts, service_task
from processes.approval import rules
from processes.approval.operations.telling import Told, facts_of, holders, overdue_with, tell
from processes.organization.assignments import lines_above
from processes.organization.models import Employee


@service_task("approval.remind_overdue", _("Remind whoever has not decided"))
def remind_overdue(session: Session, actor: Actor, facts: StepFacts, *, host: str) -> dict[str, Any]:
    """Write an SMS to everybody with whom an item of this task still lies.

    host: id of the overdue task (`boundary.host` behind its timer).
    Returns {"reminded": [person id], "unreachable": [person id]}.
    """
    told = Told()
    for item in work_items.open_items(session, facts.instance_id, host):
        _tell(session, actor, facts, holders(session, item), item, "approval_reminder", told)
    return {"reminded": told.persons, "unreachable": told.unreachable}


@service_task("approval.escalate_overdue", _("Let the superior decide as well"))
def escalate_overdue(session: Session, actor: Actor, facts: StepFacts, *, host: str) -> dict[str, Any]:
    """Give every overdue item of this task to its holders' superiors too, and tell them by SMS.

    Nobody above, or only the starter above: the holder is reminded once more, for nobody else may decide.
    Returns {"escalated_to": [person id], "reminded": [person id]}.
    """
    escalated: list[int] = []
    reminded: list[int] = []
    for item in work_items.open_items(session, facts.instance_id, host):
        present = holders(session, item)
        lines = lines_above(session, [holder.id for holder in present])
        alone = []
        for holder in present:
            superior = rules.escalation_target(lines[holder.id], present, facts.starter_id)
            if superior is None:
                alone.append(holder)
            elif superior.id not in escalated:
                work_items.add_candidate(session, actor, item, superior.id, overdue_with(holder.name))
                _tell(session, actor, facts, [superior], item, "approval_escalated", Told(), holder=holder.name)
                escalated.append(superior.id)
        _tell(session, actor, facts, alone, item, "approval_reminder", Told())
        reminded += [holder.id for holder in alone]
    return {"escalated_to": escalated, "reminded": reminded}


def _tell(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    people: Sequence[Employee],
    item: WorkItem,
    template: str,
    told: Told,
    **more: str,
) -> None:
    tell(
        session,
        actor,
        people,
        item,
        template,
        occasion=f"{facts.idempotency_key}:{item.id}",
        values={**facts_of(session, item), **more},
        channels=("sms",),
        told=told,
    )
