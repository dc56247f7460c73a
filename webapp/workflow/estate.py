"""What lies with a person, piece by piece as people read it: before it is handed over, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine import repository, work_items
from engine.actor import Actor
from engine.i18n import Sentence, _
from engine.models import Definition, Instance, WorkItem
from engine.repository import DEPLOY
from processes.approval.models import Delegation
from processes.approval.permissions import visible_to as visible_delegations
from processes.approval.rules import LIVE_STATES, STATE_NAMES
from processes.tasks import operations as tasks
from processes.tasks.models import Task
from processes.tasks.permissions import visible_to as visible_tasks
from webapp.skin import formats
from webapp.workflow import lists, processes

SHOWN = 50
"""Pieces of a kind that are shown before the run; all are counted, and all are handed over."""

KINDS: Mapping[str, tuple[Sentence, Sentence]] = {
    "items": (_("Open and waiting items"), _("They go to the receiver as they are.")),
    "pools": (_("Places in pools"), _("The receiver takes this place beside the others.")),
    "later": (_("Later steps of running processes"), _("The receiver is named there instead.")),
    "drafts": (_("Drafts"), _("Not sent yet; the receiver may send or remove them.")),
    "tasks": (_("Tasks"), _("What was to be done, and what was given and is to be confirmed.")),
}
"""Of each kind of piece its title and what becomes of it; in the order they are shown."""


@dataclass(frozen=True)
class Piece:
    id: int
    name: str
    under: str
    since: datetime | None
    url: str = ""
    """"" where the reader may not open it"""


@dataclass(frozen=True)
class Group:
    kind: str
    title: Sentence
    hint: Sentence
    count: int
    pieces: list[Piece]


@dataclass(frozen=True)
class Named:
    """A process whose diagram names the person: only a new version changes that."""

    title: str
    url: str


@dataclass(frozen=True)
class StandIn:
    """A delegation to or from the person: nobody takes it over."""

    text: str
    state: Sentence


@dataclass(frozen=True)
class Left:
    """Everything that concerns a person, as far as this reader may hand it over."""

    ids: Mapping[str, list[int]]
    groups: list[Group]
    named: list[Named]
    stand_ins: list[StandIn]

    @property
    def count(self) -> int:
        return sum(len(ids) for ids in self.ids.values())


def left_by(session: Session, actor: Actor, person: int) -> Left:
    """Changes nothing. Raises Forbidden for whoever may hand over nothing of this person."""
    ids: dict[str, list[int]] = {kind: [] for kind in KINDS}
    ids["tasks"] = [task.id for task in tasks.to_hand_over(session, actor, person)]
    named: list[Named] = []
    if work_items.may_hand_over(actor):
        found = work_items.estate(session, actor, person)
        ids |= {"items": found.items, "pools": found.pools, "later": found.later, "drafts": found.drafts}
        named = _named(session, actor, found.named_in)
    groups = [
        Group(kind, title, hint, len(ids[kind]), pieces(session, actor, kind, ids[kind][:SHOWN], person))
        for kind, (title, hint) in KINDS.items()
        if ids[kind]
    ]
    return Left(ids, groups, named, _stand_ins(session, actor, person))


def pieces(session: Session, actor: Actor, kind: str, ids: Sequence[int], person: int | None = None) -> list[Piece]:
    """These pieces of one kind, in the order of their ids; person: whose place in later steps is told."""
    found = _READ[kind](session, actor, ids, person) if ids else []
    return sorted(found, key=lambda piece: piece.id)


def _items(session: Session, actor: Actor, ids: Sequence[int], _person: int | None) -> list[Piece]:
    rows = session.execute(select(WorkItem, Instance).join(Instance).where(WorkItem.id.in_(ids))).all()
    open_to_me = work_items.readable_among(session, actor, {row.Instance.id for row in rows})
    return [
        Piece(
            item.id,
            lists.name_of(instance.title),
            f"{_process(instance)} · {item.title}",
            item.created_at,
            _address(instance, open_to_me),
        )
        for item, instance in rows
    ]


def _instances(session: Session, actor: Actor, ids: Sequence[int], person: int | None) -> list[Piece]:
    rows = session.scalars(select(Instance).where(Instance.id.in_(ids))).all()
    open_to_me = work_items.readable_among(session, actor, ids)
    return [
        Piece(
            row.id,
            lists.name_of(row.title),
            " · ".join([_process(row), *_steps_of(session, row, person)]),
            row.started_at,
            _address(row, open_to_me),
        )
        for row in rows
    ]


def _steps_of(session: Session, instance: Instance, person: int | None) -> list[str]:
    """The later steps this person is named for."""
    nodes = repository.get(session, instance.definition_id).compiled.nodes
    named = [nodes[node] for node, persons in instance.people.items() if person in persons and node in nodes]
    return [node.name or node.id for node in named]


def _tasks(session: Session, actor: Actor, ids: Sequence[int], _person: int | None) -> list[Piece]:
    rows = session.scalars(select(Task).where(Task.id.in_(ids))).all()
    open_to_me = set(session.scalars(select(Task.id).where(Task.id.in_(ids), visible_tasks(actor))))
    return [
        Piece(
            row.id,
            row.title,
            str(_("{giver} to {doer}", giver=row.assigner.name, doer=row.assignee.name)),
            row.created_at,
            url_for("tasks.show", task_id=row.id) if row.id in open_to_me else "",
        )
        for row in rows
    ]


_READ: Mapping[str, Callable[[Session, Actor, Sequence[int], int | None], list[Piece]]] = {
    "items": _items,
    "pools": _items,
    "later": _instances,
    "drafts": _instances,
    "tasks": _tasks,
}


def _address(instance: Instance, open_to_me: set[int]) -> str:
    return url_for("instances.show", instance_id=instance.id) if instance.id in open_to_me else ""


def _process(instance: Instance) -> str:
    return processes.title_of(instance.definition_key, lists.process_part(instance.title))


def _named(session: Session, actor: Actor, keys: Sequence[str]) -> list[Named]:
    names = session.execute(
        select(Definition.key, Definition.name).where(Definition.key.in_(keys), Definition.state == "active")
    )
    draws = actor.may(DEPLOY)
    return [Named(processes.title_of(k, name), url_for("designer.draw", key=k) if draws else "") for k, name in names]


def _stand_ins(session: Session, actor: Actor, person: int) -> list[StandIn]:
    of_person = or_(Delegation.delegator_id == person, Delegation.delegate_id == person)
    live = select(Delegation).where(visible_delegations(actor), of_person, Delegation.state.in_(LIVE_STATES))
    return [
        StandIn(
            str(
                _(
                    "{delegate} for {delegator}, {starts} to {ends}",
                    delegate=one.delegate.name,
                    delegator=one.delegator.name,
                    starts=formats.instant(one.starts_at),
                    ends=formats.instant(one.ends_at),
                )
            ),
            STATE_NAMES[one.state],
        )
        for one in session.scalars(live.order_by(Delegation.starts_at))
    ]
