"""Who may read and write contact records and appointments: who sees the customer reads, who works on it writes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, select, true
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.catalog import CATALOG, RecordKind
from engine.errors import AppError, Forbidden, NotFound, RuleViolation
from engine.i18n import _
from processes.activity.models import Appointment, ContactRecord, FollowPolicy
from processes.kernel.columns import lock_for_change
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.organization.permissions import below
from processes.party import permissions as party
from processes.party.models import Customer

RECORD = "activity.record"
APPOINTMENT = "activity.appointment"
POLICY = "activity.policy"
"""Record types."""

WRITE = "activity.record.write"
VOID = "activity.record.void"
"""Void what others wrote."""
TEAM = "activity.team.read"
"""The superior's list, and what the records say together."""
MANAGE_POLICIES = "activity.policy.manage"


def _of_visible_customer(actor: Actor, customer_id: ColumnElement[int]) -> ColumnElement[bool]:
    if actor.may(party.USE) and actor.may(party.READ):
        return true()
    seen = party.visible_customers(actor, "records")
    return exists(select(Customer.id).where(Customer.id == customer_id, seen))


def visible_records(actor: Actor) -> ColumnElement[bool]:
    """Those of the customers one may see, unless they were kept back when the customer was shared."""
    return _of_visible_customer(actor, ContactRecord.customer_id.expression)


def visible_appointments(actor: Actor) -> ColumnElement[bool]:
    return _of_visible_customer(actor, Appointment.customer_id.expression)


def my_records(actor: Actor) -> ColumnElement[bool]:
    return ContactRecord.person_id == actor.person_id


def records_below(actor: Actor) -> ColumnElement[bool]:
    return ContactRecord.person_id.in_(below(actor.person_id))


def records_of_interest(_actor: Actor) -> ColumnElement[bool]:
    return and_(ContactRecord.result == "interested", ContactRecord.state == "active")


def my_appointments(actor: Actor) -> ColumnElement[bool]:
    return and_(Appointment.person_id == actor.person_id, Appointment.state == "open")


def appointments_below(actor: Actor) -> ColumnElement[bool]:
    return and_(Appointment.person_id.in_(below(actor.person_id)), Appointment.state == "open")


def overdue_appointments(_actor: Actor) -> ColumnElement[bool]:
    return and_(Appointment.state == "open", Appointment.due_on < business_date(clock.now()))


def visible_policies(_actor: Actor) -> ColumnElement[bool]:
    """How often customers are spoken to is no secret."""
    return FollowPolicy.id.is_not(None)


def readable_record(session: Session, actor: Actor, record_id: int) -> ContactRecord:
    found = session.scalars(select(ContactRecord).where(ContactRecord.id == record_id, visible_records(actor))).first()
    if found is None:
        raise NotFound
    return found


def readable_appointment(session: Session, actor: Actor, appointment_id: int) -> Appointment:
    found = session.scalars(
        select(Appointment).where(Appointment.id == appointment_id, visible_appointments(actor))
    ).first()
    if found is None:
        raise NotFound
    return found


@dataclass
class PoolPolicy:
    """Who may speak to customers of the pool; given by bootstrap from the settings (row 78)."""

    is_for_all: bool = True
    """everybody who sees them; else whoever may work on them, which the lock gives"""


POOL = PoolPolicy()
POOL_IS_CLOSED = "pool_is_closed"
"""code of the refusal"""


def may_write(session: Session, actor: Actor, customer: Customer) -> bool:
    """Whether the actor may note contacts with this customer and make appointments: one's own to work on, or one that
    lies in the pool, if the house has it so.
    """
    return why_not(session, actor, customer) is None


def why_not(session: Session, actor: Actor, customer: Customer) -> AppError | None:
    """What keeps the actor from speaking to this customer; None = nothing."""
    if not actor.may(WRITE):
        return Forbidden(
            _("You may not change this; ask an administrator for the right “{permission}”.", permission=WRITE)
        )
    if customer.state == "closed":
        return RuleViolation(_("{customer} is closed.", customer=customer.name), code="customer_closed")
    is_in_pool = customer.owner_id is None
    if is_in_pool and POOL.is_for_all:
        return None if party.among_visible(session, actor, [customer.id]) else NotFound()
    if party.may_work(session, actor, customer.id, "records"):
        return None
    if is_in_pool and party.among_visible(session, actor, [customer.id]):
        return Forbidden(
            _("{customer} lies in the pool; here only who has locked a customer speaks to it.", customer=customer.name),
            code=POOL_IS_CLOSED,
            remedy=_("Apply for the lock; until then you may watch it."),
        )
    try:
        party.demand_work(session, actor, customer.id, "records")
    except AppError as refusal:
        return refusal
    return None


def lock_writable(session: Session, actor: Actor, customer_id: int, *, to_end: bool = False) -> Customer:
    """The customer under its row lock: whoever writes about it comes after whoever did before him.

    to_end: only what the actor has there already ends, which needs no right to speak to a customer of the pool.
    """
    party.readable(session, actor, customer_id)
    customer = lock_for_change(session, Customer, customer_id)
    refusal = why_not(session, actor, customer)
    if refusal is not None and not (to_end and refusal.code == POOL_IS_CLOSED):
        raise refusal
    return customer


def may_edit(actor: Actor, record: ContactRecord) -> bool:
    return record.person_id == actor.person_id and record.state == "active"


def demand_edit(actor: Actor, record: ContactRecord) -> None:
    if record.state != "active":
        raise RuleViolation(_("This contact record is void."), code="void")
    if not may_edit(actor, record):
        raise Forbidden(_("Only whoever wrote a contact record may change it."))


def may_void(session: Session, actor: Actor, record: ContactRecord) -> bool:
    if record.state != "active":
        return False
    return record.person_id == actor.person_id or actor.may(VOID) or is_below(session, actor, record.person_id)


def demand_void(session: Session, actor: Actor, record: ContactRecord) -> None:
    if record.state != "active":
        raise RuleViolation(_("This contact record is void."), code="void")
    if not may_void(session, actor, record):
        raise Forbidden(_("Only whoever wrote a contact record, or stands above, may void it."))


def is_below(session: Session, actor: Actor, person_id: int) -> bool:
    people = below(actor.person_id)
    return session.scalar(select(Employee.id).where(Employee.id == person_id, Employee.id.in_(people))) is not None


# ------------------------------------------------------------------------------------- what hangs on records


def _may_read(session: Session, actor: Actor, record_id: int) -> bool:
    wanted = select(ContactRecord.id).where(ContactRecord.id == record_id, visible_records(actor))
    return session.scalar(wanted) is not None


def _title(session: Session, record_id: int) -> str:
    record = session.get(ContactRecord, record_id)
    return f"{record.customer.name}: {record.content[:40]}" if record is not None else ""


def _audience(session: Session, record_id: int) -> set[int]:
    record = session.get(ContactRecord, record_id)
    return {record.person_id, *({record.customer.owner_id} - {None})} if record is not None else set()  # type: ignore[arg-type]


CATALOG.records[RECORD] = RecordKind(_may_read, _title, _audience)
