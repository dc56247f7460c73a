"""Webhooks: who is told of what, under which secret, and what became of each message."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy.orm import Session

from engine.models import OutboxMessage
from processes.webhooks import operations
from processes.webhooks.models import Webhook
from processes.webhooks.permissions import MANAGE
from processes.webhooks.rules import EVENT_TYPES
from webapp.api.answers import Names, Person
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, Version, endpoint

TAG = "webhooks"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Url = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Events = Annotated[list[Annotated[str, msgspec.Meta(max_length=60)]], msgspec.Meta(max_length=100)]


class WebhookRequest(Body):
    name: Name
    url: Url
    """https://…"""
    events: Events
    """names from `GET /webhook-events`"""
    with_form: bool = False
    """say in events of processes what the request's form holds, as far as you may read it"""


class WebhookChange(Body):
    version: Version | None = None
    name: Name | msgspec.UnsetType = msgspec.UNSET
    url: Url | msgspec.UnsetType = msgspec.UNSET
    events: Events | msgspec.UnsetType = msgspec.UNSET
    with_form: bool | msgspec.UnsetType = msgspec.UNSET
    state: Literal["on", "off"] | msgspec.UnsetType = msgspec.UNSET


class DeliveriesQuery(Query):
    state: Literal["queued", "sending", "sent", "failed", "unknown", "cancelled"] | None = None
    before: Id | None = None
    """only deliveries with a smaller id: the next page"""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class WebhookAnswer(Answer):
    """A webhook. Its secret is never shown again."""

    id: int
    version: int
    name: str
    url: str
    events: list[str]
    with_form: bool
    state: str
    """on | off"""
    off_reason: str
    """person | gone (the address answered 410) | owner_left"""
    owner: Person
    """with whose rights it listens: it hears of nothing this person may not read"""
    created_at: datetime
    changed_at: datetime


class WebhookSecret(Answer):
    webhook: WebhookAnswer
    secret: str
    """whsec_…; shown this once"""


class Webhooks(Answer):
    items: list[WebhookAnswer]


class EventType(Answer):
    name: str
    title: str


class EventTypes(Answer):
    items: list[EventType]


class Attempt(Answer):
    at: str
    status: int
    """of the answer; 0 when none came"""
    milliseconds: int
    error: str


class WebhookDelivery(Answer):
    id: int
    event_id: str
    """the header webhook-id"""
    type: str
    state: str
    """queued | sending | sent | failed | unknown | cancelled"""
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    next_attempt_at: datetime | None
    error: str
    instance_id: int | None
    data: dict[str, Any]
    tries: list[Attempt]
    """the last ten"""


class WebhookDeliveries(Answer):
    items: list[WebhookDelivery]
    has_more: bool


def _webhook(session: Session, hook: Webhook, names: Names | None = None) -> WebhookAnswer:
    names = names or Names(session, [hook.owner_id])
    return WebhookAnswer(
        id=hook.id,
        version=hook.version,
        name=hook.name,
        url=hook.url,
        events=list(hook.events),
        with_form=hook.with_form,
        state=hook.state,
        off_reason=hook.off_reason,
        owner=names(hook.owner_id),
        created_at=hook.created_at,
        changed_at=hook.changed_at,
    )


@endpoint("GET", "/webhook-events", tag=TAG)
def list_event_types(call: Call) -> EventTypes:
    """The events a webhook can ask for."""
    call.demand(MANAGE)
    return EventTypes(items=[EventType(name=name, title=str(title)) for name, title in EVENT_TYPES.items()])


@endpoint("GET", "/webhooks", tag=TAG)
def list_webhooks(call: Call) -> Webhooks:
    """Every webhook of the house."""
    found = operations.webhooks(call.session, call.actor)
    names = Names(call.session, [hook.owner_id for hook in found])
    return Webhooks(items=[_webhook(call.session, hook, names) for hook in found])


@endpoint("POST", "/webhooks", tag=TAG, status=201, refusals=(422,), shown_once=("secret",))
def create_webhook(call: Call, body: WebhookRequest) -> WebhookSecret:
    """Make a webhook. It listens with your rights; its secret is in this answer and nowhere else."""
    hook, secret = operations.create_webhook(call.session, call.actor, values=msgspec.structs.asdict(body))
    call.headers["Location"] = f"{PREFIX}/webhooks/{hook.id}"
    return WebhookSecret(webhook=_webhook(call.session, hook), secret=secret)


@endpoint("GET", "/webhooks/{webhook_id}", tag=TAG)
def get_webhook(call: Call, webhook_id: Id) -> WebhookAnswer:
    """One webhook."""
    return _webhook(call.session, operations.find_webhook(call.session, call.actor, webhook_id))


@endpoint("PATCH", "/webhooks/{webhook_id}", tag=TAG, refusals=(409, 422))
def change_webhook(call: Call, webhook_id: Id, body: WebhookChange) -> WebhookAnswer:
    """Change what is named, or switch it on and off. What waits goes to the new address."""
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    version, state = given.pop("version", None), given.pop("state", None)
    hook = operations.change_webhook(call.session, call.actor, webhook_id=webhook_id, version=version, values=given)
    if state is not None:
        hook = operations.switch(call.session, call.actor, webhook_id=webhook_id, on=state == "on")
    return _webhook(call.session, hook)


@endpoint("DELETE", "/webhooks/{webhook_id}", tag=TAG, status=204)
def delete_webhook(call: Call, webhook_id: Id) -> None:
    """Delete it. What waits for it is not sent."""
    operations.delete_webhook(call.session, call.actor, webhook_id=webhook_id)


@endpoint("POST", "/webhooks/{webhook_id}/actions/rotate-secret", tag=TAG, shown_once=("secret",))
def rotate_secret(call: Call, webhook_id: Id) -> WebhookSecret:
    """A new secret. For a day messages bear the signatures of both, so that nothing is lost meanwhile."""
    hook, secret = operations.rotate_secret(call.session, call.actor, webhook_id=webhook_id)
    return WebhookSecret(webhook=_webhook(call.session, hook), secret=secret)


@endpoint("POST", "/webhooks/{webhook_id}/actions/take-over", tag=TAG)
def take_over(call: Call, webhook_id: Id) -> WebhookAnswer:
    """From now on it listens with your rights."""
    return _webhook(call.session, operations.take_over(call.session, call.actor, webhook_id=webhook_id))


@endpoint("POST", "/webhooks/{webhook_id}/actions/test", tag=TAG, status=201)
def send_test(call: Call, webhook_id: Id) -> WebhookDelivery:
    """Send a `webhook.test` now, also while it is off."""
    delivery_id = operations.send_test(call.session, call.actor, webhook_id=webhook_id)
    return _delivery(operations.delivery(call.session, call.actor, webhook_id, delivery_id))


@endpoint("GET", "/webhooks/{webhook_id}/deliveries", tag=TAG)
def list_deliveries(call: Call, webhook_id: Id, query: DeliveriesQuery) -> WebhookDeliveries:
    """What it was told, newest first. What was taken is kept for 30 days, what was not for 90."""
    found = operations.deliveries(
        call.session,
        call.actor,
        webhook_id,
        state=query.state or "",
        before=query.before,
        limit=query.page_size + 1,
    )
    return WebhookDeliveries(
        items=[_delivery(row) for row in found[: query.page_size]], has_more=len(found) > query.page_size
    )


@endpoint("GET", "/webhooks/{webhook_id}/deliveries/{delivery_id}", tag=TAG)
def get_delivery(call: Call, webhook_id: Id, delivery_id: Id) -> WebhookDelivery:
    """One message and its attempts."""
    return _delivery(operations.delivery(call.session, call.actor, webhook_id, delivery_id))


@endpoint("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/actions/resend", tag=TAG, refusals=(409,))
def resend(call: Call, webhook_id: Id, delivery_id: Id) -> WebhookDelivery:
    """Send once more what was given up, with the same webhook-id."""
    return _delivery(operations.resend(call.session, call.actor, webhook_id=webhook_id, delivery_id=delivery_id))


def _delivery(row: OutboxMessage) -> WebhookDelivery:
    payload = row.payload
    return WebhookDelivery(
        id=row.id,
        event_id=str(payload["id"]),
        type=str(payload["type"]),
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        sent_at=row.sent_at,
        next_attempt_at=row.available_at if row.state == "queued" else None,
        error=row.last_error,
        instance_id=row.instance_id,
        data=payload["data"],
        tries=[
            Attempt(at=one["at"], status=one["status"], milliseconds=one["ms"], error=one["error"])
            for one in row.result.get("tries", ())
        ],
    )
