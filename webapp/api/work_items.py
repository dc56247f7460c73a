"""One work item, and what people do with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, repository, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Forbidden, NotFound, Problem
from engine.forms import ScopedLookups
from engine.i18n import _
from engine.models import Instance, WorkItem
from engine.repository import Loaded
from engine.runtime.foresee import foresee
from engine.work_items import rights
from engine.workflow.contract import Node
from webapp.api.answers import (
    Action,
    File,
    Form,
    InstanceLine,
    Names,
    Person,
    actions_of,
    files_of,
    form_of,
    instance_line,
    reading_rights,
)
from webapp.api.definitions import Step, step_of
from webapp.api.endpoint import Answer, Body, Call, Id, Version, endpoint
from webapp.api.reading import InvalidRequest

TAG = "work items"


class Why(Answer):
    """Why it reached these people."""

    rule: str
    path: str
    candidates: list[Person]
    """who else may take it; pools by their members"""


class ItemDetail(Answer):
    id: int
    version: int
    """send it back with an action"""
    instance: InstanceLine
    node: str
    title: str
    documentation: str
    state: str
    outcome: str
    opinion: str
    assignee: Person | None
    on_behalf_of: Person | None
    created_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    done_by: Person | None
    form: Form | None
    values: dict[str, Any]
    files: list[File]
    actions: list[Action]
    why: Why
    next: list[Step]
    """who would come next if you agreed now; empty when it cannot be foreseen"""


@endpoint("GET", "/work-items/{item_id}", tag=TAG)
def get_item(call: Call, item_id: Id) -> ItemDetail:
    """One work item: form and values, what you may do and why not, why it is yours, who comes next."""
    session, actor = call.session, call.actor
    item, instance = _visible(session, actor, item_id)
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes[item.node]
    actions = rights.allowed_actions(item, node, instance, actor)
    names = Names(session, [item.assignee_id, item.done_by, item.on_behalf_of, *_candidates(session, item)])
    return ItemDetail(
        id=item.id,
        version=item.version,
        instance=instance_line(instance, history.present_steps(session, [instance.id]).get(instance.id, "")),
        node=item.node,
        title=item.title,
        documentation=node.documentation,
        state=item.state,
        outcome=item.outcome,
        opinion=item.opinion,
        assignee=names.maybe(item.assignee_id),
        on_behalf_of=names.maybe(item.on_behalf_of),
        created_at=item.created_at,
        due_at=item.due_at,
        done_at=item.done_at,
        done_by=names.maybe(item.done_by),
        form=_form(session, actor, item, instance, loaded, deciding=any(right.granted for right in actions)),
        values=work_items.readable_values(session, actor, instance, step=item.node),
        files=files_of(session, instance.id),
        actions=actions_of(actions),
        why=Why(
            rule=str(item.reason.get("rule", "")),
            path=str(item.reason.get("path", "")),
            candidates=[names(person) for person in _candidates(session, item)],
        ),
        next=_next(session, actor, item, instance, node),
    )


def _visible(session: Session, actor: Actor, item_id: int) -> tuple[WorkItem, Instance]:
    row = session.execute(
        select(WorkItem, Instance).join(Instance, Instance.id == WorkItem.instance_id).where(WorkItem.id == item_id)
    ).first()
    if row is None:
        raise NotFound
    item, instance = row
    mine = rights.holds(item, actor) or set(item.candidates) & set(actor.principals)
    if not mine and not rights.may_read_instance(session, actor, instance.id):
        raise NotFound
    return item, instance


def _form(
    session: Session, actor: Actor, item: WorkItem, instance: Instance, loaded: Loaded, *, deciding: bool
) -> Form | None:
    """The form with this step's rights for who may act on it, to be read for anybody else."""
    lookups = ScopedLookups(session, actor, instance_id=instance.id)
    own = loaded.form_of(item.node) if deciding else None
    if own is not None:
        return form_of(own, lookups, own.rights(item.node))
    shown = loaded.start_form()
    if shown is None:
        return None
    return form_of(shown, lookups, reading_rights(shown, work_items.hidden_fields(session, actor, instance, shown)))


def _candidates(session: Session, item: WorkItem) -> list[int]:
    found: dict[int, None] = {}
    for principal in item.candidates:
        if principal > 0:
            found[principal] = None
        elif CATALOG.directory is not None:
            found |= dict.fromkeys(CATALOG.directory.members(session, principal))
    return list(found)


def _next(session: Session, actor: Actor, item: WorkItem, instance: Instance, node: Node) -> list[Step]:
    if item.state != "open" or instance.state != "running" or not rights.holds(item, actor):
        return []
    return [step_of(step) for step in foresee(session, actor, item, instance, rights.offered(node)[0])]


# ------------------------------------------------------------------------------------------------- actions


class Decision(Body):
    version: Version
    opinion: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    variables: dict[str, Any] | None = None
    """the form's fields that this step may change"""


class Move(Body):
    version: Version


class Copies(Body):
    version: Version
    to: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=100)]


class Acted(Answer):
    """What became of the item and of its instance."""

    id: int
    version: int
    state: str
    outcome: str
    assignee_id: int | None
    instance: InstanceLine


@endpoint("POST", "/work-items/{item_id}/actions/{action}", tag=TAG, refusals=(409,))
def decide(
    call: Call, item_id: Id, action: Literal["approve", "reject", "return", "submit", "resubmit"], body: Decision
) -> Acted:
    """Decide or finish a work item.

    approve, reject, return: an approval (reject and return need an opinion). submit, resubmit: any other task, with the
    form's fields as `variables`. A stale `version` is refused with 409, which says who was faster.
    """
    verb = "submit" if action == "resubmit" else action
    work_items.act(
        call.session,
        call.actor,
        item_id,
        verb,
        version=body.version,
        opinion=body.opinion,
        values=body.variables,
    )
    return _acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/claim", tag=TAG, refusals=(409,))
def claim(call: Call, item_id: Id, body: Move) -> Acted:
    """Take an item out of its pool."""
    work_items.claim(call.session, call.actor, item_id, version=body.version)
    return _acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/release", tag=TAG, refusals=(409,))
def release(call: Call, item_id: Id, body: Move) -> Acted:
    """Give a claimed item back to its pool."""
    work_items.release(call.session, call.actor, item_id, version=body.version)
    return _acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/cc", tag=TAG, refusals=(409,))
def cc(call: Call, item_id: Id, body: Copies) -> Acted:
    """Let people read this instance. Only who holds the item may; everybody gets one copy, however often it is sent."""
    session, actor = call.session, call.actor
    item, instance = _visible(session, actor, item_id)
    if item.state != "open" or not rights.holds(item, actor):
        raise Forbidden(_("This work item does not lie with you."))
    if item.version != body.version:
        raise work_items.too_late(session, item)
    known = CATALOG.directory.names(session, body.to) if CATALOG.directory else {}
    unknown = [Problem(f"to.{n}", _("There is no such person.")) for n, p in enumerate(body.to) if p not in known]
    if unknown:
        raise InvalidRequest(unknown)
    work_items.send_copies(session, actor, instance.id, body.to)
    return _acted(session, item_id)


def _acted(session: Session, item_id: int) -> Acted:
    item, instance = session.execute(
        select(WorkItem, Instance)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(WorkItem.id == item_id)
        .execution_options(populate_existing=True)
    ).one()
    waits_for = history.present_steps(session, [instance.id]).get(instance.id, "")
    return Acted(
        id=item.id,
        version=item.version,
        state=item.state,
        outcome=item.outcome,
        assignee_id=item.assignee_id,
        instance=instance_line(instance, waits_for),
    )
