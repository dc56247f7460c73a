"""Every move of a task: one row each, under the task's lock, refused when the page it was made on is out of date."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from engine import attachments as files, clock, journal, work_items
from engine.actor import Actor
from engine.errors import Forbidden, InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.kernel.columns import lock_for_change, stamp
from processes.organization.assignments import line_above
from processes.organization.models import Employee
from processes.tasks import permissions, rules
from processes.tasks.models import Task, TaskMove
from processes.tasks.operations import telling
from processes.tasks.operations.reading import watchers


def move(
    session: Session,
    actor: Actor,
    *,
    task_id: int,
    action: str,
    version: int | None = None,
    text: str = "",
    attachments: Iterable[int] = (),
) -> Task:
    """Accept, decline, start, submit, confirm, return or cancel.

    text: the reason, or what is said when it is handed in.  attachments: what is handed in.
    version: the one the actor saw; a stale one is a Conflict.
    """
    task = _locked(session, actor, task_id, version)
    permissions.demand(actor, task, action)
    text = rules.check_text("text", text, needed=rules.MOVES[action].needs_text)
    before = task.state
    task.state = rules.next_state(action, task.assigner_id, task.assignee_id)
    if action == "submit":
        task.result = text
        files.hang(session, actor, attachments, permissions.TASK, task.id)
    if task.state not in rules.AT_WORK:
        task.warn_at = None
    elif before not in rules.AT_WORK:
        _warn_anew(task)  # it came back: who is to be warned begins with the assignee
    made = _note(session, actor, task, action, before, text)
    telling.moved(session, actor, task, made, watchers(session, task.id))
    return task


def reassign(
    session: Session, actor: Actor, *, task_id: int, assignee: int, version: int | None = None, text: str = ""
) -> Task:
    """Give it to somebody else, who is asked anew unless the assigner stands above; earlier moves stay."""
    task = _locked(session, actor, task_id, version)
    permissions.demand_reassign(actor, task)
    text = rules.check_text("text", text, needed=False)
    person = session.get(Employee, assignee)
    if person is None or not person.is_active:
        raise InvalidForm([Problem("assignee", _("There is no such person with the company."))])
    if assignee == task.assignee_id and task.state != "declined":
        raise RuleViolation(_("The task lies with {name} already.", name=person.name), code="same_assignee")
    return _pass_on(session, actor, task, person, "reassign", text)


def may_hand_over(session: Session, actor: Actor, person: int) -> bool:
    """The tasks of this person: who hands over people's work or manages tasks, and those above in the line."""
    if work_items.may_hand_over(actor) or actor.may(permissions.MANAGE):
        return True
    return actor.person_id in {one.id for one in line_above(session, person)}


def to_hand_over(session: Session, actor: Actor, person: int) -> list[Task]:
    """What `reassign_all` would pass on; changes nothing."""
    _demand_hand_over(session, actor, person)
    return list(session.scalars(_left_behind(person)))


def reassign_all(session: Session, actor: Actor, *, from_person: int, to_person: int, reason: str = "") -> list[int]:
    """Everything open that somebody does or has given passes to another person, in one transaction; answers which.

    For leavers and long absences.
    """
    _demand_hand_over(session, actor, from_person)
    text = rules.check_text("reason", reason, needed=False)
    person = session.get(Employee, to_person)
    if person is None or not person.is_active or to_person == from_person:
        raise InvalidForm([Problem("to", _("There is no such person with the company."))])
    moved = []
    for found in to_hand_over(session, actor, from_person):
        task = lock_for_change(session, Task, found.id)
        if task.state not in rules.OPEN or from_person not in (task.assignee_id, task.assigner_id):
            continue  # somebody moved it meanwhile
        if task.assigner_id == from_person:
            task.assigner_id = to_person
        if task.assignee_id == from_person:
            _pass_on(session, actor, task, person, "hand_over", text)
        else:
            _note(session, actor, task, "hand_over", task.state, text, from_person=from_person, to_person=to_person)
        moved.append(task.id)
    return moved


def open_about(session: Session, record_type: str, record_ids: Collection[int]) -> list[Task]:
    """Open tasks about these records, whoever has them; index ix_task_record."""
    wanted = select(Task).where(
        Task.record_type == record_type, Task.record_id.in_(record_ids), Task.state.in_(rules.OPEN)
    )
    return list(session.scalars(wanted.order_by(Task.id)))


def follow_record(session: Session, actor: Actor, *, task_id: int, from_person: int, to_person: int) -> bool:
    """A task follows the record it is about to whoever works on that now; whether it lay with the former one still.

    The right to give the record away is the right to this: it is asked by the caller.
    """
    task = lock_for_change(session, Task, task_id)
    person = session.get_one(Employee, to_person)
    if task.state not in rules.OPEN or task.assignee_id != from_person or not person.is_active:
        return False
    _pass_on(session, actor, task, person, "hand_over", "")
    return True


def _left_behind(person: int) -> Select[Task]:
    of_person = or_(Task.assignee_id == person, Task.assigner_id == person)
    return select(Task).where(of_person, Task.state.in_(rules.OPEN)).order_by(Task.id)


def _demand_hand_over(session: Session, actor: Actor, person: int) -> None:
    if not may_hand_over(session, actor, person):
        raise Forbidden(
            _("Only those above a person may hand over the tasks; others need the right “{permission}”.",
              permission=permissions.MANAGE)
        )  # fmt: skip


# ------------------------------------------------------------------------------------------------- shared


def _locked(session: Session, actor: Actor, task_id: int, version: int | None) -> Task:
    permissions.readable(session, actor, task_id)
    return lock_for_change(session, Task, task_id, version)


def _pass_on(session: Session, actor: Actor, task: Task, person: Employee, action: str, text: str) -> Task:
    before, previous = task.state, task.assignee_id
    task.assignee_id, task.assignee = person.id, person
    if before != "submitted":  # what is handed in waits for its confirmation, whoever had done it
        above = {one.id for one in line_above(session, person.id)}
        task.state = rules.first_state(task.assigner_id, person.id, above)
        _warn_anew(task)
    made = _note(session, actor, task, action, before, text, from_person=previous, to_person=person.id)
    telling.assigned(session, actor, task, made)
    telling.taken_away(session, actor, task, made)
    return task


def _warn_anew(task: Task) -> None:
    task.warn_at, task.warned = task.due_at, 0


def _note(
    session: Session,
    actor: Actor,
    task: Task,
    action: str,
    before: str,
    text: str,
    *,
    from_person: int | None = None,
    to_person: int | None = None,
) -> TaskMove:
    stamp(task, actor)
    made = TaskMove(
        task_id=task.id,
        at=clock.now(),
        actor_id=actor.person_id,
        actor_name=actor.name,
        action=action,
        from_state=before,
        to_state=task.state,
        from_person=from_person,
        to_person=to_person,
        text=text,
    )
    session.add(made)
    session.flush()
    people = {} if to_person is None else {"from": from_person, "to": to_person}
    journal.audit(session, actor, permissions.TASK, task.id, action, {"state": before}, {"state": task.state, **people})
    return made
