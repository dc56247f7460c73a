"""A person changes the employer: the open appointment goes with him, and the new customer's owner decides on it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import SYSTEM
from processes.activity import permissions
from processes.activity.models import Appointment, AppointmentMove
from processes.activity.operations import keeping, planning
from processes.kernel.columns import lock_for_change
from processes.party.models import Contact, Customer

CAUSE = "employer"


def move_with(session: Session, person_id: int) -> Appointment | None:
    """The open appointment with what the person has left goes to where he works now; None: there is nothing to move.

    Where somebody has one with him there already, the old one ends.
    """
    left = select(Contact.id).where(Contact.person_id == person_id, Contact.state == "left")
    old = session.scalars(select(Appointment).where(Appointment.contact_id.in_(left), Appointment.state == "open"))
    appointment = old.first()
    now_at = session.scalars(
        select(Contact)
        .join(Customer, Customer.id == Contact.organization_id)
        .where(Contact.person_id == person_id, Contact.state == "active", Customer.state != "closed")
        .order_by(Contact.id.desc())
    ).first()
    if appointment is None or now_at is None or now_at.organization_id is None:
        return None
    former_customer, former_contact = appointment.customer_id, appointment.contact_id
    customers = sorted({former_customer, now_at.organization_id})
    locked = {one: lock_for_change(session, Customer, one) for one in customers}
    owner = locked[now_at.organization_id].owner_id
    if planning.open_with(session, now_at.organization_id, now_at.id) is not None:
        appointment.state, appointment.closing = "cancelled", CAUSE
    else:
        move = AppointmentMove(
            appointment_id=appointment.id,
            from_on=appointment.due_on,
            to_on=appointment.due_on,
            from_person=appointment.person_id,
            to_person=owner or appointment.person_id,
            reason=CAUSE,
            at=clock.now(),
            actor_id=0,
        )
        session.add(move)
        appointment.customer_id, appointment.contact_id = now_at.organization_id, now_at.id
        appointment.person_id = move.to_person
    session.flush()
    keeping.keep_next(session, former_customer, former_contact)
    keeping.keep_next(session, now_at.organization_id, now_at.id)
    was, now = {"customer_id": former_customer}, {"customer_id": appointment.customer_id, "state": appointment.state}
    journal.audit(session, SYSTEM, permissions.APPOINTMENT, appointment.id, "moved_with_person", was, now)
    return appointment
