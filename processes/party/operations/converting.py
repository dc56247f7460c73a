"""A private customer becomes a contact, a contact a customer, an employer a prospect: the party stays the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import Session

from engine import clock, events, journal
from engine.actor import Actor
from engine.errors import Conflict, NotFound, RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change, stamp
from processes.organization.permissions import require
from processes.party import permissions
from processes.party.models import Contact, Customer, Party
from processes.party.operations.contacts import create_contact
from processes.party.operations.customers import CREATED, create_customer

SHOWN = 100


def make_contact_of(
    session: Session, actor: Actor, *, record_id: int, customer: int, values: Mapping[str, Any] | None = None
) -> Contact:
    """The private customer works at that one: from now on a contact there too; a customer he stays.

    values: title, role, is_main.
    """
    require(actor, permissions.MANAGE)
    permissions.demand_work(session, actor, record_id)
    person = session.get_one(Customer, record_id)
    if person.kind != "person":
        raise RuleViolation(_("Only a private person works somewhere."))
    return create_contact(
        session, actor, values={**(values or {}), "person": record_id, "customer": customer, "name": person.name}
    )


def make_customer_of(session: Session, actor: Actor, *, contact_id: int) -> Customer:
    """The contact buys for himself as well: his party becomes a private customer; a contact he stays."""
    require(actor, permissions.MANAGE)
    seen = select(Contact).where(Contact.id == contact_id, permissions.visible_contacts(actor))
    contact = session.scalars(seen).first()
    if contact is None:
        raise NotFound
    party = lock_for_change(session, Party, contact.person_id)
    there = session.get(Customer, party.id, populate_existing=True)
    if there is not None:
        raise Conflict(_("{name} is a customer already.", name=party.name))
    return add_part(session, actor, party, source=_source_of(session, contact))


def add_part(session: Session, actor: Actor, party: Party, **values: Any) -> Customer:
    """The part of a customer for a party that is stored already."""
    customer = Customer(id=party.id, kind=party.kind, name=party.name, open_since=clock.now(), **values)
    customer.party = party
    records.create(session, actor, permissions.CUSTOMER, customer, {"name": party.name, "kind": party.kind, **values})
    events.publish(session, CREATED, customer_id=customer.id, by=actor)
    return customer


def _source_of(session: Session, contact: Contact) -> str:
    employer = session.get(Customer, contact.organization_id) if contact.organization_id else None
    return employer.source if employer is not None else ""


# ------------------------------------------------------------------------------------------------- employers


@dataclass(frozen=True)
class Employer:
    """A firm contacts work at that is no customer yet."""

    key: str
    name: str
    contacts: int


def employers(session: Session, actor: Actor, *, text: str = "") -> list[Employer]:
    """Those named by contacts the reader may see, most contacts first (ix_contact_employer_key)."""
    require(actor, permissions.USE)
    wanted = select(
        Contact.employer_key, func.min(Contact.employer).label("name"), func.count().label("contacts")
    ).where(*_unattached(actor), Contact.employer.icontains(text.strip(), autoescape=True) if text.strip() else true())
    rows = session.execute(
        wanted.group_by(Contact.employer_key).order_by(func.count().desc(), Contact.employer_key).limit(SHOWN)
    )
    return [Employer(row.employer_key, row.name, row.contacts) for row in rows]


def make_prospect_of(session: Session, actor: Actor, *, key: str, values: Mapping[str, Any] | None = None) -> Customer:
    """The employer becomes a prospect, and its contacts the prospect's. One that is there already takes them over.

    values: what create_customer takes besides.
    """
    require(actor, permissions.MANAGE)
    contacts = session.scalars(
        select(Contact).where(Contact.employer_key == key, *_unattached(actor)).order_by(Contact.id).with_for_update()
    ).all()
    if not contacts:
        raise NotFound
    party = session.scalars(
        select(Party).where(Party.name_key == key, Party.kind == "organization", Party.state == "active")
    ).first()
    if party is None:
        customer = create_customer(session, actor, values={"name": contacts[0].employer, **(values or {})})
    elif (known := session.get(Customer, party.id)) is not None:
        permissions.demand_work(session, actor, known.id)
        customer = known
    else:
        customer = add_part(session, actor, party, source="other")
    for contact in contacts:
        _attach(session, actor, contact, customer)
    return customer


def _attach(session: Session, actor: Actor, contact: Contact, customer: Customer) -> None:
    there = select(Contact.id).where(
        Contact.person_id == contact.person_id, Contact.organization_id == customer.id, Contact.state == "active"
    )
    if session.scalar(there) is not None:
        return
    before = contact.employer
    contact.organization_id, contact.organization = customer.id, customer.party
    contact.employer, contact.employer_key = customer.name, customer.party.name_key
    stamp(contact, actor)
    session.flush()
    journal.audit(
        session,
        actor,
        permissions.CONTACT,
        contact.id,
        "changed",
        {"employer": before},
        {"employer": {"id": customer.id, "name": customer.name}},
    )


def _unattached(actor: Actor) -> tuple[Any, ...]:
    return (
        Contact.organization_id.is_(None),
        Contact.state == "active",
        Contact.employer_key != "",
        or_(permissions.visible_contacts(actor), Contact.created_by == actor.person_id),
    )
