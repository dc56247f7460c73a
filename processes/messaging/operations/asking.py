"""Asking for a larger quota."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import clock, events
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.messaging import rules
from processes.messaging.operations.campaign_drafts import lock
from processes.messaging.operations.campaigns import preview
from processes.messaging.operations.charging import tightest_quota

MORE_ASKED = "messaging.more_quota_asked"
"""Somebody needs a larger quota: actor, quota_id, campaign_id, title, needed (segments)."""


def ask_for_more(session: Session, actor: Actor, *, campaign_id: int) -> None:
    """Tell those who lead the quota's department and those who run the house; once for each campaign and size of it."""
    campaign = lock(session, actor, campaign_id)
    seen = preview(session, campaign)
    quota = tightest_quota(session, campaign.department, rules.month_of(seen.leaves_at or clock.now()))
    if quota is None or quota.left >= seen.segments:
        raise RuleViolation(_("The quota carries it; nothing need be asked for."), code="quota_is_enough")
    events.publish(
        session,
        MORE_ASKED,
        actor=actor,
        quota_id=quota.id,
        campaign_id=campaign.id,
        title=campaign.title,
        needed=seen.segments,
    )
