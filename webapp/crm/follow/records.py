"""Contact records one by one: the form for the phone, the page of a record, mending and voiding it; the timeline."""

from __future__ import annotations

from datetime import datetime

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import attachments, clock, runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import _
from processes.activity import operations, permissions
from processes.activity.models import ContactRecord
from processes.activity.permissions import WRITE
from processes.activity.rules import EDIT_WINDOW
from processes.kernel import known_numbers
from processes.party import permissions as party
from processes.party.models import Contact, Customer
from processes.party.permissions import CUSTOMER, USE
from processes.telephony import permissions as telephony
from webapp.crm.follow.call_list import pages
from webapp.crm.follow.forms import Card, Typed, card_of, card_of_gone, save, words_of
from webapp.crm.follow.gone import gone, said
from webapp.crm.follow.places import back_to
from webapp.registers import opened
from webapp.security.access import current_actor, requires
from webapp.security.viewing import viewer
from webapp.skin.keys import key_or_none, read_key

PAGE_SIZE = 20


# ------------------------------------------------------------------------------------------------- a new one


@pages.get("/new")
@requires(WRITE)
def new() -> str:
    """args: customer, contact, call (an answered call: its note stands in the form already)."""
    try:
        return _new(current_actor(), Typed(request.args.to_dict()))
    except NotFound:
        raise opened.not_here() from None


@pages.post("/new")
@requires(WRITE)
def create() -> BaseResponse:
    actor, form = current_actor(), request.form
    try:
        customer = runtime.perform(lambda session: save(session, actor, form).customer_id)
    except AppError as refusal:
        Sessions().rollback()
        return _refused(actor, refusal)
    if "HX-Request" in request.headers:
        Sessions().rollback()
        return make_response(_timeline(actor, customer))
    flash(str(_("Saved.")), "success")
    return redirect(back_to(customer))


def _refused(actor: Actor, refusal: AppError) -> BaseResponse:
    """The form again, with what was typed, on a page of its own or on the customer's; of one who is gone as well."""
    form, card = request.form, None
    customer_id = form.get("customer", 0, type=read_key)
    if customer_id and (found := gone(CUSTOMER, customer_id)):
        card, refusal = card_of_gone(found, customer_id), found.refusal
    typed = Typed(form.to_dict(), refusal, form.get("submission", ""))
    if "HX-Request" not in request.headers:
        return make_response(_new(actor, typed, card), refusal.status)
    if card is None:
        card = card_of(
            Sessions(), actor, party.readable(Sessions(), actor, form.get("customer", 0, type=read_key)), None
        )
    return make_response(render_template("crm/follow/_refused.html", card=card, typed=typed, place="yl-happened"), 422)


def _new(actor: Actor, typed: Typed, known: Card | None = None) -> str:
    """known: of a customer the actor sees no more."""
    session = Sessions()
    values = dict(typed.values)
    customer, contact = _whom(session, actor, values) if known is None else (None, None)
    call_id = key_or_none(values.get("call", ""))
    call = telephony.readable(session, actor, call_id) if call_id is not None else None
    if call is not None and typed.refusal is None:
        values = {
            "way": "call",
            "content": call.note,
            "result": "reached" if call.answered_at else "not_reached",
        } | values
    values["contact"] = str(contact.id) if contact is not None else ""
    refusal = typed.refusal
    if refusal is None and customer is not None:  # said before anything is typed
        refusal = permissions.why_not(session, actor, customer)
    return render_template(
        "crm/follow/new.html",
        card=card_of(session, actor, customer, contact) if customer is not None else known,
        typed=Typed(values, refusal, typed.submission),
        call=call,
        number=known_numbers.shown(session, actor, [call.number])[call.number] if call is not None else "",
        back=values.get("back", ""),
    )


def _whom(session: Session, actor: Actor, values: dict[str, str]) -> tuple[Customer | None, Contact | None]:
    """The customer and contact named, as far as the actor may see them."""
    customer_id, contact_id = (key_or_none(values.get(name, "")) for name in ("customer", "contact"))
    contact = session.get(Contact, contact_id) if contact_id is not None else None
    if customer_id is None and contact is not None:
        customer_id = contact.organization_id
    if customer_id is None:
        return None, None
    customer = party.readable(session, actor, customer_id)
    if contact is not None and customer.id not in (contact.organization_id, contact.person_id):
        contact = None
    return customer, contact


# ------------------------------------------------------------------------------------------------- one record


@pages.get("/records/<int:record_id>")
@requires(USE)
def show(record_id: int) -> str:
    return _show(current_actor(), record_id)


def _show(actor: Actor, record_id: int, typed: Typed | None = None) -> str:
    session = Sessions()
    record = permissions.readable_record(session, actor, record_id)
    names = ("way", "place", "content", "result", "next_step")
    return render_template(
        "crm/follow/record.html",
        record=record,
        versions=operations.versions(session, record.id),
        files=attachments.of_records(session, permissions.RECORD, [record.id]).get(record.id, []),
        readers=operations.readers(session, record.id),
        may_edit=permissions.may_edit(actor, record) and clock.now() - record.created_at <= EDIT_WINDOW,
        may_void=permissions.may_void(session, actor, record),
        typed=typed or Typed({name: getattr(record, name) for name in names}),
        is_typed=typed is not None,
        record_type=permissions.RECORD,
    )


@pages.post("/records/<int:record_id>/<any(edit, void):action>")
@requires(WRITE)
def change(record_id: int, action: str) -> BaseResponse:
    actor, form = current_actor(), request.form
    version = form.get("version", type=read_key)

    def do(session: Session) -> None:
        if action == "edit":
            files = form.getlist("file", type=read_key)
            operations.edit_record(
                session, actor, record_id=record_id, version=version, values=words_of(form), attachments=files
            )
        else:
            operations.void_record(session, actor, record_id=record_id, version=version, reason=form.get("reason", ""))

    try:
        runtime.perform(do)
    except AppError as refusal:
        Sessions().rollback()
        if found := gone(permissions.RECORD, record_id):
            return said(found)
        return make_response(_show(actor, record_id, Typed(form.to_dict(), refusal)), refusal.status)
    flash(str(_("Changed.") if action == "edit" else _("The record is void.")), "success")
    return redirect(url_for("follow.show", record_id=record_id))


@pages.post("/records/<int:record_id>/read")
@requires(USE)
def read(record_id: int) -> BaseResponse:
    """Somebody else's record was opened: it is unread no more."""
    actor = current_actor()

    def mark(session: Session) -> None:
        record = permissions.readable_record(session, actor, record_id)
        if record.person_id != actor.person_id:
            operations.mark_read(session, actor, [record_id])

    runtime.perform(mark)
    return make_response("", 204)


# ------------------------------------------------------------------------------------------------- the timeline


@pages.get("/of/<int:customer_id>")
@requires(USE)
def timeline(customer_id: int) -> str:
    """A part of the customer's page: what passed between us, and the form for the next record."""
    return _timeline(current_actor(), customer_id)


def _timeline(actor: Actor, customer_id: int) -> str:
    session = Sessions()
    customer = party.readable(session, actor, customer_id)
    before = _moment(request.args.get("before", ""))
    happened, more = operations.timeline(session, actor, customer, before=before, size=PAGE_SIZE)
    records = [one.what for one in happened if isinstance(one.what, ContactRecord)]
    why_not = permissions.why_not(session, actor, customer)
    return render_template(
        "crm/follow/_happened.html" if before is not None else "crm/follow/_timeline.html",
        customer=customer,
        happened=happened,
        more=more,
        files=attachments.of_records(session, permissions.RECORD, [one.id for one in records]),
        card=card_of(session, actor, customer, None) if before is None else None,
        numbers=known_numbers.shown(session, actor, {one.what.number for one in happened if one.kind == "call"}),
        may_write=viewer() is None and why_not is None,
        closed_pool=why_not if why_not is not None and why_not.code == permissions.POOL_IS_CLOSED else None,
        sees_records=party.may_see(session, actor, customer.id, "records"),
        typed=Typed(),
    )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
