"""Who may see a task and who may move it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG, RecordKind
from engine.errors import Conflict, Forbidden, NotFound
from engine.i18n import Sentence, _
from processes.organization.permissions import below
from processes.tasks import rules
from processes.tasks.models import Task, TaskWatcher

TASK = "tasks.task"
"""The record type of a task."""

READ = "tasks.task.read"
MANAGE = "tasks.task.manage"
"""Give any task to somebody else, for instance a leaver's."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Those one gives, does or watches, and those of the people below; with the right, all."""
    if actor.may(READ) or actor.may(MANAGE):
        return true()
    watched = select(TaskWatcher.task_id).where(TaskWatcher.person_id == actor.person_id)
    people = below(actor.person_id)
    return or_(
        Task.assigner_id == actor.person_id,
        Task.assignee_id == actor.person_id,
        Task.id.in_(watched),
        Task.assignee_id.in_(people),
        Task.assigner_id.in_(people),
    )


def readable(session: Session, actor: Actor, task_id: int) -> Task:
    task = session.scalars(select(Task).where(Task.id == task_id, visible_to(actor))).first()
    if task is None:
        raise NotFound
    return task


@dataclass(frozen=True)
class Right:
    """A move with, where it is refused, the sentence that says why."""

    action: str
    refusal: Sentence | None = None

    @property
    def granted(self) -> bool:
        return self.refusal is None


def rights(actor: Actor, task: Task) -> tuple[Right, ...]:
    """Every move of this person's side, granted or with the reason why not; nothing for mere readers."""
    found = [
        Right(action, _refusal(move, task)) for action, move in rules.MOVES.items() if _is_side(actor, task, move.side)
    ]
    if _may_reassign(actor, task):
        over = task.state in ("confirmed", "cancelled")
        found.append(Right("reassign", _("The task is over.") if over else None))
    return tuple(found)


def demand(actor: Actor, task: Task, action: str) -> None:
    """Raise Forbidden for the wrong person, Conflict in the wrong state."""
    move = rules.MOVES[action]
    if not _is_side(actor, task, move.side):
        raise Forbidden(
            _("Only the one who does the task may do this.")
            if move.side == "assignee"
            else _("Only the one who gave the task may do this.")
        )
    refusal = _refusal(move, task)
    if refusal is not None:
        raise Conflict(refusal, remedy=_("Load it again."))


def demand_reassign(actor: Actor, task: Task) -> None:
    if not _may_reassign(actor, task):
        raise Forbidden(
            _("Only the one who gave the task may give it to somebody else; others need the right “{permission}”.",
              permission=MANAGE)
        )  # fmt: skip
    if task.state in ("confirmed", "cancelled"):
        raise Conflict(_("The task is over."), remedy=_("Load it again."))


def _is_side(actor: Actor, task: Task, side: rules.Side) -> bool:
    return actor.person_id == (task.assignee_id if side == "assignee" else task.assigner_id)


def _refusal(move: rules.Move, task: Task) -> Sentence | None:
    if task.state in move.sources:
        return None
    return _("This is not possible in the state the task is in now.")


def _may_reassign(actor: Actor, task: Task) -> bool:
    return actor.person_id == task.assigner_id or actor.may(MANAGE)


def _may_read(session: Session, actor: Actor, task_id: int) -> bool:
    return session.scalar(select(Task.id).where(Task.id == task_id, visible_to(actor))) is not None


def _title(session: Session, task_id: int) -> str:
    return session.scalar(select(Task.title).where(Task.id == task_id)) or ""


def _audience(session: Session, task_id: int) -> set[int]:
    task = session.get(Task, task_id)
    watchers = session.scalars(select(TaskWatcher.person_id).where(TaskWatcher.task_id == task_id))
    return {*watchers, *((task.assigner_id, task.assignee_id) if task is not None else ())}


CATALOG.records[TASK] = RecordKind(_may_read, _title, _audience)
