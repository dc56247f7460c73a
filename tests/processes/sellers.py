"""Sellers with customers, for the tests of whose customers are."""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from processes.organization.models import Employee
from processes.ownership import operations as ownership, permissions as own
from processes.ownership.models import OwnerCounter, Ownership
from processes.party import operations as party, permissions
from processes.party.models import Customer

SELLER = (permissions.USE, permissions.MANAGE, own.APPLY)
SUPERIOR = (*SELLER, own.ASSIGN)


def seller(person: Employee, *further: str) -> Actor:
    return Actor(person.id, person.name, permissions=frozenset((*SELLER, *further)))


def superior(person: Employee, *further: str) -> Actor:
    return Actor(person.id, person.name, permissions=frozenset((*SUPERIOR, *further)))


def in_pool(session: Session, name: str, **values: object) -> Customer:
    """The system's customers are nobody's."""
    return party.create_customer(session, SYSTEM, values={"name": name, **values})


def owned(session: Session, name: str, owner: Employee, **values: object) -> Customer:
    customer = in_pool(session, name, **values)
    ownership.lock(session, SYSTEM, customer.id, owner.id, "assigned")
    return customer


def limit(session: Session, most: int, *, counts_dealt: bool = True, **subject: object) -> None:
    ownership.create_limit(session, SYSTEM, values={"most": most, "counts_dealt": counts_dealt, **subject})


def check_whole(session: Session) -> None:
    """What always holds of ownership: one owner at most, counters and customers agree with the history, which has no
    overlap and no stretch that ends before it begins.
    """
    session.flush()
    session.expire_all()
    open_ones = session.execute(
        select(Ownership.customer_id, Ownership.owner_id).where(Ownership.ended_at.is_(None))
    ).all()
    assert len({row.customer_id for row in open_ones}) == len(open_ones)
    held: dict[int, int] = {}
    for row in open_ones:
        held[row.owner_id] = held.get(row.owner_id, 0) + 1
    counted = {one.person_id: one.used for one in session.scalars(select(OwnerCounter)) if one.used}
    assert counted == held
    owners = {row.customer_id: row.owner_id for row in open_ones}
    for customer in session.scalars(select(Customer)):
        assert customer.owner_id == owners.get(customer.id)
        assert (customer.state == "locked") == (customer.owner_id is not None)
        assert (customer.owned_since is None) == (customer.owner_id is None)
        stretches = session.scalars(
            select(Ownership).where(Ownership.customer_id == customer.id).order_by(Ownership.started_at, Ownership.id)
        ).all()
        for earlier, later in pairwise(stretches):
            assert earlier.ended_at is not None
            assert earlier.ended_at <= later.started_at
        if customer.owner_id is None and stretches and customer.state == "open":
            assert customer.open_since == stretches[-1].ended_at
    assert (
        session.scalar(select(func.count()).select_from(Ownership).where(Ownership.ended_at < Ownership.started_at))
        == 0
    )
