"""A quota of SMS and a campaign that has reached its people, so that the pages of both have something to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import outbox
from engine.actor import SYSTEM, Actor
from engine.models import OutboxMessage
from processes.kernel.working_time import business_date
from processes.messaging.operations import campaign_drafts, campaigns, quotas
from processes.messaging.permissions import SEND_BULK
from processes.organization.models import Department

QUOTAS = (("云启智联科技", 3000), ("销售中心", 1000), ("行政人事部", 400))
"""department, segments a month"""

AUTHOR = "wu.ting"
INVITED = ("财务部", "行政人事部")
TEXT = "{name}您好，周五下午三点在二楼会议室召开年度预算说明会，请准时参加。"


def play(session: Session, actors: Mapping[str, Actor], now: datetime) -> None:
    """The quotas of this month, and an invitation that has left by now."""
    departments = {one.name: one.id for one in session.scalars(select(Department))}
    for name, segments in QUOTAS:
        values = {"department": departments[name], "month": business_date(now), "segments": segments}
        quotas.create_quota(session, SYSTEM, values=values).is_demo = True
    author = replace(actors[AUTHOR], permissions=frozenset({SEND_BULK}))
    campaign = campaign_drafts.write(
        session,
        author,
        wish="demo",
        title="年度预算说明会",
        text=TEXT,
        groups={"organization.department": [departments[name] for name in INVITED]},
    )
    campaigns.send(session, author, campaign_id=campaign.id)
    _has_left(session, campaign.id, now)


def _has_left(session: Session, campaign_id: int, now: datetime) -> None:
    """The simulator took them: nothing of the story waits for a worker."""
    mine = OutboxMessage.record_type == campaign_drafts.RECORD_TYPE, OutboxMessage.record_id == campaign_id
    ids = list(session.scalars(select(OutboxMessage.id).where(*mine)))
    gone = {"state": "sent", "attempts": 1, "sent_at": now + timedelta(seconds=5)}
    session.execute(update(OutboxMessage).where(OutboxMessage.id.in_(ids)).values(**gone))
    outbox.moved(session, "sms", ids, "sent")
