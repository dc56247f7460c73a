"""The lines of the inbox and of the list of instances, as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field as slot
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from engine import clock, history, repository
from engine.actor import Actor
from engine.forms.fields import in_words
from engine.history import Line, Page, View
from engine.models import Copy, InboxEntry, Instance, WorkItem
from engine.work_items import Right, allowed_actions
from webapp.skin import formats
from webapp.workflow import fields, processes

PAGE_SIZE = 20
LONGEST_SEARCH = 60


@dataclass(frozen=True)
class Wanted:
    """How an inbox list is narrowed."""

    text: str = ""
    process: str = ""
    overdue: bool = False

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.process or self.overdue)

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Wanted:
        return cls(args.get("q", "").strip()[:LONGEST_SEARCH], args.get("process", ""), args.get("overdue") == "1")

    def arguments(self) -> dict[str, str]:
        """For addresses of the same list."""
        pairs = {"q": self.text, "process": self.process, "overdue": "1" if self.overdue else ""}
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True)
class Entry:
    """One line with what the page adds to it."""

    line: Line
    key: int
    """what its address ends in: the work item, the instance or the copy"""
    name: str
    """what the request is about"""
    process: str
    icon: str
    summary: tuple[tuple[str, str], ...]
    """(label, text) of the fields the form shows in lists"""
    actions: tuple[Right, ...] = ()

    @property
    def quick(self) -> bool:
        """Whether it may be approved right from the list."""
        return any(right.action == "approve" and right.granted for right in self.actions)

    @property
    def claimable(self) -> bool:
        return any(right.action == "claim" and right.granted for right in self.actions)


@dataclass(frozen=True)
class Listing:
    view: View
    wanted: Wanted
    entries: list[Entry]
    has_more: bool

    @property
    def last(self) -> int | None:
        return self.entries[-1].key if self.entries else None


def inbox(
    session: Session, actor: Actor, view: View, wanted: Wanted, *, size: int = PAGE_SIZE, before: int | None = None
) -> Listing:
    page = (
        _find(session, actor, view, wanted, size, before)
        if wanted.narrowed
        else history.inbox(session, actor, view, size=size, before=before)
    )
    actions = _actions(session, actor, page.lines) if view == "open" else {}
    return Listing(view, wanted, [_entry(session, view, line, actions) for line in page.lines], page.has_more)


def _entry(session: Session, view: View, line: Line, actions: Mapping[int, tuple[Right, ...]]) -> Entry:
    key = line.instance_id if view == "started" else line.item_id or 0
    return Entry(
        line,
        key,
        name_of(line.title),
        processes.title_of(line.definition_key, process_part(line.title)),
        processes.icon_of(line.definition_key),
        summary(session, line.definition_key, line.summary),
        actions.get(key, ()),
    )


def name_of(title: str) -> str:
    """The engine titles an instance "process · what it is about"; lists show the process in a place of its own."""
    process, dot, said = title.partition(" · ")
    return said if dot else process


def process_part(title: str) -> str:
    return title.partition(" · ")[0]


def summary(session: Session, key: str, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The summary fields with their labels, amounts first: they are what an approver looks for."""
    schema = processes.start_form(session, key)
    found = []
    for name, value in values.items():
        field = schema.by_id.get(name) if schema else None
        if field is None:
            found.append((name, formats.money(value) if isinstance(value, Mapping) else str(value), False))
        elif field.type in ("select", "multi") and field.source is None:
            labels = {choice: in_words(words) for choice, words in field.choices}
            members = value if isinstance(value, list) else [value]
            found.append((field.label, "、".join(labels.get(str(v), str(v)) for v in members), False))
        elif field.type == "person" and isinstance(value, int):
            found.append((field.label, formats.person(value), False))
        elif field.type not in ("department", "reference", "attachment", "table", "multi", "select"):
            found.append((field.label, fields.text(field, value), field.type == "money"))
    return tuple((label, text) for label, text, _money in sorted(found, key=lambda one: not one[2]))


def _actions(session: Session, actor: Actor, lines: Sequence[Line]) -> dict[int, tuple[Right, ...]]:
    """What may be done with each open line, asked of the one place that knows."""
    ids = [line.item_id for line in lines]
    if not ids:
        return {}
    rows = session.execute(
        select(WorkItem, Instance).join(Instance, Instance.id == WorkItem.instance_id).where(WorkItem.id.in_(ids))
    )
    found = {}
    for item, instance in rows:
        node = repository.get(session, instance.definition_id).compiled.nodes.get(item.node)
        if node is not None:
            found[item.id] = allowed_actions(item, node, instance, actor)
    return found


# ------------------------------------------------------------------------------------------------- narrowed lists


def _find(session: Session, actor: Actor, view: View, wanted: Wanted, size: int, before: int | None) -> Page:
    """The same lists, narrowed; ids first, so that the engine's own reading of a line is used for each."""
    match view:
        case "open":
            key: Any = WorkItem.id
            query = select(key).join(Instance, Instance.id == WorkItem.instance_id)
            mine = select(InboxEntry.item_id).where(InboxEntry.principal.in_(actor.principals))
            query = query.where(WorkItem.id.in_(mine))
            if wanted.overdue:
                query = query.where(WorkItem.due_at <= clock.now())
        case "done":
            key = WorkItem.id
            query = select(key).join(Instance, Instance.id == WorkItem.instance_id)
            query = query.where(WorkItem.done_by == actor.person_id)
        case "started":
            key = Instance.id
            query = select(key).where(Instance.starter_id == actor.person_id)
        case "cc":
            key = Copy.id
            query = select(key).join(Instance, Instance.id == Copy.instance_id)
            query = query.where(Copy.person_id == actor.person_id)
    query = query.where(*_conditions(wanted), *([key < before] if before else []))
    ids = list(session.scalars(query.order_by(key.desc()).limit(size + 1)))
    return Page(_lines(session, view, ids[:size]), len(ids) > size)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(
            or_(
                Instance.title.icontains(wanted.text, autoescape=True),
                Instance.starter_name.icontains(wanted.text, autoescape=True),
            )
        )
    if wanted.process:
        conditions.append(Instance.definition_key == wanted.process)
    return conditions


def _lines(session: Session, view: View, ids: list[int]) -> list[Line]:
    if not ids:
        return []
    if view == "started":
        rows: Any = session.scalars(select(Instance).where(Instance.id.in_(ids)))
        steps = history.present_steps(session, ids)
        return _in_order(ids, {i.id: _line(i, None, steps.get(i.id, ""), i.started_at) for i in rows})
    if view == "cc":
        rows = session.execute(select(Copy, Instance).join(Instance).where(Copy.id.in_(ids)))
        return _in_order(ids, {c.id: _line(i, c.id, "", c.sent_at, read_at=c.read_at) for c, i in rows})
    rows = session.execute(select(WorkItem, Instance).join(Instance).where(WorkItem.id.in_(ids)))
    return _in_order(
        ids,
        {
            w.id: _line(
                i,
                w.id,
                w.title,
                w.created_at if view == "open" else w.done_at or w.created_at,
                due_at=w.due_at if view == "open" else None,
                assignee_id=w.assignee_id,
                version=w.version,
                outcome=w.outcome,
            )
            for w, i in rows
        },
    )


def _in_order(ids: list[int], lines: Mapping[int, Line]) -> list[Line]:
    return [lines[key] for key in ids if key in lines]


def _line(instance: Instance, key: int | None, node_title: str, since: datetime, **more: Any) -> Line:
    return Line(
        instance.id,
        instance.definition_key,
        instance.title,
        instance.summary,
        instance.state,
        instance.starter_id,
        instance.starter_name,
        key,
        node_title,
        since=since,
        **{"due_at": None, **more},
    )


# ------------------------------------------------------------------------------------------------- instances


@dataclass(frozen=True)
class InstancesWanted:
    text: str = ""
    state: str = ""
    process: str = ""
    starter: int | None = None
    overdue: bool = False
    mine: bool = False
    order: str = "new"
    """new | old"""

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.state or self.process or self.starter or self.overdue)

    @classmethod
    def read(cls, args: Mapping[str, str]) -> InstancesWanted:
        starter = args.get("starter", "")
        return cls(
            args.get("q", "").strip()[:LONGEST_SEARCH],
            args.get("state", ""),
            args.get("process", ""),
            int(starter) if starter.isdecimal() and len(starter) < 19 else None,
            args.get("overdue") == "1",
            args.get("mine") == "1",
            "old" if args.get("order") == "old" else "new",
        )

    def arguments(self, **changes: str) -> dict[str, str]:
        pairs = {
            "q": self.text,
            "state": self.state,
            "process": self.process,
            "starter": str(self.starter or ""),
            "overdue": "1" if self.overdue else "",
            "mine": "1" if self.mine else "",
            "order": self.order if self.order != "new" else "",
        } | changes
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True)
class InstanceEntry:
    instance: Instance
    name: str
    process: str
    icon: str
    summary: tuple[tuple[str, str], ...]
    step: str = ""
    holders: str = ""
    since: datetime | None = None
    """how long the present step has been waiting"""
    due_at: datetime | None = None


@dataclass(frozen=True)
class InstanceListing:
    wanted: InstancesWanted
    entries: list[InstanceEntry] = slot(default_factory=list)
    has_more: bool = False

    @property
    def last(self) -> int | None:
        return self.entries[-1].instance.id if self.entries else None


def instances(
    session: Session,
    actor: Actor,
    scope: ColumnElement[bool],
    wanted: InstancesWanted,
    *,
    size: int = PAGE_SIZE,
    after: int | None = None,
) -> InstanceListing:
    """A page of the instances within `scope`; `after` is the last id of the page before (keyset paging)."""
    query = _instances_wanted(actor, wanted).where(scope)
    newest = wanted.order == "new"
    if after is not None:
        query = query.where(Instance.id < after if newest else Instance.id > after)
    query = query.order_by(Instance.id.desc() if newest else Instance.id).limit(size + 1)
    rows = list(session.scalars(query))
    waiting = _waiting(session, [row.id for row in rows[:size] if row.state == "running"])
    return InstanceListing(
        wanted, [_instance_entry(session, row, waiting.get(row.id, ())) for row in rows[:size]], len(rows) > size
    )


def _instances_wanted(actor: Actor, wanted: InstancesWanted) -> Select[Instance]:
    query = select(Instance).where(Instance.state != "draft")
    if wanted.text:
        text = wanted.text
        query = query.where(
            or_(
                Instance.title.icontains(text, autoescape=True),
                Instance.starter_name.icontains(text, autoescape=True),
                *([Instance.id == int(text)] if text.isdecimal() and len(text) < 19 else []),
            )
        )
    if wanted.state:
        query = query.where(Instance.state == wanted.state)
    if wanted.process:
        query = query.where(Instance.definition_key == wanted.process)
    if wanted.mine:
        query = query.where(Instance.starter_id == actor.person_id)
    elif wanted.starter is not None:
        query = query.where(Instance.starter_id == wanted.starter)
    if wanted.overdue:
        late = select(WorkItem.instance_id).where(WorkItem.state == "open", WorkItem.due_at <= clock.now())
        query = query.where(Instance.id.in_(late))
    return query


def _waiting(session: Session, ids: Sequence[int]) -> dict[int, list[WorkItem]]:
    found: dict[int, list[WorkItem]] = {}
    if ids:
        open_items = select(WorkItem).where(WorkItem.instance_id.in_(ids), WorkItem.state == "open")
        for item in session.scalars(open_items.order_by(WorkItem.id)):
            found.setdefault(item.instance_id, []).append(item)
    formats.people(item.assignee_id for items in found.values() for item in items)
    return found


def _instance_entry(session: Session, row: Instance, items: Sequence[WorkItem]) -> InstanceEntry:
    return InstanceEntry(
        row,
        name_of(row.title),
        processes.title_of(row.definition_key, process_part(row.title)),
        processes.icon_of(row.definition_key),
        summary(session, row.definition_key, row.summary),
        "、".join(dict.fromkeys(item.title for item in items)),
        "、".join(dict.fromkeys(formats.person(item.assignee_id) for item in items if item.assignee_id)),
        min((item.created_at for item in items), default=None),
        min((item.due_at for item in items if item.due_at), default=None),
    )
