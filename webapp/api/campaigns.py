"""SMS to many: written as a draft, looked over, sent off or into its approval, stopped, followed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Problem
from engine.i18n import _
from engine.models import OutboxMessage
from processes.kernel import recipient_groups
from processes.messaging.models import SmsCampaign, SmsRecipient
from processes.messaging.operations import campaign_drafts, campaigns
from processes.messaging.permissions import sees_recipient, visible_campaigns
from processes.messaging.rules import masked
from webapp.api.answers import Names, Person
from webapp.api.connectors import wish_of
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.api.reading import InvalidRequest

TAG = "connectors"
LIMIT = 2 * 1024 * 1024
"""bytes of a body: five thousand recipients with what each is told"""
OPEN = ("draft", "in_approval", "rejected")
"""States in which there is something to look over."""

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Value = Annotated[str, msgspec.Meta(max_length=200)]


class CampaignRecipientRequest(Body):
    number: Annotated[str, msgspec.Meta(max_length=40)]
    name: Value = ""
    values: dict[Annotated[str, msgspec.Meta(min_length=1, max_length=30)], Value] = msgspec.field(default_factory=dict)
    """what further places of the text are filled with: {"amount": "1200.50"} for {amount}"""


class CampaignRequest(Body):
    title: Title
    text: Words
    """places in braces are filled for each: {name}, {department}, or a key of `values`"""
    purpose: Literal["notice", "commercial"] = "notice"
    """commercial: only to numbers that have agreed, and outside of quiet hours"""
    recipients: Annotated[list[CampaignRecipientRequest], msgspec.Meta(max_length=5000)] = msgspec.field(
        default_factory=list
    )
    groups: dict[str, Annotated[list[Id], msgspec.Meta(max_length=1000)]] = msgspec.field(default_factory=dict)
    """register -> ids: {"organization.department": [3]}"""
    send_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    """not before this instant"""


class CampaignsQuery(ListQuery):
    state: Literal["draft", "in_approval", "rejected", "sent", "cancelled"] | None = None


class CampaignRecipientsQuery(ListQuery):
    left_out: bool | None = None
    """true: only those who are not written to; false: only the others"""


class QuotaRoom(Answer):
    quota: str
    left: int


class CampaignPreview(Answer):
    """What sending it would mean."""

    recipients: int
    segments: int
    """what it costs"""
    left_out: dict[str, int]
    """reason -> how many: no_mobile, not_a_number, duplicate, opted_out, no_consent, no_value, left …"""
    leaves_at: datetime | None
    """null: at once"""
    quiet: bool
    """it waits for the end of the quiet hours"""
    needs_approval: bool
    fits: bool
    """the quotas carry it"""
    quotas: list[QuotaRoom]


class Campaign(Answer):
    id: int
    title: str
    text: str
    purpose: str
    state: str
    """draft | in_approval | rejected | sent | cancelled"""
    author: Person
    created_at: datetime
    send_at: datetime | None
    sent_at: datetime | None
    instance_id: int | None
    """its approval"""
    recipients: int
    """how many are written to"""
    progress: dict[str, int]
    """state of a message (queued, sending, sent, delivered, failed, unknown, cancelled) -> how many"""


class CampaignDetail(Campaign):
    preview: CampaignPreview | None
    """null once it is sent off or cancelled"""


class CampaignRecipient(Answer):
    number: str
    name: str
    text: str
    """what this one reads"""
    segments: int
    left_out: str
    """why this one is not written to; "" = is written to"""
    state: str
    """of the message; "" = there is none"""
    error: str
    message: int | None


class CampaignStopped(Answer):
    campaign: CampaignDetail
    stopped: int
    """messages that do not leave"""


ORDERS = {"id": SmsCampaign.id, "created_at": SmsCampaign.created_at}


@endpoint("GET", "/connectors/sms/campaigns", tag=TAG)
def list_campaigns(call: Call, query: CampaignsQuery) -> Page[Campaign]:
    """Your campaigns and those whose approval you may read; with the right, all. `order` takes id and created_at."""
    session = call.session
    wanted = select(SmsCampaign).where(visible_campaigns(call.actor))
    if query.state:
        wanted = wanted.where(SmsCampaign.state == query.state)
    if query.q:
        wanted = wanted.where(SmsCampaign.title.icontains(query.q, autoescape=True))
    total = total_of(session, query, wanted, SmsCampaign.id)
    found = [
        row.SmsCampaign
        for row in rows(session, query, wanted.order_by(*ordering(query, ORDERS, "-id", SmsCampaign.id)))
    ]
    ids = [one.id for one in found]
    counted, moved = campaigns.counts(session, ids), campaigns.progress_of(session, ids)
    names = Names(session, [one.author_id for one in found])
    return page_of(
        query, found, total, lambda one: Campaign(**_facts(one, names, counted.get(one.id, 0), moved[one.id]))
    )


@endpoint("POST", "/connectors/sms/campaigns", tag=TAG, status=201, limit=LIMIT, refusals=(422,))
def create_campaign(call: Call, body: CampaignRequest) -> CampaignDetail:
    """Write a draft and look everybody over; nothing is sent. The same Idempotency-Key is the same campaign."""
    campaign = campaign_drafts.write(
        call.session,
        call.actor,
        wish=f"api:{hashlib.sha256(wish_of(call).encode()).hexdigest()[:40]}",
        **_written(body),
    )
    call.headers["Location"] = f"{PREFIX}/connectors/sms/campaigns/{campaign.id}"
    return _detail(call.session, campaign)


@endpoint("PUT", "/connectors/sms/campaigns/{campaign_id}", tag=TAG, limit=LIMIT, refusals=(422,))
def change_campaign(call: Call, campaign_id: Id, body: CampaignRequest) -> CampaignDetail:
    """Write a draft or a rejected one anew, recipients included."""
    campaign = campaign_drafts.write(call.session, call.actor, wish="", campaign_id=campaign_id, **_written(body))
    return _detail(call.session, campaign)


def _written(body: CampaignRequest) -> dict[str, Any]:
    known = {group.register for group in recipient_groups.groups()}
    unknown = [Problem(f"groups.{name}", _("There is no such group.")) for name in body.groups if name not in known]
    if unknown:
        raise InvalidRequest(unknown)
    return {
        "title": body.title,
        "text": body.text,
        "purpose": body.purpose,
        "groups": body.groups,
        "numbers": _as_table(body.recipients),
        "send_at": body.send_at,
    }


def _as_table(recipients: Sequence[CampaignRecipientRequest]) -> str:
    """As people paste it: a draft made here is edited on its page like any other."""
    if not recipients:
        return ""
    places = list(dict.fromkeys(name for one in recipients for name in one.values))
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(["number", "name", *map(_flat, places)])
    for one in recipients:
        writer.writerow([_flat(one.number), _flat(one.name), *(_flat(one.values.get(name, "")) for name in places)])
    return table.getvalue()


def _flat(text: str) -> str:
    return " ".join(text.split())


@endpoint("GET", "/connectors/sms/campaigns/{campaign_id}", tag=TAG)
def get_campaign(call: Call, campaign_id: Id) -> CampaignDetail:
    """What sending it would mean while it is open; how far it is afterwards."""
    return _detail(call.session, campaigns.find(call.session, call.actor, campaign_id))


@endpoint("GET", "/connectors/sms/campaigns/{campaign_id}/recipients", tag=TAG)
def list_recipients(call: Call, campaign_id: Id, query: CampaignRecipientsQuery) -> Page[CampaignRecipient]:
    """Each with the very words, or why he is left out, and what became of his message."""
    session, actor = call.session, call.actor
    campaign = campaigns.find(session, actor, campaign_id)
    wanted = (
        select(SmsRecipient, OutboxMessage)
        .outerjoin(OutboxMessage, OutboxMessage.id == SmsRecipient.message_id)
        .where(SmsRecipient.campaign_id == campaign.id)
    )
    if query.left_out is not None:
        wanted = wanted.where((SmsRecipient.left_out != "") if query.left_out else (SmsRecipient.left_out == ""))
    total = total_of(session, query, wanted, SmsRecipient.id)
    order = ordering(query, {"position": SmsRecipient.position}, "position", SmsRecipient.id)
    found = rows(session, query, wanted.order_by(*order))

    def shown(row: Any) -> CampaignRecipient:
        one, message = row.SmsRecipient, row.OutboxMessage
        return CampaignRecipient(
            number=one.number if sees_recipient(actor, campaign, one) else masked(one.number),
            name=one.name,
            text=one.text,
            segments=one.segments,
            left_out=one.left_out,
            state=message.state if message is not None else "",
            error=masked(message.last_error) if message is not None else "",
            message=one.message_id,
        )

    return page_of(query, found, total, shown)


@endpoint("POST", "/connectors/sms/campaigns/{campaign_id}/actions/submit", tag=TAG, refusals=(422,))
def submit(call: Call, campaign_id: Id) -> CampaignDetail:
    """Send it off, or ask for its approval where it goes to many. Twice is once; refused when no quota carries it."""
    return _detail(call.session, campaigns.send(call.session, call.actor, campaign_id=campaign_id))


@endpoint("POST", "/connectors/sms/campaigns/{campaign_id}/actions/cancel", tag=TAG, refusals=(422,))
def cancel(call: Call, campaign_id: Id) -> CampaignStopped:
    """Stop it: what has not left does not leave, and its segments are given back."""
    stopped = campaigns.cancel(call.session, call.actor, campaign_id=campaign_id)
    return CampaignStopped(
        campaign=_detail(call.session, campaigns.find(call.session, call.actor, campaign_id)), stopped=stopped
    )


@endpoint("POST", "/connectors/sms/campaigns/{campaign_id}/actions/repeat", tag=TAG, refusals=(422,))
def repeat(call: Call, campaign_id: Id) -> CampaignDetail:
    """Send again to those whom it failed to reach."""
    campaigns.repeat(call.session, call.actor, campaign_id=campaign_id)
    return _detail(call.session, campaigns.find(call.session, call.actor, campaign_id))


def _facts(one: SmsCampaign, names: Names, recipients: int, moved: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "text": one.text,
        "purpose": one.purpose,
        "state": one.state,
        "author": names(one.author_id),
        "created_at": one.created_at,
        "send_at": one.send_at,
        "sent_at": one.sent_at,
        "instance_id": one.instance_id,
        "recipients": recipients,
        "progress": dict(moved),
    }


def _detail(session: Session, campaign: SmsCampaign) -> CampaignDetail:
    counted = campaigns.counts(session, [campaign.id]).get(campaign.id, 0)
    moved = campaigns.progress_of(session, [campaign.id])[campaign.id]
    facts = _facts(campaign, Names(session, [campaign.author_id]), counted, moved)
    return CampaignDetail(**facts, preview=_preview(session, campaign) if campaign.state in OPEN else None)


def _preview(session: Session, campaign: SmsCampaign) -> CampaignPreview:
    seen = campaigns.preview(session, campaign)
    return CampaignPreview(
        recipients=seen.recipients,
        segments=seen.segments,
        left_out=dict(seen.left_out),
        leaves_at=seen.leaves_at,
        quiet=seen.quiet,
        needs_approval=seen.needs_approval,
        fits=seen.fits,
        quotas=[QuotaRoom(quota=room.name, left=room.left) for room in seen.rooms],
    )
