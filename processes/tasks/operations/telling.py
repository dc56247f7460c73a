"""Who is told what of a task."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from engine import events
from engine.actor import Actor
from engine.i18n import Sentence, _
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.tasks.models import Task, TaskMove
from processes.tasks.permissions import TASK

ASSIGNED = kind("tasks.assigned", _("Somebody gives me a task"), mandatory=True)
ANSWERED = kind("tasks.answered", _("My task is accepted or declined"))
SUBMITTED = kind("tasks.submitted", _("My task is handed in"))
DECIDED = kind("tasks.decided", _("What I handed in is confirmed or returned"))
ENDED = kind("tasks.ended", _("A task of mine is cancelled or given to somebody else"))
WATCHED = kind("tasks.watched", _("Something happens to a task I watch"))
OVERDUE = kind("tasks.overdue", _("A task is overdue"), mandatory=True)

TITLES: dict[str, tuple[str, Sentence]] = {
    "accept": (ANSWERED, _("accepted")),
    "decline": (ANSWERED, _("declined")),
    "submit": (SUBMITTED, _("handed in")),
    "confirm": (DECIDED, _("confirmed")),
    "return": (DECIDED, _("returned for rework")),
    "cancel": (ENDED, _("cancelled")),
}


def assigned(session: Session, actor: Actor, task: Task, made: TaskMove) -> None:
    """The new assignee; those above in the tower of packages hear it as an event."""
    title = _("{who} gives you a task: {title}", who=actor.name, title=task.title)
    _notify(session, actor, [task.assignee_id], ASSIGNED, title, task, f"task:{task.id}:{made.id}")
    events.publish(
        session,
        "tasks.task_assigned",
        task_id=task.id,
        assigner_id=task.assigner_id,
        assignee_id=task.assignee_id,
        state=task.state,
    )


def watched(session: Session, actor: Actor, task: Task, made: TaskMove, watchers: Iterable[int]) -> None:
    title = _("{who} lets you watch a task: {title}", who=actor.name, title=task.title)
    _notify(session, actor, watchers, WATCHED, title, task, f"task:{task.id}:{made.id}:watch")


def moved(session: Session, actor: Actor, task: Task, made: TaskMove, watchers: Iterable[int]) -> None:
    """The other side always; the watchers at what matters to them: handed in, and the end."""
    if made.action not in TITLES:
        return
    of_kind, deed = TITLES[made.action]
    title = _("{title}: {deed} by {who}", title=task.title, who=actor.name, deed=deed)
    other = task.assigner_id if actor.person_id == task.assignee_id else task.assignee_id
    key = f"task:{task.id}:{made.id}"
    _notify(session, actor, [other], of_kind, title, task, key, made.text)
    if made.to_state in ("submitted", "confirmed", "cancelled"):
        rest = set(watchers) - {other}
        _notify(session, actor, rest, WATCHED, title, task, key, made.text)
    events.publish(session, "tasks.task_moved", task_id=task.id, action=made.action, state=made.to_state)


def taken_away(session: Session, actor: Actor, task: Task, made: TaskMove) -> None:
    if made.from_person is None or made.from_person == task.assignee_id:
        return
    title = _("{title}: given to {who} instead of you", title=task.title, who=task.assignee.name)
    _notify(session, actor, [made.from_person], ENDED, title, task, f"task:{task.id}:{made.id}:from", made.text)


def overdue(session: Session, actor: Actor, task: Task, person_id: int) -> None:
    title = _("Overdue: {title} ({who})", title=task.title, who=task.assignee.name)
    due = task.due_at.isoformat() if task.due_at else ""
    _notify(session, actor, [person_id], OVERDUE, title, task, f"task:{task.id}:overdue:{due}:{task.assignee_id}")


def _notify(
    session: Session,
    actor: Actor,
    persons: Iterable[int],
    of_kind: str,
    title: Sentence,
    task: Task,
    key: str,
    text: str = "",
) -> None:
    others = [person for person in persons if person != actor.person_id]
    notify(session, actor, persons=others, kind=of_kind, title=title, key=key, text=text, record=(TASK, task.id))
