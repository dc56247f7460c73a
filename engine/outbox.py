"""Effects that leave the house: written with the change, delivered after it under a lease, never sent twice blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, queue, states
from engine.actor import SYSTEM, Actor
from engine.db import after_commit
from engine.errors import Conflict, NotFound, RuleViolation
from engine.i18n import _
from engine.models import Instance, OutboxMessage

LEASE = timedelta(minutes=2)
"""How long a batch may wait in a sender's hands before the wire is touched."""
ATTEMPT_LEASE = timedelta(minutes=10)
"""How long one attempt may take on the wire: a long text over a modem, a slow mail server."""
HELD_LIFE = timedelta(hours=24)
"""A message held back for a link that never comes is given up after this."""
PAUSES = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800, 7200))
"""Between attempts of a message deferred without a pause of the wire's own; after the last it fails."""

RESENDABLE = ("failed", "unknown", "cancelled")
"""States a person may decide to send again from."""

DELIVER_JOB = "engine.deliver_outbox"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a wire answered."""

    outcome: Literal["accepted", "rejected", "deferred", "unknown"]
    detail: dict[str, Any] = field(default_factory=dict)
    """kept as the message's result: references, codes"""
    error: str = ""
    retry_after: timedelta | None = None
    tried: bool = True
    """False: the link was not ready and the message merely held back; that does not count as an attempt"""


@dataclass(frozen=True, slots=True)
class Leased:
    """A message this process may send until the lease ends."""

    id: int
    channel: str
    key: str
    payload: dict[str, Any]
    attempts: int
    fence: int
    instance_id: int | None
    token: int | None
    result: dict[str, Any]
    """what earlier attempts brought: parts that left, recipients that took it"""
    created_at: datetime


class Handler(Protocol):
    """Delivers the messages of one channel; no transaction is open while it runs."""

    @property
    def retry_unknown(self) -> bool:
        """True for idempotent peers: a doubtful attempt may be repeated"""
        ...

    def deliver(self, message: Leased) -> Delivery: ...


HANDLERS: dict[str, Handler] = {}
"""Channels this process delivers; filled by bootstrap."""


def enqueue(
    session: Session,
    *,
    channel: str,
    key: str,
    payload: dict[str, Any],
    actor: Actor = SYSTEM,
    record: tuple[str, int] | None = None,
    instance_id: int | None = None,
    token: int | None = None,
    send_at: datetime | None = None,
) -> int:
    """Write one effect; the same key again is the same effect. Returns the message's id."""
    now = clock.now()
    values = {
        "channel": channel,
        "key": key,
        "payload": payload,
        "state": "queued",
        "attempts": 0,
        "fence": 0,
        "available_at": send_at or now,
        "result": {},
        "last_error": "",
        "instance_id": instance_id,
        "token": token,
        "record_type": record[0] if record else None,
        "record_id": record[1] if record else None,
        "created_at": now,
        "created_by": actor.person_id,
    }
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(OutboxMessage)
    new = session.scalar(
        insert.values(values).on_conflict_do_nothing(index_elements=["key"]).returning(OutboxMessage.id)
    )
    if new is not None:
        after_commit(session, lambda: queue.wake(DELIVER_JOB))
        return int(new)
    return session.scalars(select(OutboxMessage.id).where(OutboxMessage.key == key)).one()


def lease(session: Session, channels: Sequence[str], owner: str, limit: int = 50) -> list[Leased]:
    """Take up to `limit` ready messages; others skip them until the lease ends."""
    now = clock.now()
    ready = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.state == "queued",
            OutboxMessage.channel.in_(channels),
            OutboxMessage.available_at <= now,
        )
        .order_by(OutboxMessage.available_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id.in_(ready.scalar_subquery()),
            OutboxMessage.state == "queued",
        )
        .values(
            state="sending",
            lease_owner=owner,
            lease_until=now + LEASE,
            fence=OutboxMessage.fence + 1,
            attempt_started_at=None,
        )
        .returning(
            OutboxMessage.id,
            OutboxMessage.channel,
            OutboxMessage.key,
            OutboxMessage.payload,
            OutboxMessage.attempts,
            OutboxMessage.fence,
            OutboxMessage.instance_id,
            OutboxMessage.token,
            OutboxMessage.result,
            OutboxMessage.created_at,
        )
        .execution_options(synchronize_session=False)
    ).all()
    return sorted((Leased(*row) for row in rows), key=lambda message: message.id)


def begin_attempt(session: Session, message: Leased) -> bool:
    """Note, before the wire is touched, that from here on the peer may act. False: the lease is no longer ours."""
    now = clock.now()
    mine = session.scalar(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == message.id,
            OutboxMessage.fence == message.fence,
            OutboxMessage.state == "sending",
            OutboxMessage.lease_until > now,
        )
        .values(
            attempt_started_at=now,
            lease_until=now + ATTEMPT_LEASE,
            attempts=OutboxMessage.attempts + 1,
        )
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    )
    return mine is not None


def settle(session: Session, message: Leased, delivery: Delivery) -> str | None:
    """Record what came of an attempt; returns the new state, or None when a later lease has taken over."""
    now = clock.now()
    values: dict[str, Any] = {
        "lease_owner": None,
        "lease_until": None,
        "last_error": delivery.error,
    }
    if delivery.detail:
        values["result"] = delivery.detail
    match delivery.outcome:
        case "accepted":
            values |= {"state": "sent", "sent_at": now}
        case "rejected":
            values |= {"state": "failed"}
        case "unknown":
            values |= {"state": "unknown"}
        case "deferred":
            values |= _deferred(message, delivery, now)
    done = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == message.id,
            OutboxMessage.fence == message.fence,
            OutboxMessage.state == "sending",
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return str(values["state"]) if done.rowcount == 1 else None  # type: ignore[attr-defined]


def _deferred(message: Leased, delivery: Delivery, now: datetime) -> dict[str, Any]:
    """The wire knows best when to try again; one that does not say so gets our own growing pauses."""
    if not delivery.tried:
        if now - message.created_at > HELD_LIFE:
            return {"state": "failed", "attempts": message.attempts}
        pause = delivery.retry_after or PAUSES[0]
        return {
            "state": "queued",
            "available_at": now + pause,
            "attempt_started_at": None,
            "attempts": message.attempts,
        }
    if delivery.retry_after is None and message.attempts >= len(PAUSES):
        return {"state": "failed"}
    pause = delivery.retry_after or PAUSES[message.attempts]
    return {"state": "queued", "available_at": now + pause, "attempt_started_at": None}


def expired(session: Session) -> list[int]:
    """Ids of the messages whose sender has died with them in hand."""
    dead = select(OutboxMessage.id).where(OutboxMessage.state == "sending", OutboxMessage.lease_until <= clock.now())
    return list(session.scalars(dead.order_by(OutboxMessage.id)))


def free(session: Session, message_id: int) -> OutboxMessage | None:
    """Free what a dead process held: an untouched message goes back in the queue, a doubtful one becomes `unknown`."""
    now = clock.now()
    dead = select(OutboxMessage).where(
        OutboxMessage.id == message_id, OutboxMessage.state == "sending", OutboxMessage.lease_until <= now
    )
    message = session.scalars(dead.with_for_update(skip_locked=True)).first()
    if message is None:
        return None
    handler = HANDLERS.get(message.channel)
    untouched = message.attempt_started_at is None
    if untouched or (handler is not None and handler.retry_unknown):
        message.state = "queued"
        message.available_at = now
    else:
        message.state = "unknown"
        message.last_error = str(_("The sender stopped in the middle; it may or may not have been sent."))
    message.lease_owner, message.lease_until = None, None
    message.fence += 1
    session.flush()
    return message


def receipt(session: Session, message_id: int) -> dict[str, Any] | None:
    """What a task gets that asks for this effect: the result if it has left already, None if it must be waited for.

    A failed, doubtful or cancelled one goes back in the queue: it is asked for again because a person has decided so.
    """
    message = session.get_one(OutboxMessage, message_id, with_for_update=True, populate_existing=True)
    if message.state in ("sent", "delivered"):
        return dict(message.result)
    if message.state in RESENDABLE:
        _queue_again(session, message)
    return None


def resend(session: Session, actor: Actor, message_id: int) -> OutboxMessage:
    """A person has looked and wants it sent again; allowed for what failed or is in doubt."""
    message = session.get(OutboxMessage, message_id, with_for_update=True)
    if message is None:
        raise NotFound
    if message.state not in RESENDABLE:
        raise Conflict(
            _(
                "This message is “{state}”; only a failed, doubtful or cancelled one can be sent again.",
                state=states.MESSAGE[message.state],
            )
        )
    message.result = {**message.result, "resent_by": actor.name}
    _queue_again(session, message)
    return message


def _queue_again(session: Session, message: OutboxMessage) -> None:
    message.state = "queued"
    message.attempts = 0
    message.available_at = clock.now()
    message.fence += 1
    session.flush()
    after_commit(session, lambda: queue.wake(DELIVER_JOB))


def cancel(session: Session, message_id: int) -> OutboxMessage:
    """Take back what has not been sent yet and no running process waits for."""
    message = session.get(OutboxMessage, message_id, with_for_update=True)
    if message is None:
        raise NotFound
    if message.state != "queued":
        raise RuleViolation(
            _(
                "Only a queued message can be cancelled; this one is “{state}”.",
                state=states.MESSAGE[message.state],
            )
        )
    waiting = select(Instance.id).where(Instance.id == message.instance_id, Instance.state == "running")
    if message.token is not None and session.scalar(waiting) is not None:
        raise RuleViolation(
            _("A process waits for this message and could not go on without it."),
            code="process_waits",
            remedy=_("Stop the process first, if the message must not leave."),
        )
    message.state = "cancelled"
    message.fence += 1
    return message
