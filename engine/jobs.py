"""The heartbeat: due timers, the outbox, messages, incidents, and sweeping; each item in a short transaction."""

from __future__ import annotations

import logging
import os
import socket
import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from engine import attachments, clock, health, migration, outbox, runtime
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, UTCDateTime, transaction
from engine.errors import AppError, Conflict
from engine.live import KEEP_SECONDS
from engine.models import IdempotencyKey, Incident, Instance, Message, OutboxMessage, PushEvent, StartTimer, Timer
from engine.outbox import Delivery, Leased
from engine.queue import periodic

logger = logging.getLogger(__name__)

BATCH = 50
IDEMPOTENCY_LIFE = timedelta(days=2)


def owner() -> str:
    """Names this thread in leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]


# ------------------------------------------------------------------------------------------------- timers


@periodic("engine.fire_timers", seconds=1)
def fire_timers() -> int:
    """Fire what is due, oldest first; a timer that cannot fire waits a minute and does not stop the others."""
    fired = 0
    while True:
        due = due_timers()
        fired_now = sum(_fire_one(timer_id) for timer_id in due)
        fired += fired_now
        if len(due) < BATCH or not fired_now:
            return fired


_DUE = select(Timer.id).where(Timer.due_at <= bindparam("now", type_=UTCDateTime)).order_by(Timer.due_at).limit(BATCH)
"""Kept: asked a few times a second, it costs more to build than to answer."""


def due_timers() -> list[int]:
    """Ids of the oldest due timers, a batch of them; one index and nothing else, however many wait."""
    with transaction() as session:
        return list(session.scalars(_DUE, {"now": clock.now()}))


def _fire_one(timer_id: int) -> int:
    def fire(session: Session) -> int:
        # The instance too: a step holds its instance when it takes timers away, and who held a timer alone would wait
        # for that step while it waits for him. Whoever steps it now may settle the timer as well: the next poll sees.
        timer = session.scalars(
            select(Timer)
            .join(Instance, Instance.id == Timer.instance_id)
            .where(Timer.id == timer_id, Timer.due_at <= clock.now())
            .with_for_update(of=(Timer, Instance), skip_locked=True)
        ).first()
        if timer is None:
            return 0
        runtime.fire_timer(session, timer)
        return 1

    try:
        return runtime.perform(fire)
    except Exception:
        logger.exception("timer.failed", extra={"timer_id": timer_id})
        with transaction() as session:
            session.execute(update(Timer).where(Timer.id == timer_id).values(due_at=clock.now() + timedelta(minutes=1)))
        return 0
    finally:
        Sessions.remove()


@periodic("engine.start_due_processes", seconds=5)
def start_due_processes() -> int:
    """Start the processes whose timer start event is due."""
    with transaction() as session:
        due = list(
            session.scalars(
                select(StartTimer.id).where(StartTimer.due_at <= clock.now()).order_by(StartTimer.due_at).limit(BATCH)
            )
        )
    return sum(_guarded(lambda session, i=timer: _start_due(session, i), "start_timer", timer) for timer in due)


def _start_due(session: Session, timer_id: int) -> int:
    timer = session.scalars(
        select(StartTimer)
        .where(StartTimer.id == timer_id, StartTimer.due_at <= clock.now())
        .with_for_update(skip_locked=True)
    ).first()
    if timer is None:
        return 0
    runtime.fire_start_timer(session, timer)
    return 1


# ------------------------------------------------------------------------------------------------- outbox


@periodic(outbox.DELIVER_JOB, seconds=1)
def deliver_outbox() -> int:
    """Send what is ready on the channels this process serves."""
    channels = list(outbox.HANDLERS)
    if not channels:
        return 0
    sent = 0
    while True:
        with transaction() as session:
            batch = outbox.lease(session, channels, owner(), BATCH)
        for message in batch:
            _deliver_one(message)
            sent += 1
        Sessions.remove()
        if len(batch) < BATCH:
            return sent


def _deliver_one(message: Leased) -> None:
    with transaction() as session:
        if not outbox.begin_attempt(session, message):
            return
    try:
        delivery = outbox.HANDLERS[message.channel].deliver(message)
    except Exception as error:
        # The wire may have been touched: whoever cannot say "nothing was sent" must not be repeated blindly.
        logger.exception("outbox.handler_failed", extra={"outbox_id": message.id, "channel": message.channel})
        delivery = Delivery("unknown", error=f"{type(error).__name__}: {error}"[:500])
    runtime.perform(lambda session: _settle(session, message, delivery))


def _settle(session: Session, message: Leased, delivery: Delivery) -> None:
    state = outbox.settle(session, message, delivery)
    logger.info("outbox.settled", extra={"outbox_id": message.id, "channel": message.channel, "state": state})
    if message.instance_id is not None and message.token is not None and state in ("sent", "failed", "unknown"):
        told = message.instance_id, message.token, message.channel
        _tell_token(session, *told, state, dict(delivery.detail), delivery.error)


def _tell_token(
    session: Session, instance_id: int, token: int, channel: str, state: str, result: dict[str, Any], error: str
) -> None:
    """Give a connector task what its wire answered; what has left stays sent, whatever the diagram makes of it."""
    try:
        with session.begin_nested():
            runtime.settle_connector(session, instance_id, token, channel, state, result, error)
    except Conflict:
        logger.info("outbox.nobody_waits", extra={"instance_id": instance_id, "token": token, "state": state})
    except AppError as refusal:
        runtime.settle_connector(session, instance_id, token, channel, "failed", {}, str(refusal))


# ------------------------------------------------------------------------------------------------- messages, incidents


@periodic("engine.correlate_messages", seconds=5)
def correlate_messages() -> int:
    """Match stored messages with those who wait; expire the old."""
    with transaction() as session:
        now = clock.now()
        session.execute(
            update(Message).where(Message.state == "waiting", Message.expires_at <= now).values(state="expired")
        )
        waiting = runtime.deliverable(session)
    matched = 0
    for message_id in waiting:
        matched += _guarded(lambda session, i=message_id: _correlate(session, i), "message", message_id)
    return matched


def _correlate(session: Session, message_id: int) -> int:
    message = session.scalars(select(Message).where(Message.id == message_id).with_for_update(skip_locked=True)).first()
    return int(message is not None and runtime.correlate(session, message))


@periodic("engine.retry_incidents", seconds=5)
def retry_incidents() -> int:
    """Run again what failed for a cause that may have passed."""
    with transaction() as session:
        due = list(
            session.scalars(
                select(Incident.id)
                .where(Incident.state == "retrying", Incident.retry_at <= clock.now())
                .order_by(Incident.retry_at)
                .limit(BATCH)
            )
        )
    return sum(_guarded(lambda session, i=incident: _retry(session, i), "incident", incident) for incident in due)


def _retry(session: Session, incident_id: int) -> int:
    due = (
        select(Incident.id)
        .join(Instance, Instance.id == Incident.instance_id)
        .where(Incident.id == incident_id, Incident.state == "retrying", Incident.retry_at <= clock.now())
        .with_for_update(of=(Incident, Instance), skip_locked=True)
    )
    if session.scalar(due) is None:
        return 0
    runtime.retry_incident(session, SYSTEM, incident_id, interactive=False)
    return 1


@periodic("engine.migrate_instances", seconds=5)
def migrate_instances() -> int:
    """Go on with the runs that take instances to another version of their process."""
    return migration.work()


def _guarded(work: Any, kind: str, record_id: int) -> int:
    """One item, one transaction; its failure is logged and does not stop the others."""
    try:
        return int(runtime.perform(work))
    except AppError as refusal:
        logger.warning("job.refused", extra={"kind": kind, "record_id": record_id, "why": str(refusal)})
    except Exception:
        logger.exception("job.failed", extra={"kind": kind, "record_id": record_id})
    finally:
        Sessions.remove()
    return 0


# ------------------------------------------------------------------------------------------------- sweeping


@periodic("engine.sweep", seconds=30)
def sweep() -> None:
    """Free the leases of the dead; drop hints and remembered answers nobody needs any more."""
    with transaction() as session:
        dead = outbox.expired(session)
    for message_id in dead:
        _guarded(lambda session, i=message_id: _free(session, i), "outbox", message_id)
    with transaction() as session:
        now = clock.now()
        session.execute(delete(PushEvent).where(PushEvent.at < now - timedelta(seconds=KEEP_SECONDS)))
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.at < now - IDEMPOTENCY_LIFE))
        migration.sweep(session)
        attachments.sweep(session)
    Sessions.remove()


def _free(session: Session, message_id: int) -> int:
    message = outbox.free(session, message_id)
    if message is None:
        return 0
    if message.state == "unknown" and message.instance_id is not None and message.token is not None:
        told = message.instance_id, message.token, message.channel
        _tell_token(session, *told, message.state, {}, message.last_error)
    return 1


@periodic("engine.sweep_attachments", seconds=3600)
def sweep_attachments() -> None:
    """Remove the bytes of files that nobody names any more."""
    with transaction() as session:
        attachments.sweep_bytes(session)
    Sessions.remove()


@periodic("engine.report_health", seconds=health.PERIOD)
def report_health() -> None:
    """Say how the wires of this process are."""
    with transaction() as session:
        health.report(session, CATALOG.health)
    Sessions.remove()


def backlog(session: Session) -> dict[str, int]:
    """What is due and not done, for health and metrics; each count stops at 1,000."""
    now = clock.now()
    counts = {}
    for name, model, condition in (
        ("timers", Timer, Timer.due_at <= now),
        ("outbox", OutboxMessage, OutboxMessage.state == "queued"),
        ("incidents", Incident, Incident.state == "open"),
    ):
        counts[name] = len(session.execute(select(model.id).where(condition).limit(1000)).all())
    return counts
