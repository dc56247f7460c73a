"""The inbox: what waits for the caller, what he did, started and was copied on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import Select, or_, select

from engine import clock, history, work_items
from engine.errors import Problem
from engine.history import Line, View
from engine.i18n import _
from engine.models import Copy, Instance, WorkItem
from webapp.api.answers import DueState, Person, due_facts
from webapp.api.endpoint import Answer, Call, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.api.reading import InvalidRequest

TAG = "work items"


class InboxQuery(ListQuery):
    view: View = "open"
    """delegated: what others do for you; team: what lies with those who report to you directly"""
    definition: Annotated[str, msgspec.Meta(max_length=100)] = ""
    overdue: bool = False
    """views of what is to be done: only what should have been done by now"""


class InboxLine(Answer):
    """One line of an inbox view."""

    item_id: int | None
    """views of items: open, done, delegated, team"""
    copy_id: int | None
    """view cc"""
    instance_id: int
    definition: str
    title: str
    summary: dict[str, Any]
    state: str
    """of the instance"""
    starter: Person
    step: str
    since: datetime
    due_at: datetime | None
    due_state: DueState
    due_text: str
    """the same in words, in working time ("3 working hours left")"""
    assignee_id: int | None
    """null while it lies in a pool"""
    version: int
    outcome: str
    read_at: datetime | None
    item_state: str
    on_behalf_of: int | None
    """for whom a stand-in has it"""
    readable: bool
    """false: it lies with one of your people, and you may not open it; its summary is empty"""


class Counts(Answer):
    open: int
    cc: int
    """copies not read yet"""


@endpoint("GET", "/work-items", tag=TAG)
def list_items(call: Call, query: InboxQuery) -> Page[InboxLine]:
    """What waits for you, what you did, started and were copied on, what others do for you, what lies with your people.

    Counts and lists go up to a cap; `order` takes created_at and due_at (open, delegated, team), done_at (done),
    started_at (started) or sent_at (cc).
    """
    session, actor = call.session, call.actor
    if query.view == "open" and query == InboxQuery(page_size=query.page_size):
        found = history.inbox(session, actor, "open", size=query.page_size)
        lines = [*found.lines, *([None] if found.has_more else [])]
        return page_of(query, lines, None, lambda line: _line(line, "open"))
    wanted, order, key = _wanted(call, query)
    total = total_of(session, query, wanted, key)
    found_rows = rows(session, query, wanted.order_by(*order))
    steps = history.present_steps(session, [row.Instance.id for row in found_rows]) if query.view == "started" else {}
    read = [_read(query.view, row, steps) for row in found_rows]
    if query.view in history.OF_OTHERS:
        read = work_items.veiled(session, actor, read)
    return page_of(query, read, total, lambda line: _line(line, query.view))


@endpoint("GET", "/work-items/counts", tag=TAG)
def count_items(call: Call) -> Counts:
    """How much waits for you; each number stops at a cap."""
    return Counts(**history.counts(call.session, call.actor))


def _wanted(call: Call, query: InboxQuery) -> tuple[Select[*tuple[Any, ...]], tuple[Any, ...], Any]:
    """The rows of a view, their order, their key."""
    wanted: Select[*tuple[Any, ...]]
    actor = call.actor
    columns: dict[str, Any]
    match query.view:
        case "open" | "done" | "delegated" | "team":
            of_item = select(WorkItem, Instance).join(Instance, Instance.id == WorkItem.instance_id)
            wanted, key = of_item.where(history.in_view(call.session, actor, query.view)), WorkItem.id
            undone = {"created_at": key, "due_at": WorkItem.due_at}
            columns = {"done_at": WorkItem.done_at} if query.view == "done" else undone
        case "started":
            wanted, key = select(Instance).where(Instance.starter_id == actor.person_id), Instance.id
            columns = {"started_at": Instance.started_at}
        case "cc":
            copies = select(Copy, Instance).join(Instance, Instance.id == Copy.instance_id)
            wanted, key = copies.where(Copy.person_id == actor.person_id), Copy.id
            columns = {"sent_at": key}
    if query.q:
        like = (c.icontains(query.q, autoescape=True) for c in (Instance.title, Instance.starter_name))
        wanted = wanted.where(or_(*like))
    if query.definition:
        wanted = wanted.where(Instance.definition_key == query.definition)
    if query.overdue:
        if query.view not in history.UNDONE:
            raise InvalidRequest([Problem("overdue", _("Only open work can be overdue."), rule="invalid")])
        wanted = wanted.where(WorkItem.due_at <= clock.now())
    return wanted, ordering(query, columns, f"-{next(iter(columns))}", key), key


def _read(view: View, row: Any, steps: dict[int, str]) -> Line:
    instance: Instance = row.Instance
    if view in history.OF_ITEMS:
        return history.item_line(row.WorkItem, instance, view)
    copy: Copy | None = row.Copy if view == "cc" else None
    if copy is None:
        return history.instance_line(instance, None, steps.get(instance.id, ""), instance.started_at)
    return history.instance_line(instance, copy.id, "", copy.sent_at, read_at=copy.read_at)


def _line(line: Line, view: View) -> InboxLine:
    return InboxLine(
        item_id=line.item_id if view in history.OF_ITEMS else None,
        copy_id=line.item_id if view == "cc" else None,
        instance_id=line.instance_id,
        definition=line.definition_key,
        title=line.title,
        summary=line.summary,
        state=line.state,
        starter=Person(id=line.starter_id, name=line.starter_name),
        step=line.node_title,
        since=line.since,
        due_at=line.due_at,
        **due_facts(line.due_at, line.since),
        assignee_id=line.assignee_id,
        version=line.version,
        outcome=line.outcome,
        read_at=line.read_at,
        item_state=line.item_state,
        on_behalf_of=line.on_behalf_of,
        readable=line.readable,
    )
