"""Appointments: made, moved, joined, taken over, cancelled; how many wait in each queue."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from processes.activity import operations, permissions
from processes.activity.models import Appointment
from processes.organization.permissions import require
from processes.party.permissions import USE
from webapp.api.activity import TAG, Clock, Named, WithReason, shown, whom
from webapp.api.answers import Names, Person
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

ORDERS = {"id": Appointment.id, "due_on": Appointment.due_on}


class AppointmentLine(Answer):
    id: int
    customer: Named
    contact: Named | None
    person: Person
    due_on: date
    at: str
    purpose: str
    joined: list[Person]
    postponed: int
    state: str
    """open | done | cancelled"""
    closing: str
    record_id: int | None
    version: int


class AppointmentMoveLine(Answer):
    at: datetime
    actor: Person
    from_on: date
    to_on: date
    from_person: Person
    to_person: Person
    reason: str


class AppointmentDetail(AppointmentLine):
    moves: list[AppointmentMoveLine]


class QueueCounts(Answer):
    overdue: int
    today: int
    week: int
    idle: int
    """not spoken to for long and without a plan"""
    never: int


class AppointmentsQuery(ListQuery):
    customer_id: Id | None = None
    contact_id: Id | None = None
    person_id: Id | None = None
    state: Literal["open", "done", "cancelled"] = "open"
    since: date | None = None
    """due that day at the earliest"""
    until: date | None = None
    """due that day at the latest"""


class CountsQuery(Query):
    person_id: Id | None = None
    """somebody below you; yours unless said"""


class NewAppointment(Body):
    customer_id: Id
    contact_id: Id | None = None
    due_on: date | None = None
    at: Clock = ""
    purpose: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Reschedule(WithReason, kw_only=True):
    due_on: date
    at: Clock = ""


class TakeOver(Body):
    version: Version
    reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Versioned(Body):
    version: Version


# ------------------------------------------------------------------------------------------------- appointments


@endpoint("GET", "/appointments", tag=TAG)
def list_appointments(call: Call, query: AppointmentsQuery) -> Page[AppointmentLine]:
    """Appointments with the customers you see, the open ones unless said. `order` takes id, due_on."""
    require(call.actor, USE)
    wanted = (
        select(Appointment)
        .where(permissions.visible_appointments(call.actor), Appointment.state == query.state)
        .options(*shown(Appointment))
    )
    for name in ("customer_id", "contact_id", "person_id"):
        if (value := getattr(query, name)) is not None:
            wanted = wanted.where(getattr(Appointment, name) == value)
    if query.since is not None:
        wanted = wanted.where(Appointment.due_on >= query.since)
    if query.until is not None:
        wanted = wanted.where(Appointment.due_on <= query.until)
    if query.q:
        wanted = wanted.where(Appointment.purpose.icontains(query.q, autoescape=True))
    total = total_of(call.session, query, wanted, Appointment.id)
    order = ordering(query, ORDERS, "due_on", Appointment.id)
    found = [row.Appointment for row in rows(call.session, query, wanted.order_by(*order))]
    names = Names(call.session, [person for one in found for person in one.joined])
    return page_of(query, found, total, lambda one: _plan(one, names))


@endpoint("GET", "/appointments/counts", tag=TAG)
def get_counts(call: Call, query: CountsQuery) -> QueueCounts:
    """How many stand in each queue of the call list."""
    require(call.actor, permissions.WRITE)
    return QueueCounts(**operations.counts(call.session, call.actor, query.person_id))


@endpoint("GET", "/appointments/{appointment_id}", tag=TAG)
def get_appointment(call: Call, appointment_id: Id) -> AppointmentDetail:
    """One appointment and where it stood before."""
    found = permissions.readable_appointment(call.session, call.actor, appointment_id)
    return _plan_detail(call.session, found)


@endpoint("POST", "/appointments", tag=TAG, status=201, refusals=(409, 422))
def make_appointment(call: Call, body: NewAppointment) -> AppointmentDetail:
    """Plan the next contact. There is one open per contact: a second is refused with `appointment_taken`."""
    values = {"customer": body.customer_id, "contact": body.contact_id, "due_on": body.due_on}
    made = operations.make_appointment(
        call.session, call.actor, values=values | {"at": body.at, "purpose": body.purpose}
    )
    call.headers["Location"] = f"{PREFIX}/appointments/{made.id}"
    return _plan_detail(call.session, made)


@endpoint("POST", "/appointments/{appointment_id}/actions/reschedule", tag=TAG, refusals=(409, 422))
def reschedule(call: Call, appointment_id: Id, body: Reschedule) -> AppointmentDetail:
    """Put it on another day and say why."""
    made = operations.reschedule(
        call.session,
        call.actor,
        appointment_id=appointment_id,
        due_on=body.due_on,
        at=body.at,
        reason=body.reason,
        version=body.version,
    )
    return _plan_detail(call.session, made)


@endpoint("POST", "/appointments/{appointment_id}/actions/cancel", tag=TAG, refusals=(409, 422))
def cancel(call: Call, appointment_id: Id, body: WithReason) -> AppointmentDetail:
    """It does not take place."""
    made = operations.cancel(
        call.session, call.actor, appointment_id=appointment_id, reason=body.reason, version=body.version
    )
    return _plan_detail(call.session, made)


@endpoint("POST", "/appointments/{appointment_id}/actions/join", tag=TAG, refusals=(409, 422))
def join(call: Call, appointment_id: Id, body: Versioned) -> AppointmentDetail:
    """Go along with whoever has it."""
    made = operations.join(call.session, call.actor, appointment_id=appointment_id, version=body.version)
    return _plan_detail(call.session, made)


@endpoint("POST", "/appointments/{appointment_id}/actions/take-over", tag=TAG, refusals=(409, 422))
def take_over(call: Call, appointment_id: Id, body: TakeOver) -> AppointmentDetail:
    """Have it yourself; whoever had it is told."""
    made = operations.take_over(
        call.session, call.actor, appointment_id=appointment_id, reason=body.reason, version=body.version
    )
    return _plan_detail(call.session, made)


# ------------------------------------------------------------------------------------------------- shapes


def _plan(row: Appointment, names: Names) -> AppointmentLine:
    same = ("id", "due_on", "at", "purpose", "postponed", "state", "closing", "record_id", "version")
    values = {name: getattr(row, name) for name in same}
    return AppointmentLine(**whom(row), **values, joined=[names(person) for person in row.joined])


def _plan_detail(session: Session, row: Appointment) -> AppointmentDetail:
    made = operations.moves(session, row.id)
    people = [person for one in made for person in (one.actor_id, one.from_person, one.to_person)]
    names = Names(session, [*people, *row.joined])
    line = _plan(row, names)
    return AppointmentDetail(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        moves=[
            AppointmentMoveLine(
                at=one.at,
                actor=names(one.actor_id),
                from_on=one.from_on,
                to_on=one.to_on,
                from_person=names(one.from_person),
                to_person=names(one.to_person),
                reason=one.reason,
            )
            for one in made
        ],
    )
