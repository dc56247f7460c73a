"""Lists of whose customers are: the pool, one's own, who is full, what a customer's page says and offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import AppError
from processes.organization.models import Department, Employee
from processes.ownership import permissions
from processes.ownership.models import LockRequest
from processes.ownership.operations import handing, locking, requests
from processes.party.models import Customer
from processes.party.permissions import customers_in_pool

PoolFilter = Literal["all", "mine", "new", "watched", "applied"]
POOL_FILTERS: tuple[PoolFilter, ...] = ("all", "mine", "new", "watched", "applied")


def pool(
    actor: Actor, only: PoolFilter = "all", *, text: str = "", level: str = "", industry: str = "", region: str = ""
) -> Select[Customer]:
    """Open customers, those that fell open last first; index ix_customer_pool.

    mine: the pool of the actor's department and those above it.  applied: those he has applied for.
    """
    found = select(Customer).where(customers_in_pool(actor))
    if only == "mine":
        path = (
            select(Department.path)
            .join(Employee, Employee.department_id == Department.id)
            .where(Employee.id == actor.person_id)
            .scalar_subquery()
        )
        above = select(Department.id).where(path.startswith(Department.path))
        found = found.where(or_(Customer.pool_id.is_(None), Customer.pool_id.in_(above)))
    elif only == "new":
        found = found.where(Customer.contacts_made == 0)
    elif only == "watched":
        found = found.where(permissions.watched(actor))
    elif only == "applied":
        mine = select(LockRequest.customer_id).where(
            LockRequest.applicant_id == actor.person_id, LockRequest.state == "pending"
        )
        found = found.where(Customer.id.in_(mine))
    for column, value in ((Customer.level, level), (Customer.industry, industry), (Customer.region, region)):
        if value:
            found = found.where(column == value)
    if text:
        found = found.where(Customer.name.contains(text, autoescape=True))
    return found.order_by(Customer.open_since.desc(), Customer.id.desc())


def least_valuable(session: Session, person_id: int, limit: int = 3) -> Sequence[Customer]:
    """Which of his customers he would miss least: low level, never bought, longest without a contact."""
    mine = select(Customer).where(
        Customer.owner_id == person_id, Customer.state == "locked", Customer.stage.not_in(("dealt", "interested"))
    )
    order = Customer.level.desc(), Customer.last_contact_at.is_not(None), Customer.last_contact_at, Customer.owned_since
    return session.scalars(mine.order_by(*order, Customer.id).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class Move:
    """Something to do with a customer, and why it cannot be done now; absent where the actor never may."""

    name: Literal["lock", "apply", "withdraw", "release", "assign", "hand_over"]
    refusal: AppError | None = None


def moves(session: Session, actor: Actor, customer: Customer) -> list[Move]:
    """What the actor may do with the ownership of a customer he may see, said before he tries."""
    if customer.state == "closed":
        return []
    found: list[Move] = []
    if customer.owner_id is None:
        if permissions.may_give_to(session, actor, actor.person_id) and actor.person_id:
            found.append(Move("lock", _refusal_of_lock(session, actor, customer)))
        elif actor.may(permissions.APPLY):
            if requests.pending_of(session, actor.person_id, [customer.id]):
                found.append(Move("withdraw"))
            else:
                found.append(Move("apply", _refusal_of_applying(session, actor, customer)))
        if actor.may(permissions.ASSIGN) or actor.may(permissions.ASSIGN_ANY):
            found.append(Move("assign"))
        return found
    if locking.may_release(session, actor, customer):
        found.append(Move("release"))
    given = select(Customer.id).where(Customer.id == customer.id, permissions.givable_customers(actor))
    if session.scalar(given) is not None:
        found.append(Move("hand_over"))
    return found


def _refusal_of_lock(session: Session, actor: Actor, customer: Customer) -> AppError | None:
    return handing.preview(session, actor, customer_ids=[customer.id], to_id=actor.person_id).refusal


def _refusal_of_applying(session: Session, actor: Actor, customer: Customer) -> AppError | None:
    try:
        requests.check_may_apply(session, actor, customer, actor.person_id)
    except AppError as refusal:
        return refusal
    return None
