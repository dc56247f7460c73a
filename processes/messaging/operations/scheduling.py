"""Messages with a time of their own: what is pending, moved until it is picked; what came too late to leave blindly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from engine import clock, events, outbox
from engine.actor import Actor
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, Problem
from engine.i18n import _
from engine.models import OutboxMessage
from processes.messaging import permissions
from processes.messaging.models import SentMessage, SmsCampaign
from processes.messaging.operations import charging
from processes.messaging.operations.campaign_drafts import RECORD_TYPE
from processes.messaging.operations.house_rules import lapses, leaves
from processes.messaging.operations.sending import FURTHEST_AHEAD

LAPSED = "messaging.messages_lapsed"
"""Scheduled messages could not leave in time: message_ids."""

MOST_SHOWN = 500
SHOWN_LATE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Pending:
    """A message, or the first of a campaign's that leave at the same moment."""

    at: datetime
    message: SentMessage
    count: int
    campaign_id: int | None


Span = tuple[datetime, datetime]
"""[since, until)"""


def pending(session: Session, actor: Actor, within: Span | None = None) -> list[Pending]:
    """What waits for its time, the next first; own messages, with the right everybody's."""
    waiting = select(SentMessage).where(*_waiting(actor, within))
    return _together(session.scalars(waiting.order_by(SentMessage.due_at, SentMessage.id)))


def moments(session: Session, actor: Actor, within: Span) -> list[tuple[datetime, int]]:
    """When how many of these messages leave."""
    counted = select(SentMessage.due_at, func.count()).where(*_waiting(actor, within)).group_by(SentMessage.due_at)
    return [(at, count) for at, count in session.execute(counted) if at is not None]


def next_pending(session: Session, actor: Actor) -> datetime | None:
    """When the next one leaves."""
    return session.scalar(select(func.min(SentMessage.due_at)).where(*_waiting(actor, None)))


def _waiting(actor: Actor, within: Span | None) -> list[ColumnElement[bool]]:
    wanted = [
        permissions.visible_to(actor),
        SentMessage.state == "queued",
        SentMessage.attempts == 0,
        SentMessage.due_at > clock.now(),
    ]
    return wanted if within is None else [*wanted, SentMessage.due_at >= within[0], SentMessage.due_at < within[1]]


def too_late(session: Session, actor: Actor) -> list[Pending]:
    """What was not sent because its time was long over, the latest first; it can be sent again from its own page."""
    now = clock.now()
    late = select(SentMessage).where(
        permissions.visible_to(actor),
        SentMessage.state == "cancelled",
        SentMessage.lapses_at > now - SHOWN_LATE,
        SentMessage.lapses_at <= now,
        SentMessage.last_error != "",
    )
    return _together(session.scalars(late.order_by(SentMessage.due_at.desc(), SentMessage.id)))


def _together(messages: Iterable[SentMessage]) -> list[Pending]:
    """The messages of one campaign and moment as one."""
    found: dict[tuple[datetime, int], Pending] = {}
    for message in messages:
        at = message.due_at or message.created_at
        campaign = message.record_id if message.record_type == RECORD_TYPE else None
        key = (at, campaign) if campaign is not None else (at, -message.id)
        known = found.get(key)
        if known is None and len(found) == MOST_SHOWN:
            break
        found[key] = Pending(at, known.message if known else message, (known.count if known else 0) + 1, campaign)
    return list(found.values())


def reschedule(session: Session, actor: Actor, *, message_id: int, send_at: datetime | None) -> int:
    """Give a message that has not been picked another time (None: now), with it all of its campaign. How many.

    Raises Conflict when a sender was faster, RuleViolation when the quota of another month does not carry it.
    """
    if (
        session.scalar(select(SentMessage.id).where(SentMessage.id == message_id, permissions.visible_to(actor)))
        is None
    ):
        raise NotFound
    first = session.get_one(OutboxMessage, message_id, with_for_update=True, populate_existing=True)
    if not permissions.may_take_back(actor, first):
        raise Forbidden(_("This message is another's."))
    if first.state != "queued" or first.attempts or first.due_at is None or first.token is not None:
        raise Conflict(_("It is no longer waiting for its time."))
    now = clock.now()
    if send_at is not None and not now < send_at <= now + FURTHEST_AHEAD:
        sentence = _("Please choose a moment to come, at most {days} days ahead.", days=FURTHEST_AHEAD.days)
        raise InvalidForm([Problem("send_at", sentence)])
    messages = _with_campaign(session, first)
    for message in messages:
        leaves_at = leaves(send_at, message.payload)
        message.due_at = leaves_at or now
        message.available_at = leaves_at or now
        message.lapses_at = lapses(send_at, leaves_at) if message.channel == "sms" else None
    session.flush()
    charging.move_to_month(session, messages)
    outbox.wake(session)
    if first.record_type == RECORD_TYPE and first.record_id is not None:
        campaign = session.get_one(SmsCampaign, first.record_id, with_for_update=True)
        campaign.send_at = send_at
    return len(messages)


def _with_campaign(session: Session, first: OutboxMessage) -> list[OutboxMessage]:
    if first.record_type != RECORD_TYPE:
        return [first]
    others = (
        select(OutboxMessage)
        .where(
            OutboxMessage.record_type == RECORD_TYPE,
            OutboxMessage.record_id == first.record_id,
            OutboxMessage.state == "queued",
            OutboxMessage.attempts == 0,
            OutboxMessage.due_at == first.due_at,
        )
        .order_by(OutboxMessage.id)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(others))


def lapse(session: Session) -> int:
    """Take back what could not leave in time: it is shown to whoever wrote it, who decides. Answers how many."""
    now = clock.now()
    late = select(OutboxMessage.id).where(
        OutboxMessage.state == "queued", OutboxMessage.available_at <= now, OutboxMessage.lapses_at <= now
    )
    reason = str(_("Its time was over when it could have left; it was not sent."))
    gone = outbox.cancel_queued(session, session.scalars(late.limit(MOST_SHOWN)).all(), reason)
    if gone:
        events.publish(session, LAPSED, message_ids=gone)
    return len(gone)
