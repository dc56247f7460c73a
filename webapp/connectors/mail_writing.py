"""Beginning a mail: to whom and about what is set where one comes from; whose the addresses are stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import InvalidForm, NotFound
from engine.i18n import _
from processes.kernel import known_addresses
from processes.messaging.operations import about, send_mail
from processes.messaging.operations.about import Record
from processes.messaging.operations.writing_mail import is_address
from processes.messaging.permissions import SEND_MAIL
from webapp.connectors import by_hand, mail_form
from webapp.security.access import current_actor, requires

pages = Blueprint("mail_writing", __name__)

LONGEST = {"to": 2000, "subject": 200, "record_type": 60, "record_id": 20}
"""what may be set by the address of the form, and how much of it"""
MOST_NAMED = 20


@pages.get("/messages/mail/new")
@requires(SEND_MAIL)
def new() -> str:
    """to: addresses.  record_type, record_id: what it is about; one the writer may not read is as if not there."""
    values = {name: request.args.get(name, "")[:longest] for name, longest in LONGEST.items()}
    return _form(current_actor(), {**values, "wish": by_hand.new_wish()})


@pages.post("/messages/mail/recipients")
@requires(SEND_MAIL)
def recipients() -> str:
    """The card beside the form, as the form is now."""
    return _recipients(Sessions(), current_actor(), request.form)


@pages.post("/messages/mail/new")
@requires(SEND_MAIL)
def send() -> BaseResponse:
    """The same form twice is one mail: its wish is the key of the message."""
    actor, given = current_actor(), request.form
    record, wish = _record(Sessions(), actor, given), by_hand.wish_of("mail", given)

    def write(session: Session) -> dict[str, int]:
        at = by_hand.moment(given.get("send_at", ""))
        words = mail_form.read(session, actor, given)
        return {"message": send_mail(session, actor, key=wish, record=record, send_at=at, **words)}

    refused = by_hand.sent_once(actor, wish, write)
    if refused is not None:
        return make_response(_form(actor, given, refused.problems), refused.status)
    if given.get("send_at", "").strip():
        flash(str(_("It is kept until its time.")), "success")
        return redirect(url_for("scheduled.index"))
    flash(str(_("On its way.")), "success")
    return redirect(_back(record))


def _record(session: Session, actor: Actor, given: Mapping[str, str]) -> Record | None:
    """What it is about, as the form says."""
    if not given.get("record_type"):
        return None
    record = given["record_type"], by_hand.number(given.get("record_id", ""))
    if not CATALOG.may_read(session, actor, *record):
        raise NotFound
    return record


def _back(record: Record | None) -> str:
    """Where one has come from."""
    return (by_hand.page_of(*record) if record is not None else "") or url_for("messages.index", channel="mail")


# ------------------------------------------------------------------------------------------------- shown


def _form(actor: Actor, values: Mapping[str, str], problems: Mapping[str, str] | None = None) -> str:
    session = Sessions()
    return render_template(
        "messaging/write_mail.html",
        values=values,
        problems=problems or {},
        back=_back(_record(session, actor, values)),
        files=mail_form.files(session, actor),
        recipients=_recipients(session, actor, values),
    )


def _recipients(session: Session, actor: Actor, given: Mapping[str, str]) -> str:
    to, cc = (mail_form.addresses(given.get(name, "")) for name in ("to", "cc"))
    known = known_addresses.find(session, actor, "mail", [*to, *cc][:MOST_NAMED])
    first = _record(session, actor, given) or about.of(one for to_one in to for one in known.get(to_one.casefold(), ()))
    try:
        leaves_at = by_hand.moment(given.get("send_at", ""))
    except InvalidForm:
        leaves_at = None
    return render_template(
        "messaging/_recipients.html",
        lines=[_line(address, known) for address in [*to, *cc][:MOST_NAMED]],
        more=max(0, len(to) + len(cc) - MOST_NAMED),
        kept_with=by_hand.titled(session, actor, first),
        leaves_at=leaves_at,
    )


def _line(address: str, known: Mapping[str, Any]) -> dict[str, Any]:
    return {"address": address, "people": known.get(address.casefold(), ()), "is_faulty": not is_address(address)}
