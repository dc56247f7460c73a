"""离职转办: everything that lies with somebody, or would come to him, goes to another; seen before it is done."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import transaction
from engine.errors import Conflict, Forbidden, RuleViolation
from engine.i18n import _
from engine.journal import Entry
from engine.models import Definition, InboxEntry, Instance, WorkItem
from engine.runtime.picking import known_people
from engine.work_items import rights
from engine.work_items.held import Held, append, forget, move, must_say, too_late
from engine.work_items.many import Done, attempt
from engine.work_items.moving import check_not_own

HAND_OVER = "process.work.hand_over"
"""Whoever hands a leaver's work to somebody else: personnel, and process administrators."""


@dataclass(frozen=True, slots=True)
class Estate:
    """What lies with a person: ids, oldest first."""

    items: list[int] = field(default_factory=list)
    """items of his own, also those that come back to him with an opinion he has asked for"""
    pools: list[int] = field(default_factory=list)
    """items he may take beside others"""
    later: list[int] = field(default_factory=list)
    """instances in which he is named for a later step"""
    drafts: list[int] = field(default_factory=list)
    """requests he has not sent"""
    named_in: list[str] = field(default_factory=list)
    """processes whose diagrams name him: they want a new version"""

    @property
    def count(self) -> int:
        return len(self.items) + len(self.pools) + len(self.later) + len(self.drafts)


def estate(session: Session, actor: Actor, person: int) -> Estate:
    """What would be handed over; changes nothing."""
    _demand(actor)
    lying = session.execute(
        select(WorkItem.id, WorkItem.assignee_id)
        .join(InboxEntry, InboxEntry.item_id == WorkItem.id)
        .where(InboxEntry.principal == person)
        .order_by(WorkItem.id)
    ).all()
    waiting = session.scalars(
        select(WorkItem.id).where(WorkItem.assignee_id == person, WorkItem.state == "waiting").order_by(WorkItem.id)
    )
    lent = session.scalars(
        select(WorkItem.id).where(WorkItem.owner_id == person, WorkItem.state == "delegated").order_by(WorkItem.id)
    ).all()
    running = session.execute(
        select(Instance.id, Instance.people).where(Instance.state.in_(rights.LASTING), Instance.people != {})
    )
    drafts = select(Instance.id).where(Instance.starter_id == person, Instance.state == "draft")
    return Estate(
        items=list(dict.fromkeys([*(row.id for row in lying if row.assignee_id == person), *waiting, *lent])),
        pools=[row.id for row in lying if row.assignee_id is None],
        later=[row.id for row in running if any(person in persons for persons in row.people.values())],
        drafts=list(session.scalars(drafts.order_by(Instance.id))),
        named_in=_named_in(session, person),
    )


def _named_in(session: Session, person: int) -> list[str]:
    rule = f"person({person})"
    found = []
    for definition in session.scalars(select(Definition).where(Definition.state == "active").order_by(Definition.key)):
        nodes = repository.get(session, definition.id).compiled.nodes.values()
        if any(rule in node.candidates for node in nodes):
            found.append(definition.key)
    return found


def hand_over(actor: Actor, person: int, to: int, *, reason: str) -> list[Done]:
    """Hand everything over, each piece in a transaction of its own; what cannot be says why and stays.

    A second run finds what is left: nothing is handed over twice.
    """
    said = must_say("reason", reason)
    with transaction() as session:
        found = estate(session, actor, person)
        known_people(session, [to], most=1)
        if person == to:
            raise RuleViolation(_("Choose two different people."), code="same_person")
    batch = secrets.token_hex(6)
    pieces = (
        ("items", _hand_item, found.items),
        ("pools", _hand_item, found.pools),
        ("later", _hand_later, found.later),
        ("drafts", _hand_draft, found.drafts),
    )
    return [
        attempt(one, partial(work, actor, one, person, to, said, batch), kind=kind)
        for kind, work, ids in pieces
        for one in ids
    ]


def _hand_item(actor: Actor, item_id: int, person: int, to: int, reason: str, batch: str, session: Session) -> str:
    item = session.get_one(WorkItem, item_id, with_for_update=True, populate_existing=True)
    if not _lies_with(item, person):
        raise too_late(session, item)
    instance = session.get_one(Instance, item.instance_id, with_for_update=True)
    loaded = repository.get(session, instance.definition_id)
    held = Held(item, instance, loaded, loaded.compiled.nodes[item.node])  # type: ignore[arg-type]
    check_not_own(held, to)
    detail = {"from": person, "to": to, "reason": reason, "batch": batch}
    if item.assignee_id is None:
        item.candidates = list(dict.fromkeys(to if one == person else one for one in item.candidates))
        move(session, actor, item, "hand_over", None, item.candidates, detail)
    elif item.state == "delegated" and item.owner_id == person:
        item.owner_id = to
        item.version += 1
        session.flush()
        append(session, actor, instance.id, Entry("hand_over", item.node, item.token, item.id, None, detail))
    elif item.state == "waiting":
        item.assignee_id, item.candidates, item.owner_id = to, [to], item.owner_id or person
        item.version += 1
        session.flush()
        append(session, actor, instance.id, Entry("hand_over", item.node, item.token, item.id, None, detail))
    else:
        item.candidates = [to]
        if item.state != "delegated":
            item.owner_id = item.owner_id or person
        move(session, actor, item, "hand_over", to, (to,), detail)
    return instance.state


def _lies_with(item: WorkItem, person: int) -> bool:
    """Between looking and handing over, somebody may have decided it or passed it on."""
    match item.state:
        case "open":
            return item.assignee_id == person or (item.assignee_id is None and person in item.candidates)
        case "delegated":
            return person in (item.assignee_id, item.owner_id)
        case _:
            return item.state == "waiting" and item.assignee_id == person


def _hand_later(actor: Actor, instance_id: int, person: int, to: int, reason: str, batch: str, session: Session) -> str:
    instance = session.get_one(Instance, instance_id, with_for_update=True, populate_existing=True)
    before = dict(instance.people)
    after = {
        node: list(dict.fromkeys(to if one == person else one for one in persons)) for node, persons in before.items()
    }
    if after == before or instance.state not in rights.LASTING:
        raise Conflict(_("This has changed in the meantime: no later step names this person."))
    instance.people = after
    session.flush()
    detail = {"before": before, "after": after, "reason": reason, "batch": batch}
    append(session, actor, instance_id, Entry("change_people", detail=detail))
    forget(session, Instance, instance_id)
    return instance.state


def _hand_draft(actor: Actor, instance_id: int, person: int, to: int, reason: str, batch: str, session: Session) -> str:
    directory_name = _name(session, to)
    moved = session.scalar(
        update(Instance)
        .where(Instance.id == instance_id, Instance.state == "draft", Instance.starter_id == person)
        .values(starter_id=to, starter_name=directory_name)
        .returning(Instance.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise Conflict(_("This draft has been sent or removed in the meantime."))
    forget(session, Instance, instance_id)
    return "draft"


def _name(session: Session, person: int) -> str:
    names = CATALOG.directory.names(session, [person]) if CATALOG.directory else {}
    return names.get(person, str(person))


def may_hand_over(actor: Actor) -> bool:
    """Everybody's work, to anybody."""
    return actor.may(HAND_OVER) or actor.may(rights.ADMINISTER)


def _demand(actor: Actor) -> None:
    if not may_hand_over(actor):
        raise Forbidden(_("Only personnel and process administrators hand over somebody's work."))
