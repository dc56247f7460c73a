"""Assigning and handing over, one customer or many (分配、移交): looked at before, done at once, taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import AppError, Conflict, Forbidden, NotFound, RuleViolation
from engine.i18n import Sentence, _
from processes.kernel.working_time import business_date
from processes.notices.operations import notify
from processes.organization.models import Employee
from processes.organization.permissions import within_scope
from processes.ownership import permissions, rules
from processes.ownership.models import Handover, OwnerCounter, Ownership, Share
from processes.ownership.operations import holding, limits, locking, sharing
from processes.ownership.operations.assigning import GIVEN
from processes.ownership.operations.registries import MOVERS, register_mover
from processes.ownership.operations.tasks_along import TASKS
from processes.party.models import Customer
from processes.party.permissions import MODULE, visible_customers

MOST = 500
"""Customers in one act."""
MOST_HOLDERS = 100
UNDO_WITHIN = timedelta(hours=24)
RECORD_TYPE = "ownership.handover"

register_mover(TASKS)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that would move along."""

    name: str
    title: Sentence
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What handing over would do, before it is done."""

    customers: Sequence[Customer]
    receiver: Employee
    usage: rules.Usage
    parts: tuple[Part, ...]
    refusal: AppError | None
    """why it would be refused as a whole"""


def preview(session: Session, actor: Actor, *, customer_ids: Collection[int], to_id: int) -> Plan:
    """Everything that would move, and whether the receiver has room for all of it. Changes nothing."""
    customers = _givable(session, actor, customer_ids)
    receiver = session.get(Employee, to_id)
    if receiver is None:
        raise NotFound
    usage = limits.usage(session, to_id)
    ids = [one.id for one in customers]
    parts = tuple(Part(one.name, one.title, one.count(session, ids), one.is_chosen) for one in MOVERS.values())
    refusal: AppError | None = None
    try:
        _check(session, actor, customers, receiver, usage)
    except AppError as found:
        refusal = found
    return Plan(customers, receiver, usage, parts, refusal)


def hand_over(
    session: Session,
    actor: Actor,
    *,
    customer_ids: Collection[int],
    to_id: int,
    reason: str = "",
    parts: Collection[str] | None = None,
    reader_until: date | None = None,
    only_open: bool = False,
    seen: Mapping[int, int] | None = None,
) -> Handover:
    """Give all of these customers to one person, or none.

    Open ones are assigned, owned ones handed over. parts: names of movers whose things go along; None: those ticked by
    themselves.  reader_until: former owners may go on reading until that day.  The receiver's limit holds for the
    whole batch; the cool-down of former owners does not hold for what a superior assigns.
    seen: {customer: whose it was when somebody looked, 0 = nobody's}; who has changed hands since is left alone.
    """
    said = reason.strip()[: rules.LONGEST_REASON]
    rules.check_day(reader_until, business_date(clock.now()))
    _givable(session, actor, customer_ids)
    held = holding.take(session, customer_ids, [to_id])
    customers = _givable(session, actor, customer_ids)  # again, as they are under the locks
    receiver = locking.active_person(session, to_id)
    if only_open:
        for one in customers:
            rules.check_open(one.name, one.state, locking.owner_name(session, actor, one))
    for one in customers:
        _check_seen(one, (seen or {}).get(one.id, one.owner_id or 0))
    _check(session, actor, customers, receiver, limits.usage(session, to_id))
    chosen = {name for name, one in MOVERS.items() if one.is_chosen} if parts is None else set(parts) & set(MOVERS)
    now = clock.now()
    was_owned = any(one.owner_id is not None for one in customers)
    batch = Handover(
        kind="handed_over" if was_owned else "assigned",
        to_id=to_id,
        reason=said,
        count=len(customers),
        at=now,
        by_id=actor.person_id,
    )
    session.add(batch)
    session.flush()
    moved: dict[str, Any] = {"customers": [[one.id, one.owner_id or 0] for one in customers], "parts": sorted(chosen)}
    for name, mover in sorted(MOVERS.items()):
        move = mover.move if name in chosen else mover.leave
        moved[name] = move(session, actor, sorted(held), to_id)
    moved["lent"] = sharing.lent_to(session, held, to_id)
    shares = []
    for customer in customers:
        former = customer.owner_id
        how = "assigned" if former is None else "handed_over"
        holding.pass_on(session, actor, customer, receiver, how, reason=said, batch_id=batch.id, parts=chosen)
        if former is not None and reader_until is not None:
            shares.append(_keep_reading(session, actor, customer, former, reader_until))
    moved["shares"] = shares
    batch.moved = moved
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, batch.id, batch.kind, None, {"to": receiver.name, "count": batch.count})
    _tell(session, actor, batch, customers, receiver)
    return batch


def take_oneself(session: Session, actor: Actor, *, customer_id: int, reason: str = "") -> Handover:
    """Lock a customer of the pool for oneself: for those who assign to others, too."""
    ids = [customer_id]
    return hand_over(session, actor, customer_ids=ids, to_id=actor.person_id, reason=reason, only_open=True)


def undo(session: Session, actor: Actor, *, handover_id: int) -> int:
    """Take a handing over back within a day; how many customers went back. What has moved on since stays where it is.

    The limit of the former owners is not asked: they had these customers. Who has left meanwhile gets nothing back; the
    customer goes to the pool.
    """
    batch = session.get(Handover, handover_id, with_for_update=True, populate_existing=True)
    if batch is None or not (batch.by_id == actor.person_id or actor.may(permissions.ASSIGN_ANY)):
        raise NotFound
    if batch.undone_at is not None:
        raise Conflict(_("This has been taken back already."), code="undone_already")
    if clock.now() > batch.at + UNDO_WITHIN:
        raise RuleViolation(
            _("A handing over can be taken back within 24 hours."),
            code="too_late",
            remedy=_("Hand the customers over again."),
        )
    pairs = {int(one): int(former) for one, former in batch.moved["customers"]}
    held = holding.take(session, pairs, [one for one in pairs.values() if one])
    of_batch = select(Ownership.customer_id).where(Ownership.batch_id == batch.id, Ownership.ended_at.is_(None))
    still = set(session.scalars(of_batch))
    for customer_id in sorted(still):
        former = session.get(Employee, pairs[customer_id]) if pairs[customer_id] else None
        if former is not None and former.is_active:
            holding.pass_on(session, actor, held[customer_id], former, "undone", parts=batch.moved["parts"])
        else:
            holding.end(session, actor, held[customer_id], "undone")
    for name, mover in sorted(MOVERS.items()):
        mover.undo(session, actor, batch.moved.get(name, []), still)
    for share in session.scalars(select(Share).where(Share.id.in_(batch.moved["shares"]), Share.ended_at.is_(None))):
        share.ended_at = clock.now()
    sharing.lend_again(session, batch.moved.get("lent", []), still)
    batch.undone_at, batch.undone_by = clock.now(), actor.person_id
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, batch.id, "undone", None, {"count": len(still)})
    return len(still)


def may_undo(actor: Actor, batch: Handover) -> bool:
    mine = batch.by_id == actor.person_id or actor.may(permissions.ASSIGN_ANY)
    return mine and batch.undone_at is None and clock.now() <= batch.at + UNDO_WITHIN


def batches_of(session: Session, actor: Actor, limit: int = 20) -> Sequence[Handover]:
    """His latest; by the key, newest first."""
    mine = select(Handover).order_by(Handover.id.desc()).limit(limit)
    if not actor.may(permissions.ASSIGN_ANY):
        mine = mine.where(Handover.by_id == actor.person_id)
    return session.scalars(mine).all()


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose customers the actor may hand over."""

    person: Employee
    count: int


def holders(session: Session, actor: Actor) -> list[Holder]:
    """Leavers first, who have nobody to look after their customers, then those who hold most; the counters are read."""
    if not (actor.may(permissions.ASSIGN) or actor.may(permissions.ASSIGN_ANY)):
        return []
    found = (
        select(Employee, OwnerCounter.used)
        .join(OwnerCounter, OwnerCounter.person_id == Employee.id)
        .where(OwnerCounter.used > 0)
        .order_by(Employee.state == "active", OwnerCounter.used.desc(), Employee.id)
        .limit(MOST_HOLDERS)
    )
    if not actor.may(permissions.ASSIGN_ANY):
        found = found.where(within_scope(actor, MODULE, Employee.id))
    return [Holder(person, used) for person, used in session.execute(found)]


def _givable(session: Session, actor: Actor, customer_ids: Collection[int]) -> Sequence[Customer]:
    """These customers, if the actor may give away every one; what he may not see does not exist for him."""
    wanted = set(customer_ids)
    if not wanted:
        raise RuleViolation(_("Choose at least one customer."), code="nothing_chosen")
    if len(wanted) > MOST:
        raise RuleViolation(_("At most {count} customers at once.", count=MOST), code="too_many")
    seen = session.scalars(
        select(Customer)
        .where(Customer.id.in_(wanted), visible_customers(actor))
        .order_by(Customer.id)
        .execution_options(populate_existing=True)
    ).all()
    if len(seen) < len(wanted):
        raise NotFound
    allowed = set(
        session.scalars(select(Customer.id).where(Customer.id.in_(wanted), permissions.givable_customers(actor)))
    )
    for customer in seen:
        if customer.id not in allowed:
            raise Forbidden(
                _("{customer} is not yours to give away.", customer=customer.name),
                remedy=_("Ask its owner's superior."),
            )
    return seen


def _check(
    session: Session, actor: Actor, customers: Sequence[Customer], receiver: Employee, usage: rules.Usage
) -> None:
    permissions.demand_give(session, actor, receiver.id)
    for customer in customers:
        if customer.state == "closed":
            raise RuleViolation(_("{customer} is closed.", customer=customer.name), code="customer_closed")
        if customer.owner_id == receiver.id:
            raise RuleViolation(
                _("{customer} belongs to {owner} already.", customer=customer.name, owner=receiver.name),
                code="his_already",
            )
    rules.check_limit(usage, len(customers), receiver.name)


def _check_seen(customer: Customer, owner_id: int) -> None:
    if (customer.owner_id or 0) != owner_id:
        raise Conflict(
            _("{customer} belongs to {owner} meanwhile.", customer=customer.name, owner=customer.owner.name)
            if customer.owner is not None
            else _("{customer} has come into the pool meanwhile.", customer=customer.name),
            code="changed_hands",
            remedy=_("Look at the list again, then hand over."),
        )


def _keep_reading(session: Session, actor: Actor, customer: Customer, former: int, until: date) -> int:
    share = Share(
        customer_id=customer.id,
        person_id=former,
        level="read",
        parts=sorted(rules.SHARE_PARTS),
        until=until,
        created_by=actor.person_id,
    )
    session.add(share)
    session.flush()
    return share.id


def _tell(session: Session, actor: Actor, batch: Handover, customers: Sequence[Customer], receiver: Employee) -> None:
    if receiver.id == actor.person_id:
        return
    one = len(customers) == 1
    notify(
        session,
        actor,
        persons=[receiver.id],
        kind=GIVEN,
        title=_("{who} gives you {customer}", who=actor.name, customer=customers[0].name)
        if one
        else _("{who} gives you {count} customers", who=actor.name, count=len(customers)),
        key=f"ownership.handover:{batch.id}",
        text=batch.reason,
        record=("party.customer", customers[0].id) if one else None,
        link="" if one else "/party/customer/list/",
    )
