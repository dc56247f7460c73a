"""What the diagram of a campaign's approval does with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from engine.service_tasks import StepFacts, service_task
from processes.kernel.columns import lock_for_change, stamp
from processes.messaging.models import SmsCampaign
from processes.messaging.operations import campaigns
from processes.messaging.operations.campaign_drafts import look_again


@service_task("messaging.file_campaign", _("Reserve the segments of an SMS campaign"))
def file_campaign(
    session: Session, actor: Actor, facts: StepFacts, *, campaign: int, text: str, recipients: int, segments: int
) -> dict[str, Any]:
    """Tie a draft of the starter to its approval and reserve its segments.

    text, recipients, segments: as the form shows them to whoever decides; they must be the campaign's own.
    Returns {"id", "title", "recipients", "segments"}; the diagram keeps it as `campaign`.
    """
    found = lock_for_change(session, SmsCampaign, campaign)
    seen = campaigns.preview(session, found)
    if found.author_id != facts.starter_id or found.state not in ("draft", "in_approval"):
        raise RuleViolation(
            _("Only one's own draft is sent for approval."),
            code="not_ones_draft",
            remedy=_("Write the campaign under “SMS to many” and send it off there."),
        )
    if (text, recipients, segments) != (found.text, seen.recipients, seen.segments):
        raise RuleViolation(
            _("The form does not say what the campaign says."),
            code="form_differs",
            remedy=_("Send the campaign off on its own page."),
        )
    if found.state == "draft":
        found.state, found.instance_id = "in_approval", facts.instance_id
        stamp(found, actor)
        session.flush()
        campaigns.hold(session, found)
    return {"id": found.id, "title": found.title, "recipients": seen.recipients, "segments": seen.segments}


@service_task("messaging.send_campaign", _("Send an approved SMS campaign off"))
def send_campaign(session: Session, actor: Actor, facts: StepFacts, *, campaign_id: int) -> dict[str, Any]:
    """Queue what was approved; whoever has left, opted out or taken a consent back meanwhile is left out.

    Returns {"messages": count}.
    """
    found = lock_for_change(session, SmsCampaign, campaign_id)
    if found.instance_id != facts.instance_id:
        raise RuleViolation(_("Only one's own draft is sent for approval."), code="not_ones_draft")
    if found.state == "sent":
        return {"messages": campaigns.progress(session, found).total}
    look_again(session, found)
    return {"messages": campaigns.release(session, actor, found)}
