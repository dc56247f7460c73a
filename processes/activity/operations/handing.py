"""The open appointments of whoever hands a customer over: shown before, chosen to go along or to end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import _
from processes.activity.models import Appointment
from processes.ownership.operations import Mover, register_mover
from processes.party.models import Customer

APPOINTMENTS = "appointments"
"""the part of a handing over that says they go along"""


def _count(session: Session, customer_ids: Collection[int]) -> int:
    """Those their owners have; index ix_appointment_customer."""
    wanted = (
        select(func.count())
        .select_from(Appointment)
        .join(Customer, Customer.id == Appointment.customer_id)
        .where(
            Appointment.customer_id.in_(customer_ids),
            Appointment.state == "open",
            Appointment.person_id == Customer.owner_id,
        )
    )
    return session.scalar(wanted) or 0


def _told_by_the_event(_session: Session, _actor: Actor, _customer_ids: Collection[int], _to_id: int) -> list[Any]:
    """Each customer's own event says what was chosen, on the way there and back: the subscriber moves or ends them."""
    return []


def _nothing_more(_session: Session, _actor: Actor, _moved: list[Any]) -> None:
    return None


register_mover(Mover(APPOINTMENTS, _("Appointments"), _count, _told_by_the_event, _nothing_more))
