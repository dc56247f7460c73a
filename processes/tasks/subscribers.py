"""When somebody leaves, whoever stands above learns that tasks are left behind."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.events import subscribe
from engine.i18n import _
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.assignments import superior_of
from processes.organization.models import Employee
from processes.tasks import rules
from processes.tasks.models import Task

LEFT_BEHIND = kind("tasks.left_behind", _("Somebody below me leaves open tasks behind"), mandatory=True)


@subscribe("organization.employee_left")
def tell_the_superior(session: Session, *, employee_id: int, **_facts: Any) -> None:
    of_person = or_(Task.assignee_id == employee_id, Task.assigner_id == employee_id)
    count = session.scalar(select(func.count()).select_from(Task).where(of_person, Task.state.in_(rules.OPEN))) or 0
    superior = superior_of(session, employee_id)
    if not count or superior is None:
        return
    leaver = session.get_one(Employee, employee_id)
    notify(
        session,
        SYSTEM,
        persons=[superior.id],
        kind=LEFT_BEHIND,
        title=_("{who} has left; {count} open tasks are to be handed over", who=leaver.name, count=count),
        key=f"tasks.left:{employee_id}",
        link=f"/hand-over?person={employee_id}",
    )
