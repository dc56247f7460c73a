"""Writes messages to the outbox: to an employee in their own language, or to any address a person names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import outbox
from engine.actor import Actor
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.i18n import _
from engine.models import Attachment
from processes.kernel import phone_number
from processes.messaging import permissions
from processes.messaging.operations import templates
from processes.organization.models import Employee

MESSAGE = "messaging.message"
LONGEST_SMS = 1000
LONGEST_MAIL = 100_000

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
) -> int:
    """Queue an SMS from a template; the same template, occasion and recipient again is the same message.

    Raises RuleViolation when no SMS can reach the employee.
    """
    if employee.phone is None or not phone_number.is_mobile(employee.phone):
        raise RuleViolation(
            _("{name} has no mobile number.", name=employee.name),
            code="no_mobile_number",
            remedy=_("Enter it with the employee, then try again."),
        )
    text = templates.sms_text(template, employee.locale, {**values, "recipient": _facts(employee)})
    return outbox.enqueue(
        session,
        channel="sms",
        key=f"sms:{template}:{occasion}:{employee.id}",
        payload={"to": employee.phone, "text": text, "recipient": f"{employee.name} {employee.phone}"},
        actor=actor,
        record=(permissions.EMPLOYEE, employee.id),
        instance_id=instance_id,
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
) -> int:
    """Queue an SMS a person wrote, to any number, not to leave before `send_at`.

    key: tells this wish from every other; again is the same message.
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
    if problems:
        raise InvalidForm(problems)
    payload = {"to": number, "text": text.strip(), "recipient": number}
    return outbox.enqueue(
        session,
        channel="sms",
        key=f"sms:{actor.person_id}:{key}",
        payload=payload,
        actor=actor,
        record=record,
        send_at=send_at,
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
) -> int:
    """Queue a mail a person wrote, like send_sms. attachments: files the caller has found the actor may read."""
    permissions.require(actor, permissions.SEND_MAIL)
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
    }
    message_id = outbox.enqueue(
        session,
        channel="mail",
        key=f"mail:{actor.person_id}:{key}",
        payload=payload,
        actor=actor,
        record=record,
        send_at=send_at,
    )
    for file in attachments:
        if file.record_id is None:  # from now on it belongs to the message, and no sweep takes it
            file.record_type, file.record_id = MESSAGE, message_id
    return message_id


def _facts(employee: Employee) -> dict[str, Any]:
    """What a template may say of its reader."""
    return {"name": employee.name}
