"""What pops up with a call of a customer or contact: the customer, the next appointment, the last contacts; and what
can be done with a number nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import _
from processes.activity import operations
from processes.activity.permissions import may_write
from processes.party import permissions as party
from processes.party.models import Contact, Customer
from processes.party.permissions import CONTACT, CUSTOMER
from processes.party.rules import STATES
from webapp.crm.follow.forms import card_of
from webapp.crm.follow.places import customer_page
from webapp.crm.follow.words import RESULTS, WAYS, due_word
from webapp.registers.interface import endpoint_of
from webapp.skin import callers
from webapp.skin.callers import Line, Story, Way
from webapp.skin.formats import ago

LONGEST = 60


def register() -> None:
    """First what the customer is; what packages above know of it follows (`callers.tell_of` with a higher order)."""
    callers.tell_of(CUSTOMER, _of_customer, order=10)
    callers.tell_of(CONTACT, _of_contact, order=10)
    callers.offer_to_strangers(_enter)
    callers.may_be_about(CUSTOMER, _("Customer"))
    callers.may_be_about(CONTACT, _("Contact"))


def _enter(actor: Actor, number: str, call_id: int) -> Iterable[Way]:
    """A new customer or contact with the number in its form already; the call is tied to it when it is saved."""
    if not actor.may(party.MANAGE) or not number.startswith("+"):
        return
    for record_type, icon, title in (
        (CUSTOMER, "building", _("New customer")),
        (CONTACT, "user-plus", _("New contact")),
    ):
        url = url_for(f"{endpoint_of(record_type)}.add", phone=number, call=call_id)
        yield Way(url, icon, title)


def _of_customer(session: Session, actor: Actor, customer_id: int, call_id: int) -> Story:
    return _story(session, actor, party.readable(session, actor, customer_id), None, call_id)


def _of_contact(session: Session, actor: Actor, contact_id: int, call_id: int) -> Story:
    contact = session.get_one(Contact, contact_id)
    seen = Customer.id == (contact.organization_id or contact.person_id), party.visible_customers(actor)
    customer = session.scalars(select(Customer).where(*seen)).first()
    return _story(session, actor, customer, contact, call_id) if customer is not None else Story()


def _story(session: Session, actor: Actor, customer: Customer, contact: Contact | None, call_id: int) -> Story:
    card = card_of(session, actor, customer, contact)
    owner = customer.owner.name if customer.owner is not None else str(STATES[customer.state])
    lines = [Line("building", f"{customer.name} · {customer.level} · {owner}")] if contact is not None else [
        Line("user", f"{customer.level} · {owner}")
    ]  # fmt: skip
    for plan in card.appointments[:1]:
        word = due_word(plan.due_on)
        text = f"{plan.due_on:%m-%d} {plan.at} {plan.person.name} {plan.purpose}".replace("  ", " ").strip()
        lines.append(Line(word.icon, _("Next contact: {what} ({when})", what=text, when=word.text), word.tone))
    for record in card.records:
        result = RESULTS.get(record.result)
        said = record.content if len(record.content) <= LONGEST else f"{record.content[: LONGEST - 1]}…"
        mark = f"{result.text} · " if result is not None else ""
        text = Markup("{} {} · {}{}").format(ago(record.at), record.person.name, mark, said)
        lines.append(Line(WAYS[record.way].icon, text))
    ways = [Way(customer_page(customer.id), "building", _("Customer"))]
    mine = operations.own_record_of_call(session, actor, call_id, customer.id)
    if mine is not None:
        ways.insert(0, Way(url_for("follow.show", record_id=mine.id), "note", _("Contact record")))
    elif may_write(session, actor, customer):
        whom = contact.id if contact is not None else None
        url = url_for("follow.new", customer=customer.id, contact=whom, call=call_id)
        ways.insert(0, Way(url, "note", _("Contact record"), is_primary=True))
    return Story(lines, ways)
