"""Writes messages to the outbox: to an employee in their own language, or an SMS to any number a person names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine import clock, outbox
from engine.actor import Actor
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.kernel import phone_number
from processes.messaging import permissions, rules
from processes.messaging.operations import about, templates
from processes.messaging.operations.about import Record
from processes.messaging.operations.consenting import COMMERCIAL, consenting
from processes.messaging.operations.house_rules import lapses, leaves
from processes.messaging.operations.opting_out import opted_out
from processes.organization.models import Employee

LONGEST_SMS = 1000
FURTHEST_AHEAD = timedelta(days=366)

NOT_SENT = ("no_mobile_number", "no_mail_address", rules.USED_UP)
"""Codes of the refusals after which a person is told in the house alone."""

SECRET = "******"
"""Stands in the stored words for a secret, which is put in as the message leaves: nobody reads it on a page."""


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
    problems += [*too_far_ahead(send_at), *about.faults(session, actor, record)]
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


def too_far_ahead(send_at: datetime | None) -> list[Problem]:
    if send_at is None or send_at <= clock.now() + FURTHEST_AHEAD:
        return []
    return [Problem("send_at", _("A message is written at most {days} days ahead.", days=FURTHEST_AHEAD.days))]


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


def _facts(employee: Employee) -> dict[str, Any]:
    """What a template may say of its reader."""
    return {"name": employee.name}
