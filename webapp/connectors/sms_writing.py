"""Writing an SMS to one number: what it costs stands beside it, and the same form twice sends it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine.actor import Actor
from engine.db import Sessions
from engine.errors import InvalidForm, NotFound, RuleViolation
from engine.i18n import _
from processes.kernel import known_addresses, phone_number
from processes.kernel.known_numbers import Known
from processes.messaging.models import SentMessage, SmsReceived
from processes.messaging.operations import about, send_sms
from processes.messaging.operations.consenting import COMMERCIAL
from processes.messaging.operations.costs import cost_of_sms
from processes.messaging.operations.sending import check_consent
from processes.messaging.permissions import EMPLOYEE, SEND_SMS, may_see_sender, received_visible_to
from webapp.connectors import by_hand, received
from webapp.connectors.messages import pages
from webapp.security.access import current_actor, requires

PURPOSES = ("notice", COMMERCIAL)


@pages.get("/messages/sms/new", endpoint="sms_new")
@requires(SEND_SMS)
def new() -> str:
    """to: a number.  answer: a received SMS; it goes to its sender, whether the writer may see the number or not."""
    values = {"to": request.args.get("to", "")[:40], "answer": request.args.get("answer", "")[:20]}
    return _form(current_actor(), {**values, "wish": by_hand.new_wish()})


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
    wish = by_hand.wish_of("sms", given)
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
            send_at=by_hand.moment(given.get("send_at", "")),
            purpose=_purpose(given),
            name=people[0].name if people else "",
            record=_hidden_colleague(session, actor, answered, people) or about.of(people),
        )
        return {"message": message_id}

    refused = by_hand.sent_once(actor, wish, write)
    if refused is not None:
        return make_response(_form(actor, given, refused.problems), refused.status)
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
    visible = select(SmsReceived).where(SmsReceived.id == by_hand.number(wanted), received_visible_to(actor))
    found = session.scalars(visible).first()
    if found is None:
        raise NotFound
    return found


def _hidden_colleague(
    session: Session, actor: Actor, answered: SmsReceived | None, people: Sequence[Known]
) -> tuple[str, int] | None:
    """A colleague whose number the writer does not see: the message is to that person, and shows it as little."""
    if answered is None or may_see_sender(actor, _our_message(session, answered)):
        return None
    return next(((EMPLOYEE, one.record_id) for one in people if one.record_type == EMPLOYEE), None)


def _our_message(session: Session, answered: SmsReceived) -> SentMessage | None:
    return session.get(SentMessage, answered.answers_id) if answered.answers_id is not None else None


def _number(session: Session, actor: Actor, given: Mapping[str, str]) -> str:
    answered = _answered(session, actor, given)
    return answered.sender if answered is not None else given.get("to", "")


def _purpose(given: Mapping[str, str]) -> str:
    purpose = given.get("purpose", "")
    return purpose if purpose in PURPOSES else PURPOSES[0]


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
        send_at = by_hand.moment(given.get("send_at", ""))
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


def _people(session: Session, actor: Actor, number: str) -> Sequence[Known]:
    """Whose number it is, of those this person may read and sees it of."""
    return known_addresses.find(session, actor, "phone", [number])[number] if number else []


def _unwanted(session: Session, number: str) -> str:
    try:
        check_consent(session, number)
    except RuleViolation as refusal:
        return str(refusal)
    return ""
