"""When somebody leaves, whoever stands above learns that tasks are left behind; a missed call becomes a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.events import subscribe
from engine.i18n import _
from processes.kernel.known_numbers import written_to
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.assignments import superior_of
from processes.organization.models import Employee
from processes.tasks import rules
from processes.tasks.models import Task
from processes.tasks.operations import create_task
from processes.telephony.models import Call
from processes.telephony.operations import MISSED
from processes.telephony.permissions import CALL

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


@subscribe(MISSED)
def call_back(session: Session, *, call_id: int, number: str, people: Sequence[int], **_facts: Any) -> None:
    """A missed call is somebody's to return: of whoever it rang first, else of those who take what nobody takes.

    One who tries five times is called back once: while a task about this number is open, there comes no other.
    """
    if not number:
        return  # hidden: nobody could return it
    same = select(Call.id).where(Call.number == number)
    open_one = exists().where(Task.record_type == CALL, Task.record_id.in_(same), Task.state.in_(rules.OPEN))
    if session.scalar(select(open_one)):
        return
    directory = CATALOG.directory
    here = directory.active(session, people) if directory is not None else ()
    takers = here or (directory.fallback_persons(session) if directory is not None else ())
    if takers:
        title = _("Call back {number}", number=written_to(session, takers[:1], number))
        create_task(
            session,
            SYSTEM,
            title=title.in_locale(session.get_one(Employee, takers[0]).locale),
            assignee=takers[0],
            assigner=takers[0],
            record=(CALL, call_id),
            origin=f"{MISSED}:{call_id}",
        )
