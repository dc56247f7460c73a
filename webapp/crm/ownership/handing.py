"""Assigning and handing over many: whose, to whom, what would move; done, and taken back within a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, Forbidden, NotFound
from engine.i18n import _
from processes.organization.models import Employee
from processes.ownership import permissions
from processes.ownership.models import Handover
from processes.ownership.operations import handing
from processes.party.models import Customer
from processes.party.permissions import visible_customers
from webapp.crm.ownership.acts import day
from webapp.once import once
from webapp.security.access import current_actor, signed_in

pages = Blueprint("customer_handing", __name__)


@dataclass(frozen=True)
class Line:
    batch: Handover
    receiver: str
    may_undo: bool


@pages.get("/customers/hand-over")
@signed_in
def index() -> str:
    return _page(_giver())


@pages.post("/customers/hand-over/plan")
@signed_in
def plan() -> str:
    """What the ticked ones would take along, and whether the receiver has room; asked at every tick."""
    return render_template("crm/ownership/_plan.html", **_plan(_giver(), _ids()))


@pages.post("/customers/hand-over")
@signed_in
def run() -> BaseResponse:
    actor, form = current_actor(), request.form
    ids, to = form.getlist("ids", type=int), form.get("to", 0, type=int)

    def work(session: Session) -> dict[str, int]:
        batch = handing.hand_over(
            session,
            actor,
            customer_ids=ids,
            to_id=to,
            reason=form.get("reason", ""),
            parts=form.getlist("parts"),
            reader_until=day(form.get("reader_until", "")),
            seen=_seen(),
        )
        return {"count": batch.count}

    try:
        done = once(actor, form.get("submission", ""), work)
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        return make_response(_page(actor, refusal), refusal.status)
    flash(
        str(_("{count} customers are handed over; within 24 hours you may take it back.", count=done["count"])),
        "success",
    )
    return redirect(url_for("customer_handing.index"))


@pages.post("/customers/hand-over/<int:handover_id>/undo")
@signed_in
def undo(handover_id: int) -> BaseResponse:
    actor = current_actor()
    try:
        count = runtime.perform(lambda session: handing.undo(session, actor, handover_id=handover_id))
        flash(str(_("{count} customers went back.", count=count)), "success")
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        flash(str(refusal), "danger")
    return redirect(url_for("customer_handing.index"))


def _giver() -> Actor:
    actor = current_actor()
    if not (actor.may(permissions.ASSIGN) or actor.may(permissions.ASSIGN_ANY)):
        raise Forbidden(_("Your roles do not include this."), code="permission_missing")
    return actor


def _page(actor: Actor, refusal: AppError | None = None) -> str:
    session = Sessions()
    person = session.get(Employee, request.values.get("person", 0, type=int))
    customers = _offered(session, actor, person)
    chosen = {one.id for one in customers} & set(_ids() or [one.id for one in customers])
    receiver = session.get(Employee, request.values.get("to", 0, type=int))
    return render_template(
        "crm/ownership/hand_over.html",
        person=person,
        to=[(receiver.id, receiver.name)] if receiver is not None else [],
        customers=customers,
        chosen=chosen,
        more=len(customers) >= handing.MOST,
        refusal=refusal,
        holders=handing.holders(session, actor) if not customers else (),
        batches=_batches(session, actor),
        form=request.form,
        submission=request.form.get("submission") or uuid4().hex,
        **_plan(actor, chosen),
    )


def _plan(actor: Actor, customer_ids: Collection[int]) -> dict[str, Any]:
    """plan, receiver, refusal (why it would not be done) and which parts are ticked."""
    session = Sessions()
    receiver = session.get(Employee, request.values.get("to", 0, type=int))
    found: dict[str, Any] = {"receiver": receiver, "plan": None, "why": None, "parts": None}
    if receiver is None or not customer_ids:
        return found
    if "parts_shown" in request.form:
        found["parts"] = request.form.getlist("parts")
    try:
        found["plan"] = handing.preview(session, actor, customer_ids=customer_ids, to_id=receiver.id)
        found["why"] = found["plan"].refusal
    except AppError as refusal:
        found["why"] = refusal
    return found


def _ids() -> list[int]:
    """Of a link ("1,2,3") or of ticked rows."""
    given = request.values.getlist("ids")
    return [int(one) for text in given for one in text.split(",") if one.isdecimal() and len(one) < 19][: handing.MOST]


def _seen() -> dict[int, int]:
    """{customer: owner} as the page showed them ("12:7")."""
    pairs = [one.partition(":") for one in request.form.getlist("seen")]
    return {int(one): int(owner) for one, _colon, owner in pairs if one.isdecimal() and owner.isdecimal()}


def _offered(session: Session, actor: Actor, person: Employee | None) -> list[Customer]:
    """Those of a person, or those that were chosen elsewhere; only what the actor may give away."""
    wanted = select(Customer).where(visible_customers(actor), permissions.givable_customers(actor))
    if person is not None:
        wanted = wanted.where(Customer.owner_id == person.id)
    elif _ids():
        wanted = wanted.where(Customer.id.in_(_ids()))
    else:
        return []
    return list(session.scalars(wanted.order_by(Customer.name, Customer.id).limit(handing.MOST)))


def _batches(session: Session, actor: Actor) -> list[Line]:
    found = handing.batches_of(session, actor)
    people = {
        one.id: one.name for one in session.scalars(select(Employee).where(Employee.id.in_([b.to_id for b in found])))
    }
    return [Line(one, people.get(one.to_id, ""), handing.may_undo(actor, one)) for one in found]
