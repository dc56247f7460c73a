"""Answering a mail that came in: the form with what an answer bears, and sending it once."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine.actor import Actor
from engine.db import Sessions
from engine.i18n import _
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import answering_mail
from processes.messaging.permissions import SEND_MAIL, addresses_open
from webapp.connectors import by_hand, mail_form
from webapp.connectors.messages import pages
from webapp.security.access import current_actor, requires
from webapp.settings import Settings


@pages.get("/messages/mail-received/<int:mail_id>/answer", endpoint="mail_answer")
@requires(SEND_MAIL)
def form(mail_id: int) -> str:
    session, actor = Sessions(), current_actor()
    mail = answering_mail.readable(session, actor, mail_id)
    return _form(session, actor, mail, {**_preset(session, actor, mail), "wish": by_hand.new_wish()})


def _preset(session: Session, actor: Actor, mail: ReceivedMail) -> dict[str, str]:
    """To whoever wrote, in copy to whom it was sent besides us; addresses only for those who may see them."""
    preset = {
        "subject": answering_mail.subject_for(mail),
        "text": f"\n\n{answering_mail.conversation(mail)}\n",
    }
    if not _sees_addresses(session, actor, mail):
        return preset
    to = answering_mail.answers_to(session, mail)
    known = {address.lower() for address in to} | _ours(current_app.config["SETTINGS"])
    others = [address for address in mail.recipients if address.lower() not in known]
    return {**preset, "to": ", ".join(to), "cc": ", ".join(others)}


def _sees_addresses(session: Session, actor: Actor, mail: ReceivedMail) -> bool:
    return mail.id in addresses_open(session, actor, [mail])


def _ours(settings: Settings) -> set[str]:
    """Addresses of the house: nobody answers to himself."""
    named = [parseaddr(settings.mail_from)[1], parseaddr(settings.mail_bounces_to)[1]]
    read = [unquote(urlsplit(url).username or "") for url in settings.imap_url.split()]
    return {address.lower() for address in (*named, *read) if "@" in address}


@pages.post("/messages/mail-received/<int:mail_id>/answer", endpoint="mail_send_answer")
@requires(SEND_MAIL)
def send(mail_id: int) -> BaseResponse:
    """The same form twice is one mail: its wish is the key of the message."""
    actor, given = current_actor(), request.form
    wish = by_hand.wish_of("answer", given)

    def answer(session: Session) -> dict[str, int]:
        message_id = answering_mail.answer_mail(
            session,
            actor,
            mail_id=mail_id,
            key=wish,
            **mail_form.read(session, actor, given),
        )
        return {"message": message_id}

    refused = by_hand.sent_once(actor, wish, answer)
    if refused is not None:
        session = Sessions()
        mail = answering_mail.readable(session, actor, mail_id)
        return make_response(_form(session, actor, mail, given.to_dict(), refused.problems), refused.status)
    flash(str(_("Your answer is on its way.")), "success")
    return redirect(url_for("messages.mail_received_show", mail_id=mail_id))


def _form(
    session: Session,
    actor: Actor,
    mail: ReceivedMail,
    values: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
) -> str:
    return render_template(
        "workflow/mail_received/answer.html",
        mail=mail,
        values=values,
        problems=problems or {},
        sees_addresses=_sees_addresses(session, actor, mail),
        files=mail_form.files(session, actor),
    )
