"""What diagrams may do with numbers."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from engine.runtime.files import RECORD_TYPE
from engine.service_tasks import StepFacts, service_task
from processes.numbering.operations.numbers import assign
from processes.organization.models import Department, Employee


@service_task("numbering.issue_number", _("Give the process its official number"))
def issue_number(
    session: Session, actor: Actor, facts: StepFacts, *, rule: str, department: int | str | None = None
) -> dict[str, Any]:
    """Number this process by the rule of that code; run again, it is the same number.

    department: the id of the issuing department, the starter's own without it.  Returns {"number": text, "id": its id}.
    """
    office = _department(session, department) if department else _of_starter(session, facts)
    number = assign(session, actor, rule=rule, record=(RECORD_TYPE, facts.instance_id), department=office)
    return {"number": number.text, "id": number.id}


def _department(session: Session, given: int | str) -> Department:
    known = not isinstance(given, bool) and str(given).isdecimal() and len(str(given)) < 19
    found = session.get(Department, int(given)) if known else None
    if found is None:
        raise RuleViolation(_("There is no department {id}.", id=given), code="no_such_department")
    return found


def _of_starter(session: Session, facts: StepFacts) -> Department | None:
    starter = session.get(Employee, facts.starter_id)
    return starter.department if starter is not None else None
