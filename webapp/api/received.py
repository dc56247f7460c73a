"""Received SMS, for whoever may read what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import NotFound
from processes.kernel import known_numbers
from processes.messaging.models import SentMessage, SmsReceived
from processes.messaging.permissions import may_see_sender, received_visible_to
from processes.messaging.rules import masked
from webapp.api.endpoint import Answer, Call, Id, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "connectors"

Kind = Literal["new", "answer", "opt_out", "approval", "wrong_code", "unreadable"]
ORDERS = {"id": SmsReceived.id, "received_at": SmsReceived.received_at}


class ReceivedQuery(ListQuery):
    kind: Kind | None = None
    after: Id | None = None
    """only what came in after the message of this id: for programs that ask again and again"""


class ReceivedMessage(Answer):
    """A message somebody has sent us by SMS."""

    id: int
    sender: str
    """E.164 where it is a telephone number; masked for those who may not see it"""
    text: str
    """with 〔缺第n段〕 where part n never came"""
    complete: bool
    kind: str
    """new | answer | opt_out | approval | wrong_code | unreadable: what it was taken for"""
    road: str
    sent_at: datetime | None
    received_at: datetime
    known: list[dict[str, Any]]
    """records with this number that you may read: {"type", "id", "name"}"""
    answers: int | None
    """our message it most likely answers"""
    instance_id: int | None
    """the process that had sent it"""


@endpoint("GET", "/connectors/sms/received", tag=TAG)
def list_received(call: Call, query: ReceivedQuery) -> Page[ReceivedMessage]:
    """What came in by SMS: answers to what you may see, with the right everything. `order` takes id and received_at."""
    session, actor = call.session, call.actor
    wanted = select(SmsReceived).where(received_visible_to(actor))
    if query.kind:
        wanted = wanted.where(SmsReceived.kind == query.kind)
    if query.after:
        wanted = wanted.where(SmsReceived.id > query.after)
    if query.q:
        wanted = wanted.where(SmsReceived.text.icontains(query.q, autoescape=True))
    total = total_of(session, query, wanted, SmsReceived.id)
    found = rows(session, query, wanted.order_by(*ordering(query, ORDERS, "-id", SmsReceived.id)))
    return page_of(query, found, total, lambda row: _shown(session, actor, row.SmsReceived))


@endpoint("GET", "/connectors/sms/received/{received_id}", tag=TAG)
def get_received(call: Call, received_id: Id) -> ReceivedMessage:
    """One received message."""
    allowed = select(SmsReceived).where(SmsReceived.id == received_id, received_visible_to(call.actor))
    found = call.session.scalars(allowed).first()
    if found is None:
        raise NotFound
    return _shown(call.session, call.actor, found)


def _shown(session: Session, actor: Actor, row: SmsReceived) -> ReceivedMessage:
    answered = session.get(SentMessage, row.answers_id) if row.answers_id is not None else None
    return ReceivedMessage(
        id=row.id,
        sender=row.sender if may_see_sender(actor, answered) else masked(row.sender),
        text=row.text,
        complete=not row.missing,
        kind=row.kind,
        road=row.road,
        sent_at=row.sent_at,
        received_at=row.received_at,
        known=[
            {"type": one.record_type, "id": one.record_id, "name": one.name}
            for one in (known_numbers.find(session, row.sender) if row.sender else ())
            if CATALOG.may_read(session, actor, one.record_type, one.record_id)
        ],
        answers=answered.id if answered is not None else None,
        instance_id=answered.instance_id if answered is not None else None,
    )
