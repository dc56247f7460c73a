"""One place for the question: may this person do this with this item or instance, now?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import Sentence, _
from engine.models import Copy, InboxEntry, Instance, Participant, WorkItem
from engine.runtime.assign import is_approval
from engine.workflow.contract import Node

MONITOR = "process.instance.monitor"
"""Supervisors: read every instance of the processes."""
ADMINISTER = "process.instance.administer"
"""Process administrators: terminate, repair, re-route."""
PUBLISH = "process.message.publish"
"""Whoever feeds processes from outside: hand in messages and signals."""

APPROVAL_ACTIONS = ("approve", "reject", "return")
"""What an approval offers unless its diagram says otherwise, as far as the diagram catches it."""


class Item(Protocol):
    """A work item, as a row or as the engine keeps it."""

    @property
    def id(self) -> int: ...
    @property
    def instance_id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def assignee_id(self) -> int | None: ...
    @property
    def candidates(self) -> list[Any]: ...
    @property
    def done_by_name(self) -> str: ...


class Owned(Protocol):
    """An instance, as a row or as the engine keeps it."""

    @property
    def state(self) -> str: ...
    @property
    def starter_id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Right:
    """An action with, where it is refused, the sentence that says why."""

    action: str
    refusal: Sentence | None = None

    @property
    def granted(self) -> bool:
        return self.refusal is None


def offered(node: Node) -> tuple[str, ...]:
    """The deciding actions a node's diagram offers."""
    if not is_approval(node):
        return ("submit",)
    named = node.properties.get("approval.allow")
    wanted = [a.strip() for a in named.split(",")] if named else list(APPROVAL_ACTIONS)
    # A return without a boundary event that catches it would leave the token nowhere.
    returns = any(code in ("returned", "") for code in node.catches)
    return tuple(a for a in APPROVAL_ACTIONS if a in wanted and (a != "return" or returns))


def allowed_actions(item: Item, node: Node, instance: Owned, actor: Actor) -> tuple[Right, ...]:
    """Every action this item knows, each granted or with the reason why not, for exactly this person."""
    actions = [*offered(node), *_pool_actions(item)]
    return tuple(Right(action, _refusal(action, item, node, instance, actor)) for action in actions)


def _pool_actions(item: Item) -> tuple[str, ...]:
    if len(item.candidates) <= 1 and not any(p < 0 for p in item.candidates):
        return ()
    return ("release",) if item.assignee_id is not None else ("claim",)


def _refusal(action: str, item: Item, node: Node, instance: Owned, actor: Actor) -> Sentence | None:
    if instance.state != "running":
        return _("This process is {state}; nothing can be done in it now.", state=instance.state)
    if item.state != "open":
        return _("{who} has already handled this.", who=item.done_by_name or "-")
    if not holds(item, actor):
        if item.assignee_id is not None and set(item.candidates) & set(actor.principals):
            return _("A colleague has claimed this; it must be released first.")
        return _("This work item does not lie with you.")
    own = actor.person_id == instance.starter_id and is_approval(node)
    if own and action != "release" and node.properties.get("approval.self") != "allow":
        return _("Nobody approves his own request.")
    return None


def holds(item: Item, actor: Actor) -> bool:
    """The item lies with this person: assigned, or in a pool the person belongs to."""
    if item.assignee_id is not None:
        return item.assignee_id == actor.person_id
    return bool(set(item.candidates) & set(actor.principals))


def refusal(action: str, item: Item, node: Node, instance: Owned, actor: Actor) -> Sentence | None:
    """Why this action is not granted, or None."""
    if action not in offered(node) and action not in _pool_actions(item):
        return _("“{action}” is not possible here.", action=action)
    return _refusal(action, item, node, instance, actor)


def demand(action: str, item: Item, node: Node, instance: Owned, actor: Actor) -> None:
    """Raise Forbidden unless the action is granted."""
    why_not = refusal(action, item, node, instance, actor)
    if why_not is not None:
        raise Forbidden(why_not)


# ------------------------------------------------------------------------------------------------- instances


def readable_by(actor: Actor) -> ColumnElement[bool]:
    """The instances this person may read: own, taken part in, copied, waiting for him, or all as a supervisor."""
    if actor.may(MONITOR) or actor.may(ADMINISTER):
        return Instance.state != "draft"
    waiting = (
        select(InboxEntry.item_id)
        .join(WorkItem, WorkItem.id == InboxEntry.item_id)
        .where(InboxEntry.principal.in_(actor.principals), WorkItem.instance_id == Instance.id)
    )
    return or_(
        Instance.starter_id == actor.person_id,
        and_(
            Instance.state != "draft",
            or_(
                exists().where(Participant.person_id == actor.person_id, Participant.instance_id == Instance.id),
                exists().where(Copy.person_id == actor.person_id, Copy.instance_id == Instance.id),
                waiting.exists(),
            ),
        ),
    )


def may_read_instance(session: Session, actor: Actor, instance_id: int) -> bool:
    found = session.scalar(select(Instance.id).where(Instance.id == instance_id, readable_by(actor)))
    return found is not None


def instance_actions(instance: Instance, actor: Actor, *, decided: bool) -> tuple[Right, ...]:
    """What may be done to a whole instance. decided: somebody has already approved or rejected in it."""
    rights = []
    if instance.starter_id == actor.person_id:
        refusal = None
        if instance.state != "running":
            refusal = _("This process is {state}; nothing can be done in it now.", state=instance.state)
        elif decided:
            refusal = _("It can no longer be withdrawn: somebody has already decided on it.")
        rights.append(Right("withdraw", refusal))
    if actor.may(ADMINISTER):
        over = instance.state not in ("running", "suspended")
        rights.append(
            Right(
                "terminate",
                _("This process is {state}; nothing can be done in it now.", state=instance.state) if over else None,
            )
        )
    return tuple(rights)
