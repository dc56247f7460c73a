"""The wires out of the house: what they can send, how they are, and what became of each message."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.sms.segments import count
from engine import health, outbox, work_items
from engine.actor import Actor
from engine.errors import NotFound, Problem
from engine.models import Attachment, OutboxAttempt, OutboxMessage
from processes.messaging import operations
from processes.messaging.models import SentMessage
from processes.messaging.permissions import (
    READ_ALL,
    SEND,
    may_send_again,
    may_take_back,
    require,
    sees_address,
    visible_to,
)
from processes.messaging.rules import masked
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, endpoint
from webapp.api.idempotency import HEADER
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.api.reading import InvalidRequest

TAG = "connectors"


Address = Annotated[str, msgspec.Meta(max_length=254)]


class Record(Body):
    """What the message is about, one you may read: it stands there as well, and so does what is answered.

    A mail without one is kept with the first customer or contact among its recipients whose address you see whole.
    """

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    id: Id


class SmsRequest(Body):
    to: Annotated[str, msgspec.Meta(max_length=40)]
    """E.164, for example +8613800138000"""
    text: Annotated[str, msgspec.Meta(max_length=1000)]
    send_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    """not before this instant"""
    purpose: Literal["notice", "commercial"] = "notice"
    """commercial: only to numbers that have agreed, and outside of quiet hours"""
    record: Record | None = None


class MailRequest(Body):
    to: Annotated[list[Address], msgspec.Meta(min_length=1, max_length=100)]
    subject: Annotated[str, msgspec.Meta(max_length=200)]
    cc: Annotated[list[Address], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)
    text: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    html: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    attachments: Annotated[list[Id], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    """ids of files you may read"""
    send_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    record: Record | None = None
    answers: Id | None = None
    """the received mail that this one answers: it is laid to the same thread, process and record"""


class MessagesQuery(ListQuery):
    state: Literal["queued", "sending", "sent", "delivered", "failed", "unknown", "cancelled"] | None = None
    instance: Id | None = None
    """the process instance that sent it"""


class Queued(Answer):
    id: int
    state: str
    """queued | sending | sent | delivered | failed | unknown | cancelled"""


class ChargedDepartment(Answer):
    id: int
    name: str


class QueuedSms(Queued):
    segments: int
    """what it will cost"""
    charged_department: ChargedDepartment | None
    """whose quota it is taken from; null when nobody's"""


class SendAttempt(Answer):
    """One try to bring a message away."""

    number: int
    """counted from 1 since a person last queued it"""
    at: datetime
    outcome: str
    """accepted | rejected | deferred | unknown"""
    milliseconds: int
    error: str


class OutgoingMessage(Answer):
    """What became of a message."""

    id: int
    connector: str
    state: str
    recipient: str
    subject: str
    text: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    next_attempt_at: datetime | None
    error: str
    parts: dict[str, Any]
    """what the wire said of each part"""
    instance_id: int | None
    record: dict[str, Any] | None


class TrackedMessage(OutgoingMessage):
    """A message with everything that was tried."""

    history: list[SendAttempt]


class Operation(Answer):
    """Something a connector can be asked for."""

    name: str
    method: str
    path: str
    input: dict[str, Any]
    """JSON Schema of the body"""
    output: dict[str, Any]


class Connector(Answer):
    name: str
    state: str
    """up | degraded | down | unknown (nobody has ever reported)"""
    reason: str
    waiting: int
    """messages not sent yet, counted up to 1000"""
    operations: list[Operation]


class Connectors(Answer):
    items: list[Connector]


Channel = Literal["sms", "mail"]
ORDERS = {"id": OutboxMessage.id, "created_at": OutboxMessage.created_at}

OFFERED: dict[str, tuple[str, type[Body], type[Answer]]] = {
    "sms": ("send_sms", SmsRequest, QueuedSms),
    "mail": ("send_mail", MailRequest, Queued),
}
"""connector -> (operation, body, answer)"""
PATHS: dict[str, str] = {}
"""Where a connector is asked, when it is not its messages."""


@endpoint("GET", "/connectors", tag=TAG)
def list_connectors(call: Call) -> Connectors:
    """What can be sent, in which form, and how the wires are."""
    return Connectors(items=[_connector(call.session, name) for name in OFFERED])


def offer(name: str, operation: str, body: type[Body], answer: type[Answer], path: str) -> None:
    """Declared by each module whose connector is asked for something other than a message."""
    OFFERED[name] = (operation, body, answer)
    PATHS[name] = path


def _connector(session: Session, name: str) -> Connector:
    operation, body, answer = OFFERED[name]
    wire = health.seen(session).get(name)
    state, reason = (wire.state, wire.reason) if wire is not None else ("unknown", "")
    waiting = select(OutboxMessage.id).where(OutboxMessage.state == "queued", OutboxMessage.channel == name)
    return Connector(
        name=name,
        state=state,
        reason=str(reason),
        waiting=len(session.scalars(waiting.limit(1000)).all()),
        operations=[
            Operation(
                name=operation,
                method="POST",
                path=f"{PREFIX}/connectors/{name}/{PATHS.get(name, 'messages')}",
                input=msgspec.json.schema(body),
                output=msgspec.json.schema(answer),
            )
        ],
    )


@endpoint("POST", "/connectors/sms/messages", tag=TAG, status=201, refusals=(422,))
def send_sms(call: Call, body: SmsRequest) -> QueuedSms:
    """Queue an SMS. The same Idempotency-Key never sends twice."""
    message_id = operations.send_sms(
        call.session,
        call.actor,
        to=body.to,
        text=body.text,
        key=wish_of(call),
        record=_record(body.record),
        send_at=body.send_at,
        purpose=body.purpose,
    )
    row = queued(call, "sms", message_id)
    payer = operations.charged_department(call.session, message_id)
    return QueuedSms(
        id=row.id,
        state=row.state,
        segments=count(str(row.payload["text"])).segments,
        charged_department=ChargedDepartment(payer.id, payer.name) if payer is not None else None,
    )


@endpoint("POST", "/connectors/mail/messages", tag=TAG, status=201, refusals=(422,))
def send_mail(call: Call, body: MailRequest) -> Queued:
    """Queue a mail. The same Idempotency-Key never sends twice."""
    message_id = operations.send_mail(
        call.session,
        call.actor,
        to=body.to,
        cc=body.cc,
        subject=body.subject,
        text=body.text,
        html=body.html,
        key=wish_of(call),
        record=_record(body.record),
        send_at=body.send_at,
        attachments=readable_files(call, body.attachments),
        answers=body.answers,
    )
    row = queued(call, "mail", message_id)
    return Queued(id=row.id, state=row.state)


def wish_of(call: Call) -> str:
    """The caller's own key, so that a repeat after the remembered answer is gone is still the same message."""
    return call.request_headers.get(HEADER) or secrets.token_hex(16)


def readable_files(call: Call, ids: list[int]) -> list[Attachment]:
    found, problems = [], []
    for number, attachment_id in enumerate(ids):
        try:
            found.append(work_items.readable_file(call.session, call.actor, attachment_id))
        except NotFound as unknown:
            problems.append(Problem(f"attachments.{number}", unknown.message))
    if problems:
        raise InvalidRequest(problems)
    return found


def _record(record: Record | None) -> tuple[str, int] | None:
    return (record.type, record.id) if record is not None else None


def queued(call: Call, name: str, message_id: int) -> OutboxMessage:
    call.headers["Location"] = f"{PREFIX}/connectors/{name}/messages/{message_id}"
    return call.session.get_one(OutboxMessage, message_id)


@endpoint("GET", "/connectors/{name}/messages", tag=TAG)
def list_messages(call: Call, name: Channel, query: MessagesQuery) -> Page[OutgoingMessage]:
    """What you wrote and what was sent to you; with the right, everybody's. `order` takes id and created_at."""
    session, actor = call.session, call.actor
    allowed = select(SentMessage.id).where(visible_to(actor))
    wanted = select(OutboxMessage).where(OutboxMessage.channel == name, OutboxMessage.id.in_(allowed))
    if query.state:
        wanted = wanted.where(OutboxMessage.state == query.state)
    if query.instance:
        wanted = wanted.where(OutboxMessage.instance_id == query.instance)
    if query.q:
        parts = (OutboxMessage.payload[part].as_string() for part in ("subject", "text"))
        wanted = wanted.where(or_(*(part.icontains(query.q, autoescape=True) for part in parts)))
    total = total_of(session, query, wanted, OutboxMessage.id)
    found = rows(session, query, wanted.order_by(*ordering(query, ORDERS, "-id", OutboxMessage.id)))
    return page_of(query, found, total, lambda row: _state(actor, row.OutboxMessage))


@endpoint("GET", "/connectors/{name}/messages/{message_id}", tag=TAG)
def get_message(call: Call, name: Channel, message_id: Id) -> TrackedMessage:
    """The state of a message, of each of its parts, and every attempt to send it."""
    state = _state(call.actor, _visible(call.session, call.actor, name, message_id))
    tried = select(OutboxAttempt).where(OutboxAttempt.message_id == message_id).order_by(OutboxAttempt.id)
    history = [
        SendAttempt(number=one.number, at=one.at, outcome=one.outcome, milliseconds=one.milliseconds, error=one.error)
        for one in call.session.scalars(tried)
    ]
    return TrackedMessage(**msgspec.structs.asdict(state), history=history)


@endpoint("POST", "/connectors/{name}/messages/{message_id}/actions/resend", tag=TAG, refusals=(409,))
def resend(call: Call, name: Channel, message_id: Id) -> OutgoingMessage:
    """Send again what failed, is in doubt or was cancelled."""
    row = _visible(call.session, call.actor, name, message_id)
    require(call.actor, SEND[name])
    if not may_send_again(call.actor, row):
        require(call.actor, READ_ALL)
    return _state(call.actor, outbox.resend(call.session, call.actor, message_id))


@endpoint("POST", "/connectors/{name}/messages/{message_id}/actions/cancel", tag=TAG, refusals=(422,))
def cancel(call: Call, name: Channel, message_id: Id) -> OutgoingMessage:
    """Take back what has not been sent yet."""
    row = _visible(call.session, call.actor, name, message_id)
    if not may_take_back(call.actor, row):
        require(call.actor, SEND[name])
        require(call.actor, READ_ALL)
    return _state(call.actor, outbox.cancel(call.session, message_id))


def _visible(session: Session, actor: Actor, name: str, message_id: int) -> OutboxMessage:
    allowed = select(SentMessage.id).where(visible_to(actor), SentMessage.id == message_id, SentMessage.channel == name)
    if session.scalar(allowed) is None:
        raise NotFound
    return session.get_one(OutboxMessage, message_id, populate_existing=True)


def _state(actor: Actor, row: OutboxMessage) -> OutgoingMessage:
    payload = row.payload
    recipient = str(payload.get("recipient") or payload.get("to") or "")
    return OutgoingMessage(
        id=row.id,
        connector=row.channel,
        state=row.state,
        recipient=recipient if sees_address(actor, row) else masked(recipient),
        subject=str(payload.get("subject") or ""),
        text=str(payload.get("text") or ""),
        attempts=row.attempts,
        created_at=row.created_at,
        sent_at=row.sent_at,
        next_attempt_at=row.available_at if row.state == "queued" else None,
        error=row.last_error,
        parts=row.result or {},
        instance_id=row.instance_id,
        record={"type": row.record_type, "id": row.record_id} if row.record_type else None,
    )
