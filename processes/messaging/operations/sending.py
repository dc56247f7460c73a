"""Writes messages to the outbox: to an employee in their own language, or to any address a person names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine import clock, outbox
from engine.actor import Actor
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.i18n import _
from engine.models import Attachment
from processes.kernel import phone_number
from processes.messaging import permissions, rules
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import templates
from processes.messaging.operations.consenting import COMMERCIAL, consenting
from processes.messaging.operations.house_rules import lapses, leaves
from processes.messaging.operations.opting_out import opted_out
from processes.organization.models import Employee

MESSAGE = "messaging.message"
LONGEST_SMS = 1000
LONGEST_MAIL = 100_000
FURTHEST_AHEAD = timedelta(days=366)

NOT_SENT = ("no_mobile_number", "no_mail_address", rules.USED_UP)
"""Codes of the refusals after which a person is told in the house alone."""

SECRET = "******"
"""Stands in the stored words for a secret, which is put in as the message leaves: nobody reads it on a page."""

Record = tuple[str, int]


def sms_to_employee(
    session: Session,
    actor: Actor,
    employee: Employee,
    *,
    template: str,
    values: Mapping[str, Any],
    occasion: str,
    instance_id: int | None = None,
    secret: str = "",
) -> int:
    """Queue an SMS from a template; the same template, occasion and recipient again is the same message.

    secret: what the recipient's phone alone shows where the words say SECRET.
    Raises RuleViolation when no SMS can reach the employee (its code is one of NOT_SENT) or no quota carries it.
    """
    _check_mobile(employee)
    text = templates.sms_text(template, employee.locale, {**values, "recipient": _facts(employee)})
    key = f"sms:{template}:{occasion}:{employee.id}"
    return sms_words_to_employee(session, actor, employee, text=text, key=key, instance_id=instance_id, secret=secret)


def sms_words_to_employee(
    session: Session,
    actor: Actor,
    employee: Employee,
    *,
    text: str,
    key: str,
    instance_id: int | None = None,
    secret: str = "",
    send_at: datetime | None = None,
) -> int:
    """As sms_to_employee, in words that are there already; key: of the message in the outbox."""
    _check_mobile(employee)
    return _queue_sms(
        session,
        key=key,
        payload={"to": employee.phone, "text": text, "recipient": f"{employee.name} {employee.phone}"}
        | ({"secret": secret} if secret else {}),
        actor=actor,
        record=(permissions.EMPLOYEE, employee.id),
        instance_id=instance_id,
        send_at=send_at,
    )


def _check_mobile(employee: Employee) -> None:
    if employee.phone is None or not phone_number.is_mobile(employee.phone):
        raise RuleViolation(
            _("{name} has no mobile number.", name=employee.name),
            code="no_mobile_number",
            remedy=_("Enter it with the employee, then try again."),
        )


def mail_to_employee(
    session: Session,
    actor: Actor,
    employee: Employee,
    *,
    template: str,
    values: Mapping[str, Any],
    occasion: str,
    instance_id: int | None = None,
) -> int:
    """Queue a mail from a template, like sms_to_employee."""
    if employee.email is None:
        raise RuleViolation(
            _("{name} has no mail address.", name=employee.name),
            code="no_mail_address",
            remedy=_("Enter it with the employee, then try again."),
        )
    mail = templates.mail(template, employee.locale, {**values, "recipient": _facts(employee)})
    return outbox.enqueue(
        session,
        channel="mail",
        key=f"mail:{template}:{occasion}:{employee.id}",
        payload={
            "to": [employee.email],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "recipient": f"{employee.name} {employee.email}",
        },
        actor=actor,
        record=(permissions.EMPLOYEE, employee.id),
        instance_id=instance_id,
    )


def send_sms(
    session: Session,
    actor: Actor,
    *,
    to: str,
    text: str,
    key: str,
    record: Record | None = None,
    send_at: datetime | None = None,
    purpose: str = "notice",
    name: str = "",
) -> int:
    """Queue an SMS a person wrote, to any number, not to leave before `send_at`.

    name: whose number it is, as lists of messages show it.

    key: tells this wish from every other; again is the same message.  purpose: notice | commercial, which needs the
    number's consent and leaves outside of quiet hours alone.
    """
    permissions.require(actor, permissions.SEND_SMS)
    problems = []
    number = ""
    try:
        number = phone_number.parse(to)
    except RuleViolation as refusal:
        problems.append(Problem("to", refusal.message, refusal.remedy))
    else:
        if not phone_number.is_mobile(number):
            problems.append(Problem("to", _("No SMS can reach {number}.", number=number)))
    if not text.strip() or len(text) > LONGEST_SMS:
        problems.append(Problem("text", _("An SMS has between 1 and {count} characters.", count=LONGEST_SMS)))
    if send_at is not None and send_at > clock.now() + FURTHEST_AHEAD:
        problems.append(
            Problem("send_at", _("A message is written at most {days} days ahead.", days=FURTHEST_AHEAD.days))
        )
    if problems:
        raise InvalidForm(problems)
    payload = {"to": number, "text": text.strip(), "recipient": f"{name} {number}".strip()}
    if purpose == COMMERCIAL:
        payload["purpose"] = COMMERCIAL
        check_consent(session, number)
    return _queue_sms(
        session,
        key=f"sms:{actor.person_id}:{key}",
        payload=payload,
        actor=actor,
        record=record,
        send_at=send_at,
    )


def check_consent(session: Session, number: str) -> None:
    """Raises RuleViolation for a number that may not be sent anything commercial."""
    if opted_out(session, [number]):
        raise RuleViolation(
            _("{number} wants no more commercial texts.", number=number),
            code="opted_out",
            remedy=_("Only a new consent of the recipient, noted with its words, changes that."),
        )
    if number not in consenting(session, [number]):
        raise RuleViolation(
            _("{number} has not agreed to commercial texts.", number=number),
            code="no_consent",
            remedy=_("Note the recipient's consent first; the law asks for it (通信短信息服务管理规定)."),
        )


def _queue_sms(
    session: Session,
    *,
    key: str,
    payload: dict[str, Any],
    actor: Actor,
    record: Record | None = None,
    instance_id: int | None = None,
    send_at: datetime | None = None,
) -> int:
    """In a savepoint: a quota that refuses it leaves nothing behind, whatever the caller makes of the refusal."""
    leaves_at = leaves(send_at, payload)
    with session.begin_nested():
        return outbox.enqueue(
            session,
            channel="sms",
            key=key,
            payload=payload,
            actor=actor,
            record=record,
            instance_id=instance_id,
            send_at=leaves_at,
            lapses_at=lapses(send_at, leaves_at),
        )


def send_mail(
    session: Session,
    actor: Actor,
    *,
    to: Sequence[str],
    subject: str,
    text: str,
    key: str,
    html: str = "",
    cc: Sequence[str] = (),
    record: Record | None = None,
    send_at: datetime | None = None,
    attachments: Sequence[Attachment] = (),
    answers: int | None = None,
) -> int:
    """Queue a mail a person wrote, like send_sms. attachments: files the caller has found the actor may read.

    answers: a received mail the actor may read; the new one belongs to its thread, its process and its record.
    """
    permissions.require(actor, permissions.SEND_MAIL)
    answered = _answered(session, actor, answers)
    problems = [
        Problem(f"{name}.{number}", _("{text} is not a mail address.", text=address))
        for name, addresses in (("to", to), ("cc", cc))
        for number, address in enumerate(addresses)
        if address.count("@") != 1 or any(sign.isspace() for sign in address)
    ]
    if not to:
        problems.append(Problem("to", _("Please name a recipient.")))
    if not subject.strip() or "\n" in subject or "\r" in subject:
        problems.append(Problem("subject", _("A mail needs a subject of one line.")))
    if not text.strip() or len(text) + len(html) > LONGEST_MAIL:
        problems.append(Problem("text", _("A mail has between 1 and {count} characters.", count=LONGEST_MAIL)))
    if problems:
        raise InvalidForm(problems)
    payload = {
        "to": list(to),
        "cc": list(cc),
        "subject": subject.strip(),
        "text": text,
        "html": html,
        "attachments": [
            {"name": file.name, "media_type": file.media_type, "sha256": file.sha256} for file in attachments
        ],
        "recipient": ", ".join(to),
        "answerable": True,
    }
    if answered is not None:
        payload |= {"in_reply_to": answered.message_id, "references": list(answered.references)}
        record = record or _record_of(answered)
    message_id = outbox.enqueue(
        session,
        channel="mail",
        key=f"mail:{actor.person_id}:{key}",
        payload=payload,
        actor=actor,
        record=record,
        instance_id=answered.instance_id if answered is not None else None,
        send_at=send_at,
    )
    if answered is not None and message_id not in answered.answered_by:
        answered.answered_by = [*answered.answered_by, message_id]
    for file in attachments:
        if file.record_id is None:  # from now on it belongs to the message, and no sweep takes it
            file.record_type, file.record_id = MESSAGE, message_id
    return message_id


def _answered(session: Session, actor: Actor, mail_id: int | None) -> ReceivedMail | None:
    if mail_id is None:
        return None
    mail = session.get(ReceivedMail, mail_id, with_for_update=True, populate_existing=True)
    if mail is None or not permissions.may_read_received(session, actor, mail_id):
        raise InvalidForm([Problem("answers", _("There is no such mail among those you may read."))])
    return mail


def _record_of(mail: ReceivedMail) -> Record | None:
    return (mail.record_type, mail.record_id) if mail.record_type is not None and mail.record_id is not None else None


def _facts(employee: Employee) -> dict[str, Any]:
    """What a template may say of its reader."""
    return {"name": employee.name}
