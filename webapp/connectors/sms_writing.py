"""Writing an SMS to one number: what it costs stands beside it, and the same form twice sends it once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, Forbidden, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from processes.kernel import known_numbers, phone_number
from processes.kernel.working_time import ZONE
from processes.messaging.models import SentMessage, SmsReceived
from processes.messaging.operations import send_sms
from processes.messaging.operations.consenting import COMMERCIAL
from processes.messaging.operations.costs import cost_of_sms
from processes.messaging.operations.sending import check_consent
from processes.messaging.permissions import EMPLOYEE, SEND_SMS, may_see_sender, received_visible_to
from webapp.connectors import received
from webapp.connectors.messages import pages
from webapp.once import once
from webapp.security.access import current_actor, requires

LONGEST_WISH = 40
PURPOSES = ("notice", COMMERCIAL)


@pages.get("/messages/sms/new", endpoint="sms_new")
@requires(SEND_SMS)
def new() -> str:
    """to: a number.  answer: a received SMS; it goes to its sender, whether the writer may see the number or not."""
    values = {"to": request.args.get("to", "")[:40], "answer": request.args.get("answer", "")[:20]}
    return _form(current_actor(), {**values, "wish": secrets.token_hex(12)})


@pages.post("/messages/sms/cost", endpoint="sms_cost")
@requires(SEND_SMS)
def cost() -> str:
    """The card beside the form, as the form is now."""
    return _cost(current_actor(), request.form)


@pages.post("/messages/sms/new", endpoint="sms_send")
@requires(SEND_SMS)
def send() -> BaseResponse:
    """The same form twice is one SMS: its wish is the key of the message."""
    actor, given = current_actor(), request.form
    wish = f"sms:{given.get('wish', '')[:LONGEST_WISH] or secrets.token_hex(12)}"
    later = bool(given.get("send_at", "").strip())

    def write(session: Session) -> dict[str, int]:
        answered = _answered(session, actor, given)
        number = answered.sender if answered is not None else given.get("to", "")
        people = _people(session, actor, _read(number))
        message_id = send_sms(
            session,
            actor,
            to=number,
            text=given.get("text", "").replace("\r\n", "\n"),
            key=wish,
            send_at=_moment(given.get("send_at", "")),
            purpose=_purpose(given),
            name=people[0].name if people else "",
            record=_hidden_colleague(session, actor, answered, people),
        )
        return {"message": message_id}

    try:
        once(actor, wish, write)
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        Sessions().rollback()
        problems = refusal.by_field() if isinstance(refusal, InvalidForm) else {"": str(refusal)}
        return make_response(_form(actor, given, problems), refusal.status)
    if later:
        flash(str(_("It is kept until its time.")), "success")
        return redirect(url_for("scheduled.index"))
    flash(str(_("On its way.")), "success")
    return redirect(url_for("messages.index", channel="sms"))


def _answered(session: Session, actor: Actor, given: Mapping[str, str]) -> SmsReceived | None:
    """The received SMS that is answered; None when it is a new one."""
    wanted = given.get("answer", "")
    if not wanted:
        return None
    visible = select(SmsReceived).where(SmsReceived.id == _id(wanted), received_visible_to(actor))
    found = session.scalars(visible).first()
    if found is None:
        raise NotFound
    return found


def _hidden_colleague(
    session: Session, actor: Actor, answered: SmsReceived | None, people: Sequence[known_numbers.Known]
) -> tuple[str, int] | None:
    """A colleague whose number the writer does not see: the message is to that person, and shows it as little."""
    if answered is None or may_see_sender(actor, _our_message(session, answered)):
        return None
    return next(((EMPLOYEE, one.record_id) for one in people if one.record_type == EMPLOYEE), None)


def _our_message(session: Session, answered: SmsReceived) -> SentMessage | None:
    return session.get(SentMessage, answered.answers_id) if answered.answers_id is not None else None


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


def _number(session: Session, actor: Actor, given: Mapping[str, str]) -> str:
    answered = _answered(session, actor, given)
    return answered.sender if answered is not None else given.get("to", "")


def _purpose(given: Mapping[str, str]) -> str:
    purpose = given.get("purpose", "")
    return purpose if purpose in PURPOSES else PURPOSES[0]


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=ZONE)
    except ValueError:
        raise InvalidForm([Problem("send_at", _("Please choose a day and a time."))]) from None


# ------------------------------------------------------------------------------------------------- shown


def _form(actor: Actor, values: Mapping[str, str], problems: Mapping[str, object] | None = None) -> str:
    session = Sessions()
    answered = _answered(session, actor, values)
    return render_template(
        "messaging/write.html",
        values=values,
        problems=problems or {},
        answered=received.shown(session, actor, [answered])[0] if answered is not None else None,
        cost=_cost(actor, values),
    )


def _cost(actor: Actor, given: Mapping[str, str]) -> str:
    session = Sessions()
    number = _read(_number(session, actor, given))
    try:
        send_at = _moment(given.get("send_at", ""))
    except InvalidForm:
        send_at = None
    purpose = _purpose(given)
    return render_template(
        "messaging/_cost.html",
        cost=cost_of_sms(session, actor, text=given.get("text", ""), purpose=purpose, send_at=send_at),
        text=given.get("text", "").strip(),
        people=_people(session, actor, number),
        refusal=_unwanted(session, number) if purpose == COMMERCIAL and number else "",
    )


def _read(typed: str) -> str:
    """The number in E.164; "" while it is being typed."""
    try:
        return phone_number.parse(typed)
    except RuleViolation:
        return ""


def _people(session: Session, actor: Actor, number: str) -> Sequence[known_numbers.Known]:
    """Whose number it is, of those this person may read."""
    found = known_numbers.find(session, number) if number else []
    return [one for one in found if CATALOG.may_read(session, actor, one.record_type, one.record_id)]


def _unwanted(session: Session, number: str) -> str:
    try:
        check_consent(session, number)
    except RuleViolation as refusal:
        return str(refusal)
    return ""
