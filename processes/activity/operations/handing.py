"""The open appointments with a customer that is handed over: shown before, chosen to go along or to end, and as they
were when the handing over is taken back.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import _
from processes.activity.models import Appointment
from processes.activity.operations import appointments
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


def _as_they_are(session: Session, _actor: Actor, customer_ids: Collection[int], _to_id: int) -> list[Any]:
    """[[appointment, whose]] of everybody. The event of each customer, here and on the way back, says what was chosen:
    the subscriber moves or ends them.
    """
    standing = select(Appointment.id, Appointment.person_id).where(
        Appointment.customer_id.in_(customer_ids), Appointment.state == "open"
    )
    return [[one.id, one.person_id] for one in session.execute(standing.order_by(Appointment.id))]


def _as_they_were(session: Session, actor: Actor, standing: list[Any], customer_ids: Collection[int]) -> None:
    for appointment_id, person_id in standing:
        appointments.restore(session, actor, appointment_id=appointment_id, person_id=person_id, among=customer_ids)


register_mover(Mover(APPOINTMENTS, _("Appointments"), _count, _as_they_are, _as_they_were, leave=_as_they_are))
