"""Received SMS as people read them: who may see which, whose number it is, what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine import i18n
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.i18n import Sentence, _
from processes.kernel import known_numbers, phone_number
from processes.messaging.models import SentMessage, SmsReceived
from processes.messaging.permissions import READ_ALL, may_see_sender, received_visible_to
from processes.messaging.rules import masked
from webapp.connectors import by_hand
from webapp.connectors.sent import PAGE_SIZE

KINDS: dict[str, tuple[Sentence, str, str]] = {
    "new": (_("Waits to be handled"), "amber", "hourglass"),
    "answer": (_("Answer"), "blue", "message-2"),
    "opt_out": (_("Wants no more texts"), "amber", "user-minus"),
    "approval": (_("Decided by SMS"), "green", "rubber-stamp"),
    "wrong_code": (_("Wrong code"), "red", "lock"),
    "unreadable": (_("Could not be read"), "red", "alert-circle"),
}
"""What a message was taken for -> (words, tone, icon)."""


@dataclass(frozen=True)
class Person:
    """Somebody with the sender's number whose record the reader may open."""

    name: str
    note: str
    url: str
    """of the record's page; "" where it has none"""


@dataclass(frozen=True)
class Received:
    id: int
    sender: str
    people: tuple[Person, ...]
    text: str
    kind: str
    road: str
    sent_at: datetime | None
    received_at: datetime
    missing: tuple[int, ...]
    answers_id: int | None
    answers: str
    """the words it answers"""
    instance_id: int | None
    can_be_answered: bool
    """an SMS can be sent to where it came from"""

    @property
    def who(self) -> str:
        return i18n.listed(person.name for person in self.people) or self.sender

    @property
    def word(self) -> Sentence:
        return KINDS[self.kind][0]

    @property
    def tone(self) -> str:
        return KINDS[self.kind][1]

    @property
    def icon(self) -> str:
        return KINDS[self.kind][2]


def listed(
    session: Session, actor: Actor, *, text: str = "", kind: str = "", before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[Received], bool]:
    """A page of what this person may see, newest first, and whether there is more."""
    query = select(SmsReceived).where(received_visible_to(actor))
    if kind:
        query = query.where(SmsReceived.kind == kind)
    if text:
        query = query.where(or_(*(c.icontains(text, autoescape=True) for c in _searched(actor))))
    if before is not None:
        query = query.where(SmsReceived.id < before)
    rows = session.scalars(query.order_by(SmsReceived.id.desc()).limit(size + 1)).all()
    return shown(session, actor, rows[:size]), len(rows) > size


def _searched(actor: Actor) -> Sequence[InstrumentedAttribute[str]]:
    """Whoever sees numbers masked cannot find out by searching what they are."""
    return (SmsReceived.text, SmsReceived.sender) if actor.may(READ_ALL) else (SmsReceived.text,)


def one(session: Session, actor: Actor, received_id: int) -> Received | None:
    found = session.scalars(
        select(SmsReceived).where(SmsReceived.id == received_id, received_visible_to(actor))
    ).first()
    return shown(session, actor, [found])[0] if found is not None else None


def shown(session: Session, actor: Actor, rows: Sequence[SmsReceived]) -> list[Received]:
    """These as the actor may read them."""
    ids = {row.answers_id for row in rows if row.answers_id is not None}
    answered = {sent.id: sent for sent in session.scalars(select(SentMessage).where(SentMessage.id.in_(ids)))}
    known = known_numbers.find_many(session, sorted({row.sender for row in rows if row.sender}))
    found = []
    for row in rows:
        sent = answered.get(row.answers_id or 0)
        people = tuple(
            Person(one.name, one.note, by_hand.page_of(one.record_type, one.record_id))
            for one in known.get(row.sender, ())
            if CATALOG.may_read(session, actor, one.record_type, one.record_id)
        )
        found.append(
            Received(
                row.id,
                row.sender if may_see_sender(actor, sent) else masked(row.sender),
                people,
                row.text,
                row.kind,
                row.road,
                row.sent_at,
                row.received_at,
                tuple(row.missing),
                sent.id if sent is not None else None,
                str(sent.text) if sent is not None else "",
                sent.instance_id if sent is not None else None,
                phone_number.can_be_texted(row.sender),
            )
        )
    return found
