"""Tasks as lists show them, and what belongs to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from engine.actor import Actor
from processes.tasks import rules
from processes.tasks.models import Task, TaskMove, TaskWatcher
from processes.tasks.permissions import visible_to

View = Literal["mine", "given", "watching", "done", "team"]
VIEWS: tuple[View, ...] = ("mine", "given", "watching", "done", "team")

COUNT_CAP = 1000


def tasks(actor: Actor, view: View, *, text: str = "") -> Select[Task]:
    """The tasks of a view that the actor may see; whoever lists them adds order and page.

    mine: lies with me.  given: I gave and wait for.  watching.  done: over, whatever I had to do with it.
    team: everything open I may see that is none of these, as a superior.
    """
    wanted = select(Task).where(visible_to(actor), _view(actor, view))
    wanted = wanted.options(joinedload(Task.assigner), joinedload(Task.assignee))
    if text:
        wanted = wanted.where(
            or_(Task.title.icontains(text, autoescape=True), Task.description.icontains(text, autoescape=True))
        )
    return wanted


def _view(actor: Actor, view: View) -> ColumnElement[bool]:
    me = actor.person_id
    watched = Task.id.in_(select(TaskWatcher.task_id).where(TaskWatcher.person_id == me))
    is_open = Task.state.in_(rules.OPEN)
    match view:
        case "mine":
            return (Task.assignee_id == me) & Task.state.in_(rules.AT_WORK)
        case "given":
            return (Task.assigner_id == me) & is_open & ~((Task.assignee_id == me) & Task.state.in_(rules.AT_WORK))
        case "watching":
            return watched & is_open
        case "done":
            mine = or_(Task.assignee_id == me, Task.assigner_id == me, watched)
            return (
                mine
                & Task.state.in_(("confirmed", "cancelled", "declined", "submitted"))
                & ~((Task.assigner_id == me) & is_open)
            )
        case _:
            return is_open & (Task.assignee_id != me) & (Task.assigner_id != me)


def lying_with(actor: Actor) -> ScalarSelect[int]:
    """How many lie with the actor, counted up to COUNT_CAP; a part of a statement."""
    mine = (Task.assignee_id == actor.person_id, Task.state.in_(rules.AT_WORK))
    few = select(Task.id).where(*mine).limit(COUNT_CAP).subquery()
    return select(func.count()).select_from(few).scalar_subquery()


def open_count(session: Session, actor: Actor) -> int:
    return session.scalar(select(lying_with(actor))) or 0


def of_record(session: Session, actor: Actor, record_type: str, record_id: int) -> Sequence[Task]:
    """The tasks about a record that the actor may see, newest first."""
    about = (Task.record_type == record_type, Task.record_id == record_id)
    wanted = select(Task).where(visible_to(actor), *about).options(joinedload(Task.assignee))
    return session.scalars(wanted.order_by(Task.id.desc()).limit(50)).all()


def moves(session: Session, task_id: int) -> Sequence[TaskMove]:
    return session.scalars(select(TaskMove).where(TaskMove.task_id == task_id).order_by(TaskMove.id)).all()


def watchers(session: Session, task_id: int) -> list[int]:
    wanted = select(TaskWatcher.person_id).where(TaskWatcher.task_id == task_id)
    return list(session.scalars(wanted.order_by(TaskWatcher.person_id)))
