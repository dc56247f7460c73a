"""Appointments: made, put on another day, joined, taken over, cancelled; each leaves its trace."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, events, journal
from engine.actor import SYSTEM, Actor
from engine.errors import Conflict, RuleViolation
from engine.i18n import _
from processes.activity import permissions, rules
from processes.activity.models import Appointment, AppointmentMove
from processes.activity.operations import keeping, planning
from processes.kernel.columns import lock_for_change, lock_row, stamp
from processes.kernel.entry import Entry
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.assignments import superior_of
from processes.party.models import Contact, Customer

POSTPONED = kind("activity.postponed", _("An appointment of my people is put off for the third time"))
TAKEN_OVER = kind("activity.taken_over", _("Somebody takes over or joins an appointment of mine"))
CHANGED = "activity.appointment_changed"
"""appointment_id, customer_id, person_id, state."""

_CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


def make_appointment(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Appointment:
    """values: customer, contact, due_on, at ("14:30"), purpose.

    Raises AppointmentTaken when there is an open one with that contact.
    """
    customer_id, contact_id = planning.whom(values)
    customer = permissions.lock_writable(session, actor, customer_id)
    contact = planning.contact_of(session, customer, contact_id)
    entry = Entry(session, values, is_new=True)
    entry.reference("customer", Customer, required=True)
    entry.reference("contact", Contact)
    _read_plan(entry)
    clean = entry.finish()
    due_on = clean.get("due_on") or planning.propose(session, customer, contact, clock.now())
    planning.check_day(session, customer, contact, due_on)
    made = planning.make(
        session,
        actor,
        customer,
        contact,
        person_id=actor.person_id,
        due_on=due_on,
        at=clean.get("at") or "",
        purpose=clean.get("purpose") or "",
    )
    keeping.keep_next(session, customer.id, made.contact_id)
    after = {"customer": customer.name, "due_on": due_on.isoformat(), "person": actor.person_id}
    journal.audit(session, actor, permissions.APPOINTMENT, made.id, "created", None, after)
    _publish(session, made)
    return made


def reschedule(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    due_on: date,
    reason: str,
    at: str = "",
    version: int | None = None,
) -> Appointment:
    """Put it on another day and say why. The third time it is put off, the holder's superior hears of it."""
    appointment = _locked(session, actor, appointment_id, version)
    entry = Entry(session, {"due_on": due_on, "reason": reason, "at": at}, is_new=True)
    entry.text("reason", required=True, longest=300)
    _read_plan(entry)
    clean = entry.finish()
    planning.check_day(session, appointment.customer, appointment.contact, due_on)
    was, at = appointment.due_on, clean.get("at") or ""
    if (was, appointment.at) == (due_on, at):
        return appointment
    moved = _moved(session, actor, appointment, to_on=due_on, reason=clean["reason"])
    appointment.at = at
    if due_on > was:
        appointment.postponed += 1
        if appointment.postponed == rules.TOLD_AT:
            _tell_superior(session, actor, appointment, moved)
    _done(session, actor, appointment, "rescheduled", {"due_on": was}, {"due_on": due_on, "reason": moved.reason})
    return appointment


def cancel(
    session: Session, actor: Actor, *, appointment_id: int, reason: str, version: int | None = None
) -> Appointment:
    appointment = _locked(session, actor, appointment_id, version, to_end=True)
    entry = Entry(session, {"reason": reason}, is_new=True)
    entry.text("reason", required=True, longest=300)
    appointment.state, appointment.closing = "cancelled", entry.finish()["reason"]
    _done(session, actor, appointment, "cancelled", {"state": "open"}, {"reason": appointment.closing})
    return appointment


def join(session: Session, actor: Actor, *, appointment_id: int, version: int | None = None) -> Appointment:
    """Go along; the holder stays who he is."""
    appointment = _locked(session, actor, appointment_id, version)
    if actor.person_id == appointment.person_id:
        raise RuleViolation(_("This appointment is yours."))
    if actor.person_id not in appointment.joined:
        appointment.joined = [*appointment.joined, actor.person_id]
        title = _("{who} joins your appointment with {whom}", who=actor.name, whom=_with(appointment))
        _tell(session, actor, appointment, appointment.person_id, title, "joined")
        _done(session, actor, appointment, "joined", None, {"person": actor.person_id})
    return appointment


def take_over(
    session: Session, actor: Actor, *, appointment_id: int, reason: str = "", version: int | None = None
) -> Appointment:
    """Have it instead of whoever had it; he is told and goes along no more."""
    appointment = _locked(session, actor, appointment_id, version)
    former = appointment.person_id
    if actor.person_id == former:
        return appointment
    entry = Entry(session, {"reason": reason}, is_new=True)
    entry.text("reason", longest=300)
    _moved(session, actor, appointment, to_person=actor.person_id, reason=entry.finish()["reason"] or "")
    title = _("{who} takes over your appointment with {whom}", who=actor.name, whom=_with(appointment))
    _tell(session, actor, appointment, former, title, "taken")
    _done(session, actor, appointment, "taken_over", {"person": former}, {"person": actor.person_id})
    return appointment


def moves(session: Session, appointment_id: int) -> list[AppointmentMove]:
    wanted = select(AppointmentMove).where(AppointmentMove.appointment_id == appointment_id)
    return list(session.scalars(wanted.order_by(AppointmentMove.id)))


# ------------------------------------------------------------------- what happens to the customer (subscribers)


def open_of(session: Session, customer_id: int) -> list[Appointment]:
    """The open appointments of a customer, which is locked by this (ix_appointment_customer)."""
    lock_row(session, Customer, customer_id)
    wanted = select(Appointment).where(Appointment.customer_id == customer_id, Appointment.state == "open")
    return list(session.scalars(wanted.order_by(Appointment.id).execution_options(populate_existing=True)))


def close_all(session: Session, customer_id: int, cause: str, *, person_id: int | None = None) -> list[Appointment]:
    """Cancel them with a cause from rules.CLOSINGS; person_id: only those this person has."""
    closed = [one for one in open_of(session, customer_id) if person_id in (None, one.person_id)]
    for one in closed:
        one.state, one.closing = "cancelled", cause
        journal.audit(
            session, SYSTEM, permissions.APPOINTMENT, one.id, "cancelled", {"state": "open"}, {"cause": cause}
        )
        _publish(session, one)
    if closed:
        keeping.keep_next(session, customer_id, *(one.contact_id for one in closed))
    return closed


def give_all(
    session: Session, customer_id: int, *, to_id: int, from_id: int | None = None, by_id: int = 0, reason: str = ""
) -> list[Appointment]:
    """They move to somebody; from_id: only those this person has."""
    given = [
        one for one in open_of(session, customer_id) if one.person_id != to_id and from_id in (None, one.person_id)
    ]
    for one in given:
        _moved(session, Actor(person_id=by_id, name=""), one, to_person=to_id, reason=reason)
        _publish(session, one)
    session.flush()
    return given


def restore(session: Session, actor: Actor, *, appointment_id: int, person_id: int, among: Collection[int]) -> None:
    """His again, and open again where only the handing over had ended it. What people have done with it since stays.

    among: of these customers only, which have come back.
    """
    seen = session.get(Appointment, appointment_id)
    if seen is None or seen.customer_id not in among:
        return
    lock_row(session, Customer, seen.customer_id)
    one = lock_for_change(session, Appointment, appointment_id)
    ended = one.state == "cancelled" and one.closing in _ENDED_BY_HANDING
    if ended and planning.open_with(session, one.customer_id, one.contact_id) is None:
        before = {"state": one.state, "person": one.person_id}
        one.state, one.closing, one.person_id = "open", "", person_id
        session.flush()
        _done(session, actor, one, "restored", before, {"state": "open", "person": person_id})
    elif one.state == "open" and one.person_id != person_id:
        _moved(session, actor, one, to_person=person_id, reason="undone")
        _publish(session, one)


# ------------------------------------------------------------------------------------------------- shared


_ENDED_BY_HANDING = ("handed_over", "undone")
"""of rules.CLOSINGS"""


def _read_plan(entry: Entry) -> None:
    def read_clock(value: Any) -> str:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value.strip()):
            raise RuleViolation(_("Please write a time, for example 14:30."))
        return value.strip()

    entry.day("due_on")
    entry.parsed("at", read_clock, empty="")
    entry.text("purpose", longest=300)


def _locked(
    session: Session, actor: Actor, appointment_id: int, version: int | None, *, to_end: bool = False
) -> Appointment:
    """An open appointment under the lock of its customer, which is taken first everywhere.

    to_end: it is called off; whoever has it may do that also when the pool has been closed to him since.
    """
    seen = permissions.readable_appointment(session, actor, appointment_id)
    is_his = seen.person_id == actor.person_id
    permissions.lock_writable(session, actor, seen.customer_id, to_end=to_end and is_his)
    appointment = lock_for_change(session, Appointment, appointment_id, version)
    if appointment.state != "open":
        raise Conflict(_("This appointment is over."), remedy=_("Load it again."))
    return appointment


def _moved(
    session: Session,
    actor: Actor,
    appointment: Appointment,
    *,
    to_on: date | None = None,
    to_person: int | None = None,
    reason: str = "",
) -> AppointmentMove:
    move = AppointmentMove(
        appointment_id=appointment.id,
        from_on=appointment.due_on,
        to_on=to_on or appointment.due_on,
        from_person=appointment.person_id,
        to_person=to_person or appointment.person_id,
        reason=reason,
        at=clock.now(),
        actor_id=actor.person_id,
    )
    session.add(move)
    appointment.due_on, appointment.person_id = move.to_on, move.to_person
    appointment.joined = rules.without(appointment.joined, move.to_person)
    stamp(appointment, actor)
    session.flush()
    return move


def _done(
    session: Session, actor: Actor, appointment: Appointment, deed: str, before: dict[str, Any] | None, after: Any
) -> None:
    stamp(appointment, actor)
    keeping.keep_next(session, appointment.customer_id, appointment.contact_id)
    said = {name: value.isoformat() if isinstance(value, date) else value for name, value in after.items()}
    was = {name: str(value) for name, value in before.items()} if before is not None else None
    journal.audit(session, actor, permissions.APPOINTMENT, appointment.id, deed, was, said)
    _publish(session, appointment)


def _publish(session: Session, appointment: Appointment) -> None:
    events.publish(
        session,
        CHANGED,
        appointment_id=appointment.id,
        customer_id=appointment.customer_id,
        person_id=appointment.person_id,
        state=appointment.state,
    )


def _with(appointment: Appointment) -> str:
    customer = appointment.customer.name
    return f"{appointment.contact.name}（{customer}）" if appointment.contact is not None else customer


def _tell(session: Session, actor: Actor, appointment: Appointment, person: int, title: Any, deed: str) -> None:
    notify(
        session,
        actor,
        persons=[person],
        kind=TAKEN_OVER,
        title=title,
        key=f"appointment:{appointment.id}:{deed}:{actor.person_id}:{clock.now().timestamp():.0f}",
        record=("party.customer", appointment.customer_id),
    )


def _tell_superior(session: Session, actor: Actor, appointment: Appointment, moved: AppointmentMove) -> None:
    superior = superior_of(session, appointment.person_id)
    if superior is None:
        return
    notify(
        session,
        actor,
        persons=[superior.id],
        kind=POSTPONED,
        title=_(
            "{who} puts off the appointment with {whom} for the third time, to {day}",
            who=appointment.person.name,
            whom=_with(appointment),
            day=appointment.due_on.isoformat(),
        ),
        text=moved.reason,
        key=f"appointment:{appointment.id}:postponed:{appointment.postponed}",
        record=("party.customer", appointment.customer_id),
    )
