"""Reads: the inbox, the lists of instances, what happened in one, where its tokens are and were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.models import Copy, InboxEntry, Incident, Instance, InstanceLog, WorkItem

View = Literal["open", "done", "started", "cc"]
VIEWS: tuple[View, ...] = ("open", "done", "started", "cc")

COUNT_CAP = 1000
PATH_LINES = 500
"""How many log lines back the drawn path reaches; a loop of thousands of rounds still opens at once."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an inbox view."""

    instance_id: int
    definition_key: str
    title: str
    summary: dict[str, Any]
    state: str
    starter_id: int
    starter_name: str
    item_id: int | None
    node_title: str
    since: datetime
    due_at: datetime | None = None
    assignee_id: int | None = None
    version: int = 0
    outcome: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    lines: list[Line]
    has_more: bool


_ITEM = (
    WorkItem.instance_id,
    Instance.definition_key,
    Instance.title,
    Instance.summary,
    Instance.state,
    Instance.starter_id,
    Instance.starter_name,
    WorkItem.id.label("item_id"),
    WorkItem.title.label("node_title"),
)


def inbox(session: Session, actor: Actor, view: View, *, size: int = 20, before: int | None = None) -> Page:
    """The newest lines of a view; `before` is the id of the last line seen (item, instance or copy id).

    Newest first by id, so a page costs the same at the first and at the thousandth item.
    """
    match view:
        case "open":
            lines = _open(session, actor, size + 1, before)
        case "done":
            lines = _done(session, actor, size + 1, before)
        case "started":
            lines = _started(session, actor, size + 1, before)
        case "cc":
            lines = _copied(session, actor, size + 1, before)
    return Page(lines[:size], len(lines) > size)


def _open(session: Session, actor: Actor, limit: int, before: int | None) -> list[Line]:
    # The newest few of each principal, merged: an index-only scan per principal, whatever the size of the pools.
    newest = [
        select(InboxEntry.item_id)
        .where(InboxEntry.principal == principal, *([InboxEntry.item_id < before] if before else []))
        .order_by(InboxEntry.item_id.desc())
        .limit(limit)
        .subquery()
        for principal in actor.principals
    ]
    merged = union_all(*(select(part.c.item_id) for part in newest)).subquery()
    ids = session.scalars(select(merged.c.item_id).distinct().order_by(merged.c.item_id.desc()).limit(limit)).all()
    if not ids:
        return []
    wanted = (
        select(*_ITEM, WorkItem.created_at.label("since"), WorkItem.due_at, WorkItem.assignee_id, WorkItem.version)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(WorkItem.id.in_(ids))
        .order_by(WorkItem.id.desc())
    )
    return [Line(**row) for row in session.execute(wanted).mappings()]


def _done(session: Session, actor: Actor, limit: int, before: int | None) -> list[Line]:
    wanted = (
        select(*_ITEM, WorkItem.done_at.label("since"), WorkItem.outcome)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(WorkItem.done_by == actor.person_id)
        .order_by(WorkItem.done_at.desc(), WorkItem.id.desc())
        .limit(limit)
    )
    if before:
        mark = select(WorkItem.done_at).where(WorkItem.id == before).scalar_subquery()
        wanted = wanted.where(WorkItem.done_at <= mark, WorkItem.id != before)
    return [Line(**row) for row in session.execute(wanted).mappings()]


def _instances(condition: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    return select(Instance).where(*condition).order_by(Instance.id.desc()).limit(limit)


def _started(session: Session, actor: Actor, limit: int, before: int | None) -> list[Line]:
    conditions = [Instance.starter_id == actor.person_id, *([Instance.id < before] if before else [])]
    instances = session.scalars(_instances(conditions, limit)).all()
    now_at = present_steps(session, [i.id for i in instances])
    return [_instance_line(i, now_at.get(i.id, "")) for i in instances]


def _copied(session: Session, actor: Actor, limit: int, before: int | None) -> list[Line]:
    wanted = (
        select(Copy, Instance)
        .join(Instance, Instance.id == Copy.instance_id)
        .where(Copy.person_id == actor.person_id, *([Copy.id < before] if before else []))
        .order_by(Copy.id.desc())
        .limit(limit)
    )
    return [
        Line(
            instance.id,
            instance.definition_key,
            instance.title,
            instance.summary,
            instance.state,
            instance.starter_id,
            instance.starter_name,
            copy.id,
            "",
            since=copy.sent_at,
            due_at=None,
            read_at=copy.read_at,
        )
        for copy, instance in session.execute(wanted)
    ]


def _instance_line(instance: Instance, node_title: str) -> Line:
    return Line(
        instance.id,
        instance.definition_key,
        instance.title,
        instance.summary,
        instance.state,
        instance.starter_id,
        instance.starter_name,
        None,
        node_title,
        since=instance.started_at,
        due_at=None,
    )


def present_steps(session: Session, instance_ids: Sequence[int]) -> dict[int, str]:
    """What each running instance waits for: the titles of its open items, joined."""
    if not instance_ids:
        return {}
    titles: dict[int, dict[str, None]] = {}
    for instance_id, title in session.execute(
        select(WorkItem.instance_id, WorkItem.title)
        .where(WorkItem.instance_id.in_(instance_ids), WorkItem.state == "open")
        .order_by(WorkItem.id)
    ):
        titles.setdefault(instance_id, {})[title] = None
    return {instance_id: "、".join(found) for instance_id, found in titles.items()}


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Open items and unread copies, each counted up to COUNT_CAP."""
    parts = [
        select(InboxEntry.item_id).where(InboxEntry.principal == principal).limit(COUNT_CAP).subquery()
        for principal in actor.principals
    ]
    merged = union_all(*(select(part.c.item_id) for part in parts)).subquery()
    open_count = session.scalar(select(func.count(merged.c.item_id.distinct())))
    unread = session.scalar(
        select(func.count()).select_from(
            select(literal(1))
            .where(Copy.person_id == actor.person_id, Copy.read_at.is_(None))
            .limit(COUNT_CAP)
            .subquery()
        )
    )
    return {"open": min(open_count or 0, COUNT_CAP), "cc": unread or 0}


# ------------------------------------------------------------------------------------------------- one instance


@dataclass(slots=True)
class Trail:
    """Where the tokens of an instance are and were, by element id."""

    active: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    flows: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    rounds: dict[str, int] = field(default_factory=dict)
    """how often each node was left"""
    entered_at: dict[str, datetime] = field(default_factory=dict)


def trail(session: Session, instance_id: int) -> Trail:
    """Read the path back from the log's newest lines."""
    found = Trail()
    lines = session.execute(
        select(InstanceLog.at, InstanceLog.detail)
        .where(InstanceLog.instance_id == instance_id)
        .order_by(InstanceLog.seq.desc())
        .limit(PATH_LINES)
    ).all()
    inside: dict[str, int] = {}
    for at, detail in reversed(lines):
        for element, mark in detail.get("path", ()):
            if mark == "taken":
                found.flows.add(element)
            elif mark == "entered":
                inside[element] = inside.get(element, 0) + 1
                found.entered_at[element] = at
            else:
                inside[element] = max(inside.get(element, 0) - 1, 0)
                if mark == "left":
                    found.done.add(element)
                    found.rounds[element] = found.rounds.get(element, 0) + 1
    state = session.scalar(select(Instance.state).where(Instance.id == instance_id))
    if state in ("running", "suspended"):
        found.active = {element for element, tokens in inside.items() if tokens > 0}
    found.failed = set(
        session.scalars(select(Incident.node).where(Incident.instance_id == instance_id, Incident.state != "resolved"))
    )
    return found


def log_lines(session: Session, instance_id: int, *, after: int = 0, limit: int = 200) -> list[InstanceLog]:
    """The instance's log in order, from line `after` + 1."""
    return list(
        session.scalars(
            select(InstanceLog)
            .where(InstanceLog.instance_id == instance_id, InstanceLog.seq > after)
            .order_by(InstanceLog.seq)
            .limit(limit)
        )
    )


def items_of(session: Session, instance_id: int) -> list[WorkItem]:
    """Every work item of an instance, oldest first."""
    return list(session.scalars(select(WorkItem).where(WorkItem.instance_id == instance_id).order_by(WorkItem.id)))
