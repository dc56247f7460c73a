"""What was typed about somebody who has gone from its writer meanwhile: he is told so, and nothing typed is lost."""

from __future__ import annotations

from dataclasses import dataclass

from flask import make_response, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from engine.db import Sessions
from engine.errors import AppError, RuleViolation
from engine.i18n import Sentence, _
from processes.activity.models import Appointment, ContactRecord
from processes.activity.permissions import APPOINTMENT, RECORD
from processes.party import permissions as party
from processes.party.permissions import CUSTOMER
from webapp.crm import parts
from webapp.errors import wants_json
from webapp.registers import opened
from webapp.security.access import current_actor

MODELS: dict[str, type[Appointment | ContactRecord]] = {APPOINTMENT: Appointment, RECORD: ContactRecord}

TYPED: dict[str, tuple[Sentence, str]] = {
    "due_on": (_("Day"), "date"),
    "at": (_("Time"), "time"),
    "purpose": (_("What for"), "text"),
    "content": (_("What was said"), "textarea"),
    "place": (_("Where"), "text"),
    "next_step": (_("Next step"), "text"),
    "reason": (_("Reason"), "text"),
}
"""what people write into the dialogs of appointments and records; the rest goes along unseen"""


@dataclass(frozen=True)
class Gone:
    """Of what has gone: what its reader knew, and what he is told."""

    name: str
    sealed: str
    refusal: AppError


def sealed(record: Appointment | ContactRecord) -> str:
    """What somebody knows of a record by a page that shows it."""
    kind = APPOINTMENT if isinstance(record, Appointment) else RECORD
    return opened.seal(current_actor(), kind, record.id, record.customer.name)


def gone(record_type: str, record_id: int) -> Gone | None:
    """Whether this customer, or the customer of this appointment or record, has gone from the asker; None while he sees
    it. NotFound for whoever does not show that he had it open.
    """
    session, actor, customer_id = Sessions(), current_actor(), record_id
    if record_type != CUSTOMER:
        model = MODELS[record_type]
        customer_id = session.scalar(select(model.customer_id).where(model.id == record_id)) or 0
    if party.among_visible(session, actor, [customer_id]):
        return None
    seal = opened.brought()
    known = opened.unseal(actor, record_type, record_id, seal)
    if known is None:
        raise opened.not_here()
    message, remedy = parts.why_gone(session, actor, customer_id, known.name)
    return Gone(known.name, seal, RuleViolation(message, remedy=remedy, code="gone"))


def said(found: Gone) -> BaseResponse:
    """The words of a dialog once more, to be copied or sent again; a program is told in its own way."""
    if wants_json():
        raise found.refusal
    form = request.form
    page = render_template(
        "crm/follow/_gone.html" if "HX-Request" in request.headers else "crm/follow/gone.html",
        gone=found,
        typed=[(name, *TYPED[name], form[name]) for name in TYPED if form.get(name)],
        along=[(name, value) for name, value in form.items(multi=True) if name not in (*TYPED, "csrf_token")],
    )
    return make_response(page, 422)
