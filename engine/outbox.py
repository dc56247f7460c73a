"""Effects that leave the house: written with the change, delivered after it under a lease, never sent twice blindly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, literal, or_, select, tuple_, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, queue, states
from engine.actor import SYSTEM, Actor
from engine.db import after_commit
from engine.errors import Conflict, NotFound, RuleViolation
from engine.events import publish
from engine.i18n import _
from engine.models import Instance, OutboxMessage
from engine.wire import Delivery, Handler, Leased

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

MOVED = "outbox.messages_moved"
"""Messages have come to a state: message_ids, channel, state, asked (somebody wants them to leave now, and may be
refused; else it has happened to them). Published in the transaction that brings them there,
after everything else it locks: whoever keeps accounts of messages never differs from them, wherever a process dies."""


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
    lapses_at: datetime | None = None,
) -> int:
    """Write one effect; the same key again is the same effect. Returns the message's id.

    send_at: it leaves no earlier.  lapses_at: not picked by then it does not leave at all (`lapse`).
    """
    now = clock.now()
    values = {
        "channel": channel,
        "key": key,
        "payload": payload,
        "state": "queued",
        "attempts": 0,
        "fence": 0,
        "available_at": send_at or now,
        "due_at": send_at,
        "lapses_at": lapses_at,
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
        moved(session, channel, [int(new)], "queued", asked=True)
        return int(new)
    return session.scalars(select(OutboxMessage.id).where(OutboxMessage.key == key)).one()


def enqueue_many(
    session: Session,
    effects: Sequence[tuple[str, dict[str, Any]]],
    *,
    channel: str,
    created_by: int,
    record: tuple[str, int] | None = None,
    send_at: datetime | None = None,
    lapses_at: datetime | None = None,
) -> dict[str, int]:
    """Write many effects, (key, payload), in batches; key -> id of those that are new."""
    if not effects:
        return {}
    now = clock.now()
    common = {
        "channel": channel,
        "state": "queued",
        "attempts": 0,
        "fence": 0,
        "available_at": send_at or now,
        "due_at": send_at,
        "lapses_at": lapses_at,
        "result": {},
        "last_error": "",
        "record_type": record[0] if record else None,
        "record_id": record[1] if record else None,
        "created_at": now,
        "created_by": created_by,
    }
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(OutboxMessage).on_conflict_do_nothing(index_elements=["key"])
    rows = [{**common, "key": key, "payload": payload} for key, payload in effects]
    written = session.execute(statement.returning(OutboxMessage.id, OutboxMessage.key), rows)
    new = {row.key: int(row.id) for row in written}
    if new:
        after_commit(session, lambda: queue.wake(DELIVER_JOB))
    moved(session, channel, sorted(new.values()), "queued", asked=True)
    return new


def wake(session: Session) -> None:
    """Have a sender look, once this is committed."""
    after_commit(session, lambda: queue.wake(DELIVER_JOB))


def moved(session: Session, channel: str, message_ids: Sequence[int], state: str, *, asked: bool = False) -> None:
    """Tell whoever follows them."""
    if message_ids:
        publish(session, MOVED, message_ids=message_ids, channel=channel, state=state, asked=asked)


def lease(session: Session, channels: Sequence[str], owner: str, limit: int = 50) -> list[Leased]:
    """Take up to `limit` ready messages; others skip them until the lease ends."""
    now = clock.now()
    ready = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.state == "queued",
            OutboxMessage.channel.in_(channels),
            OutboxMessage.available_at <= now,
            or_(OutboxMessage.lapses_at.is_(None), OutboxMessage.lapses_at > now),
        )
        .order_by(OutboxMessage.available_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("ready")  # computed once: as a plain subquery PostgreSQL may run it anew for each row, past its limit
    )
    rows = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id.in_(select(ready.c.id)),
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
            OutboxMessage.due_at,
        )
        .execution_options(synchronize_session=False)
    ).all()
    return sorted((Leased(*row) for row in rows), key=lambda message: message.id)


def begin_attempts(session: Session, messages: Sequence[Leased]) -> list[Leased]:
    """Note, before the wire is touched, that from here on the peer may act. Returns those whose lease is still ours."""
    now = clock.now()
    mine = session.execute(
        update(OutboxMessage)
        .where(
            tuple_(OutboxMessage.id, OutboxMessage.fence).in_([(message.id, message.fence) for message in messages]),
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
    ours = set(mine.scalars())
    return [message for message in messages if message.id in ours]


def put_back(session: Session, messages: Iterable[Leased], until: datetime | None = None) -> None:
    """Give up leases whose wire was not touched; the messages wait, until that instant where there is one."""
    ours = [(message.id, message.fence) for message in messages]
    values: dict[str, Any] = {"state": "queued", "lease_owner": None, "lease_until": None}
    if until is not None:
        values["available_at"] = until
    if ours:
        session.execute(
            update(OutboxMessage)
            .where(
                tuple_(OutboxMessage.id, OutboxMessage.fence).in_(ours),
                OutboxMessage.state == "sending",
                OutboxMessage.attempt_started_at.is_(None),
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def channels_ready(session: Session, channels: Sequence[str]) -> list[str]:
    """Those of the channels on which something may leave now."""
    now = clock.now()
    waiting = [
        select(literal(channel)).where(
            exists().where(
                OutboxMessage.state == "queued",
                OutboxMessage.channel == channel,
                OutboxMessage.available_at <= now,
                or_(OutboxMessage.lapses_at.is_(None), OutboxMessage.lapses_at > now),
            )
        )
        for channel in channels
    ]
    return list(session.scalars(union_all(*waiting))) if waiting else []


def settle(session: Session, message: Leased, delivery: Delivery) -> str | None:
    """Record what came of an attempt; returns the new state, or None when a later lease has taken over.

    The caller says `moved` when it has done what else this brings.
    """
    return settle_many(session, [(message, delivery)]).get(message.id)


def settle_many(session: Session, results: Sequence[tuple[Leased, Delivery]]) -> dict[int, str]:
    """Record what came of many attempts: message id -> new state; those a later lease has taken over are missing."""
    now = clock.now()
    fences = {message.id: message.fence for message, _delivery in results}
    held = (
        select(
            OutboxMessage.id,
            OutboxMessage.fence,
            OutboxMessage.result,
            OutboxMessage.attempts,
            OutboxMessage.available_at,
            OutboxMessage.attempt_started_at,
        )
        .where(OutboxMessage.id.in_(fences), OutboxMessage.state == "sending")
        .order_by(OutboxMessage.id)
        .with_for_update()
    )
    ours = {row.id: row for row in session.execute(held) if row.fence == fences[row.id]}
    rows = [
        {
            "message_id": message.id,
            "state": "sending",
            "result": delivery.detail or ours[message.id].result,
            "last_error": delivery.error,
            "sent_at": None,
            "attempts": ours[message.id].attempts,
            "available_at": ours[message.id].available_at,
            "attempt_started_at": ours[message.id].attempt_started_at,
        }
        | _outcome(message, delivery, now)
        for message, delivery in results
        if message.id in ours
    ]
    if rows:
        session.connection().execute(_SETTLE, rows)
    return {row["message_id"]: str(row["state"]) for row in rows}


_SETTLE = (
    update(OutboxMessage.__table__)  # type: ignore[arg-type]  # a Table, which the class calls a FromClause
    .where(OutboxMessage.__table__.c.id == bindparam("message_id"))
    .values(
        lease_owner=None,
        lease_until=None,
        state=bindparam("state"),
        result=bindparam("result"),
        last_error=bindparam("last_error"),
        sent_at=bindparam("sent_at"),
        attempts=bindparam("attempts"),
        available_at=bindparam("available_at"),
        attempt_started_at=bindparam("attempt_started_at"),
    )
)


def _outcome(message: Leased, delivery: Delivery, now: datetime) -> dict[str, Any]:
    match delivery.outcome:
        case "accepted":
            return {"state": "sent", "sent_at": now}
        case "rejected":
            return {"state": "failed"}
        case "unknown":
            return {"state": "unknown"}
        case "deferred":
            return _deferred(message, delivery, now)


def _deferred(message: Leased, delivery: Delivery, now: datetime) -> dict[str, Any]:
    """The wire knows best when to try again; one that does not say so gets our own growing pauses."""
    if not delivery.tried:
        if now - (message.due_at or message.created_at) > HELD_LIFE:
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
    """Free what a dead process held: an untouched message goes back in the queue, a doubtful one becomes `unknown`.

    The caller says `moved`, as after `settle`.
    """
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
    message.available_at = message.due_at = clock.now()
    message.lapses_at = None
    message.fence += 1
    session.flush()
    after_commit(session, lambda: queue.wake(DELIVER_JOB))
    moved(session, message.channel, [message.id], message.state, asked=True)


def cancel_queued(session: Session, message_ids: Sequence[int], reason: str = "") -> list[int]:
    """Take back those of these that have not been picked yet and no process waits for; the ids of those."""
    if not message_ids:
        return []
    gone = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(message_ids), OutboxMessage.state == "queued", OutboxMessage.token.is_(None))
        .values(state="cancelled", fence=OutboxMessage.fence + 1, last_error=reason)
        .returning(OutboxMessage.id, OutboxMessage.channel)
        .execution_options(synchronize_session=False)
    ).all()
    session.expire_all()
    for channel in sorted({row.channel for row in gone}):
        moved(session, channel, sorted(row.id for row in gone if row.channel == channel), "cancelled")
    return sorted(row.id for row in gone)


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
    session.flush()
    moved(session, message.channel, [message.id], message.state)
    return message
