"""One place for the question: may this person do this with this item or instance, now?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true, union
from sqlalchemy.orm import Session

from engine import clock, policy as policies
from engine.actor import Actor
from engine.catalog import CATALOG, RecordKind
from engine.errors import Forbidden
from engine.i18n import Sentence, _
from engine.models import Copy, Follower, InboxEntry, Instance, Participant, WorkItem
from engine.runtime.assign import is_approval
from engine.runtime.files import RECORD_TYPE
from engine.states import stands_still
from engine.workflow.contract import Node

MONITOR = "process.instance.monitor"
"""Supervisors: read every instance of the processes."""
ADMINISTER = "process.instance.administer"
"""Process administrators: terminate, repair, re-route."""
PUBLISH = "process.message.publish"
"""Whoever feeds processes from outside: hand in messages and signals."""

BACK_DATE = "process.instance.back_date"
"""Whoever enters decisions that were made on paper (补录)."""

APPROVAL_ACTIONS = ("approve", "reject", "return", "abstain")
"""What an approval offers unless its diagram says otherwise; to abstain only where people vote."""
HOLDER_ACTIONS = ("transfer", "delegate", "consult", "add_signer", "cc", "circulate")
"""What else whoever holds an open item may do with it, unless its diagram names what it allows."""
ENDED = ("completed", "rejected", "withdrawn", "terminated", "failed")
LASTING = ("running", "suspended")


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
    @property
    def done_by(self) -> int | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def many(self) -> bool: ...
    @property
    def added(self) -> str: ...
    @property
    def owner_id(self) -> int | None: ...
    @property
    def on_behalf_of(self) -> int | None: ...
    @property
    def reason(self) -> Mapping[str, Any]: ...


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
    rule = policies.read(node.properties)
    votes = rule.sign == "vote"
    return tuple(a for a in APPROVAL_ACTIONS if a in rule.allow or (a == "abstain" and votes and rule.allows_all))


def decides(found: Iterable[Right], node: Node) -> bool:
    """Among these actions is one that decides or finishes the step, and may be taken: its form can be filled in."""
    return any(right.granted and right.action in offered(node) for right in found)


def _beside(node: Node) -> tuple[str, ...]:
    """What a holder may do besides deciding."""
    if not is_approval(node):
        return tuple(a for a in HOLDER_ACTIONS if a != "add_signer" and node.kind != "startEvent")
    rule = policies.read(node.properties)
    return tuple(a for a in HOLDER_ACTIONS if rule.allows_all or a in rule.allow)


def allowed_actions(item: Item, node: Node, instance: Owned, actor: Actor) -> tuple[Right, ...]:
    """Every action this item knows, each granted or with the reason why not, for exactly this person.

    Whether a decision can still be taken back, and where a return may go, hangs on what has happened since: ask
    `reclaiming.refusal` and `returning.targets`.
    """
    return tuple(Right(action, _refusal(action, item, node, instance, actor)) for action in _known(item, node, actor))


def _known(item: Item, node: Node, actor: Actor) -> tuple[str, ...]:
    """The actions that make sense for this item in its state and for this kind of person."""
    steers = ("assign",) if actor.may(ADMINISTER) else ()
    if item.kind == "consult":
        return ("resolve",) if item.state == "open" else ()
    match item.state:
        case "open":
            back = ("take_back",) if _is_for(item.on_behalf_of, actor) else ()
            off = ("remove_signer",) if item.many and _may_remove(item, actor) else ()
            free = ("recall",) if _waits_for_readers(node) else ()
            return (*offered(node), *_beside(node), *free, *_pool_actions(item), *back, *off, *steers)
        case "delegated":
            back = ("take_back",) if _is_for(item.owner_id, actor) else ()
            return ("resolve", *back, *steers)
        case "waiting":
            back = ("take_back",) if _is_for(item.on_behalf_of, actor) else ()
            return (*back, "remove_signer") if item.many and _may_remove(item, actor) else back
        case "done" | "approving":
            return ("reclaim",) if item.done_by == actor.person_id else ()
    return ()


def _waits_for_readers(node: Node) -> bool:
    return is_approval(node) and policies.read(node.properties).waits_for_readers


def _is_for(person: int | None, actor: Actor) -> bool:
    """The item is this person's, who lent it; the system gives back what an absence has lent."""
    return person is not None and actor.person_id in (person, 0)


def _may_remove(item: Item, actor: Actor) -> bool:
    return actor.may(ADMINISTER) or (item.added != "" and item.reason.get("by") == actor.person_id)


def _pool_actions(item: Item) -> tuple[str, ...]:
    if len(item.candidates) <= 1 and not any(p < 0 for p in item.candidates):
        return ()
    return ("release",) if item.assignee_id is not None else ("claim",)


def _refusal(action: str, item: Item, node: Node, instance: Owned, actor: Actor) -> Sentence | None:
    if action == "take_back" and actor.person_id == 0 and instance.state in LASTING:
        return None  # an absence ends for what is suspended as well
    if instance.state != "running":
        return stands_still(instance.state)
    if action in ("reclaim", "take_back", "remove_signer", "assign"):
        return None  # what stands in _known is the right itself
    if item.state not in ("open", "delegated"):
        return _("{who} has already handled this.", who=item.done_by_name or "-")
    if not holds(item, actor) and not (action in ("transfer", "recall") and actor.may(ADMINISTER)):
        if item.assignee_id is not None and set(item.candidates) & set(actor.principals):
            return _("A colleague has claimed this; it must be released first.")
        return _("This work item does not lie with you.")
    own = actor.person_id == instance.starter_id and is_approval(node) and item.kind == "sign"
    if own and action != "release" and not policies.read(node.properties).own_allowed:
        return _("Nobody approves his own request.")
    return None


def holds(item: Item, actor: Actor) -> bool:
    """The item lies with this person: assigned, or in a pool the person belongs to."""
    if item.assignee_id is not None:
        return item.assignee_id == actor.person_id
    return bool(set(item.candidates) & set(actor.principals))


def refusal(action: str, item: Item, node: Node, instance: Owned, actor: Actor) -> Sentence | None:
    """Why this action is not granted, or None."""
    if action not in _known(item, node, actor):
        return _("“{action}” is not possible here.", action=action)
    return _refusal(action, item, node, instance, actor)


def demand(action: str, item: Item, node: Node, instance: Owned, actor: Actor) -> None:
    """Raise Forbidden unless the action is granted."""
    why_not = refusal(action, item, node, instance, actor)
    if why_not is not None:
        raise Forbidden(why_not)


# ------------------------------------------------------------------------------------------------- instances


def reads_all(actor: Actor) -> bool:
    """Supervisors read every instance."""
    return actor.may(MONITOR) or actor.may(ADMINISTER)


def readable_by(actor: Actor) -> ColumnElement[bool]:
    """The instances this person may read: own, taken part in, copied, waiting for him, or all as a supervisor."""
    if reads_all(actor):
        return or_(Instance.state != "draft", Instance.starter_id == actor.person_id)
    return or_(
        Instance.starter_id == actor.person_id,
        and_(
            Instance.state != "draft",
            *_not_too_long_ago(),
            or_(
                exists().where(Participant.person_id == actor.person_id, Participant.instance_id == Instance.id),
                exists().where(Copy.person_id == actor.person_id, Copy.instance_id == Instance.id),
                _waiting(Instance.id).where(InboxEntry.principal.in_(actor.principals)).exists(),
            ),
        ),
    )


def _waiting(instance_id: Any) -> Select[int]:
    """The principals with whom something of this instance lies."""
    of_items = select(InboxEntry.principal).join(WorkItem, WorkItem.id == InboxEntry.item_id)
    return of_items.where(WorkItem.instance_id == instance_id)


def _not_too_long_ago() -> list[ColumnElement[bool]]:
    """For processes that say so, taking part gives a right to read for some days after the end only."""
    limits = {p.key: p.readers_until_days for p in CATALOG.processes.values() if p.readers_until_days is not None}
    if not limits:
        return []
    now = clock.now()
    recent = [
        and_(Instance.definition_key == key, Instance.ended_at > now - timedelta(days=days))
        for key, days in limits.items()
    ]
    return [or_(Instance.ended_at.is_(None), Instance.definition_key.not_in(limits), *recent)]


def may_read_instance(session: Session, actor: Actor, instance_id: int) -> bool:
    found = session.scalar(select(Instance.id).where(Instance.id == instance_id, readable_by(actor)))
    return found is not None


def readable_among(session: Session, actor: Actor, instance_ids: Iterable[int]) -> set[int]:
    wanted = select(Instance.id).where(Instance.id.in_(set(instance_ids)), readable_by(actor))
    return set(session.scalars(wanted))


def _readers(session: Session, actors: Sequence[Actor], instance_id: int) -> set[int]:
    """Whose `readable_by` holds this instance, in two questions however many are asked about."""
    known = session.execute(
        select(Instance.starter_id, Instance.state, and_(true(), *_not_too_long_ago()))
        .where(Instance.id == instance_id)
    ).first()  # fmt: skip
    if known is None:
        return set()
    starter_id, state, recent = known
    concerned = {starter_id}
    if recent and state != "draft":
        concerned |= set(session.scalars(union(*_concerned(instance_id))))
    supervised = state != "draft"
    return {
        one.person_id
        for one in actors
        if (supervised and (one.may(MONITOR) or one.may(ADMINISTER))) or not concerned.isdisjoint(one.principals)
    }


def _title(session: Session, instance_id: int) -> str:
    return session.scalar(select(Instance.title).where(Instance.id == instance_id)) or ""


def _audience(session: Session, instance_id: int) -> set[int]:
    """Who has, had or follows this instance; a supervisor who only looks sees news when he loads the page again."""
    starter = select(Instance.starter_id).where(Instance.id == instance_id)
    followers = select(Follower.person_id).where(Follower.instance_id == instance_id)
    return set(session.scalars(union(starter, followers, *_concerned(instance_id))))


def _concerned(instance_id: int) -> tuple[Select[int], ...]:
    """Who has, had or was copied this instance."""
    return (
        select(Participant.person_id).where(Participant.instance_id == instance_id),
        select(Copy.person_id).where(Copy.instance_id == instance_id),
        _waiting(instance_id),
    )


CATALOG.records[RECORD_TYPE] = RecordKind(may_read_instance, _title, _audience, _readers)


def instance_actions(instance: Instance, actor: Actor, *, decided: bool) -> tuple[Right, ...]:
    """What may be done to a whole instance. decided: somebody has already approved or rejected in it."""
    rights = []
    over = None
    if instance.state not in LASTING:
        over = stands_still(instance.state)
    if instance.starter_id == actor.person_id:
        refusal = over
        if instance.state == "suspended":
            refusal = stands_still(instance.state)
        elif over is None and decided:
            refusal = _("It can no longer be withdrawn: somebody has already decided on it.")
        rights.append(Right("withdraw", refusal))
    if instance.starter_id == actor.person_id or actor.may(ADMINISTER):
        rights.append(Right("change_people", over))
    if actor.may(ADMINISTER):
        running = None if instance.state == "running" else over or _("This process is suspended; resume it first.")
        asleep = None if instance.state == "suspended" else over or _("This process is not suspended.")
        ended = None if instance.state in ENDED else _("This process has not ended.")
        finished = None if instance.state in ("completed", "rejected") else _("Only what was finished can be voided.")
        rights += [
            Right("suspend", running),
            Right("resume", asleep),
            Right("jump", running),
            Right("terminate", over),
            Right("reopen", ended),
            Right("void", finished),
        ]
    return tuple(rights)
