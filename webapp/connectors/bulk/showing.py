"""Campaigns as pages show them: lines of a list, recipients with what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence
from engine.models import OutboxMessage
from processes.messaging.models import CAMPAIGN_STATES, SmsCampaign, SmsRecipient
from processes.messaging.operations.campaigns import Progress, counts, progress_of
from processes.messaging.permissions import sees_recipient, visible_campaigns
from processes.messaging.rules import LEFT_OUT, masked
from webapp.skin.words import Word

PAGE_SIZE = 50
LINES = 20

TONES = {
    "draft": ("grey", "pencil"),
    "in_approval": ("amber", "rubber-stamp"),
    "rejected": ("red", "x"),
    "sent": ("green", "send"),
    "cancelled": ("grey", "minus"),
}


def state_of(campaign: SmsCampaign) -> Word:
    return Word(CAMPAIGN_STATES[campaign.state], *TONES[campaign.state])


@dataclass(frozen=True)
class Line:
    campaign: SmsCampaign
    state: Word
    recipients: int
    progress: Progress


def lines(session: Session, actor: Actor, *, before: int | None = None) -> tuple[list[Line], bool]:
    """What this person may see, newest first, and whether there is more."""
    wanted = select(SmsCampaign).where(visible_campaigns(actor)).order_by(SmsCampaign.id.desc()).limit(LINES + 1)
    if before is not None:
        wanted = wanted.where(SmsCampaign.id < before)
    found = list(session.scalars(wanted))
    shown = found[:LINES]
    ids = [one.id for one in shown]
    counted, moved = counts(session, ids), progress_of(session, ids)
    made = [Line(one, state_of(one), counted.get(one.id, 0), Progress(moved[one.id])) for one in shown]
    return made, len(found) > LINES


@dataclass(frozen=True)
class Recipient:
    name: str
    number: str
    text: str
    segments: int
    left_out: Sentence | None
    state: str
    """of the message; "" = there is none"""
    error: str
    sent_at: datetime | None
    message_id: int | None


def recipients(
    session: Session, actor: Actor, campaign: SmsCampaign, *, which: str = "", page: int = 1
) -> tuple[list[Recipient], bool]:
    """which: "" all | out (left out) | a state of messages."""
    wanted = (
        select(SmsRecipient, OutboxMessage)
        .outerjoin(OutboxMessage, OutboxMessage.id == SmsRecipient.message_id)
        .where(SmsRecipient.campaign_id == campaign.id)
        .order_by(SmsRecipient.position)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    )
    if which == "out":
        wanted = wanted.where(SmsRecipient.left_out != "")
    elif which:
        wanted = wanted.where(OutboxMessage.state == which)
    rows = session.execute(wanted).all()
    return [
        _recipient(row, message, plain=sees_recipient(actor, campaign, row)) for row, message in rows[:PAGE_SIZE]
    ], len(rows) > PAGE_SIZE


def _recipient(row: SmsRecipient, message: OutboxMessage | None, *, plain: bool) -> Recipient:
    return Recipient(
        name=row.name,
        number=row.number if plain else masked(row.number),
        text=row.text,
        segments=row.segments,
        left_out=LEFT_OUT.get(row.left_out),
        state=message.state if message is not None else "",
        error=message.last_error if message is not None else "",
        sent_at=message.sent_at if message is not None else None,
        message_id=row.message_id,
    )
