"""A new task: by a person on a page, out of a comment or a record, or by a machine that must make it once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import attachments as files, clock, journal, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import InvalidForm, Problem
from engine.i18n import Sentence, _
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.organization.assignments import line_above
from processes.organization.models import Employee
from processes.tasks import permissions, rules
from processes.tasks.models import Task, TaskMove, TaskWatcher
from processes.tasks.operations import telling

LONGEST_TITLE = 200
LONGEST_DELIVERABLE = 500
LONGEST_ORIGIN = 200


def create_task(
    session: Session,
    actor: Actor,
    *,
    title: str,
    assignee: int,
    assigner: int | None = None,
    watchers: Collection[int] = (),
    description: str = "",
    deliverable: str = "",
    due_at: datetime | None = None,
    record: tuple[str, int] | None = None,
    attachments: Iterable[int] = (),
    origin: str = "",
    send_copy: bool = False,
) -> Task:
    """Give somebody a task; it is accepted at once when the assigner stands above the assignee, or is the same person.

    record: what it is about, which the actor may read.  send_copy: the assignee gets a copy of that process when he may
    not read it.  origin: names the wish or the event; the same again is the same task.  assigner: in whose name a
    machine gives it; a person gives tasks in his own.
    """
    assigner_id = assigner if assigner is not None and actor.person_id == 0 else actor.person_id
    known = _known(session, origin)
    if known is not None:
        return known
    now = clock.now()
    problems: list[Problem] = []
    title = _text(problems, "title", title, LONGEST_TITLE, needed=_("This is required."))
    description = _text(problems, "description", description, rules.LONGEST_TEXT)
    deliverable = _text(problems, "deliverable", deliverable, LONGEST_DELIVERABLE)
    if "\n" in title:
        problems.append(Problem("title", _("A title has one line.")))
    if due_at is not None and due_at <= now:
        problems.append(Problem("due_at", _("This moment has passed already.")))
    problems += _strangers(session, {"assignee": [assignee], "assigner": [assigner_id], "watchers": watchers})
    if record is not None and not CATALOG.may_read(session, actor, *record):
        problems.append(Problem("record", _("There is no such record.")))
    if problems:
        raise InvalidForm(problems)
    above = {person.id for person in line_above(session, assignee)}
    task = Task(
        title=title,
        description=description,
        deliverable=deliverable,
        assigner_id=assigner_id,
        assignee_id=assignee,
        due_at=due_at,
        warn_at=due_at,
        state=rules.first_state(assigner_id, assignee, above),
        record_type=record[0] if record else None,
        record_id=record[1] if record else None,
        origin=origin or None,
        created_by=actor.person_id,
        changed_by=actor.person_id,
    )
    try:
        with session.begin_nested():
            session.add(task)
            session.flush()
    except IntegrityError:  # the same wish came twice at once, and the other one was faster
        known = _known(session, origin)
        if known is None:
            raise
        return known
    seen = set(watchers) - {assignee, assigner_id}
    session.add_all(TaskWatcher(task_id=task.id, person_id=person) for person in sorted(seen))
    files.hang(session, actor, attachments, permissions.TASK, task.id)
    made = TaskMove(
        task_id=task.id,
        at=now,
        actor_id=actor.person_id,
        actor_name=actor.name,
        action="assign",
        to_state=task.state,
        to_person=assignee,
    )
    session.add(made)
    session.flush()
    after = {"title": title, "assigner": assigner_id, "assignee": assignee, "state": task.state}
    journal.audit(session, actor, permissions.TASK, task.id, "created", None, after)
    if send_copy and record is not None and record[0] == INSTANCE:
        readers = CATALOG.readers(session, [assignee], *record)
        work_items.send_copies(session, actor, record[1], [] if readers else [assignee])
    telling.assigned(session, actor, task, made)
    telling.watched(session, actor, task, made, seen)
    return task


def _known(session: Session, origin: str) -> Task | None:
    if not origin:
        return None
    if len(origin) > LONGEST_ORIGIN:
        raise InvalidForm([Problem("origin", _("At most {count} characters fit here.", count=LONGEST_ORIGIN))])
    return session.scalars(select(Task).where(Task.origin == origin)).first()


def _text(problems: list[Problem], name: str, text: str, longest: int, needed: Sentence | None = None) -> str:
    try:
        text = rules.check_text(name, text, needed=False, longest=longest)
    except InvalidForm as refusal:
        problems.extend(refusal.problems)
        return ""
    if needed is not None and not text:
        problems.append(Problem(name, needed))
    return text


def _strangers(session: Session, asked: Mapping[str, Collection[int]]) -> list[Problem]:
    """The fields that name somebody who is not with the company, or too many."""
    if len(asked["watchers"]) > rules.MOST_WATCHERS:
        return [Problem("watchers", _("At most {count} are possible.", count=rules.MOST_WATCHERS))]
    everybody = {person for persons in asked.values() for person in persons}
    found = set(session.scalars(select(Employee.id).where(Employee.id.in_(everybody), Employee.state == "active")))
    message = _("There is no such person with the company.")
    return [Problem(name, message) for name, persons in asked.items() if not found.issuperset(persons)]
