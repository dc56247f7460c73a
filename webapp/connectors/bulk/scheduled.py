"""What is to leave later: moved, sent at once or taken back until it is picked; and what came too late to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import clock, runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import Conflict, InvalidForm, RuleViolation
from engine.i18n import _
from processes.kernel.working_time import ZONE, business_date
from processes.messaging.models import SentMessage, SmsCampaign
from processes.messaging.operations import scheduling
from processes.messaging.operations.scheduling import Pending
from processes.messaging.permissions import may_take_back, sees_address
from processes.messaging.rules import masked
from webapp.connectors import by_hand
from webapp.connectors.bulk import month
from webapp.security.access import current_actor, signed_in

pages = Blueprint("scheduled", __name__)


@dataclass(frozen=True)
class Line:
    """A message, or all waiting messages of a campaign as one."""

    at: datetime
    to: str
    text: str
    channel: str
    count: int
    message_id: int
    campaign_id: int | None
    may_change: bool

    @property
    def input(self) -> str:
        return self.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")


@dataclass(frozen=True)
class Day:
    day: date
    lines: Sequence[Line]


@pages.get("/messages/scheduled")
@signed_in
def index() -> str:
    session, actor = Sessions(), current_actor()
    today = business_date(clock.now())
    asked = request.args.get("month", ""), request.args.get("day", "")
    soonest = scheduling.next_pending(session, actor) if not any(asked) else None
    span = month.read(*asked, otherwise=business_date(soonest) if soonest is not None else today)
    within = span.shown if any(asked) else None  # nobody who asks for nothing misses what leaves next month
    lines = [_line(session, actor, one) for one in scheduling.pending(session, actor, within)]
    by_day: dict[date, list[Line]] = {}
    for line in lines:
        by_day.setdefault(business_date(line.at), []).append(line)
    return render_template(
        "messaging/scheduled.html",
        days=[Day(day, found) for day, found in by_day.items()],
        span=span,
        month=month.month(span, scheduling.moments(session, actor, span.month), today),
        is_narrowed=within is not None,
        late=[_line(session, actor, one) for one in scheduling.too_late(session, actor)],
    )


def _line(session: Session, actor: Actor, one: Pending) -> Line:
    campaign = session.get(SmsCampaign, one.campaign_id) if one.campaign_id is not None else None
    return Line(
        at=one.at,
        to=campaign.title if campaign is not None else _recipient(actor, one.message),
        text=campaign.text if campaign is not None else one.message.subject or one.message.text or "",
        channel=one.message.channel,
        count=one.count,
        message_id=one.message.id,
        campaign_id=one.campaign_id,
        may_change=may_take_back(actor, one.message),
    )


def _recipient(actor: Actor, message: SentMessage) -> str:
    return message.recipient if sees_address(actor, message) else masked(message.recipient)


@pages.post("/messages/scheduled/<int:message_id>")
@signed_in
def move(message_id: int) -> BaseResponse:
    """Another moment for a message, or for all of its campaign that has not been picked; an empty one means now."""
    actor = current_actor()
    try:
        moved = runtime.perform(
            lambda session: scheduling.reschedule(
                session, actor, message_id=message_id, send_at=by_hand.moment(request.form.get("send_at", ""))
            )
        )
        flash(str(_("{count} messages have another time.", count=moved)), "success")
    except (Conflict, RuleViolation, InvalidForm) as refusal:
        Sessions().rollback()
        words = list(refusal.by_field().values()) if isinstance(refusal, InvalidForm) else [str(refusal)]
        flash(words[0], "danger")
    return redirect(url_for("scheduled.index"))
