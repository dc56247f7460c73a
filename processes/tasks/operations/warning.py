"""Overdue tasks: their assignee is told at once, the assigner when a working day later nothing has happened."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import SYSTEM
from processes.organization.calendar import working_due
from processes.tasks import rules
from processes.tasks.models import Task
from processes.tasks.operations import telling


def due_warnings(session: Session, limit: int, *, after: int = 0) -> list[int]:
    """Ids of tasks about which somebody is to be told now."""
    due = select(Task.id).where(Task.warn_at <= clock.now(), Task.id > after)
    return list(session.scalars(due.order_by(Task.id).limit(limit)))


def warn(session: Session, *, task_id: int) -> bool:
    """Tell whoever is next, once; a job that runs twice finds nothing more to tell."""
    task = session.scalars(
        select(Task).where(Task.id == task_id, Task.warn_at <= clock.now()).with_for_update(skip_locked=True, of=Task)
    ).first()
    if task is None:
        return False
    if task.state not in rules.AT_WORK:
        task.warn_at = None
        session.flush()
        return False
    if task.warned == 0:
        task.warned, task.warn_at = 1, working_due(session, clock.now(), days=1)
        telling.overdue(session, SYSTEM, task, task.assignee_id)
    else:
        task.warned, task.warn_at = 2, None
        if task.assigner_id != task.assignee_id:
            telling.overdue(session, SYSTEM, task, task.assigner_id)
    session.flush()
    return True
