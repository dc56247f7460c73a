"""Answering a mail that came in: to whom, under which subject, with the conversation below."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from connectors.mail import marks, quoting, reading
from engine.actor import Actor
from engine.errors import NotFound, RuleViolation
from engine.i18n import _
from engine.models import Attachment
from processes.kernel.working_time import ZONE
from processes.messaging import permissions
from processes.messaging.models import ReceivedMail
from processes.messaging.operations.receiving_mail import raw_of
from processes.messaging.operations.writing_mail import LONGEST_SUBJECT, send_mail


def answer_mail(
    session: Session,
    actor: Actor,
    *,
    mail_id: int,
    text: str,
    key: str,
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    subject: str = "",
    attachments: Sequence[Attachment] = (),
) -> int:
    """Queue an answer in the thread of a mail the actor may read; the id of ours.

    to: without any, wherever its sender wants answers; the actor need not be shown that.  key: as of send_mail.
    Raises NotFound for a mail the actor may not read, RuleViolation for one that nobody can answer.
    """
    mail = readable(session, actor, mail_id)
    return send_mail(
        session,
        actor,
        to=to or answers_to(session, mail),
        cc=cc,
        subject=subject.strip() or subject_for(mail),
        text=text,
        key=key,
        attachments=attachments,
        answers=mail.id,
    )


def readable(session: Session, actor: Actor, mail_id: int) -> ReceivedMail:
    """A mail the actor may answer, or the reason why not."""
    mail = session.get(ReceivedMail, mail_id)
    if mail is None or not permissions.may_read_received(session, actor, mail_id):
        raise NotFound
    permissions.require(actor, permissions.SEND_MAIL)
    if not mail.can_be_answered:
        raise RuleViolation(
            _("Nobody reads answers to this mail: a mail server has written it, or it names no sender."),
            remedy=_("Write to the recipient's right address instead."),
        )
    return mail


def answers_to(session: Session, mail: ReceivedMail) -> tuple[str, ...]:
    """Bare addresses: those it asks answers to be sent to, else its sender's."""
    wished = reading.read(raw_of(session, mail)).reply_to if mail.raw_id is not None else ()
    return tuple(dict.fromkeys(one.address for one in wished)) or (mail.sender,)


def subject_for(mail: ReceivedMail) -> str:
    return quoting.answer_subject(marks.without(mail.subject))[:LONGEST_SUBJECT]


def conversation(mail: ReceivedMail) -> str:
    """What stands below an answer: who wrote when, and each line marked as theirs."""
    at = (mail.sent_at or mail.received_at).astimezone(ZONE)
    head = _("On {at}, {who} wrote:", at=f"{at:%Y-%m-%d %H:%M}", who=mail.sender_name or _("the sender"))
    return f"{head}\n{quoting.quoted(mail.text)}"
