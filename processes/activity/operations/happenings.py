"""Everything that passed between a customer and us, newest first: contacts, appointments, calls, texts, mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from engine.actor import Actor
from processes.activity import permissions
from processes.activity.models import Appointment, ContactRecord
from processes.kernel import known_addresses
from processes.messaging import permissions as messaging
from processes.messaging.models import ReceivedMail, SentMessage, SmsReceived
from processes.party.models import Contact, ContactPoint, Customer
from processes.party.permissions import CONTACT, CUSTOMER
from processes.telephony.models import Call
from processes.telephony.operations import reading

KINDS = ("record", "appointment", "call", "sent", "sms", "mail")


@dataclass(frozen=True)
class Happening:
    at: datetime
    kind: str
    """record | appointment (done or cancelled) | call | sent (SMS or mail of ours) | sms | mail (theirs)"""
    what: Any


def timeline(
    session: Session, actor: Actor, customer: Customer, *, before: datetime | None = None, size: int = 20
) -> tuple[list[Happening], bool]:
    """A page of it, as far as the actor may see each part; the customer was fetched as one he sees.

    Of each kind one page is read by its own index, then they are laid into one order.
    """
    contacts = select(Contact.id).where(or_(Contact.organization_id == customer.id, Contact.person_id == customer.id))
    found: list[Happening] = []
    for kind, at, wanted in _sources(session, actor, customer, contacts):
        older = wanted.where(at < before) if before is not None else wanted
        rows = session.scalars(older.order_by(at.desc()).limit(size + 1))
        found += [Happening(getattr(row, at.key), kind, row) for row in rows]
    found.sort(key=lambda one: (one.at, one.kind, one.what.id), reverse=True)
    end = size
    while 0 < end < len(found) and found[end].at == found[end - 1].at:  # a page ends between two moments
        end += 1
    return found[:end], len(found) > end


def _sources(
    session: Session, actor: Actor, customer: Customer, contacts: Select[int]
) -> list[tuple[str, Any, Select[Any]]]:
    people = joinedload(ContactRecord.person), joinedload(ContactRecord.contact)
    here = ContactRecord.customer_id == customer.id, permissions.visible_records(actor)
    records = select(ContactRecord).where(*here).options(*people)
    ended = (
        select(Appointment)
        .where(
            Appointment.customer_id == customer.id,
            Appointment.state == "cancelled",
            permissions.visible_appointments(actor),
        )
        .options(joinedload(Appointment.person), joinedload(Appointment.contact))
    )
    sources: list[tuple[str, Any, Select[Any]]] = [
        ("record", ContactRecord.at, records),
        ("appointment", Appointment.changed_at, ended),
    ]

    def about(model: Any) -> Any:
        return or_(
            and_(model.record_type == CUSTOMER, model.record_id == customer.id),
            and_(model.record_type == CONTACT, model.record_id.in_(contacts)),
        )

    numbers = _reached_by(session, customer, "phone")
    calls = reading.calls(actor)
    sources.append(("call", Call.started_at, calls.where(about(Call), Call.number.not_in(numbers))))  # another phone
    if numbers:
        # a number that several share: once somebody said whom a call was about, it is nobody else's
        not_others = or_(Call.record_type.is_(None), Call.record_type.not_in((CUSTOMER, CONTACT)), about(Call))
        sources.append(("call", Call.started_at, calls.where(Call.number.in_(numbers), not_others)))
        texts = select(SmsReceived).where(SmsReceived.sender.in_(numbers), messaging.received_visible_to(actor))
        sources.append(("sms", SmsReceived.received_at, texts))
    sources.append(
        ("sent", SentMessage.created_at, select(SentMessage).where(about(SentMessage), messaging.visible_to(actor)))
    )
    addresses = known_addresses.find(session, actor, "mail", _reached_by(session, customer, "mail"))
    seen = [address for address, people in addresses.items() if people]
    unasked = ReceivedMail.outbox_id.is_(None) & func.lower(ReceivedMail.sender).in_(seen)
    letters = select(ReceivedMail).where(about(ReceivedMail), or_(unasked, messaging.received_by(actor)))
    sources.append(("mail", ReceivedMail.received_at, letters))
    return sources


def _reached_by(session: Session, customer: Customer, kind: str) -> list[str]:
    """Numbers (phone) or addresses (mail) of the customer and its people."""
    people = select(Contact.person_id).where(Contact.organization_id == customer.id, Contact.state == "active")
    whose = or_(ContactPoint.party_id == customer.id, ContactPoint.party_id.in_(people))
    return list(session.scalars(select(ContactPoint.value).where(ContactPoint.kind == kind, whose).limit(200)))
