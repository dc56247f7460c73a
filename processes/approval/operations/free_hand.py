"""Approvals without a record behind them: the starter says in his own words what is to be approved, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from engine.service_tasks import StepFacts, service_task
from processes.organization.models import Employee


@service_task("approval.check_request", _("Check the chosen approvers"))
def check_request(
    session: Session, _actor: Actor, facts: StepFacts, *, title: str, approvers: Sequence[int]
) -> dict[str, Any]:
    """Refuse approvers who could not decide: the starter, and whoever has left since the form was filled in.

    Returns {"title", "approvers": [person id], "names": [text]} in the chosen order; the diagram keeps it as `request`.
    """
    if facts.starter_id in approvers:
        raise RuleViolation(
            _("Nobody approves his own request."), code="own_request", remedy=_("Take yourself off the approvers.")
        )
    wanted = select(Employee).where(Employee.id.in_(approvers))
    known = {person.id: person for person in session.scalars(wanted)}
    for id in approvers:
        person = known.get(id)
        if person is None or not person.is_active:
            raise RuleViolation(
                _("{name} has left the company.", name=person.name if person else str(id)),
                code="approver_left",
                remedy=_("Choose other approvers."),
            )
    chosen = list(dict.fromkeys(approvers))
    return {"title": title, "approvers": chosen, "names": [known[id].name for id in chosen]}


@service_task("approval.send_copies", _("Send copies"))
def send_copies(
    session: Session, actor: Actor, facts: StepFacts, *, persons: Sequence[int] | None = None
) -> dict[str, Any]:
    """Let these people read the instance, each once; nobody is fine too. Returns {"sent": how many are new}."""
    return {"sent": work_items.send_copies(session, actor, facts.instance_id, persons or ())}
