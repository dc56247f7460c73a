"""The list of instances, filtered and paged, each line with its present step and how long it has waited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field as slot
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.i18n import listed
from engine.models import Instance, WorkItem
from webapp.skin import formats, words
from webapp.skin.words import Word
from webapp.workflow import processes
from webapp.workflow.lists import LONGEST_SEARCH, PAGE_SIZE, Told, know_people, name_of, process_part, summary


@dataclass(frozen=True)
class Wanted:
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
    def read(cls, args: Mapping[str, str]) -> Wanted:
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
class Entry:
    instance: Instance
    name: str
    process: str
    icon: str
    summary: tuple[Told, ...]
    step: str = ""
    holders: str = ""
    since: datetime | None = None
    """how long the present step has been waiting"""
    due: Word | None = None
    """how the worst of its open items stands"""


@dataclass(frozen=True)
class Listing:
    wanted: Wanted
    entries: list[Entry] = slot(default_factory=list)
    has_more: bool = False

    @property
    def last(self) -> int | None:
        return self.entries[-1].instance.id if self.entries else None


def page(
    session: Session,
    actor: Actor,
    scope: ColumnElement[bool],
    wanted: Wanted,
    *,
    size: int = PAGE_SIZE,
    after: int | None = None,
) -> Listing:
    """A page of the instances within `scope`; `after` is the last id of the page before (keyset paging)."""
    query = _wanted(actor, wanted).where(scope)
    if after is not None:
        query = query.where(Instance.id < after if wanted.order == "new" else Instance.id > after)
    rows = list(session.scalars(query.limit(size + 1)))
    waiting = _waiting(session, [row.id for row in rows[:size] if row.state == "running"])
    know_people(session, ((row.definition_key, row.summary) for row in rows[:size]))
    return Listing(wanted, [_entry(session, row, waiting.get(row.id, ())) for row in rows[:size]], len(rows) > size)


def matching(session: Session, actor: Actor, scope: ColumnElement[bool], wanted: Wanted, *, most: int) -> list[int]:
    """The instances within `scope` that the filter lets through, `most` of them, in the order of the list."""
    query = _wanted(actor, wanted).where(scope).with_only_columns(Instance.id)
    return list(session.scalars(query.limit(most)))


def _wanted(actor: Actor, wanted: Wanted) -> Select[Instance]:
    query = select(Instance).where(Instance.state != "draft")
    query = query.order_by(Instance.id.desc() if wanted.order == "new" else Instance.id)
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


def _entry(session: Session, row: Instance, items: Sequence[WorkItem]) -> Entry:
    return Entry(
        row,
        name_of(row.title),
        processes.title_of(row.definition_key, process_part(row.title)),
        processes.icon_of(row.definition_key),
        summary(session, row.definition_key, row.summary),
        listed(dict.fromkeys(item.title for item in items)),
        listed(dict.fromkeys(formats.person(item.assignee_id) for item in items if item.assignee_id)),
        min((item.created_at for item in items), default=None),
        words.worst_due((item.due_at, item.created_at) for item in items),
    )
