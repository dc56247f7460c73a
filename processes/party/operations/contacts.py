"""Contacts: a person at an organisation, stored once as a person whatever else he is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine import events, journal
from engine.actor import Actor
from engine.errors import InvalidForm, Problem
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.entry import Entry
from processes.organization.permissions import require
from processes.party import masking, permissions, rules
from processes.party.models import Contact, Customer, Party
from processes.party.operations import alike, parties
from processes.party.operations.finding import keep_found

RECORD_TYPE = permissions.CONTACT
OF_A_PERSON = _("A person has no contacts; enter what you know of him at himself.")

EMPLOYMENT_CHANGED = "party.employment_changed"
"""contact_id, person_id: somebody is a contact somewhere from now on, or is it no more."""


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.text("name", required=True, longest=200)
    if is_new:
        entry.reference("customer", Customer)
        entry.reference("person", Party)
    entry.text("employer", longest=200)
    entry.text("title", longest=60)
    entry.choice("role", rules.ROLES)
    entry.flag("is_main")
    entry.day("from_on")
    entry.day("to_on")
    entry.day("birthday")
    entry.text("duplicate_reason", longest=300)
    parties.read_points(entry)
    clean = entry.finish()
    empty: dict[str, Any] = {"title": "", "employer": "", "role": "other", "is_main": False}
    return {name: empty.get(name) if value is None else value for name, value in clean.items()}


def create_contact(session: Session, actor: Actor, *, values: Mapping[str, Any], of_new: bool = False) -> Contact:
    """values: name, customer (the organisation) or employer (its name; one the actor works on is taken for the
    customer), person (one who is stored already), title, role, is_main, from_on, to_on, birthday, phone, email, wechat,
    duplicate_reason.

    of_new: the customer came in the same step; its maker adds to it even where new ones go to the pool.
    """
    require(actor, permissions.MANAGE)
    if values.get("person"):
        known = _known_person(session, actor, values["person"])
        values = {"name": known.name, **values, "person": known}
    asked = values.get("customer")
    if not of_new and isinstance(asked, int | str) and str(asked).isdecimal() and len(str(asked)) < 19:
        permissions.readable(session, actor, int(asked))  # one that is not there answers like one that must not be seen
    clean = _read(session, values, is_new=True)
    customer, person = clean.pop("customer", None), clean.pop("person", None)
    if customer is None:
        customer = employer_of_ours(session, actor, clean.get("employer", ""))
    else:
        if not (of_new and customer.owner_id is None and customer.created_by == actor.person_id):
            permissions.demand_work(session, actor, customer.id, "contacts")
        if customer.kind == "person":
            raise InvalidForm([Problem("customer", OF_A_PERSON)])
    reason = clean.pop("duplicate_reason", None) or ""
    if person is None:
        doubted = alike.ask_first(session, actor, kind="person", values=clean, reason=reason)
        person = parties.make_party(session, actor, kind="person", name=clean["name"])
        alike.keep_decisions(session, actor, person.id, doubted, reason)
    _check_single(session, person, customer)
    if clean.get("birthday"):
        person.birthday = clean["birthday"]
    parties.set_points(session, person, clean)
    contact = Contact(
        person_id=person.id,
        name=person.name,
        organization_id=customer.id if customer is not None else None,
        employer=customer.name if customer is not None else clean.get("employer", ""),
        employer_key=rules.name_key(customer.name if customer is not None else clean.get("employer", "")),
        title=clean.get("title", ""),
        role=clean.get("role", "other"),
        is_main=clean.get("is_main", False),
        from_on=clean.get("from_on"),
        to_on=clean.get("to_on"),
    )
    contact.person, contact.organization = person, customer.party if customer is not None else None
    _only_main(session, contact)
    records.create(session, actor, RECORD_TYPE, contact, clean)
    events.publish(session, EMPLOYMENT_CHANGED, contact_id=contact.id, person_id=contact.person_id)
    if contact.organization_id is None:
        keep_found(session, person)
    return contact


def employer_of_ours(session: Session, actor: Actor, name: str) -> Customer | None:
    """The customer meant by an employer's name, if the actor may add to it: whoever types it should not have to know
    that there is a shorter way to the customer's own contacts.
    """
    if not (key := rules.name_key(name)):
        return None
    mine = permissions.workable_customers(actor, "contacts"), permissions.visible_customers(actor)
    wanted = select(Customer).join(Customer.party).where(Party.name_key == key, Party.kind == "organization", *mine)
    return session.scalars(wanted.where(Customer.state != "closed").limit(1)).first()


def change_contact(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Contact:
    require(actor, permissions.MANAGE)
    contact = _workable(session, actor, record_id, version)
    clean = _read(session, values, is_new=False)
    masking.demand_whole(session, actor, contact, clean)
    person, reason = contact.person, clean.pop("duplicate_reason", None) or ""
    if clean.get("phone") and clean["phone"] != contact.phone:
        asked = {"name": clean.get("name") or contact.name, "phone": clean["phone"]}
        doubted = alike.ask_first(session, actor, kind="person", values=asked, reason=reason, exclude=[person.id])
        alike.keep_decisions(session, actor, person.id, doubted, reason)
    points = {name: clean.pop(name) for name in parties.POINTS if name in clean}
    before = {name: getattr(contact, name) for name in points}
    if "name" in clean:
        parties.rename(session, person, clean.pop("name"))
    if "birthday" in clean:
        person.birthday = clean.pop("birthday")
    if "employer" in clean and contact.organization_id is None:
        clean["employer_key"] = rules.name_key(clean["employer"])
    else:
        clean.pop("employer", None)
    parties.set_points(session, person, points)
    changed = {name: value for name, value in points.items() if (value or None) != (before[name] or None)}
    if changed:
        stamp(contact, actor)
        session.flush()
        journal.audit(
            session, actor, RECORD_TYPE, contact.id, "changed", {name: before[name] for name in changed}, changed
        )
    records.change(session, actor, RECORD_TYPE, contact, clean)
    if "employer" in clean:
        keep_found(session, person)
    _only_main(session, contact)
    return contact


def mark_left(session: Session, actor: Actor, *, record_id: int, version: int | None = None) -> None:
    """The person no longer works there; what was said stays with both."""
    require(actor, permissions.MANAGE)
    contact = _workable(session, actor, record_id, version)
    if contact.state == "left":
        return
    contact.state, contact.is_main = "left", False
    stamp(contact, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, record_id, "left", {"state": "active"}, {"state": "left"})
    events.publish(session, EMPLOYMENT_CHANGED, contact_id=contact.id, person_id=contact.person_id)


def _workable(session: Session, actor: Actor, record_id: int, version: int | None) -> Contact:
    contact = lock_for_change(session, Contact, record_id, version)
    of_customer = contact.organization_id or contact.person_id
    if session.get(Customer, of_customer) is not None:
        permissions.demand_work(session, actor, of_customer, "contacts" if contact.organization_id else "")
    elif contact.created_by != actor.person_id and not actor.may(permissions.MANAGE_ANY):
        permissions.readable(session, actor, of_customer)
    return contact


def _known_person(session: Session, actor: Actor, given: Any) -> Party:
    """Somebody who is stored already, if the actor may see him anywhere; to all others he does not exist."""
    text = str(getattr(given, "id", given))
    key = int(text) if text.isdecimal() and len(text) < 19 else 0
    seen = or_(
        Party.id.in_(select(Customer.id).where(permissions.visible_customers(actor))),
        Party.id.in_(select(Contact.person_id).where(permissions.visible_contacts(actor))),
    )
    wanted = select(Party).where(Party.id == key, Party.kind == "person", seen)
    found = session.scalars(wanted).first()
    if found is None:
        raise InvalidForm([Problem("person", _("There is no such record."))])
    return found


def _check_single(session: Session, person: Party, customer: Customer | None) -> None:
    if customer is None:
        return
    there = select(Contact.id).where(
        Contact.person_id == person.id, Contact.organization_id == customer.id, Contact.state == "active"
    )
    if session.scalar(there) is not None:
        raise InvalidForm([Problem("person", _("{person} is a contact there already.", person=person.name))])


def _only_main(session: Session, contact: Contact) -> None:
    """One main contact of an organisation at a time: the one named last."""
    if not contact.is_main or contact.organization_id is None:
        return
    others = select(Contact).where(
        Contact.organization_id == contact.organization_id, Contact.is_main, Contact.id != (contact.id or 0)
    )
    for other in session.scalars(others):
        other.is_main = False
    session.flush()
