"""Tasks: listed, given, moved through their states, handed over."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy.orm import Session

from engine import attachments
from engine.actor import Actor
from processes.tasks import operations, permissions, rules
from processes.tasks.models import Task
from webapp.api.answers import Action, File, Names, Person, file_of
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "tasks"

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=rules.LONGEST_REASON)]
Files = Annotated[list[Id], msgspec.Meta(max_length=20, description="Files of yours that hang nowhere yet.")]

ORDERS = {"id": Task.id, "due_at": Task.due_at, "changed_at": Task.changed_at}


class TasksQuery(ListQuery):
    view: Literal["mine", "given", "watching", "done", "team"] = "mine"
    """mine: I am to do it | given: I gave it and it is not over | watching | done | team: what people below me have"""


class TaskLine(Answer):
    id: int
    title: str
    state: str
    """assigned | accepted | declined | in_progress | submitted | returned | confirmed | cancelled"""
    assigner: Person
    assignee: Person
    due_at: datetime | None
    record_type: str | None
    record_id: int | None
    created_at: datetime
    changed_at: datetime
    version: int
    """send it back with an action"""


class TaskMoveLine(Answer):
    at: datetime
    actor: Person
    action: str
    from_state: str
    to_state: str
    from_person: Person | None
    to_person: Person | None
    text: str


class TaskDetail(TaskLine):
    description: str
    deliverable: str
    result: str
    watchers: list[Person]
    files: list[File]
    moves: list[TaskMoveLine]
    actions: list[Action]


class NewTask(Body):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    assignee: Id
    watchers: Annotated[list[Id], msgspec.Meta(max_length=rules.MOST_WATCHERS)] = []
    description: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_TEXT)] = ""
    deliverable: Annotated[str, msgspec.Meta(max_length=500)] = ""
    due_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    record_type: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    record_id: Id | None = None
    attachments: Files = []
    send_copy: bool = False
    """send the assignee a copy of the process it is about, when he may not read it"""


class TaskAction(Body):
    version: Version


class TaskReason(TaskAction, kw_only=True):
    text: Reason


class HandIn(TaskAction, kw_only=True):
    text: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_REASON)] = ""
    attachments: Files = []


class Reassign(TaskAction, kw_only=True):
    assignee: Id
    text: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_REASON)] = ""


class HandOver(Body):
    from_person: Id
    to_person: Id
    reason: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_REASON)] = ""


class HandedOver(Answer):
    moved: int


class TaskCounts(Answer):
    mine: int
    """counted up to 1,000"""


@endpoint("GET", "/tasks", tag=TAG)
def list_tasks(call: Call, query: TasksQuery) -> Page[TaskLine]:
    """Your tasks. `q` looks in title and description; `order` takes id, due_at, changed_at."""
    wanted = operations.tasks(call.actor, query.view, text=query.q)
    total = total_of(call.session, query, wanted, Task.id)
    order = ordering(query, ORDERS, "-id", Task.id)
    found = [row.Task for row in rows(call.session, query, wanted.order_by(*order))]
    return page_of(query, found, total, _line)


@endpoint("GET", "/tasks/counts", tag=TAG)
def get_counts(call: Call) -> TaskCounts:
    """How many lie with you."""
    return TaskCounts(mine=operations.open_count(call.session, call.actor))


@endpoint("GET", "/tasks/{task_id}", tag=TAG)
def get_task(call: Call, task_id: Id) -> TaskDetail:
    """One task with its moves, and what you may do with it."""
    return _detail(call.session, call.actor, permissions.readable(call.session, call.actor, task_id))


@endpoint("POST", "/tasks", tag=TAG, status=201, refusals=(422,))
def create(call: Call, body: NewTask) -> TaskDetail:
    """Give somebody a task. It is accepted at once when you stand above the assignee, or are the same person."""
    record = (body.record_type, body.record_id) if body.record_type and body.record_id else None
    task = operations.create_task(
        call.session,
        call.actor,
        title=body.title,
        assignee=body.assignee,
        watchers=body.watchers,
        description=body.description,
        deliverable=body.deliverable,
        due_at=body.due_at,
        record=record,
        attachments=body.attachments,
        send_copy=body.send_copy,
    )
    call.headers["Location"] = f"{PREFIX}/tasks/{task.id}"
    return _detail(call.session, call.actor, task)


@endpoint("POST", "/tasks/{task_id}/actions/accept", tag=TAG, refusals=(409, 422))
def accept(call: Call, task_id: Id, body: TaskAction) -> TaskDetail:
    """Say that you will do it."""
    return _move(call, task_id, "accept", body.version)


@endpoint("POST", "/tasks/{task_id}/actions/decline", tag=TAG, refusals=(409, 422))
def decline(call: Call, task_id: Id, body: TaskReason) -> TaskDetail:
    """Say that you will not, and why."""
    return _move(call, task_id, "decline", body.version, body.text)


@endpoint("POST", "/tasks/{task_id}/actions/start", tag=TAG, refusals=(409, 422))
def start(call: Call, task_id: Id, body: TaskAction) -> TaskDetail:
    """Note that you have begun."""
    return _move(call, task_id, "start", body.version)


@endpoint("POST", "/tasks/{task_id}/actions/submit", tag=TAG, refusals=(409, 422))
def submit(call: Call, task_id: Id, body: HandIn) -> TaskDetail:
    """Hand it in. A task you gave yourself is over with that."""
    return _move(call, task_id, "submit", body.version, body.text, body.attachments)


@endpoint("POST", "/tasks/{task_id}/actions/confirm", tag=TAG, refusals=(409, 422))
def confirm(call: Call, task_id: Id, body: TaskAction) -> TaskDetail:
    """Confirm what was handed in; the task is over."""
    return _move(call, task_id, "confirm", body.version)


@endpoint("POST", "/tasks/{task_id}/actions/return", tag=TAG, refusals=(409, 422))
def send_back(call: Call, task_id: Id, body: TaskReason) -> TaskDetail:
    """Return what was handed in, and say what is missing."""
    return _move(call, task_id, "return", body.version, body.text)


@endpoint("POST", "/tasks/{task_id}/actions/cancel", tag=TAG, refusals=(409, 422))
def cancel(call: Call, task_id: Id, body: TaskReason) -> TaskDetail:
    """End a task you gave, and say why."""
    return _move(call, task_id, "cancel", body.version, body.text)


@endpoint("POST", "/tasks/{task_id}/actions/reassign", tag=TAG, refusals=(409, 422))
def reassign(call: Call, task_id: Id, body: Reassign) -> TaskDetail:
    """Give it to somebody else; its moves stay."""
    task = operations.reassign(
        call.session,
        call.actor,
        task_id=task_id,
        assignee=body.assignee,
        version=body.version,
        text=body.text,
    )
    return _detail(call.session, call.actor, task)


@endpoint("POST", "/tasks/actions/hand-over", tag=TAG, refusals=(422,))
def hand_over(call: Call, body: HandOver) -> HandedOver:
    """Everything open that a person does or has given passes to another, at once: for leavers."""
    moved = operations.reassign_all(
        call.session, call.actor, from_person=body.from_person, to_person=body.to_person, reason=body.reason
    )
    return HandedOver(moved=len(moved))


def _move(
    call: Call, task_id: int, action: str, version: int, text: str = "", handed_in: list[int] | None = None
) -> TaskDetail:
    task = operations.move(
        call.session,
        call.actor,
        task_id=task_id,
        action=action,
        version=version,
        text=text,
        attachments=handed_in or (),
    )
    return _detail(call.session, call.actor, task)


def _line(task: Task) -> TaskLine:
    return TaskLine(
        id=task.id,
        title=task.title,
        state=task.state,
        assigner=Person(id=task.assigner_id, name=task.assigner.name),
        assignee=Person(id=task.assignee_id, name=task.assignee.name),
        due_at=task.due_at,
        record_type=task.record_type,
        record_id=task.record_id,
        created_at=task.created_at,
        changed_at=task.changed_at,
        version=task.version,
    )


def _detail(session: Session, actor: Actor, task: Task) -> TaskDetail:
    line = _line(task)
    made = operations.moves(session, task.id)
    watchers = operations.watchers(session, task.id)
    people = [*watchers, *(one.from_person for one in made), *(one.to_person for one in made)]
    names = Names(session, people)
    files = attachments.of_records(session, permissions.TASK, [task.id]).get(task.id, [])
    return TaskDetail(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        description=task.description,
        deliverable=task.deliverable,
        result=task.result,
        watchers=[names(person) for person in watchers],
        files=[file_of(file) for file in files],
        moves=[
            TaskMoveLine(
                at=one.at,
                actor=Person(id=one.actor_id, name=one.actor_name),
                action=one.action,
                from_state=one.from_state,
                to_state=one.to_state,
                from_person=names.maybe(one.from_person),
                to_person=names.maybe(one.to_person),
                text=one.text,
            )
            for one in made
        ],
        actions=[
            Action(action=right.action, allowed=right.granted, reason=str(right.refusal) if right.refusal else "")
            for right in permissions.rights(actor, task)
        ],
    )
