"""Process instances: lists, one with its form and people, its history, its diagram, and how it is ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from engine import clock, history, repository, work_items
from engine.actor import Actor
from engine.errors import NotFound
from engine.forms import ScopedLookups
from engine.i18n import retold
from engine.models import Instance, InstanceLog, WorkItem
from engine.repository import Loaded
from engine.work_items import MOST
from engine.work_items.rights import ADMINISTER, may_read_instance, readable_by
from processes.approval.operations import do_to_many, foresee_many, urge_right
from webapp.api.answers import (
    Action,
    DueState,
    File,
    Form,
    InstanceLine,
    Names,
    Person,
    actions_of,
    due_facts,
    files_of,
    form_of,
    instance_line,
    reading_rights,
)
from webapp.api.endpoint import Answer, Body, Call, Id, Query, endpoint
from webapp.api.item_actions import Outcomes, Words, outcomes
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.api.reading import demand_one_of

TAG = "process instances"

State = Literal["draft", "running", "suspended", "completed", "rejected", "withdrawn", "terminated", "void", "failed"]


class InstancesQuery(ListQuery):
    state: State | None = None
    definition: Annotated[str, msgspec.Meta(max_length=100)] = ""
    starter: Id | None = None
    """person who started it"""
    business_key: Annotated[str, msgspec.Meta(max_length=120)] = ""
    overdue: bool = False
    """only those with a task that should have been done by now"""


class InstancesFilter(Body):
    """As in the list of instances; at least one of them."""

    state: State | None = None
    definition: Annotated[str, msgspec.Meta(max_length=100)] = ""
    starter: Id | None = None
    business_key: Annotated[str, msgspec.Meta(max_length=120)] = ""
    overdue: bool = False
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class ManyInstances(Body):
    """Instances by their ids or by a filter, and what is to be done to each."""

    action: Literal["urge", "suspend", "resume", "void", "terminate"]
    filter: InstancesFilter | None = None
    ids: Annotated[list[Id], msgspec.Meta(max_length=MOST)] = []
    reason: Words = ""
    """suspend, void and terminate need one; of an urge the word along with it"""
    dry_run: bool = False
    """only say of each whether it could be done"""


class OpenItem(Answer):
    """A user task that waits now, and with whom."""

    id: int
    node: str
    title: str
    assignee: Person | None
    """null while it lies in a pool"""
    candidates: int
    """principals of its pool"""
    since: datetime
    due_at: datetime | None
    token: int
    """names it in a jump"""
    due_state: DueState
    due_text: str
    """the same in words, in working time ("3 working hours left")"""


class InstanceDetail(InstanceLine):
    version: int
    """send it back with an action"""
    definition_version: int
    form: Form | None
    values: dict[str, Any]
    files: list[File]
    items: list[OpenItem]
    actions: list[Action]


class Change(Answer):
    before: Any
    after: Any


class HistoryLine(Answer):
    """One line of the instance log, part of its hash chain."""

    seq: int
    at: datetime
    actor: Person
    on_behalf_of: Person | None
    action: str
    node: str
    node_title: str
    item_id: int | None
    text: str
    """the opinion, reason or cause that was given"""
    changes: dict[str, Change]
    """of the form, by field"""
    hash: str


class HistoryQuery(Query):
    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    order: Literal["seq", "-seq"] = "seq"
    count: bool = False


class TokenAt(Answer):
    element: str
    title: str
    entered_at: datetime | None
    seconds: int | None
    """how long it has been there"""


class Passed(Answer):
    element: str
    title: str
    times: int


class Diagram(Answer):
    """The diagram, and where the tokens are and were."""

    xml: str
    active: list[TokenAt]
    done: list[Passed]
    flows: list[str]
    """sequence flows that were taken"""
    failed: list[str]


# ------------------------------------------------------------------------------------------------- lists

ORDERS = {
    "id": Instance.id,
    "started_at": Instance.started_at,
    "changed_at": Instance.changed_at,
    "ended_at": Instance.ended_at,
}


@endpoint("GET", "/process-instances", tag=TAG)
def list_instances(call: Call, query: InstancesQuery) -> Page[InstanceLine]:
    """The instances you may read: own, taken part in, copied to you; as a supervisor all.

    `order` takes id, started_at, changed_at, ended_at.
    """
    wanted = select(Instance).where(readable_by(call.actor), *_conditions(query))
    total = total_of(call.session, query, wanted, Instance.id)
    order = ordering(query, ORDERS, "-id", Instance.id)
    found = [row.Instance for row in rows(call.session, query, wanted.order_by(*order))]
    steps = history.present_steps(call.session, [row.id for row in found])
    return page_of(query, found, total, lambda row: instance_line(row, steps.get(row.id, "")))


def _conditions(query: InstancesQuery | InstancesFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.state:
        conditions.append(Instance.state == query.state)
    if query.definition:
        conditions.append(Instance.definition_key == query.definition)
    if query.starter:
        conditions.append(Instance.starter_id == query.starter)
    if query.business_key:
        conditions.append(Instance.business_key == query.business_key)
    if query.overdue:
        late = select(WorkItem.instance_id).where(WorkItem.state == "open", WorkItem.due_at <= clock.now())
        conditions.append(Instance.id.in_(late))
    if query.q:
        columns = (Instance.title, Instance.starter_name, Instance.business_key)
        conditions.append(or_(*(column.icontains(query.q, autoescape=True) for column in columns)))
    return conditions


# ------------------------------------------------------------------------------------------------- many


@endpoint("POST", "/process-instances/batch", tag=TAG, writes=False, refusals=(422,))
def batch(call: Call, body: ManyInstances) -> Outcomes:
    """Do one thing to many instances, by their `ids` or by a `filter`; for process administrators.

    At most 200 at once: a filter that finds more is refused (`too_many`) and wants to be narrowed. Each is a change of
    its own: one refused leaves the others done, and the answer says which and why. In a dry run `done` says that it
    could be done.
    """
    call.demand(ADMINISTER)
    session, actor = call.session, call.actor
    ids = _chosen(session, actor, body)
    if body.dry_run:
        return outcomes(foresee_many(session, actor, ids, body.action))
    session.rollback()
    return outcomes(do_to_many(actor, ids, body.action, reason=body.reason))


def _chosen(session: Session, actor: Actor, body: ManyInstances) -> list[int]:
    conditions = _conditions(body.filter) if body.filter is not None else []
    demand_one_of(body.ids, conditions)
    if body.ids:
        return body.ids
    found = select(Instance.id).where(readable_by(actor), *conditions).order_by(Instance.id)
    return list(session.scalars(found.limit(MOST + 1)))


# ------------------------------------------------------------------------------------------------- one instance


@endpoint("GET", "/process-instances/{instance_id}", tag=TAG)
def get_instance(call: Call, instance_id: Id) -> InstanceDetail:
    """One instance: form, files, with whom it lies, what you may do with it."""
    session, actor = call.session, call.actor
    row, loaded = _readable(session, actor, instance_id)
    line = instance_line(row, history.present_steps(session, [row.id]).get(row.id, ""))
    open_items = work_items.open_items(session, row.id)
    names = Names(session, [item.assignee_id for item in open_items])
    rights = work_items.instance_actions(row, actor, decided=work_items.decided(session, row.id))
    urge = urge_right(session, actor, row, open_items)
    return InstanceDetail(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        version=row.rev,
        definition_version=loaded.version,
        form=_reading_form(session, actor, row, loaded),
        values=work_items.readable_values(session, actor, row),
        files=files_of(session, actor, row),
        items=[
            OpenItem(
                id=item.id,
                node=item.node,
                title=item.title,
                assignee=names.maybe(item.assignee_id),
                candidates=len(item.candidates),
                since=item.created_at,
                due_at=item.due_at,
                token=item.token,
                **due_facts(item.due_at, item.created_at),
            )
            for item in open_items
        ],
        actions=actions_of([*rights, *([urge] if urge else [])]),
    )


def _readable(session: Session, actor: Actor, instance_id: int) -> tuple[Instance, Loaded]:
    row = session.get(Instance, instance_id)
    if row is None or not may_read_instance(session, actor, instance_id):
        raise NotFound
    return row, repository.get(session, row.definition_id)


def _reading_form(session: Session, actor: Actor, row: Instance, loaded: Loaded) -> Form | None:
    schema = loaded.start_form()
    if schema is None:
        return None
    rights = reading_rights(schema, work_items.hidden_fields(session, actor, row))
    return form_of(schema, ScopedLookups(session, actor, instance_id=row.id), rights)


@endpoint("GET", "/process-instances/{instance_id}/history", tag=TAG)
def get_history(call: Call, instance_id: Id, query: HistoryQuery) -> Page[HistoryLine]:
    """Who did what when, oldest first."""
    session, actor = call.session, call.actor
    row, loaded = _readable(session, actor, instance_id)
    hidden = work_items.hidden_fields(session, actor, row)
    seq = InstanceLog.seq
    lines = list(
        session.scalars(
            select(InstanceLog)
            .where(InstanceLog.instance_id == instance_id)
            .order_by(seq.desc() if query.order == "-seq" else seq)
            .offset((query.page - 1) * query.page_size)
            .limit(query.page_size + 1)
        )
    )
    names = Names(session, [line.on_behalf_of for line in lines])
    return Page(
        items=[_history_line(line, loaded, hidden, names) for line in lines[: query.page_size]],
        page=query.page,
        page_size=query.page_size,
        has_more=len(lines) > query.page_size,
        total=session.scalar(select(func.count()).where(InstanceLog.instance_id == instance_id))
        if query.count
        else None,
    )


def _history_line(line: InstanceLog, loaded: Loaded, hidden: set[str], names: Names) -> HistoryLine:
    detail = line.detail or {}
    changes = detail.get("changes") or {}
    return HistoryLine(
        seq=line.seq,
        at=line.at,
        actor=Person(id=line.actor_id, name=line.actor_name),
        on_behalf_of=names.maybe(line.on_behalf_of),
        action=line.action,
        node=line.node,
        node_title=_title(loaded, line.node),
        item_id=line.item_id,
        text=retold(next((detail[k] for k in ("opinion", "reason", "cause", "error") if detail.get(k)), "")),
        changes={n: Change(before=b, after=a) for n, (b, a) in changes.items() if n not in hidden},
        hash=line.hash,
    )


def _title(loaded: Loaded, node_id: str) -> str:
    node = loaded.compiled.nodes.get(node_id)
    return (node.name or node.id) if node else node_id


@endpoint("GET", "/process-instances/{instance_id}/diagram", tag=TAG)
def get_diagram(call: Call, instance_id: Id) -> Diagram:
    """The diagram's XML, and where the tokens are, were, and how long."""
    row, loaded = _readable(call.session, call.actor, instance_id)
    trail = history.trail(call.session, row.id)
    return Diagram(
        xml=loaded.diagram,
        active=[_token(loaded, element, trail.entered_at.get(element)) for element in sorted(trail.active)],
        done=[
            Passed(element=element, title=_title(loaded, element), times=trail.rounds.get(element, 1))
            for element in sorted(trail.done)
        ],
        flows=sorted(trail.flows),
        failed=sorted(trail.failed),
    )


def _token(loaded: Loaded, element: str, entered_at: datetime | None) -> TokenAt:
    return TokenAt(
        element=element,
        title=_title(loaded, element),
        entered_at=entered_at,
        seconds=int((clock.now() - entered_at).total_seconds()) if entered_at else None,
    )
