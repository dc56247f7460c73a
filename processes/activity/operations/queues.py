"""The five queues of whom to speak to: today, this week, overdue, not recently, never; everybody stands in one at most.

An open appointment stands by its day with whoever has it (ix_appointment_person: person_id, state, due_on). A customer
without any stands with its owner (ix_customer_owner: owner_id, state, next_contact_on). So a question reads what one
person has in hand, never the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, func, select
from sqlalchemy.orm import Session, joinedload

from engine.actor import Actor
from engine.errors import NotFound
from processes.activity import permissions, rules
from processes.activity.models import Appointment
from processes.activity.operations import planning
from processes.activity.operations.house_rules import HOUSE
from processes.activity.rules import Queue
from processes.kernel.working_time import ZONE
from processes.organization.models import Employee
from processes.organization.permissions import below
from processes.party import permissions as party
from processes.party.models import Contact, Customer

PLANNED: tuple[Queue, ...] = ("overdue", "today", "week")


@dataclass(frozen=True)
class Line:
    """Somebody to speak to."""

    customer: Customer
    contact: Contact | None
    appointment: Appointment | None

    @property
    def key(self) -> str:
        """Names it among all lines: "a17" an appointment, "c8" a customer."""
        return f"a{self.appointment.id}" if self.appointment is not None else f"c{self.customer.id}"


def person_in(session: Session, actor: Actor, person_id: int | None) -> int:
    """Whose queues are looked at: one's own, or of somebody below."""
    if person_id is None or person_id == actor.person_id:
        return actor.person_id
    if not permissions.is_below(session, actor, person_id):
        raise NotFound
    return person_id


def people_below(session: Session, actor: Actor) -> list[Employee]:
    wanted = select(Employee).where(Employee.id.in_(below(actor.person_id)), Employee.state == "active")
    return list(session.scalars(wanted.order_by(Employee.name, Employee.id)))


def counts(session: Session, actor: Actor, person_id: int | None = None) -> dict[Queue, int]:
    """How many stand in each."""
    person, today = person_in(session, actor, person_id), planning.today()
    planned = [_count(_in_queue(queue, today)) for queue in PLANNED]
    soon = _appointments(actor, person).where(Appointment.due_on <= rules.end_of_week(today))
    row = session.execute(soon.with_only_columns(*planned).order_by(None)).one()
    idle, never = session.execute(
        _unplanned(actor, person)
        .with_only_columns(_count(_is_idle(today)), _count(Customer.last_contact_at.is_(None)))
        .order_by(None)
    ).one()
    return {**dict(zip(PLANNED, row, strict=True)), "idle": idle, "never": never}


def due_now(actor: Actor) -> ScalarSelect[int]:
    """Overdue and due today: the number in the menu (an index scan of what one person has open)."""
    due = select(func.count()).select_from(Appointment).where(
        Appointment.person_id == actor.person_id, Appointment.state == "open", Appointment.due_on <= planning.today()
    )  # fmt: skip
    return due.scalar_subquery()


def waiting(session: Session, actor: Actor) -> int:
    return session.scalar(select(due_now(actor))) or 0


def lines(
    session: Session, actor: Actor, queue: Queue, *, person_id: int | None = None, size: int = 50, skip: int = 0
) -> tuple[list[Line], bool]:
    """A page of a queue, the most urgent first, and whether there is more."""
    person, today = person_in(session, actor, person_id), planning.today()
    if queue in PLANNED:
        wanted = _appointments(actor, person).where(_in_queue(queue, today))
        rows = session.scalars(wanted.offset(skip).limit(size + 1)).all()
        found = [Line(one.customer, one.contact, one) for one in rows]
    else:
        unplanned = _unplanned(actor, person)
        if queue == "never":
            unplanned = unplanned.where(Customer.last_contact_at.is_(None)).order_by(Customer.owned_since, Customer.id)
        else:
            unplanned = unplanned.where(_is_idle(today)).order_by(Customer.last_contact_at, Customer.id)
        customers = session.scalars(unplanned.offset(skip).limit(size + 1)).all()
        found = [Line(one, None, None) for one in customers]
    return found[:size], len(found) > size


def planned(
    session: Session, actor: Actor, *, first: date, last: date, person_id: int | None = None
) -> list[Appointment]:
    """What a person has open from one day to another, both in it, as a calendar shows it (ix_appointment_person)."""
    wanted = _appointments(actor, person_in(session, actor, person_id))
    return list(session.scalars(wanted.where(Appointment.due_on.between(first, last))))


def _appointments(actor: Actor, person: int) -> Select[Appointment]:
    """Open ones of a person with customers that are served and seen, as a list shows them."""
    return (
        select(Appointment)
        .join(Customer, Customer.id == Appointment.customer_id)
        .where(
            Appointment.person_id == person,
            Appointment.state == "open",
            Customer.state != "closed",
            party.visible_customers(actor, "records"),
        )
        .options(joinedload(Appointment.customer), joinedload(Appointment.contact))
        .order_by(Appointment.due_on, case((Appointment.at == "", "99"), else_=Appointment.at), Appointment.id)
    )


def _unplanned(actor: Actor, person: int) -> Select[Customer]:
    own = Customer.owner_id == person, Customer.state == "locked", Customer.next_contact_on.is_(None)
    return select(Customer).where(*own, party.visible_customers(actor))


def _in_queue(queue: Queue, today: date) -> ColumnElement[bool]:
    match queue:
        case "overdue":
            return Appointment.due_on < today
        case "today":
            return Appointment.due_on == today
        case _:
            return (Appointment.due_on > today) & (Appointment.due_on <= rules.end_of_week(today))


def _is_idle(today: date) -> ColumnElement[bool]:
    """rules.queue_of in SQL: the last contact lies before that day began in Shanghai."""
    return Customer.last_contact_at < datetime.combine(today - timedelta(days=HOUSE.idle_days), time(), ZONE)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
