"""The views of the inbox and their counts: what lies with me, what I did, what I began, what I was copied, what others
do for me, what lies with my people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, CompoundSelect, Result, Select, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.i18n import listed
from engine.models import Copy, InboxEntry, Instance, WorkItem

View = Literal["open", "done", "started", "cc", "delegated", "team"]
VIEWS: tuple[View, ...] = ("open", "done", "started", "cc", "delegated", "team")
OF_ITEMS = ("open", "done", "delegated", "team")
"""Views whose lines are work items."""
UNDONE = ("open", "delegated", "team")
"""Views of what is still to be done, by whomever."""
OF_OTHERS = ("delegated", "team")
"""Views of what lies with others."""

COUNT_CAP = 1000


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
    item_state: str = ""
    on_behalf_of: int | None = None
    readable: bool = True
    """false: it is named, and may not be opened"""


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
    WorkItem.state.label("item_state"),
    WorkItem.on_behalf_of,
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
        case "delegated" | "team":
            lines = _with_others(session, actor, view, size + 1, before)
    return Page(lines[:size], len(lines) > size)


_TO_DO = (*_ITEM, WorkItem.created_at.label("since"), WorkItem.due_at, WorkItem.assignee_id, WorkItem.version)

_BY_IDS = (
    select(*_TO_DO)
    .join(Instance, Instance.id == WorkItem.instance_id)
    .where(WorkItem.id.in_(bindparam("ids", expanding=True)))
    .order_by(WorkItem.id.desc())
)
"""Kept whole, as are the two below: building a statement anew costs more than the database needs to answer it."""


@lru_cache(maxsize=256)
def _newest(principals: int, *, paged: bool) -> Select[Any]:
    """The newest few items of each principal, merged: an index-only scan per principal, whatever the pools' size."""
    older = "AND item_id < :before " if paged else ""
    parts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT item_id FROM inbox WHERE principal = :p{n} {older}"  # noqa: S608  (numbers only)
        f"ORDER BY item_id DESC LIMIT :most) AS part{n}"
        for n in range(principals)
    )
    merged = text(f"SELECT DISTINCT item_id FROM ({parts}) AS merged ORDER BY item_id DESC LIMIT :most")  # noqa: S608
    newest = merged.columns(InboxEntry.item_id).subquery("newest")
    return (
        select(*_TO_DO)
        .select_from(newest)
        .join(WorkItem, WorkItem.id == newest.c.item_id)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .order_by(newest.c.item_id.desc())
    )


@lru_cache(maxsize=256)
def _counted(principals: int) -> TextClause:
    parts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT item_id FROM inbox WHERE principal = :p{n} LIMIT :most) AS part{n}"  # noqa: S608
        for n in range(principals)
    )
    return text(
        f"SELECT (SELECT count(DISTINCT item_id) FROM ({parts}) AS merged), "  # noqa: S608
        "(SELECT count(*) FROM (SELECT 1 FROM process_copy WHERE person_id = :me AND read_at IS NULL LIMIT :most) AS c)"
    )


def _named(actor: Actor) -> dict[str, int]:
    return {f"p{n}": principal for n, principal in enumerate(actor.principals)}


def _open(session: Session, actor: Actor, limit: int, before: int | None) -> list[Line]:
    named = _named(actor)
    values = {**named, "most": limit, **({"before": before} if before else {})}
    return _read(session.execute(_newest(len(named), paged=bool(before)), values))


def _lines(session: Session, ids: Sequence[int]) -> list[Line]:
    return _read(session.execute(_BY_IDS, {"ids": ids})) if ids else []


def _read(rows: Result[Any]) -> list[Line]:
    names = tuple(rows.keys())
    return [Line(**dict(zip(names, row, strict=True))) for row in rows]


def in_view(session: Session, actor: Actor, view: View) -> ColumnElement[bool]:
    """The work items of a view of items, for lists that are narrowed or ordered otherwise."""
    if view == "done":
        return WorkItem.done_by == actor.person_id
    return WorkItem.id.in_(_lying(session, actor, view))


def _lying(session: Session, actor: Actor, view: View) -> Select[int] | CompoundSelect[int]:
    """The ids of what is to be done, read from what lies somewhere now; history makes none of them slower.

    delegated: two ranges of indexes, `(on_behalf_of, state)` and `(state)`.  team: a range of the inbox's key for each
    of one's people, each item looked up by its key; a pool they may take from has no holder yet and is not theirs.
    """
    if view == "delegated":
        lent = select(WorkItem.id).where(
            WorkItem.on_behalf_of == actor.person_id, WorkItem.state.in_(("open", "delegated", "waiting"))
        )
        asked = select(WorkItem.id).where(WorkItem.state == "delegated", WorkItem.owner_id == actor.person_id)
        return lent.union(asked)
    entries = select(InboxEntry.item_id)
    if view == "open":
        return entries.where(InboxEntry.principal.in_(actor.principals))
    people = CATALOG.directory.reports(session, actor.person_id) if CATALOG.directory is not None else ()
    return entries.join(WorkItem, WorkItem.id == InboxEntry.item_id).where(
        InboxEntry.principal.in_(people), WorkItem.assignee_id == InboxEntry.principal
    )


def _with_others(session: Session, actor: Actor, view: View, limit: int, before: int | None) -> list[Line]:
    """Ids first, as for one's own: the newest of few, whatever the planner thinks of the items' table."""
    found = _lying(session, actor, view).subquery()
    (key,) = found.c
    older = [key < before] if before else []
    return _lines(session, session.scalars(select(key).where(*older).order_by(key.desc()).limit(limit)).all())


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
    return _read(session.execute(wanted))


def _instances(condition: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    return select(Instance).where(*condition).order_by(Instance.id.desc()).limit(limit)


def _started(session: Session, actor: Actor, limit: int, before: int | None) -> list[Line]:
    conditions = [Instance.starter_id == actor.person_id, *([Instance.id < before] if before else [])]
    instances = session.scalars(_instances(conditions, limit)).all()
    now_at = present_steps(session, [i.id for i in instances])
    return [instance_line(i, None, now_at.get(i.id, ""), i.started_at) for i in instances]


def _copied(session: Session, actor: Actor, limit: int, before: int | None) -> list[Line]:
    wanted = (
        select(Copy, Instance)
        .join(Instance, Instance.id == Copy.instance_id)
        .where(Copy.person_id == actor.person_id, *([Copy.id < before] if before else []))
        .order_by(Copy.id.desc())
        .limit(limit)
    )
    rows = session.execute(wanted)
    return [instance_line(instance, copy.id, "", copy.sent_at, read_at=copy.read_at) for copy, instance in rows]


def instance_line(instance: Instance, key: int | None, node_title: str, since: datetime, **more: Any) -> Line:
    """An instance as a line of a view; key: of the item or copy it is shown for."""
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
        since,
        **more,
    )


def item_line(item: WorkItem, instance: Instance, view: View) -> Line:
    """A work item as a line of one of the views of items."""
    undone = view in UNDONE
    return instance_line(
        instance,
        item.id,
        item.title,
        item.created_at if undone else item.done_at or item.created_at,
        due_at=item.due_at if undone else None,
        assignee_id=item.assignee_id,
        version=item.version,
        outcome=item.outcome,
        item_state=item.state,
        on_behalf_of=item.on_behalf_of,
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
    return {instance_id: listed(found) for instance_id, found in titles.items()}


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Open items and unread copies, each counted up to COUNT_CAP."""
    named = _named(actor)
    found = session.execute(_counted(len(named)), {**named, "me": actor.person_id, "most": COUNT_CAP}).one()
    return {"open": min(found[0], COUNT_CAP), "cc": found[1]}
