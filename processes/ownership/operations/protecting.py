"""A superior keeps rules of unlocking off a customer until a day (row 74)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import SYSTEM, Actor
from engine.errors import Forbidden, RuleViolation
from engine.i18n import _
from processes.kernel.working_time import business_date
from processes.ownership import permissions, rules
from processes.ownership.operations import holding
from processes.party import operations as party
from processes.party.models import Customer
from processes.party.permissions import readable


def protect(session: Session, actor: Actor, *, customer_id: int, until: date | None, reason: str = "") -> Customer:
    """until: the first day a rule may unlock it again, with a reason; None takes the protection away."""
    rules.check_day(until, business_date(clock.now()))
    said = rules.check_reason(reason) if until is not None else ""
    readable(session, actor, customer_id)
    customer = holding.take(session, [customer_id])[customer_id]
    if customer.owner_id is None:
        raise RuleViolation(_("{customer} has no owner.", customer=customer.name), code="not_locked")
    if not may_protect(session, actor, customer):
        raise Forbidden(_("Only those above its owner may protect {customer}.", customer=customer.name))
    return party.protect_customer(session, actor, record_id=customer_id, until=until, reason=said)


def may_protect(session: Session, actor: Actor, customer: Customer) -> bool:
    """Who may give it to somebody else; an owner protects nothing of his own by that alone."""
    if customer.owner_id is None:
        return False
    given = select(Customer.id).where(Customer.id == customer.id, permissions.givable_customers(actor))
    return session.scalar(given) is not None


def forget(session: Session, *, customer_id: int) -> None:
    """Back in the pool it is protected no more: whoever gets it next is no reason for that."""
    if session.get_one(Customer, customer_id).protected_until is not None:
        party.protect_customer(session, SYSTEM, record_id=customer_id, until=None)
