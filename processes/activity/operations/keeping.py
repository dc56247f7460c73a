"""Keeps what customers and contacts show of their contacts true after every change of records and appointments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from processes.activity.models import Appointment, ContactRecord
from processes.party.operations import keeping_contacts as party


def keep_contacted(session: Session, customer_id: int, *contact_ids: int | None) -> None:
    """Reckoned anew from the active records (ix_contact_record_customer, ix_contact_record_contact)."""
    session.flush()
    of_customer = ContactRecord.customer_id == customer_id
    last_at, made = _sums(session, of_customer)
    qualified_at, _count = _sums(session, of_customer, ContactRecord.is_qualified)
    party.keep_contacted(session, customer_id, last_at=last_at, qualified_at=qualified_at, made=made)
    for contact_id in set(contact_ids) - {None}:
        last_at, made = _sums(session, ContactRecord.contact_id == contact_id)
        party.keep_contact_contacted(session, contact_id, last_at=last_at, made=made)  # type: ignore[arg-type]


def _sums(session: Session, *conditions: Any) -> tuple[datetime | None, int]:
    wanted = select(func.max(ContactRecord.at), func.count()).where(*conditions, ContactRecord.state == "active")
    last_at, made = session.execute(wanted).one()
    return last_at, made


def keep_next(session: Session, customer_id: int, *contact_ids: int | None) -> None:
    """The earliest open appointment (ix_appointment_customer, uq_appointment_contact)."""
    session.flush()
    first = select(func.min(Appointment.due_on)).where(Appointment.state == "open")
    party.keep_next(session, customer_id, session.scalar(first.where(Appointment.customer_id == customer_id)))
    for contact_id in set(contact_ids) - {None}:
        of_contact = first.where(Appointment.contact_id == contact_id)
        party.keep_contact_next(session, contact_id, session.scalar(of_contact))  # type: ignore[arg-type]
