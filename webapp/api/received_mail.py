"""Mails that came in: answers, letters, and what mail servers report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine import attachments
from engine.actor import Actor
from engine.errors import NotFound
from engine.models import Attachment
from processes.messaging.models import ReceivedMail
from processes.messaging.operations.answering_mail import answer_mail, conversation, readable
from processes.messaging.permissions import RECEIVED_MAIL, addresses_open, may_read_received, received_by
from processes.messaging.rules import masked
from webapp.api.answers import File, file_of
from webapp.api.connectors import Address, Queued, queued, readable_files, wish_of
from webapp.api.endpoint import Answer, Body, Call, Id, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "connectors"

Kind = Literal["letter", "automatic", "report", "calendar"]


class ReceivedMailQuery(ListQuery):
    kind: Kind | None = None
    instance: Id | None = None
    """the process instance whose mail it answers"""
    message: Id | None = None
    """our mail that it answers or reports on"""


class MailAnswer(Body):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)]
    to: Annotated[list[Address], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)
    """without any, its sender, or where its sender wants answers"""
    cc: Annotated[list[Address], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)
    subject: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """without one, the subject of what is answered after "Re:" """
    quote: bool = True
    """the mail stands below the answer, each line marked"""
    attachments: Annotated[list[Id], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    """ids of files you may read"""


class IncomingMail(Answer):
    """A mail that came in."""

    id: int
    kind: str
    """letter | automatic | report | calendar (an answer to an invitation)"""
    automatic: str
    """why no person has written it: report, null_sender, auto_submitted, bulk, auto_reply, system; "" for a letter"""
    state: str
    """new | laid (to what it answers) | sorted (all are told) | failed"""
    sender: str
    sender_name: str
    from_recipient: bool
    """its sender is somebody our mail was written to"""
    recipients: list[str]
    subject: str
    text: str
    sent_at: datetime | None
    """as its sender's clock said"""
    received_at: datetime
    message: int | None
    """our mail that it answers or reports on"""
    answered_by: list[int]
    """our mails that people have written in answer"""
    instance_id: int | None
    record: dict[str, Any] | None
    files: list[File]
    refused_files: list[str]
    """names of attachments not kept: programs, and what is not what its ending says; they are in the original"""
    original: File | None
    """the whole mail as it came (message/rfc822)"""


ORDERS = {"id": ReceivedMail.id, "received_at": ReceivedMail.received_at}


@endpoint("GET", "/connectors/mail/received", tag=TAG)
def list_received(call: Call, query: ReceivedMailQuery) -> Page[IncomingMail]:
    """Answers to what you wrote or were sent and to what your requests sent; with the right, every mail.

    `q` looks into subject, text and the sender's name; `order` takes id and received_at.
    """
    session, actor = call.session, call.actor
    wanted = select(ReceivedMail).where(received_by(actor))
    for column, value in (
        (ReceivedMail.kind, query.kind),
        (ReceivedMail.instance_id, query.instance),
        (ReceivedMail.outbox_id, query.message),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if query.q:
        columns = (ReceivedMail.subject, ReceivedMail.text, ReceivedMail.sender_name)
        wanted = wanted.where(or_(*(column.icontains(query.q, autoescape=True) for column in columns)))
    total = total_of(session, query, wanted, ReceivedMail.id)
    found = [
        row.ReceivedMail
        for row in rows(session, query, wanted.order_by(*ordering(query, ORDERS, "-id", ReceivedMail.id)))
    ]
    shown = {one.id: one for one in _shown(session, actor, found)}
    return page_of(query, found, total, lambda row: shown[row.id])


@endpoint("GET", "/connectors/mail/received/{mail_id}", tag=TAG)
def get_received(call: Call, mail_id: Id) -> IncomingMail:
    """One mail that came in, with its files."""
    row = call.session.get(ReceivedMail, mail_id)
    if row is None or not may_read_received(call.session, call.actor, mail_id):
        raise NotFound
    return _shown(call.session, call.actor, [row])[0]


@endpoint("POST", "/connectors/mail/received/{mail_id}/answers", tag=TAG, status=201, refusals=(422,))
def answer(call: Call, mail_id: Id, body: MailAnswer) -> Queued:
    """Answer a mail in its thread, process and record. The same Idempotency-Key never sends twice."""
    mail = readable(call.session, call.actor, mail_id)
    message_id = answer_mail(
        call.session,
        call.actor,
        mail_id=mail_id,
        to=body.to,
        cc=body.cc,
        subject=body.subject,
        text=f"{body.text.rstrip()}\n\n{conversation(mail)}\n" if body.quote else body.text,
        key=wish_of(call),
        attachments=readable_files(call, body.attachments),
    )
    row = queued(call, "mail", message_id)
    return Queued(id=row.id, state=row.state)


def _shown(session: Session, actor: Actor, found: list[ReceivedMail]) -> list[IncomingMail]:
    whole = addresses_open(session, actor, found)
    files = attachments.of_records(session, RECEIVED_MAIL, [row.id for row in found])
    return [_mail(row, files.get(row.id, []), sees=row.id in whole) for row in found]


def _mail(row: ReceivedMail, files: Iterable[Attachment], *, sees: bool) -> IncomingMail:
    """sees: this reader may see the addresses of others."""
    by_id = {file.id: file_of(file) for file in files}
    original = by_id.pop(row.raw_id or 0, None)
    return IncomingMail(
        id=row.id,
        kind=row.kind,
        automatic=row.automatic,
        state=row.state,
        sender=row.sender if sees else masked(row.sender),
        sender_name=row.sender_name,
        from_recipient=row.from_recipient,
        recipients=list(row.recipients) if sees else [masked(one) for one in row.recipients],
        subject=row.subject,
        text=row.text,
        sent_at=row.sent_at,
        received_at=row.received_at,
        message=row.outbox_id,
        answered_by=list(row.answered_by),
        instance_id=row.instance_id,
        record={"type": row.record_type, "id": row.record_id} if row.record_type else None,
        files=list(by_id.values()),
        refused_files=list(row.refused_files),
        original=original,
    )
