"""The heartbeat: due timers, the outbox, messages, incidents, and sweeping; each item in a short transaction."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from engine import attachments, clock, events, health, migration, outbox, runtime, wire_tests
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, UTCDateTime, transaction
from engine.delivering import tell_of
from engine.errors import AppError
from engine.live import KEEP_SECONDS
from engine.models import IdempotencyKey, Incident, Instance, Message, OutboxMessage, PushEvent, StartTimer, Timer
from engine.queue import periodic

logger = logging.getLogger(__name__)

BATCH = 50
IDEMPOTENCY_LIFE = timedelta(days=2)


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
    tell_of(session, message, message.state, {}, message.last_error)
    outbox.moved(session, message.channel, [message.id], message.state)
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


@periodic("engine.watch_wires", seconds=health.PERIOD)
def watch_wires() -> None:
    """Announce the wires that have gone down for good, and those that are back."""

    def watch(session: Session) -> None:
        for change in health.changes(session):
            events.publish(session, events.WIRE_CHANGED, change=change)

    runtime.perform(watch)
    Sessions.remove()


@periodic("engine.answer_wire_tests", seconds=1)
def answer_wire_tests() -> int:
    """Try the wires of this process that somebody wants to know about."""
    return wire_tests.answer()


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
