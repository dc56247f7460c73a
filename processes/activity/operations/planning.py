"""When somebody is to be spoken to next: the policy that fits, the day it proposes, the appointment made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.errors import Conflict, InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.activity import rules
from processes.activity.models import Appointment, AppointmentMove, FollowPolicy
from processes.activity.rules import Frequency
from processes.kernel.working_time import business_date
from processes.organization.calendar import company_calendar
from processes.party.models import Contact, Customer


class AppointmentTaken(Conflict):
    """Somebody has the one open appointment with this contact already: join it, or take it over."""

    code = "appointment_taken"

    def __init__(self, appointment: Appointment) -> None:
        super().__init__(
            _(
                "{who} has an appointment with {whom} on {day} already.",
                who=appointment.person.name,
                whom=(appointment.contact or appointment.customer).name,
                day=appointment.due_on.isoformat(),
            ),
            remedy=_("Join it, or take it over."),
        )
        self.appointment_id = appointment.id


def today() -> date:
    return business_date(clock.now())


def policies(session: Session) -> list[Frequency]:
    """The company's own: a dozen rows at most."""
    columns = (FollowPolicy.days, FollowPolicy.most_days, FollowPolicy.level, FollowPolicy.stage, FollowPolicy.role)
    return [Frequency(*row) for row in session.execute(select(*columns))]


def frequency_of(
    session: Session, customer: Customer, contact: Contact | None, known: Iterable[Frequency] | None = None
) -> Frequency:
    role = contact.role if contact is not None else ""
    return rules.frequency(policies(session) if known is None else known, customer.level, customer.stage, role)


def propose(
    session: Session, customer: Customer, contact: Contact | None, contacted_at: datetime, *, result: str = ""
) -> date:
    """The day of the next contact after one at `contacted_at`."""
    often = frequency_of(session, customer, contact)
    calendar = company_calendar(session)
    return rules.proposed(business_date(contacted_at), today(), often, result=result, calendar=calendar)


def proposals(session: Session, customer: Customer, contact: Contact | None) -> Mapping[str, date]:
    """What a form offers for each result ("" = none said yet), were the contact now."""
    now = clock.now()
    return {result: propose(session, customer, contact, now, result=result) for result in ("", "not_reached")}


def whom(values: Mapping[str, Any]) -> tuple[int, int | None]:
    """Customer and contact as asked for, not looked up yet: what one may not see answers like what is not there."""

    def number(name: str) -> int | None:
        value = values.get(name)
        value = getattr(value, "id", value)
        return int(value) if value not in (None, "") and str(value).isdecimal() and len(str(value)) < 19 else None

    customer = number("customer")
    if customer is None:
        raise InvalidForm([Problem("customer", _("This is required."))])
    return customer, number("contact")


def contact_of(session: Session, customer: Customer, contact_id: int | None) -> Contact | None:
    """The contact with that id, if it belongs to the customer; InvalidForm otherwise."""
    if contact_id is None:
        return None
    contact = session.get(Contact, contact_id)
    if contact is None or customer.id not in (contact.organization_id, contact.person_id):
        raise InvalidForm([Problem("contact", _("There is no such contact of this customer."))])
    return contact


def open_with(session: Session, customer_id: int, contact_id: int | None) -> Appointment | None:
    """The one open appointment (uq_appointment_contact, uq_appointment_customer)."""
    wanted = select(Appointment).where(Appointment.state == "open")
    if contact_id is None:
        wanted = wanted.where(Appointment.customer_id == customer_id, Appointment.contact_id.is_(None))
    else:
        wanted = wanted.where(Appointment.contact_id == contact_id)
    return session.scalars(wanted.execution_options(populate_existing=True)).first()


def planned_at(session: Session, appointment: Appointment) -> datetime:
    """When the plan was made, or changed last."""
    moved = select(func.max(AppointmentMove.at)).where(AppointmentMove.appointment_id == appointment.id)
    return max(filter(None, (appointment.created_at, session.scalar(moved))))


def check_day(
    session: Session, customer: Customer, contact: Contact | None, due_on: date, *, base: date | None = None
) -> None:
    often = frequency_of(session, customer, contact)
    try:
        rules.check_due(due_on, today(), base or today(), often.most_days)
    except RuleViolation as refusal:
        raise InvalidForm([Problem("due_on", refusal.message, refusal.remedy)]) from refusal


def make(
    session: Session,
    actor: Actor,
    customer: Customer,
    contact: Contact | None,
    *,
    person_id: int,
    due_on: date,
    at: str = "",
    purpose: str = "",
) -> Appointment:
    """A new open appointment; AppointmentTaken when there is one, which the database says."""
    made = Appointment(
        customer_id=customer.id,
        contact_id=contact.id if contact is not None else None,
        person_id=person_id,
        due_on=due_on,
        at=at,
        purpose=purpose,
        joined=[],
        created_by=actor.person_id,
        changed_by=actor.person_id,
    )
    try:
        with session.begin_nested():
            session.add(made)
            session.flush()
    except IntegrityError:
        there = open_with(session, customer.id, made.contact_id)
        if there is None:
            raise
        raise AppointmentTaken(there) from None
    return made


def latest_day(session: Session, customer: Customer, contact: Contact | None) -> date:
    """Later than that nobody may put the next contact."""
    return today() + timedelta(days=frequency_of(session, customer, contact).most_days)
