"""The inbox: what waits for the caller, what he did, started and was copied on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Select, or_, select

from engine import clock, history
from engine.actor import Actor
from engine.errors import Problem
from engine.history import Line
from engine.i18n import _
from engine.models import Copy, InboxEntry, Instance, WorkItem
from webapp.api.answers import DueState, Person, due_facts
from webapp.api.endpoint import Answer, Call, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.api.reading import InvalidRequest

TAG = "work items"


class InboxQuery(ListQuery):
    view: Literal["open", "done", "started", "cc"] = "open"
    definition: Annotated[str, msgspec.Meta(max_length=100)] = ""
    overdue: bool = False
    """view=open: only what should have been done by now"""


class InboxLine(Answer):
    """One line of an inbox view."""

    item_id: int | None
    """views open and done"""
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


class Counts(Answer):
    open: int
    cc: int
    """copies not read yet"""


@endpoint("GET", "/work-items", tag=TAG)
def list_items(call: Call, query: InboxQuery) -> Page[InboxLine]:
    """What waits for you, what you did, what you started, what you were copied on.

    Counts and lists go up to a cap; `order` takes created_at and due_at (open), done_at (done), started_at (started) or
    sent_at (cc).
    """
    session, actor = call.session, call.actor
    if query.view == "open" and query == InboxQuery(page_size=query.page_size):
        found = history.inbox(session, actor, "open", size=query.page_size)
        lines = [*found.lines, *([None] if found.has_more else [])]
        return page_of(query, lines, None, lambda line: _line(line, "open"))
    wanted, order, key = _wanted(query, actor)
    total = total_of(session, query, wanted, key)
    found_rows = rows(session, query, wanted.order_by(*order))
    steps = history.present_steps(session, [row.Instance.id for row in found_rows]) if query.view == "started" else {}
    return page_of(query, found_rows, total, lambda row: _line(_read(query.view, row, steps), query.view))


@endpoint("GET", "/work-items/counts", tag=TAG)
def count_items(call: Call) -> Counts:
    """How much waits for you; each number stops at a cap."""
    return Counts(**history.counts(call.session, call.actor))


def _wanted(query: InboxQuery, actor: Actor) -> tuple[Select[*tuple[Any, ...]], tuple[Any, ...], Any]:
    """The rows of a view, their order, their key."""
    wanted: Select[*tuple[Any, ...]]
    of_item = select(WorkItem, Instance).join(Instance, Instance.id == WorkItem.instance_id)
    match query.view:
        case "open":
            mine = select(InboxEntry.item_id).where(InboxEntry.principal.in_(actor.principals))
            wanted, key = of_item.where(WorkItem.id.in_(mine)), WorkItem.id
            columns = {"created_at": key, "due_at": WorkItem.due_at}
        case "done":
            wanted, key = of_item.where(WorkItem.done_by == actor.person_id), WorkItem.id
            columns = {"done_at": WorkItem.done_at}
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
        if query.view != "open":
            raise InvalidRequest([Problem("overdue", _("Only open work can be overdue."), rule="invalid")])
        wanted = wanted.where(WorkItem.due_at <= clock.now())
    return wanted, ordering(query, columns, f"-{next(iter(columns))}", key), key


def _read(view: str, row: Any, steps: dict[int, str]) -> Line:
    instance: Instance = row.Instance
    item: WorkItem | None = row.WorkItem if view in ("open", "done") else None
    copy: Copy | None = row.Copy if view == "cc" else None
    since = instance.started_at
    if item is not None:
        since = item.created_at if view == "open" else item.done_at or item.created_at
    if copy is not None:
        since = copy.sent_at
    return Line(
        instance.id,
        instance.definition_key,
        instance.title,
        instance.summary,
        instance.state,
        instance.starter_id,
        instance.starter_name,
        item.id if item else copy.id if copy else None,
        item.title if item else steps.get(instance.id, ""),
        since=since,
        due_at=item.due_at if item and view == "open" else None,
        assignee_id=item.assignee_id if item else None,
        version=item.version if item else 0,
        outcome=item.outcome if item else "",
        read_at=copy.read_at if copy else None,
    )


def _line(line: Line, view: str) -> InboxLine:
    return InboxLine(
        item_id=line.item_id if view in ("open", "done") else None,
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
    )
