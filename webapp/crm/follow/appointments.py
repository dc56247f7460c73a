"""Appointments: made by hand, put on another day, joined, taken over, cancelled."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound, Problem
from engine.i18n import _
from processes.activity import operations, permissions
from processes.activity.models import Appointment
from processes.activity.operations import AppointmentTaken
from processes.activity.permissions import APPOINTMENT, WRITE
from processes.party import permissions as party
from processes.party.permissions import CUSTOMER
from webapp.crm.follow.call_list import pages
from webapp.crm.follow.forms import Card, Typed, card_of, card_of_gone, day
from webapp.crm.follow.gone import gone, said
from webapp.crm.follow.places import back_to
from webapp.security.access import current_actor, requires
from webapp.skin.keys import read_key

DONE = {
    "reschedule": _("Put on another day."),
    "cancel": _("Cancelled."),
    "join": _("You go along."),
    "take-over": _("The appointment is yours."),
}


@pages.get("/appointments/new")
@requires(WRITE)
def plan() -> str:
    """args: customer, contact."""
    session, actor = Sessions(), current_actor()
    customer = party.readable(session, actor, request.args.get("customer", 0, type=read_key))
    return _form(card_of(session, actor, customer, None), Typed(request.args.to_dict()))


def _form(card: Card, typed: Typed) -> str:
    return render_template("crm/follow/plan.html", card=card, typed=typed, back=back_to(card.customer.id))


@pages.post("/appointments")
@requires(WRITE)
def make() -> BaseResponse:
    """form: customer, contact, due_on, at, purpose. Where there is one already: who has it, to join or to take over."""
    actor, form = current_actor(), request.form
    values = {name: form[name] for name in ("customer", "at", "purpose") if form.get(name)}
    customer = form.get("customer", type=read_key)
    try:
        due_on = day(form.get("due_on", ""), "due_on")
        wanted = {**values, "contact": form.get("contact") or None, "due_on": due_on}
        runtime.perform(lambda session: operations.make_appointment(session, actor, values=wanted).id)
    except AppointmentTaken as taken:
        Sessions().rollback()
        there = permissions.readable_appointment(Sessions(), actor, taken.appointment_id)
        is_own = actor.person_id in (there.person_id, *there.joined)
        page = render_template(
            "crm/follow/taken.html", appointment=there, refusal=taken, back=back_to(customer), is_own=is_own
        )
        return make_response(page, taken.status)
    except AppError as refusal:
        Sessions().rollback()
        return _not_made(actor, refusal)
    flash(str(_("The appointment is made.")), "success")
    return redirect(back_to(customer))


def _not_made(actor: Actor, refusal: AppError) -> BaseResponse:
    """The form again, with what was typed; of a customer who is gone as well."""
    form = request.form
    customer_id = form.get("customer", 0, type=read_key)
    if found := gone(CUSTOMER, customer_id):
        card, refusal = card_of_gone(found, customer_id), found.refusal
    else:
        card = card_of(Sessions(), actor, party.readable(Sessions(), actor, customer_id), None)
    return make_response(_form(card, Typed(form.to_dict(), refusal)), refusal.status)


@pages.post("/appointments/<int:appointment_id>/<action>")
@requires(WRITE)
def act(appointment_id: int, action: str) -> BaseResponse:
    actor = current_actor()
    if action not in DONE:
        raise NotFound
    try:
        customer = runtime.perform(lambda session: _do(session, actor, appointment_id, action).customer_id)
    except AppError as refusal:
        Sessions().rollback()
        if found := gone(APPOINTMENT, appointment_id):
            return said(found)
        return _refused(refusal)
    flash(str(DONE[action]), "success")
    return redirect(back_to(customer))


def _do(session: Session, actor: Actor, appointment_id: int, action: str) -> Appointment:
    form = request.form
    version, reason = form.get("version", type=read_key), form.get("reason", "")
    match action:
        case "reschedule":
            due_on = day(form.get("due_on", ""), "due_on")
            if due_on is None:
                raise InvalidForm([Problem("due_on", _("This is required."))])
            return operations.reschedule(
                session,
                actor,
                appointment_id=appointment_id,
                due_on=due_on,
                at=form.get("at", ""),
                reason=reason,
                version=version,
            )
        case "cancel":
            return operations.cancel(session, actor, appointment_id=appointment_id, reason=reason, version=version)
        case "join":
            return operations.join(session, actor, appointment_id=appointment_id, version=version)
        case _:
            return operations.take_over(session, actor, appointment_id=appointment_id, reason=reason, version=version)


def _refused(refusal: AppError) -> BaseResponse:
    """These forms stand in dialogs of other pages: what is wrong is said there."""
    flash(" ".join(str(one.message) for one in refusal.problems) or str(refusal), "danger")
    return redirect(back_to(None))
