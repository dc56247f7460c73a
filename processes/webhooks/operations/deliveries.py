"""What hooks were told: the secrets at the moment of sending, what became of each message, sending again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from engine import clock, outbox
from engine.actor import Actor
from engine.errors import NotFound
from engine.models import OutboxMessage
from processes.webhooks import rules
from processes.webhooks.models import Webhook
from processes.webhooks.operations.hooks import keys_of
from processes.webhooks.operations.outgoing import RECORD_TYPE, find_webhook

CHANNEL = "webhook"
KEEP_SENT = timedelta(days=30)
KEEP_FAILED = timedelta(days=90)


@dataclass(frozen=True)
class Target:
    """Where a message goes now, under which secrets; a new address or secret holds for what waits, too."""

    url: str
    keys: tuple[str, ...] = field(repr=False)
    is_on: bool


def target(session: Session, webhook_id: int) -> Target | None:
    """None: the hook has been deleted."""
    hook = session.get(Webhook, webhook_id)
    if hook is None:
        return None
    return Target(hook.url, keys_of(hook), hook.state == "on")


def body_of(payload: Mapping[str, Any]) -> bytes:
    """The very bytes that are signed and sent."""
    said = {"type": payload["type"], "timestamp": payload["at"], "data": payload["data"]}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def send_test(session: Session, actor: Actor, *, webhook_id: int) -> int:
    """A message that says nothing but that it is a test, also to a hook that is off; returns the delivery's id."""
    hook = find_webhook(session, actor, webhook_id)
    event_id = f"evt_{secrets.token_hex(12)}"
    data = {"webhook": {"id": hook.id, "name": hook.name}, "sent_by": {"id": actor.person_id, "name": actor.name}}
    return outbox.enqueue(
        session,
        channel=CHANNEL,
        key=f"webhook:{hook.id}:{event_id}",
        payload={
            "hook": hook.id,
            "id": event_id,
            "type": rules.TEST,
            "at": clock.now().isoformat(),
            "data": data,
            "recipient": hook.name,
        },
        actor=actor,
        record=(RECORD_TYPE, hook.id),
    )


def deliveries(
    session: Session, actor: Actor, webhook_id: int, *, state: str = "", before: int | None = None, limit: int = 20
) -> list[OutboxMessage]:
    """What this hook was told, newest first."""
    find_webhook(session, actor, webhook_id)
    wanted = select(OutboxMessage).where(*_of(webhook_id)).order_by(OutboxMessage.id.desc()).limit(limit)
    if state:
        wanted = wanted.where(OutboxMessage.state == state)
    if before is not None:
        wanted = wanted.where(OutboxMessage.id < before)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def delivery(session: Session, actor: Actor, webhook_id: int, delivery_id: int) -> OutboxMessage:
    find_webhook(session, actor, webhook_id)
    found = session.scalars(
        select(OutboxMessage)
        .where(*_of(webhook_id), OutboxMessage.id == delivery_id)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound
    return found


def resend(session: Session, actor: Actor, *, webhook_id: int, delivery_id: int) -> OutboxMessage:
    """Once more from the beginning, with the same id: whoever has it already drops it."""
    delivery(session, actor, webhook_id, delivery_id)
    return outbox.resend(session, actor, delivery_id)


def _of(webhook_id: int) -> tuple[Any, ...]:
    return (
        OutboxMessage.record_type == RECORD_TYPE,
        OutboxMessage.record_id == webhook_id,
        OutboxMessage.channel == CHANNEL,
    )


def sweep(session: Session) -> int:
    """Forget what was told long ago."""
    now = clock.now()
    old = or_(
        and_(OutboxMessage.state == "sent", OutboxMessage.created_at < now - KEEP_SENT),
        and_(OutboxMessage.state.in_(("failed", "unknown", "cancelled")), OutboxMessage.created_at < now - KEEP_FAILED),
    )
    gone = session.execute(delete(OutboxMessage).where(OutboxMessage.channel == CHANNEL, old))
    return int(gone.rowcount)  # type: ignore[attr-defined]
