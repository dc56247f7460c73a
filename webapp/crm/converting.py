"""One party plays a further part: contact -> customer, customer -> contact, employer -> prospect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.i18n import _
from processes.party import operations, permissions
from processes.party.models import Contact, Customer
from webapp.crm import parts
from webapp.registers.views import RECORD_LINKS, Link
from webapp.security.access import current_actor, requires

pages = Blueprint("party_converting", __name__)

REFUSALS = (RuleViolation, Conflict, Forbidden)
MOST = 100


@pages.get("/employers")
@requires(permissions.MANAGE)
def employers() -> str:
    return _employers()


def _employers(problems: tuple[str, ...] = ()) -> str:
    text = request.args.get("q", "")[:100]
    found = operations.employers(Sessions(), current_actor(), text=text)
    ticked = set(request.form.getlist("key"))
    return render_template("crm/employers.html", employers=found, text=text, problems=problems, ticked=ticked)


@pages.post("/employers")
@requires(permissions.MANAGE)
def make_prospects() -> BaseResponse | tuple[str, int]:
    """Each ticked one by itself: what is refused stays and says why."""
    actor, reason = current_actor(), request.form.get("duplicate_reason", "").strip()
    made, refused = 0, []
    values = {"source": "other", **({"duplicate_reason": reason} if reason else {})}
    for key in request.form.getlist("key")[:MOST]:
        try:
            runtime.perform(
                lambda session, key=key: operations.make_prospect_of(session, actor, key=key, values=values)  # type: ignore[misc]
            )
            made += 1
        except REFUSALS as refusal:
            refused.append(_said(refusal))
    if made:
        flash(str(_("{count} employers are prospects now.", count=made)), "success")
    if refused:
        return _employers(tuple(refused)), 422
    return redirect(url_for("party_converting.employers"))


@pages.get("/contacts/<int:contact_id>/customer")
@requires(permissions.MANAGE)
def ask_contact(contact_id: int) -> str:
    seen = select(Contact).where(Contact.id == contact_id, permissions.visible_contacts(current_actor()))
    contact = Sessions().scalars(seen).first()
    if contact is None:
        raise NotFound
    return render_template("crm/contact_customer.html", contact=contact)


@pages.post("/contacts/<int:contact_id>/customer")
@requires(permissions.MANAGE)
def contact_to_customer(contact_id: int) -> BaseResponse:
    actor = current_actor()
    try:
        made = runtime.perform(lambda session: operations.make_customer_of(session, actor, contact_id=contact_id).id)
    except REFUSALS as refusal:
        flash(_said(refusal), "danger")
        return redirect(url_for("party_contact.show", pk=contact_id))
    flash(str(_("The contact is a customer as well now.")), "success")
    return redirect(url_for("party_customer.show", pk=made))


@pages.get("/customers/<int:customer_id>/employment")
@requires(permissions.MANAGE)
def employment(customer_id: int) -> str:
    return _employment(customer_id)


def _employment(customer_id: int, problems: tuple[str, ...] = ()) -> str:
    customer = permissions.readable(Sessions(), current_actor(), customer_id)
    return render_template("crm/employment.html", customer=customer, problems=problems, typed=request.form)


@pages.post("/customers/<int:customer_id>/employment")
@requires(permissions.MANAGE)
def customer_to_contact(customer_id: int) -> BaseResponse | tuple[str, int]:
    actor, form = current_actor(), request.form
    try:
        made = runtime.perform(
            lambda session: (
                operations.make_contact_of(
                    session,
                    actor,
                    record_id=customer_id,
                    customer=form.get("employer", 0, type=int),
                    values={"title": form.get("title", "")},
                ).id
            )
        )
    except REFUSALS as refusal:
        return _employment(customer_id, (_said(refusal),)), 422
    flash(str(_("The customer is a contact as well now.")), "success")
    return redirect(url_for("party_contact.show", pk=made))


def _said(refusal: AppError) -> str:
    if isinstance(refusal, InvalidForm):
        return " ".join(f"{one.message} {one.remedy or ''}".strip() for one in refusal.problems)
    return f"{refusal.message} {refusal.remedy or ''}".strip()


def _at_the_contact(contact: Any) -> tuple[Link, ...]:
    if not current_actor().may(permissions.MANAGE) or Sessions().get(Customer, contact.person_id) is not None:
        return ()
    return ((url_for("party_converting.ask_contact", contact_id=contact.id), "user-plus", _("Make a customer")),)


def buttons(_session: Session, actor: Actor, customer: Customer) -> Iterator[parts.Button]:
    if customer.kind == "person" and actor.may(permissions.MANAGE):
        url = url_for("party_converting.employment", customer_id=customer.id)
        yield parts.Button(url, "briefcase", _("Contact at a company"), is_rare=True)


parts.BUTTONS.append(buttons)
RECORD_LINKS[permissions.CONTACT] = _at_the_contact
