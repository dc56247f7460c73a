"""Why somebody sees a customer, what a person sees of all, and the way through his eyes (rows 137-140)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import Sentence, _
from processes.organization.permissions import MANAGE_SCOPES
from processes.organization.rules import SCOPE_LEVELS
from processes.party import operations, permissions
from processes.party.models import Customer
from processes.party.rules.sight import FIELDS, SEES
from webapp.crm import parts
from webapp.registers.interface import endpoint_of
from webapp.security import viewing
from webapp.security.access import current_actor, requires, signed_in
from webapp.security.viewing import VIEW_AS
from webapp.skin import banners, watermark
from webapp.skin.banners import Banner
from webapp.skin.navigation import Entry, navigation

pages = Blueprint("customer_sight", __name__)
eyes = Blueprint("view_as", __name__)

TONES = {"hidden": "grey", "masked": "amber", "visible": "green"}
PARTS: Mapping[str, Sentence] = {
    "contacts": _("Contacts"),
    "records": _("Contact records"),
    "opportunities": _("Opportunities"),
}
"""party.permissions.PARTS in words."""


def _asked() -> int | None:
    text = request.args.get("person", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


# ------------------------------------------------------------------------------------------------- one customer


@pages.get("/customers/<int:customer_id>/why")
@requires(permissions.USE)
def why(customer_id: int) -> str:
    """Why can this person see it? Without a person: the form that asks."""
    session, actor, person = Sessions(), current_actor(), _asked()
    customer = permissions.readable(session, actor, customer_id)
    if not operations.may_explain(session, actor, customer):
        raise NotFound
    found = (
        operations.explain(session, actor, customer_id=customer_id, person_id=person) if person is not None else None
    )
    return render_template(
        "crm/why.html",
        customer=customer,
        found=found,
        parts=PARTS,
        fields=[(FIELDS[f"customer.{name}"], seen) for name, seen in found.fields.items()] if found else (),
        sees=SEES,
        tones=TONES,
    )


def buttons(session: Session, actor: Actor, customer: Customer) -> Iterable[parts.Button]:
    if viewing.viewer() is None and operations.may_explain(session, actor, customer):
        url = url_for("customer_sight.why", customer_id=customer.id)
        yield parts.Button(url, "user-question", _("Why can somebody see this?"), is_rare=True)


# ------------------------------------------------------------------------------------------------- one person


@pages.get("/customers/sight")
@requires(MANAGE_SCOPES)
def overview() -> str:
    """What a person sees of all customers, and why."""
    actor, session, person = current_actor(), Sessions(), _asked()
    found = operations.overlook(session, person) if person is not None else None
    rows = (
        [(title, found.fields[name, True], found.fields[name, False]) for name, title in FIELDS.items()]
        if found is not None
        else []
    )
    return render_template(
        "crm/sight.html",
        found=found,
        rows=rows,
        sees=SEES,
        tones=TONES,
        levels=SCOPE_LEVELS,
        may_view=actor.may(VIEW_AS) and found is not None and found.person.id != actor.person_id,
        links=_links(),
    )


@eyes.post("/view-as/begin")
@requires(VIEW_AS)
def begin() -> BaseResponse:
    """form: person."""
    actor, person = current_actor(), request.form.get("person", 0, type=int)
    try:
        runtime.perform(lambda session: viewing.begin(session, actor, person).id)
    except NotFound:
        raise
    except AppError as refusal:
        flash(str(refusal), "danger")
        return redirect(url_for("customer_sight.overview"))
    viewing.hold(person)
    return redirect(url_for(f"{endpoint_of(permissions.CUSTOMER)}.list"))


@eyes.post("/view-as/end")
@signed_in
def end() -> BaseResponse:
    """Back to one's own eyes; once more does nothing."""
    seen, sits = current_actor(), viewing.viewer()
    if sits is None:
        return redirect(url_for("customer_sight.overview"))
    runtime.perform(lambda session: viewing.end(session, sits, seen.person_id))
    viewing.let_go()
    return redirect(url_for("customer_sight.overview", person=seen.person_id))


def _links() -> list[tuple[str, Sentence]]:
    """Where what is seen is decided, for whoever may go there."""
    found = []
    for name in ("organization.scope_grant", permissions.FIELD_RULE):
        register = CATALOG.registers[name]
        if current_actor().may(register.permission):
            found.append((url_for(f"{endpoint_of(name)}.list"), register.title))
    return found


def _reminder(_session: Session, actor: Actor) -> list[Banner]:
    if viewing.viewer() is None:
        return []
    return [
        Banner(
            _("You see customers through the eyes of {name}. Nothing can be written.", name=actor.name),
            "eye",
            url_for(f"{endpoint_of(permissions.CUSTOMER)}.list"),
            button=_("Back to your own eyes"),
            action=url_for(viewing.END),
        )
    ]


def add_pages(app: Flask) -> None:
    app.register_blueprint(pages)
    app.register_blueprint(eyes)
    banners.add_source(app, _reminder)
    watermark.over(pages.name)
    if buttons not in parts.BUTTONS:
        parts.BUTTONS.append(buttons)
    navigation().add(Entry("system", _("Who sees what"), "eye", "customer_sight.overview", MANAGE_SCOPES, order=215))
    for name in (permissions.CUSTOMER, permissions.CONTACT, permissions.COMPETITOR):
        viewing.open_to_viewers(endpoint_of(name))
    for room in (
        "follow",
        "pool",
        "customer_acts",
        "customer_lists",
        "party_merging",
        "party_relations",
        "party_files",
        "party_hints",
    ):
        viewing.open_to_viewers(room)
    for module in ("customers", "ownership", "activity", "appointments"):
        viewing.open_to_viewers(f"api.{module}")
    viewing.open_to_viewers("LookupView", _looks_up_customers)


def _looks_up_customers() -> bool:
    name = str((request.view_args or {}).get("name", ""))
    return name.startswith(("party.", "organization."))
