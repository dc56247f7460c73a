"""What the form of a contact record and of an appointment sends, read for the operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.datastructures import MultiDict

from engine import clock
from engine.actor import Actor
from engine.catalog import Look, whole
from engine.errors import AppError, Conflict, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from processes.activity import operations
from processes.activity.models import Appointment, ContactRecord
from processes.activity.permissions import visible_appointments, visible_records
from processes.kernel.working_time import ZONE, business_date
from processes.party import masking, permissions as party
from processes.party.manifest import CUSTOMERS
from processes.party.models import Contact, ContactPoint, Customer
from processes.party.permissions import CUSTOMER
from processes.telephony import operations as telephony
from processes.telephony.permissions import CALL
from webapp.crm import parts
from webapp.registers import opened
from webapp.registers.cells import Cell, cell
from webapp.skin.keys import read_key

LATEST_SHOWN = 3
PHONE = next(one for one in CUSTOMERS.columns if one.name == "phone")


@dataclass(frozen=True)
class Typed:
    """What stands in the form: fresh, or as it was sent and refused."""

    values: Mapping[str, Any] = field(default_factory=dict)
    refusal: AppError | None = None
    submission: str = field(default_factory=lambda: uuid4().hex)

    @property
    def problems(self) -> dict[str, str]:
        return self.refusal.by_field() if isinstance(self.refusal, InvalidForm) else {}

    @property
    def alerts(self) -> list[str]:
        """What no field of the form shows."""
        if self.refusal is None:
            return []
        if not isinstance(self.refusal, InvalidForm):
            return [str(self.refusal)]
        shown = {"content", "at", "due_on", "place", "next_step", "next_at", "purpose"}
        return [text for where, text in self.problems.items() if where not in shown]


@dataclass(frozen=True)
class Card:
    """A customer as the call list and the form show it."""

    customer: Customer
    contacts: list[Contact]
    appointments: list[Appointment]
    records: list[ContactRecord]
    proposals: Mapping[str, date]
    latest: date
    look: Look
    """how the asker sees the customer's and its contacts' numbers"""
    opened: str
    """what the asker knows of it by this, sealed"""

    def phone_of(self, one: Customer | Contact) -> Cell:
        return cell(one, PHONE, self.look)


def card_of(session: Session, actor: Actor, customer: Customer, contact: Contact | None) -> Card:
    """What the actor may see of it; the caller has fetched the customer within his scope."""
    contacts = select(Contact).where(
        Contact.organization_id == customer.id, Contact.state == "active", party.visible_contacts(actor)
    )
    plans = (
        select(Appointment)
        .where(Appointment.customer_id == customer.id, Appointment.state == "open", visible_appointments(actor))
        .options(joinedload(Appointment.person), joinedload(Appointment.contact))
    )
    records = (
        select(ContactRecord)
        .where(ContactRecord.customer_id == customer.id, ContactRecord.state == "active", visible_records(actor))
        .options(joinedload(ContactRecord.person), joinedload(ContactRecord.contact))
        .order_by(ContactRecord.at.desc(), ContactRecord.id.desc())
    )
    people = list(session.scalars(contacts.order_by(Contact.is_main.desc(), Contact.id).limit(50)))
    of_customer = masking.of_customers(session, actor, [customer])
    of_contacts = masking.of_contacts(session, actor, [*people, *([contact] if contact is not None else ())])
    return Card(
        customer,
        people,
        list(session.scalars(plans.order_by(Appointment.due_on, Appointment.id))),
        list(session.scalars(records.limit(LATEST_SHOWN))),
        operations.proposals(session, customer, contact),
        operations.latest_day(session, customer, contact),
        lambda one, name, value: (of_customer if isinstance(one, Customer) else of_contacts)(one, name, value),
        opened.seal(actor, CUSTOMER, customer.id, customer.name),
    )


def card_of_gone(actor: Actor, form: MultiDict[str, str]) -> tuple[Card, AppError]:
    """For what was written about a customer that its writer sees no more: what he knew of it, and what to tell him."""
    customer_id, sealed = form.get("customer", 0, type=read_key), form.get(opened.KEPT, "")
    known = opened.unseal(actor, CUSTOMER, customer_id, sealed)
    if known is None:
        raise NotFound
    customer = Customer(id=customer_id, name=known.name)
    message, remedy = parts.no_longer_yours(known.name, is_seen=False, customer_id=customer_id)
    today = business_date(clock.now())
    card = Card(customer, [], [], [], {"": today, "not_reached": today}, today, whole, sealed)
    return card, RuleViolation(message, remedy=remedy)


def save(session: Session, actor: Actor, form: MultiDict[str, str]) -> ContactRecord:
    """Note the contact the form describes; the same submission again is the same record."""
    values: dict[str, Any] = {
        "customer": form.get("customer", ""),
        "contact": form.get("contact") or None,
        "way": form.get("way", ""),
        "content": text(form.get("content", "")),
        "place": form.get("place", ""),
        "result": form.get("result", ""),
        "next_step": form.get("next_step", ""),
    }
    if form.get("at"):
        values["at"] = instant(form["at"])
    call = form.get("call", type=read_key)
    submission = form.get("submission", "")[:60]
    _demand_same(session, actor, values["content"], submission)
    if call:
        values |= {"source_type": CALL, "source_id": call}
    record = operations.create_record(
        session,
        actor,
        values=values,
        origin=f"form:{submission}" if submission else "",
        attachments=form.getlist("file", type=read_key),
        plans=form.get("no_next") != "1",
        next_on=day(form.get("next_on", ""), "due_on"),
        next_at=form.get("next_at", "").strip()[:5],
        purpose=form.get("purpose", "").strip()[:300],
        appointment_id=form.get("appointment", type=read_key),
    )
    telephony.put_away_with(session, actor, _numbers(session, record))
    return record


def _demand_same(session: Session, actor: Actor, content: str, submission: str) -> None:
    """Refuse other words from a form that has written its record: Back led to it, and they would be lost."""
    wanted = select(ContactRecord.content).where(ContactRecord.origin == f"{actor.person_id}:form:{submission}")
    written = session.scalar(wanted) if submission else None
    if written is not None and written != content.strip():
        raise Conflict(
            _("This form has written its record already; this one was not saved."),
            remedy=_("Open the record and add to it what is missing."),
        )


def _numbers(session: Session, record: ContactRecord) -> list[str]:
    """Phones of the customer and of whom was spoken with."""
    whose = [record.customer_id, *([record.contact.person_id] if record.contact is not None else [])]
    wanted = select(ContactPoint.value).where(ContactPoint.kind == "phone", ContactPoint.party_id.in_(whose))
    return list(session.scalars(wanted))


def words_of(form: MultiDict[str, str]) -> dict[str, Any]:
    """What a mended record says."""
    values: dict[str, Any] = {name: form[name] for name in ("way", "place", "result", "next_step") if name in form}
    if "content" in form:
        values["content"] = text(form["content"])
    if form.get("at"):
        values["at"] = instant(form["at"])
    return values


def text(typed: str) -> str:
    return typed.replace("\r\n", "\n")


def day(typed: str, where: str) -> date | None:
    if not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise InvalidForm([Problem(where, _("Please write a date, for example 2026-05-04."))]) from None


def instant(typed: str) -> datetime:
    """A moment in Shanghai, as the field for date and time sends it."""
    try:
        return datetime.fromisoformat(typed.strip()).replace(tzinfo=ZONE)
    except ValueError:
        raise InvalidForm([Problem("at", _("Please write a date and a time."))]) from None
