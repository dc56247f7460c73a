"""Work items that go over when a delegation begins, and come back when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import SYSTEM
from engine.models import InboxEntry, Instance, WorkItem
from engine.runtime.host import latest_form
from engine.work_items.held import move
from processes.approval import rules
from processes.approval.models import Delegation
from processes.approval.operations.proxies import proxies


def hand_over(session: Session, delegation: Delegation) -> int:
    """What waits for the delegator goes to whoever now acts for them; also what they hold as somebody's delegate.

    What lies in a pool stays there: colleagues can take it.
    """
    return _route(session, [WorkItem.assignee_id == delegation.delegator_id, WorkItem.state.in_(("open", "waiting"))])


def give_back(session: Session, delegation: Delegation) -> int:
    """What others hold for the delegator, or through them for those before them in the chain, finds its new place.

    That is the delegator's own desk, unless another delegation of theirs covers it. What a delegate has transferred is
    the new holder's own and stays there.
    """
    person, taker = delegation.delegator_id, delegation.delegate_id
    owners = {person, *_along(session, person, up=True)}
    held = [WorkItem.on_behalf_of.in_(owners), WorkItem.state.in_(("open", "delegated", "waiting"))]
    return _route(session, held) + _leave_pools(session, owners, {taker, *_along(session, taker, up=False)})


def _along(session: Session, person: int, *, up: bool) -> set[int]:
    """Those whose work reaches this person through delegations in force (up), or to whom this person's work goes."""
    here, there = Delegation.delegate_id, Delegation.delegator_id
    if not up:
        here, there = there, here
    found: set[int] = set()
    edge = {person}
    for _level in range(rules.LONGEST_CHAIN):
        edge = set(session.scalars(select(there).where(here.in_(edge), Delegation.state == "active"))) - found
        found |= edge
    return found


def _route(session: Session, which: Iterable[ColumnElement[bool]]) -> int:
    """Lay each of these items where the delegations in force want it; returns how many moved.

    In the order of the instances, so that two sweeps at once wait for each other instead of locking each other out.
    """
    moved = 0
    for item, instance in _of_running(session, [WorkItem.kind == "sign", *which]):
        owner = item.on_behalf_of or item.assignee_id
        if owner is None:
            continue
        wanted = _acting(session, instance, [owner]).get(owner, owner)
        if wanted == item.assignee_id and item.state != "delegated":
            continue
        if item.on_behalf_of is not None:
            if item.state == "delegated":  # the delegate asks somebody: the question is over
                work_items.take_back(session, SYSTEM, item.id)
            work_items.take_back(session, SYSTEM, item.id)
        if wanted != owner:
            work_items.hand_to_proxy(session, SYSTEM, item, wanted)
        moved += 1
    return moved


def _leave_pools(session: Session, owners: set[int], takers: set[int]) -> int:
    """Who may take something out of a pool only for somebody who was away may so no more."""
    shared = select(InboxEntry.item_id).where(InboxEntry.principal.in_(takers))
    moved = 0
    for item, instance in _of_running(session, [WorkItem.state == "open", WorkItem.id.in_(shared)]):
        lent: dict[str, int] = item.reason.get("for") or {}
        if not owners & set(lent.values()):
            continue
        own = [one for one in item.candidates if str(one) not in lent]
        now = {proxy: person for person, proxy in _acting(session, instance, list(lent.values())).items()}
        item.candidates = [*own, *(proxy for proxy in now if proxy not in own)]
        item.reason = {**item.reason, "for": {str(proxy): person for proxy, person in now.items()}}
        keeps = item.assignee_id if str(item.assignee_id) not in lent or item.assignee_id in now else None
        principals = [keeps] if keeps is not None else item.candidates
        move(session, SYSTEM, item, "take_back", keeps, principals, {"from": sorted(map(int, lent))})
        moved += 1
    return moved


def _of_running(session: Session, which: Iterable[ColumnElement[bool]]) -> list[tuple[WorkItem, Instance]]:
    found = (
        select(WorkItem, Instance)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(Instance.state.in_(("running", "suspended")), *which)
        .order_by(WorkItem.instance_id, WorkItem.id)
        .execution_options(populate_existing=True)
    )
    return [(item, instance) for item, instance in session.execute(found)]


def _acting(session: Session, instance: Instance, persons: list[int]) -> dict[int, int]:
    return proxies(
        session,
        persons,
        definition_key=instance.definition_key,
        starter_id=instance.starter_id,
        form=partial(_form, session, instance.id),
    )


def _form(session: Session, instance_id: int) -> dict[str, Any]:
    return latest_form(session, instance_id)[1]
