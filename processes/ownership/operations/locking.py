"""A customer gets an owner (锁定), and is given back to the pool (开放)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.errors import Forbidden, RuleViolation
from engine.i18n import _
from processes.kernel.working_time import business_date
from processes.organization.models import Department, Employee
from processes.ownership import permissions, rules
from processes.ownership.models import Ownership
from processes.ownership.operations import holding, limits
from processes.ownership.operations.house_rules import HOUSE
from processes.ownership.operations.registries import held_back
from processes.party.models import Customer
from processes.party.permissions import readable, visible_customers


def lock(
    session: Session,
    actor: Actor,
    customer_id: int,
    owner_id: int,
    how: str,
    *,
    reason: str = "",
    batch_id: int | None = None,
    request_id: int | None = None,
) -> Ownership:
    """Give an open customer an owner, under the locks; the one road for every `how`.

    request_id: the application this fulfils; only what he holds counts then. Rights are asked by the callers: a process
    grants what its approvers granted. Raises Conflict when it is somebody's already, RuleViolation when the owner has
    no room or has left.
    """
    customer = holding.take(session, [customer_id], [owner_id])[customer_id]
    rules.check_open(customer.name, customer.state, owner_name(session, actor, customer))
    owner = active_person(session, owner_id)
    usage = limits.usage(session, owner_id)
    if request_id is not None:
        # What else he has applied for waits, and takes no slot from this: two of them would block one another for ever.
        usage = replace(usage, pending=0)
    rules.check_limit(usage, 1, owner.name, own=actor.person_id == owner_id)
    return holding.begin(session, actor, customer, owner, how, reason=reason, batch_id=batch_id)


def release(session: Session, actor: Actor, *, customer_id: int, reason: str, pool_id: int | None = None) -> Ownership:
    """Give a customer back to the pool, one's own or one of the people below, and say why.

    pool_id: the department whose pool it goes to; None: everybody's. Refused while an approval about it is under way.
    """
    said = rules.check_reason(reason)
    seen = readable(session, actor, customer_id)
    customer = holding.take(session, [customer_id])[customer_id]
    if customer.owner_id is None:
        raise RuleViolation(_("{customer} has no owner.", customer=seen.name), code="not_locked")
    if not may_release(session, actor, customer):
        raise Forbidden(_("Only its owner and those above him may release {customer}.", customer=customer.name))
    if pool_id is not None and session.get(Department, pool_id) is None:
        raise RuleViolation(_("There is no such record."), code="no_such_pool")
    held = held_back(session, [customer_id]).get(customer_id)
    if held is not None:
        raise RuleViolation(
            _("{customer} cannot be released now: {why}", customer=customer.name, why=held),
            code="approval_running",
            remedy=_("Wait until it is decided, or withdraw it."),
        )
    ended = holding.end(session, actor, customer, "released", reason=said, pool_id=pool_id)
    assert ended is not None
    return ended


def may_release(session: Session, actor: Actor, customer: Customer) -> bool:
    if customer.owner_id is None:
        return False
    if customer.owner_id == actor.person_id:
        return actor.may(permissions.APPLY)
    return (
        session.scalar(
            select(Customer.id).where(
                Customer.id == customer.id, Customer.owner_id.is_not(None), permissions.givable_customers(actor)
            )
        )
        is not None
    )


def active_person(session: Session, person_id: int) -> Employee:
    person = session.get(Employee, person_id)
    if person is None or not person.is_active:
        raise RuleViolation(
            _("{person} has left the company.", person=person.name if person is not None else person_id),
            code="has_left",
            remedy=_("Choose somebody who works here."),
        )
    return person


def owner_name(session: Session, actor: Actor, customer: Customer) -> str | None:
    """Who has it, for those who may see the customer; else nobody's business."""
    if customer.owner_id is None:
        return None
    seen = select(Customer.id).where(Customer.id == customer.id, visible_customers(actor))
    return str(customer.owner) if session.scalar(seen) is not None else None


def check_cool_down(session: Session, customer: Customer, person_id: int) -> None:
    """Whoever let it go himself, or had it unlocked by a rule, waits before he applies again. Being handed over or
    assigned away is no letting go.
    """
    last = session.scalars(
        select(Ownership)
        .where(
            Ownership.customer_id == customer.id,
            Ownership.owner_id == person_id,
            Ownership.ended_how.in_(("released", "unlocked")),
        )
        .order_by(Ownership.started_at.desc(), Ownership.id.desc())
        .limit(1)
    ).first()
    if last is not None and last.ended_at is not None:
        ends = last.ended_at + timedelta(days=HOUSE.cool_down_days)
        rules.check_cool_down(customer.name, last.ended_at, clock.now(), HOUSE.cool_down_days, business_date(ends))


def history(session: Session, customer_id: int) -> Sequence[Ownership]:
    """Whose it was, the latest first; index ix_ownership_customer."""
    return session.scalars(
        select(Ownership)
        .where(Ownership.customer_id == customer_id)
        .order_by(Ownership.started_at.desc(), Ownership.id.desc())
    ).all()
