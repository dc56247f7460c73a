"""Whose a telephone number or a mail address is among customers and contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import Masked
from processes.kernel.known_numbers import Known
from processes.party import masking
from processes.party.models import Contact, ContactPoint, Customer
from processes.party.permissions import CONTACT, CUSTOMER


def parties_by_number(session: Session, numbers: Sequence[str]) -> Mapping[str, Sequence[Known]]:
    """Customers and contacts under these E.164 numbers (processes.kernel.known_numbers), by ix_contact_point_value.

    Whoever asks leaves out whom the reader may not see; that somebody has the number is said to everybody.
    """
    return {number: [_known(one) for one in people] for number, people in _people(session, "phone", numbers).items()}


_SHOWN_AS = {"phone": "phone", "mail": "email"}


def parties_by_address(
    session: Session, actor: Actor, kind: str, addresses: Sequence[str]
) -> Mapping[str, Sequence[Known]]:
    """Customers and contacts under these addresses (processes.kernel.known_addresses) who show theirs to the actor."""
    found = _people(session, kind, addresses)
    people = [one for some in found.values() for one in some]
    of_contact = masking.of_contacts(session, actor, [one for one in people if isinstance(one, Contact)])
    of_customer = masking.of_customers(session, actor, [one for one in people if isinstance(one, Customer)])

    def sees(one: Contact | Customer, address: str) -> bool:
        look = of_contact if isinstance(one, Contact) else of_customer
        return not isinstance(look(one, _SHOWN_AS[kind], address), Masked)

    return {address: [_known(one) for one in some if sees(one, address)] for address, some in found.items()}


def _people(session: Session, kind: str, values: Sequence[str]) -> dict[str, list[Contact | Customer]]:
    """Who has these, contacts before customers: a contact says more, the customer besides."""
    here = ContactPoint.kind == kind, ContactPoint.value.in_(list(values))
    found: dict[str, list[Contact | Customer]] = {}
    contacts = (
        select(ContactPoint.value, Contact)
        .join(Contact, Contact.person_id == ContactPoint.party_id)
        .where(*here, Contact.state == "active")
        .order_by(Contact.id)
    )
    for value, contact in session.execute(contacts):
        found.setdefault(value, []).append(contact)
    customers = (
        select(ContactPoint.value, Customer)
        .join(Customer, Customer.id == ContactPoint.party_id)
        .where(*here)
        .order_by(Customer.id)
    )
    for value, customer in session.execute(customers):
        found.setdefault(value, []).append(customer)
    return found


def _known(one: Contact | Customer) -> Known:
    if isinstance(one, Customer):
        return Known(CUSTOMER, one.id, one.name, one.city)
    return Known(CONTACT, one.id, one.name, " · ".join(filter(None, (one.employer, one.title))))
