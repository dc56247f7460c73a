"""People who sell and customers who are theirs, for the tests of following up."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from processes.activity.permissions import WRITE
from processes.organization import operations as organization
from processes.party import operations as party
from processes.party.models import Contact, Customer
from processes.party.permissions import MANAGE, USE

SELL = frozenset({USE, MANAGE, WRITE})


def seller(session: Session, number: str, superior: int | None = None, *further: str) -> Actor:
    values = {"number": number, "name": f"销售{number}", "superior": superior}
    person = organization.create_employee(session, SYSTEM, values=values)
    return Actor(person.id, person.name, permissions=SELL | set(further))


def customer_of(session: Session, owner: Actor | None, name: str, **values: Any) -> Customer:
    """Owned by hand: who may own what is not what these tests ask."""
    made = party.create_customer(session, SYSTEM, values={"name": name, **values})
    if owner is not None:
        made.owner_id, made.state = owner.person_id, "locked"
    session.flush()
    return made


def contact_of(session: Session, customer: Customer, name: str, **values: Any) -> Contact:
    return party.create_contact(session, SYSTEM, values={"name": name, "customer": customer.id, **values})
