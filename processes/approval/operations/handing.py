"""Work items that go over when a delegation begins, and come back when it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.models import Instance, WorkItem
from engine.runtime.host import latest_form
from engine.work_items import actions
from processes.approval import rules
from processes.approval.models import Delegation
from processes.approval.operations.proxies import proxies


def hand_over(session: Session, delegation: Delegation) -> int:
    """What waits for the delegator goes to whoever now acts for them; also what they hold as somebody's delegate."""
    return _route(session, [WorkItem.assignee_id == delegation.delegator_id])


def give_back(session: Session, delegation: Delegation) -> int:
    """What others hold for the delegator, or through them for those before them in the chain, finds its new place.

    That is the delegator's own desk, unless another delegation of theirs covers it. What a delegate has passed on to a
    colleague (`hops`) stays with that colleague.
    """
    owners = {delegation.delegator_id, *_upstream(session, delegation.delegator_id)}
    return _route(session, [WorkItem.on_behalf_of.in_(owners), WorkItem.hops == 0])


def _upstream(session: Session, person: int) -> Collection[int]:
    """Those whose work reaches this person through delegations in force."""
    found: set[int] = set()
    edge = {person}
    for _level in range(rules.LONGEST_CHAIN):
        givers = select(Delegation.delegator_id).where(Delegation.delegate_id.in_(edge), Delegation.state == "active")
        edge = set(session.scalars(givers)) - found
        found |= edge
    return found


def _route(session: Session, which: Iterable[ColumnElement[bool]]) -> int:
    """Lay each of these open items where the delegations in force want it; returns how many moved.

    In the order of the instances, so that two sweeps at once wait for each other instead of locking each other out.
    """
    open_items = (
        select(WorkItem, Instance)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(WorkItem.state == "open", Instance.state == "running", *which)
        .order_by(WorkItem.instance_id, WorkItem.id)
    )
    moved = 0
    for item, instance in session.execute(open_items).all():
        owner = item.on_behalf_of or item.assignee_id
        if owner is None:
            continue
        found = proxies(
            session,
            [owner],
            definition_key=instance.definition_key,
            starter_id=instance.starter_id,
            form=partial(_form, session, instance.id),
        )
        wanted = found.get(owner, owner)
        if wanted == item.assignee_id:
            continue
        if item.on_behalf_of is not None:
            item = _take_back(session, SYSTEM, item.id)  # noqa: PLW2901 - the same item, as it lies now
        if wanted != owner:
            _hand_to_proxy(session, SYSTEM, item, wanted)
        moved += 1
    return moved


def _form(session: Session, instance_id: int) -> dict[str, Any]:
    return latest_form(session, instance_id)[1]


def _hand_to_proxy(session: Session, actor: Actor, item: WorkItem, proxy_id: int) -> WorkItem:
    if item.on_behalf_of is None:
        item.on_behalf_of = item.assignee_id
    return actions._move(session, actor, item, "proxy", proxy_id, (proxy_id,), {"to": proxy_id})  # noqa: SLF001


def _take_back(session: Session, actor: Actor, item_id: int) -> WorkItem:
    item = session.get_one(WorkItem, item_id, populate_existing=True)
    owner = item.on_behalf_of
    assert owner is not None
    item.on_behalf_of = None
    return actions._move(session, actor, item, "take_back", owner, (owner,), {"to": owner})  # noqa: SLF001
