"""What diagrams may do with messages: tell somebody and go on, or send and wait until it has left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import live
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from engine.runtime.files import RECORD_TYPE as INSTANCE
from engine.service_tasks import StepFacts, connector_task, service_task
from processes.messaging.operations.inviting import invite, withdraw
from processes.messaging.operations.sending import NOT_SENT, mail_to_employee, sms_to_employee
from processes.organization.models import Employee

NOTICE = "notice"
"""The kind of push that shows a notice on the open pages of a person."""


@service_task("messaging.notify_sms", _("Tell somebody by SMS"))
def notify_sms(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    recipient: int,
    template: str,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Queue an SMS to an employee and go on; whoever has no mobile number, or whose SMS no quota carries any more, is
    told on their open pages alone.

    recipient: person id.  about: what the template may say, as `about`.
    Returns {"queued": bool, "message": outbox id or None, "reason": why not}.
    """
    return _notify(sms_to_employee, session, actor, facts, recipient, template, about)


@service_task("messaging.notify_mail", _("Tell somebody by mail"))
def notify_mail(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    recipient: int,
    template: str,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Like notify_sms, by mail."""
    return _notify(mail_to_employee, session, actor, facts, recipient, template, about)


@connector_task("messaging.send_sms", _("Send an SMS and wait until it has left"))
def send_sms(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    recipient: int,
    template: str,
    about: Mapping[str, Any] | None = None,
) -> int:
    """Queue an SMS that must leave before the process goes on; nobody to send it to is an incident."""
    return _send(sms_to_employee, session, actor, facts, recipient, template, about)


@connector_task("messaging.send_mail", _("Send a mail and wait until it has left"))
def send_mail(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    recipient: int,
    template: str,
    about: Mapping[str, Any] | None = None,
) -> int:
    """Like send_sms, by mail."""
    return _send(mail_to_employee, session, actor, facts, recipient, template, about)


@service_task("messaging.invite", _("Invite to a meeting by mail"))
def invite_guests(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    title: str,
    starts_at: str,
    ends_at: str,
    guests: Sequence[int],
    place: str = "",
    text: str = "",
) -> dict[str, Any]:
    """Invite employees to the meeting of this process; again with another time, place or guests, tell what has changed.

    starts_at, ends_at: instants in ISO 8601, with their offset.  guests: person ids; whoever has no mail address is
    left out and named in the answer.
    Returns {"invitation": id, "without_address": [person id]}. Answers come as message "messaging.invitation_answered".
    """
    people = [person for person in (session.get(Employee, one) for one in guests) if person is not None]
    found = invite(
        session,
        actor,
        record=(INSTANCE, facts.instance_id),
        title=title,
        starts_at=_instant("starts_at", starts_at),
        ends_at=_instant("ends_at", ends_at),
        guests=[(person.email, person.name) for person in people if person.email],
        place=place,
        text=text,
        instance_id=facts.instance_id,
    )
    return {"invitation": found.id, "without_address": [person.id for person in people if not person.email]}


@service_task("messaging.withdraw_invitation", _("Withdraw the invitation to a meeting"))
def withdraw_invitation(session: Session, actor: Actor, facts: StepFacts) -> dict[str, Any]:
    """Tell all guests of this process's meeting that it does not take place."""
    return {"invitation": withdraw(session, actor, record=(INSTANCE, facts.instance_id)).id}


def _instant(name: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise RuleViolation(
            _("“{parameter}” must be an instant with its offset, not “{text}”.", parameter=name, text=text[:60]),
            remedy=_("Write it as 2026-11-23T09:00:00+08:00."),
        )
    return at


def _notify(
    write: Callable[..., int],
    session: Session,
    actor: Actor,
    facts: StepFacts,
    recipient: int,
    template: str,
    about: Mapping[str, Any] | None,
) -> dict[str, Any]:
    live.push(session, [recipient], NOTICE, {"template": template, "instance_id": facts.instance_id})
    try:
        message = _send(write, session, actor, facts, recipient, template, about)
    except RuleViolation as refusal:
        if refusal.code not in NOT_SENT:
            raise
        return {"queued": False, "message": None, "reason": refusal.code}
    return {"queued": True, "message": message, "reason": ""}


def _send(
    write: Callable[..., int],
    session: Session,
    actor: Actor,
    facts: StepFacts,
    recipient: int,
    template: str,
    about: Mapping[str, Any] | None,
) -> int:
    employee = session.get(Employee, recipient)
    if employee is None:
        raise RuleViolation(_("There is no person {id} to write to.", id=recipient), code="no_such_person")
    return write(
        session,
        actor,
        employee,
        template=template,
        values={"about": about or {}},
        occasion=facts.idempotency_key,
        instance_id=facts.instance_id,
    )
