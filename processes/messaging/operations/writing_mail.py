"""Writes a mail of a person's own words to the outbox: to any address, about a customer, in answer to one received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from engine import outbox
from engine.actor import Actor
from engine.errors import InvalidForm, Problem
from engine.i18n import _
from engine.models import Attachment
from processes.kernel import known_addresses
from processes.kernel.known_numbers import Known
from processes.messaging import permissions
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import about
from processes.messaging.operations.about import Record
from processes.messaging.operations.sending import too_far_ahead

MESSAGE = "messaging.message"
"""The record type of a message: files that went with it hang on it."""
LONGEST_MAIL = 100_000
LONGEST_SUBJECT = 200
MOST_RECIPIENTS = 100


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

    record: what it is about, one the actor may read; without one the first customer or contact among its recipients,
    so that it stands with them, and so does what is answered.
    answers: a received mail the actor may read; the new one belongs to its thread, its process and its record.
    """
    permissions.require(actor, permissions.SEND_MAIL)
    answered = _answered(session, actor, answers)
    problems = [
        *_faults(to, cc, subject, len(text) + len(html), is_empty=not text.strip()),
        *too_far_ahead(send_at),
        *about.faults(session, actor, record),
    ]
    if problems:
        raise InvalidForm(problems)
    known = known_addresses.find(session, actor, "mail", to)
    payload = {
        "to": list(to),
        "cc": list(cc),
        "subject": subject.strip(),
        "text": text,
        "html": html,
        "attachments": [
            {"name": file.name, "media_type": file.media_type, "sha256": file.sha256} for file in attachments
        ],
        "recipient": ", ".join(_named(address, known) for address in to),
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
        record=record or about.of(one for people in known.values() for one in people),
        instance_id=answered.instance_id if answered is not None else None,
        send_at=send_at,
    )
    if answered is not None and message_id not in answered.answered_by:
        answered.answered_by = [*answered.answered_by, message_id]
    for file in attachments:
        if file.record_id is None:  # from now on it belongs to the message, and no sweep takes it
            file.record_type, file.record_id = MESSAGE, message_id
    return message_id


def _faults(to: Sequence[str], cc: Sequence[str], subject: str, length: int, *, is_empty: bool) -> list[Problem]:
    problems = [
        Problem(f"{name}.{number}", _("{text} is not a mail address.", text=address))
        for name, addresses in (("to", to), ("cc", cc))
        for number, address in enumerate(addresses)
        if not is_address(address)
    ]
    if not to:
        problems.append(Problem("to", _("Please name a recipient.")))
    if len(to) + len(cc) > MOST_RECIPIENTS:
        problems.append(Problem("to", _("A mail goes to at most {count} addresses.", count=MOST_RECIPIENTS)))
    if not subject.strip() or "\n" in subject or "\r" in subject:
        problems.append(Problem("subject", _("A mail needs a subject of one line.")))
    if len(subject.strip()) > LONGEST_SUBJECT:
        problems.append(Problem("subject", _("A subject has at most {count} characters.", count=LONGEST_SUBJECT)))
    if is_empty or length > LONGEST_MAIL:
        problems.append(Problem("text", _("A mail has between 1 and {count} characters.", count=LONGEST_MAIL)))
    return problems


def is_address(text: str) -> bool:
    name, _at, domain = text.partition("@")
    return bool(name and domain) and "@" not in domain and not any(sign.isspace() for sign in text)


def _named(address: str, known: Mapping[str, Sequence[Known]]) -> str:
    """As lists of messages show it: whose it is, then the address."""
    people = known.get(address.casefold(), ())
    return f"{people[0].name} {address}" if people else address


def _answered(session: Session, actor: Actor, mail_id: int | None) -> ReceivedMail | None:
    if mail_id is None:
        return None
    mail = session.get(ReceivedMail, mail_id, with_for_update=True, populate_existing=True)
    if mail is None or not permissions.may_read_received(session, actor, mail_id):
        raise InvalidForm([Problem("answers", _("There is no such mail among those you may read."))])
    return mail


def _record_of(mail: ReceivedMail) -> Record | None:
    return (mail.record_type, mail.record_id) if mail.record_type is not None and mail.record_id is not None else None
