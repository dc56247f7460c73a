"""Campaigns: what sending one would mean; sent off once, stopped, repeated for those it did not reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine import clock, journal, outbox, runtime
from engine.actor import Actor
from engine.errors import InvalidForm, NotFound, RuleViolation
from engine.i18n import _
from engine.models import OutboxMessage
from processes.kernel.columns import stamp
from processes.messaging import permissions, rules
from processes.messaging.models import SmsCampaign, SmsRecipient
from processes.messaging.operations import charging
from processes.messaging.operations.campaign_drafts import (
    RECORD_TYPE,
    lock,
    look_again,
    must_be,
    problems_of,
    recipients_of,
)
from processes.messaging.operations.consenting import COMMERCIAL, consenting
from processes.messaging.operations.house_rules import HOUSE, lapses, leaves

PROCESS = "bulk_sms"


# ------------------------------------------------------------------------------------------------- what it would be


def find(session: Session, actor: Actor, campaign_id: int) -> SmsCampaign:
    """One the actor may see."""
    wanted = select(SmsCampaign).where(SmsCampaign.id == campaign_id, permissions.visible_campaigns(actor))
    found = session.scalars(wanted).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Preview:
    """What sending a campaign would mean."""

    recipients: int
    segments: int
    left_out: Mapping[str, int]
    """reason -> how many"""
    leaves_at: datetime | None
    """None: at once"""
    quiet: bool
    """it waits for the end of the quiet hours"""
    rooms: Sequence[rules.Room]
    """quotas it must fit into, the tightest first"""
    needs_approval: bool

    @property
    def fits(self) -> bool:
        return all(room.left >= self.segments for room in self.rooms)


def preview(session: Session, campaign: SmsCampaign) -> Preview:
    counted = session.execute(
        select(SmsRecipient.left_out, func.count(), func.sum(SmsRecipient.segments))
        .where(SmsRecipient.campaign_id == campaign.id)
        .group_by(SmsRecipient.left_out)
    ).all()
    count = {left_out: number for left_out, number, _segments in counted}
    leaves_at = _leaves(campaign)
    recipients = count.pop("", 0)
    return Preview(
        recipients=recipients,
        segments=sum(int(segments or 0) for left_out, _number, segments in counted if not left_out),
        left_out={reason: count[reason] for reason in rules.LEFT_OUT if reason in count},
        leaves_at=leaves_at,
        quiet=leaves_at != _wanted(campaign),
        rooms=charging.rooms_of(session, campaign.department, rules.month_of(leaves_at or clock.now())),
        needs_approval=recipients > HOUSE.approval_above,
    )


def _wanted(campaign: SmsCampaign) -> datetime | None:
    """A moment that has passed while it was looked over or approved means: at once."""
    return campaign.send_at if campaign.send_at is not None and campaign.send_at > clock.now() else None


def _leaves(campaign: SmsCampaign) -> datetime | None:
    return leaves(_wanted(campaign), {"purpose": campaign.purpose})


def reduce(session: Session, actor: Actor, *, campaign_id: int) -> int:
    """Keep as many of the first as the quota carries; answers how many are left out for it."""
    campaign = lock(session, actor, campaign_id)
    must_be(campaign, ("draft",))
    rooms = preview(session, campaign).rooms
    if not rooms:
        return 0
    left, dropped = rooms[0].left, []
    for row in session.scalars(recipients_of(campaign.id).where(SmsRecipient.left_out == "").order_by("position")):
        left -= row.segments
        if left < 0:
            dropped.append(row.id)
    session.execute(
        update(SmsRecipient).where(SmsRecipient.id.in_(dropped)).values(left_out="over_quota", text="", segments=0)
    )
    session.expire_all()
    return len(dropped)


def postpone(session: Session, actor: Actor, *, campaign_id: int, send_at: datetime) -> None:
    """Another moment, as long as it has not been sent off."""
    campaign = lock(session, actor, campaign_id)
    must_be(campaign, ("draft",))
    problems = [one for one in problems_of("x", "x", "notice", send_at) if one.where == "send_at"]
    if problems:
        raise InvalidForm(problems)
    campaign.send_at = send_at
    stamp(campaign, actor)
    session.flush()


# ------------------------------------------------------------------------------------------------- sent off


def send(session: Session, actor: Actor, *, campaign_id: int) -> SmsCampaign:
    """Send a draft off, or ask for its approval where it goes to many; a second click finds it done.

    Raises RuleViolation, and nothing is sent, when a quota does not carry all of it.
    """
    permissions.require(actor, permissions.SEND_BULK)
    campaign = lock(session, actor, campaign_id)
    if campaign.state in ("in_approval", "sent"):
        return campaign
    must_be(campaign, ("draft",))
    look_again(session, campaign)
    seen = preview(session, campaign)
    if not seen.recipients:
        raise RuleViolation(
            _("Nobody is left to write to."),
            code="no_recipients",
            remedy=_("Look why each was left out, and mend the list."),
        )
    if seen.needs_approval:
        started = runtime.start(session, actor, PROCESS, values=told(campaign, seen))
        session.refresh(campaign)
        assert campaign.instance_id == started.instance_id
    else:
        release(session, actor, campaign)
    return campaign


def told(campaign: SmsCampaign, seen: Preview) -> dict[str, Any]:
    """What the form of its approval says."""
    return {
        "title": campaign.title,
        "campaign": campaign.id,
        "text": campaign.text,
        "recipients": str(seen.recipients),
        "segments": str(seen.segments),
    }


def release(session: Session, actor: Actor, campaign: SmsCampaign) -> int:
    """Queue its messages, all or none; the caller has locked it and has looked again. Answers how many."""
    give_back(session, campaign)
    leaves_at = _leaves(campaign)
    rows = session.scalars(recipients_of(campaign.id).where(SmsRecipient.left_out == "").order_by("position")).all()
    keys = {f"sms:campaign:{campaign.id}:{row.number}": row for row in rows}
    new = outbox.enqueue_many(
        session,
        [(key, _payload(campaign, row)) for key, row in keys.items()],
        channel="sms",
        created_by=campaign.author_id,
        record=(RECORD_TYPE, campaign.id),
        send_at=leaves_at,
        lapses_at=lapses(_wanted(campaign), leaves_at),
    )
    linked = [{"id": keys[key].id, "message_id": message_id} for key, message_id in new.items()]
    session.execute(update(SmsRecipient), linked)
    campaign.state, campaign.sent_at = "sent", clock.now()
    stamp(campaign, actor)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, campaign.id, "sent", None, {"messages": len(new)})
    return len(new)


def _payload(campaign: SmsCampaign, row: SmsRecipient) -> dict[str, Any]:
    payload = {"to": row.number, "text": row.text, "recipient": f"{row.name} {row.number}".strip()}
    return payload | ({"purpose": COMMERCIAL} if campaign.purpose == COMMERCIAL else {})


def hold(session: Session, campaign: SmsCampaign) -> None:
    """Keep its segments while somebody decides on it."""
    seen = preview(session, campaign)
    department = campaign.department
    if department is None:
        return
    month: date = rules.month_of(seen.leaves_at or clock.now())
    account = charging.Account(department.id, department.path, month)
    held = charging.held_by(session, [_subject(campaign)]).get(_subject(campaign))
    number = held.movements if held is not None else 0
    charging.move(session, [charging.Movement(_subject(campaign), account, seen.segments, number, campaign.author_id)])


def give_back(session: Session, campaign: SmsCampaign) -> None:
    """What was kept for it while somebody decided."""
    subject = _subject(campaign)
    held = charging.held_by(session, [subject]).get(subject)
    if held is not None:
        charging.move(session, list(held.give_back(subject, held.segments, campaign.author_id)), enforce=False)


def _subject(campaign: SmsCampaign) -> str:
    return f"campaign:{campaign.id}"


# ------------------------------------------------------------------------------------------------- while it goes, after


@dataclass(frozen=True, slots=True)
class Progress:
    states: Mapping[str, int]
    """of messages -> how many"""

    @property
    def total(self) -> int:
        return sum(self.states.values())

    def of(self, *states: str) -> int:
        return sum(self.states.get(one, 0) for one in states)

    @property
    def waiting(self) -> int:
        return self.of("queued", "sending")


def progress(session: Session, campaign: SmsCampaign) -> Progress:
    return Progress(progress_of(session, [campaign.id])[campaign.id])


def progress_of(session: Session, campaigns: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """Campaign -> state of its messages -> how many; in one query for a whole list."""
    counted = session.execute(
        select(SmsRecipient.campaign_id, OutboxMessage.state, func.count())
        .join(OutboxMessage, SmsRecipient.message_id == OutboxMessage.id)
        .where(SmsRecipient.campaign_id.in_(campaigns))
        .group_by(SmsRecipient.campaign_id, OutboxMessage.state)
    )
    found: dict[int, Counter[str]] = {one: Counter() for one in campaigns}
    for campaign_id, state, count in counted:
        found[campaign_id][state] = count
    return found


def counts(session: Session, campaigns: Sequence[int]) -> Mapping[int, int]:
    """Campaign -> how many it is sent to."""
    counted = (
        select(SmsRecipient.campaign_id, func.count())
        .where(SmsRecipient.campaign_id.in_(campaigns), SmsRecipient.left_out == "")
        .group_by(SmsRecipient.campaign_id)
    )
    return {campaign_id: count for campaign_id, count in session.execute(counted)}  # noqa: C416 - rows are no pairs


def cancel(session: Session, actor: Actor, *, campaign_id: int) -> int:
    """Stop it: what has not left does not leave and is given back, what has left stays. Answers how many it stopped."""
    campaign = lock(session, actor, campaign_id)
    if campaign.state == "in_approval":
        raise RuleViolation(
            _("Its approval is under way."), code="in_approval", remedy=_("Withdraw the request; nothing is sent then.")
        )
    stopped = 0
    if campaign.state == "sent":
        stopped = len(outbox.cancel_queued(session, _messages_of(session, campaign, "queued")))
        session.refresh(campaign)
    elif campaign.state != "cancelled":
        campaign.state = "cancelled"
        stamp(campaign, actor)
        session.flush()
    journal.audit(session, actor, RECORD_TYPE, campaign.id, "stopped", None, {"messages": stopped})
    return stopped


def repeat(session: Session, actor: Actor, *, campaign_id: int) -> int:
    """Send again to those whom it failed to reach; those in doubt are not among them. Answers how many."""
    permissions.require(actor, permissions.SEND_BULK)
    campaign = lock(session, actor, campaign_id)
    must_be(campaign, ("sent",))
    if campaign.purpose == COMMERCIAL:
        _check_agreed(session, campaign)
    failed = _messages_of(session, campaign, "failed")
    for message_id in failed:
        outbox.resend(session, actor, message_id)
    journal.audit(session, actor, RECORD_TYPE, campaign.id, "repeated", None, {"messages": len(failed)})
    return len(failed)


def _check_agreed(session: Session, campaign: SmsCampaign) -> None:
    """Whoever has taken a consent back since is not written to again."""
    numbers = set(
        session.scalars(
            select(SmsRecipient.number)
            .join(OutboxMessage, OutboxMessage.id == SmsRecipient.message_id)
            .where(SmsRecipient.campaign_id == campaign.id, OutboxMessage.state == "failed")
        )
    )
    refusing = numbers - consenting(session, numbers)
    if refusing:
        raise RuleViolation(
            _("{count} of those it did not reach have not agreed any more.", count=len(refusing)),
            code="no_consent",
            remedy=_("Write a new campaign for the others."),
        )


def _messages_of(session: Session, campaign: SmsCampaign, state: str) -> list[int]:
    wanted = (
        select(OutboxMessage.id)
        .join(SmsRecipient, SmsRecipient.message_id == OutboxMessage.id)
        .where(SmsRecipient.campaign_id == campaign.id, OutboxMessage.state == state)
        .order_by(OutboxMessage.id)
    )
    return list(session.scalars(wanted))


def take_back(session: Session, actor: Actor, *, instance_id: int, state: str) -> None:
    """Its approval ended without one, or counts no more: nothing stays reserved, and what waits does not leave."""
    campaign = session.scalar(
        select(SmsCampaign).where(SmsCampaign.instance_id == instance_id).with_for_update(of=SmsCampaign)
    )
    if campaign is None:
        return
    if campaign.state == "in_approval":
        give_back(session, campaign)
        campaign.state = state
        if state == "draft":
            campaign.instance_id = None
        stamp(campaign, actor)
        session.flush()
        journal.audit(session, actor, RECORD_TYPE, campaign.id, state, {"state": "in_approval"}, {"state": state})
    elif campaign.state == "sent" and state == "cancelled":
        outbox.cancel_queued(session, _messages_of(session, campaign, "queued"))
