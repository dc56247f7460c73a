"""The lines of the inbox and of the list of instances, as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from engine import clock, history, repository, work_items
from engine.actor import Actor
from engine.forms.fields import in_words
from engine.history import Line, Page, View
from engine.i18n import Sentence, _, listed
from engine.models import Copy, Instance, WorkItem
from engine.repository import Loaded
from engine.work_items import Right, allowed_actions, form_of, why_alone
from webapp.skin import formats
from webapp.workflow import fields, processes

PAGE_SIZE = 20
MOST_LINES = 100
"""of a list that is shown afresh with all that had been looked at"""
LONGEST_SEARCH = 60


Offer = tuple[tuple[Right, ...], str, Sentence | None]
"""(actions, form, why it is decided alone) of an open line."""


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


class Told(NamedTuple):
    """A field its form shows in lists."""

    label: str
    text: str
    is_amount: bool
    """an amount speaks for itself; anything else needs its label beside it"""


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
    summary: tuple[Told, ...]
    actions: tuple[Right, ...] = ()
    form: str = ""
    """what it has in common with those it may be decided with"""
    alone: Sentence | None = None
    """why it can be decided on its own page only"""

    @property
    def holder(self) -> str:
        """With whom it lies."""
        return formats.person(self.line.assignee_id) if self.line.assignee_id else ""

    @property
    def quick(self) -> bool:
        """Whether it may be approved right from the list."""
        return self.form != "" and self.alone is None

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
    if view in history.OF_OTHERS:
        page = replace(page, lines=work_items.veiled(session, actor, page.lines))
        formats.people(line.assignee_id for line in page.lines)
    know_people(session, ((line.definition_key, line.summary) for line in page.lines))
    offers = _offers(session, actor, page.lines) if view == "open" else {}
    return Listing(view, wanted, [_entry(session, view, line, offers) for line in page.lines], page.has_more)


def _entry(session: Session, view: View, line: Line, offers: Mapping[int, Offer]) -> Entry:
    key = line.instance_id if view == "started" else line.item_id or 0
    return Entry(
        line,
        key,
        name_of(line.title),
        processes.title_of(line.definition_key, process_part(line.title)),
        processes.icon_of(line.definition_key),
        summary(session, line.definition_key, line.summary),
        *offers.get(key, ()),
    )


def name_of(title: str) -> str:
    """The engine titles an instance "process · what it is about"; lists show the process in a place of its own."""
    process, dot, said = title.partition(" · ")
    return said if dot else process


def process_part(title: str) -> str:
    return title.partition(" · ")[0]


def summary(session: Session, key: str, values: Mapping[str, Any]) -> tuple[Told, ...]:
    """The summary fields, amounts first: they are what an approver looks for."""
    schema = processes.start_form(session, key)
    found = []
    for name, value in values.items():
        field = schema.by_id.get(name) if schema else None
        if field is None:
            found.append(Told(name, formats.money(value) if isinstance(value, Mapping) else str(value), False))
        elif field.type in ("select", "multi") and field.source is None:
            labels = {choice: in_words(words) for choice, words in field.choices}
            members = value if isinstance(value, list) else [value]
            found.append(Told(field.label, listed(labels.get(str(v), str(v)) for v in members), False))
        elif field.type == "person" and isinstance(value, int):
            found.append(Told(field.label, formats.person(value), False))
        elif field.type not in ("department", "reference", "attachment", "table", "multi", "select"):
            found.append(Told(field.label, fields.text(field, value), field.type == "money"))
    return tuple(sorted(found, key=lambda told: not told.is_amount))


def know_people(session: Session, lines: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """The persons in the summaries of a list, by (process, summary): asked for at once, not line by line."""
    formats.people(
        value
        for key, values in lines
        if (schema := processes.start_form(session, key)) is not None
        for name, value in values.items()
        if isinstance(value, int) and (field := schema.by_id.get(name)) is not None and field.type == "person"
    )


def _offers(session: Session, actor: Actor, lines: Sequence[Line]) -> dict[int, Offer]:
    """What may be done with each open line, asked of the places that know."""
    ids = [line.item_id for line in lines]
    if not ids:
        return {}
    rows = session.execute(
        select(WorkItem, Instance).join(Instance, Instance.id == WorkItem.instance_id).where(WorkItem.id.in_(ids))
    )
    found: dict[int, Offer] = {}
    for item, instance in rows:
        loaded = repository.get(session, instance.definition_id)
        node = loaded.compiled.nodes.get(item.node)
        if node is not None:
            actions = allowed_actions(item, node, instance, actor)
            found[item.id] = actions, form_of(loaded, item.node), _alone(loaded, item, actions)
    return found


def _alone(loaded: Loaded, item: WorkItem, actions: Sequence[Right]) -> Sentence | None:
    approve = next((right for right in actions if right.action == "approve"), None)
    if approve is None:
        return _("There is nothing to agree to or to reject.")
    return approve.refusal or why_alone(loaded, item.node)


# ------------------------------------------------------------------------------------------------- narrowed lists


def _find(session: Session, actor: Actor, view: View, wanted: Wanted, size: int, before: int | None) -> Page:
    """The same lists, narrowed; ids first, so that the engine's own reading of a line is used for each."""
    match view:
        case "open" | "done" | "delegated" | "team":
            key: Any = WorkItem.id
            query = select(key).join(Instance, Instance.id == WorkItem.instance_id)
            query = query.where(history.in_view(session, actor, view))
            if wanted.overdue and view in history.UNDONE:
                query = query.where(WorkItem.due_at <= clock.now())
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
        return _in_order(ids, {i.id: history.instance_line(i, None, steps.get(i.id, ""), i.started_at) for i in rows})
    if view == "cc":
        rows = session.execute(select(Copy, Instance).join(Instance).where(Copy.id.in_(ids)))
        return _in_order(ids, {c.id: history.instance_line(i, c.id, "", c.sent_at, read_at=c.read_at) for c, i in rows})
    rows = session.execute(select(WorkItem, Instance).join(Instance).where(WorkItem.id.in_(ids)))
    return _in_order(ids, {item.id: history.item_line(item, instance, view) for item, instance in rows})


def _in_order(ids: list[int], lines: Mapping[int, Line]) -> list[Line]:
    return [lines[key] for key in ids if key in lines]
