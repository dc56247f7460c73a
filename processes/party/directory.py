"""Whose a telephone number is among customers and contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from processes.kernel.known_numbers import Known
from processes.party.models import Contact, ContactPoint, Customer
from processes.party.permissions import CONTACT, CUSTOMER


def parties_by_number(session: Session, numbers: Sequence[str]) -> Mapping[str, Sequence[Known]]:
    """Customers and contacts under these E.164 numbers (processes.kernel.known_numbers), by ix_contact_point_value.

    Whoever asks leaves out whom the reader may not see; that somebody has the number is said to everybody.
    """
    here = ContactPoint.kind == "phone", ContactPoint.value.in_(list(numbers))
    found: dict[str, list[Known]] = {}
    contacts = (
        select(ContactPoint.value, Contact)
        .join(Contact, Contact.person_id == ContactPoint.party_id)
        .where(*here, Contact.state == "active")
        .order_by(Contact.id)
    )
    for number, contact in session.execute(contacts):
        note = " · ".join(filter(None, (contact.employer, contact.title)))
        found.setdefault(number, []).append(Known(CONTACT, contact.id, contact.name, note))
    customers = (
        select(ContactPoint.value, Customer)
        .join(Customer, Customer.id == ContactPoint.party_id)
        .where(*here)
        .order_by(Customer.id)
    )
    for number, customer in session.execute(customers):
        found.setdefault(number, []).append(Known(CUSTOMER, customer.id, customer.name, customer.city))
    return found
