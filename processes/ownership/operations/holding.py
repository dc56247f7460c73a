"""The locks under which ownership changes, in one order, and the two ways it does: a stretch begins, a stretch ends.

Order of locks, everywhere: owner_counter rows by person id, then customer rows by id. A process under way has locked
its instance before. What ends up waiting the other way round is undone by the database and tried again (perform).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from engine import clock, events, journal
from engine.actor import Actor
from engine.errors import NotFound
from processes.organization.models import Employee
from processes.ownership.models import OwnerCounter, Ownership
from processes.party.models import Customer
from processes.party.operations import keep_owner
from processes.party.permissions import CUSTOMER

LOCKED = "ownership.locked"
"""customer_id, owner_id, how, by_id: out of the pool, into somebody's hands"""
RELEASED = "ownership.released"
"""customer_id, owner_id, how, by_id: out of his hands, into the pool"""
HANDED_OVER = "ownership.handed_over"
"""customer_id, from_id, to_id, batch_id, parts: from hand to hand. parts: names of what goes along; None: everything"""


def take(session: Session, customer_ids: Collection[int], receivers: Iterable[int] = ()) -> dict[int, Customer]:
    """Lock the counters of the receivers and of whoever owns these customers now, then the customers, read afresh.

    An owner may change between being read and being locked: then both locks are given back and it begins anew, for a
    counter locked after a customer would turn the order round.
    """
    wanted, receiving = sorted(set(customer_ids)), set(receivers)
    while True:
        savepoint = session.begin_nested()
        persons = receiving | _owners(session, wanted)
        _lock_counters(session, sorted(persons))
        customers = {one.id: one for one in session.scalars(_locking(wanted))}
        if persons >= {one.owner_id for one in customers.values() if one.owner_id is not None}:
            savepoint.commit()
            break
        savepoint.rollback()
    if len(customers) < len(wanted):
        raise NotFound
    return customers


def lock_counter(session: Session, person_id: int) -> None:
    """For a change that concerns what a person may still have and no customer yet."""
    _lock_counters(session, [person_id])


def begin(
    session: Session,
    actor: Actor,
    customer: Customer,
    owner: Employee,
    how: str,
    *,
    reason: str = "",
    batch_id: int | None = None,
    at: datetime | None = None,
    tells: bool = True,
) -> Ownership:
    """From now on the customer is his; the caller holds the locks and has asked the rules.

    tells: publish it; not where it passes from hand to hand, of which the caller tells as one event.
    """
    at = at or clock.now()
    made = Ownership(
        customer_id=customer.id,
        owner_id=owner.id,
        department_id=owner.department_id,
        started_at=at,
        how=how,
        reason=reason,
        by_id=actor.person_id,
        batch_id=batch_id,
    )
    session.add(made)
    session.flush()
    _count(session, owner.id, +1)
    keep_owner(session, customer.id, owner_id=owner.id, at=at)
    after = {"owner": {"id": owner.id, "name": owner.name}, "how": how, "reason": reason}
    journal.audit(session, actor, CUSTOMER, customer.id, "locked", {"owner": None}, after)
    if tells:
        events.publish(session, LOCKED, customer_id=customer.id, owner_id=owner.id, how=how, by_id=actor.person_id)
    return made


def end(
    session: Session,
    actor: Actor,
    customer: Customer,
    how: str,
    *,
    reason: str = "",
    pool_id: int | None = None,
    at: datetime | None = None,
    tells: bool = True,
) -> Ownership | None:
    """From now on it is nobody's; None when it was nobody's before. The caller holds the locks."""
    open_one = session.scalars(
        select(Ownership)
        .where(Ownership.customer_id == customer.id, Ownership.ended_at.is_(None))
        .options(joinedload(Ownership.owner))
    ).first()
    if open_one is None:
        return None
    at = at or clock.now()
    open_one.ended_at = max(at, open_one.started_at)
    open_one.ended_how, open_one.ended_reason, open_one.ended_by = how, reason, actor.person_id
    session.flush()
    _count(session, open_one.owner_id, -1)
    keep_owner(session, customer.id, owner_id=None, at=at, pool_id=pool_id)
    before = {"owner": {"id": open_one.owner_id, "name": str(open_one.owner)}}
    journal.audit(session, actor, CUSTOMER, customer.id, how, before, {"owner": None, "reason": reason})
    if tells:
        events.publish(
            session, RELEASED, customer_id=customer.id, owner_id=open_one.owner_id, how=how, by_id=actor.person_id
        )
    return open_one


def pass_on(
    session: Session,
    actor: Actor,
    customer: Customer,
    owner: Employee,
    how: str,
    *,
    reason: str = "",
    batch_id: int | None = None,
    parts: Collection[str] | None = None,
) -> Ownership:
    """From one hand into another, or from the pool; one event tells of it. The caller holds the locks."""
    former, at = customer.owner_id, clock.now()
    if former is None:
        return begin(session, actor, customer, owner, how, reason=reason, batch_id=batch_id, at=at)
    end(session, actor, customer, how, reason=reason, at=at, tells=False)
    made = begin(session, actor, customer, owner, how, reason=reason, batch_id=batch_id, at=at, tells=False)
    events.publish(
        session,
        HANDED_OVER,
        customer_id=customer.id,
        from_id=former,
        to_id=owner.id,
        batch_id=batch_id,
        parts=None if parts is None else sorted(parts),
    )
    return made


def _owners(session: Session, customer_ids: Collection[int]) -> set[int]:
    held = select(Customer.owner_id).where(Customer.id.in_(customer_ids), Customer.owner_id.is_not(None)).distinct()
    return {one for one in session.scalars(held) if one is not None}


def _locking(customer_ids: Collection[int]) -> Select[Customer]:
    return (
        select(Customer)
        .where(Customer.id.in_(customer_ids))
        .order_by(Customer.id)
        .with_for_update(of=Customer)
        .execution_options(populate_existing=True)
    )


def _lock_counters(session: Session, persons: list[int]) -> None:
    if not persons:
        return
    locking = (
        select(OwnerCounter.person_id)
        .where(OwnerCounter.person_id.in_(persons))
        .order_by(OwnerCounter.person_id)
        .with_for_update()
    )
    known = set(session.scalars(locking))
    if len(known) == len(persons):
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for person in persons:
        if person not in known:
            fresh = insert(OwnerCounter).values(person_id=person, used=0)
            session.execute(fresh.on_conflict_do_nothing(index_elements=["person_id"]))
    session.scalars(locking).all()


def _count(session: Session, person_id: int, by: int) -> None:
    session.execute(
        update(OwnerCounter)
        .where(OwnerCounter.person_id == person_id)
        .values(used=OwnerCounter.used + by)
        .execution_options(synchronize_session=False)
    )
