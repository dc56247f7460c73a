"""What lists show of contacts made and planned. The truth is activity's; it alone calls this, with every change of it.

Plain updates that leave `version` and `changed_at` alone: nobody's open form goes stale by a telephone call.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from processes.party.models import Contact, Customer


def keep_contacted(
    session: Session,
    customer_id: int,
    *,
    last_at: datetime | None,
    qualified_at: datetime | None,
    made: int,
) -> None:
    """The newest contact with a customer, the newest that counts against unlocking, and how many there were."""
    _keep(session, Customer, customer_id, last_contact_at=last_at, last_qualified_at=qualified_at, contacts_made=made)


def keep_contact_contacted(session: Session, contact_id: int, *, last_at: datetime | None, made: int) -> None:
    _keep(session, Contact, contact_id, last_contact_at=last_at, contacts_made=made)


def keep_next(session: Session, customer_id: int, on: date | None) -> None:
    """The earliest open appointment with a customer."""
    _keep(session, Customer, customer_id, next_contact_on=on)


def keep_contact_next(session: Session, contact_id: int, on: date | None) -> None:
    _keep(session, Contact, contact_id, next_contact_on=on)


def _keep(session: Session, model: Any, record_id: int, **values: Any) -> None:
    kept = update(model).where(model.id == record_id).values(**values, changed_at=model.changed_at)
    session.execute(kept.execution_options(synchronize_session=False))
    known = session.identity_map.get(session.identity_key(model, record_id))
    if known is not None:
        session.refresh(known, list(values))
