"""Brings the outbox to its wires: as many at a time as leave in a moment, each channel by one thread of a process."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine import clock, events, gates, outbox, runtime
from engine.db import Sessions, transaction
from engine.errors import AppError, Conflict
from engine.models import OutboxAttempt, OutboxMessage
from engine.queue import periodic
from engine.wire import Delivery, Handler, Leased, Limits, is_ready

logger = logging.getLogger(__name__)

BATCH = 100
"""Messages leased at once."""
MOMENT = 0.05
"""Seconds. What leaves within it is begun and settled together; a process killed leaves only that much in doubt."""

RESTING = ("sent", "failed", "unknown")

_threads: dict[str, threading.Lock] = defaultdict(threading.Lock)


def owner() -> str:
    """Names this thread in leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]


@dataclass(frozen=True, slots=True)
class Tried:
    message: Leased
    delivery: Delivery
    milliseconds: int

    @property
    def answered(self) -> bool | None:
        """Whether the peer said yes or no; what was put off or is in doubt says it may be down. None: not asked."""
        return self.delivery.outcome in ("accepted", "rejected") if self.delivery.tried else None


class Pace:
    """How many messages of a channel are begun together: one at first, more as long as they leave in a moment."""

    def __init__(self) -> None:
        self.most = 1

    def learn(self, results: Sequence[Tried]) -> None:
        took = sum(one.milliseconds for one in results) / 1000
        self.most = min(self.most * 2, BATCH) if took < MOMENT else max(self.most // 2, 1)


@periodic(outbox.DELIVER_JOB, seconds=1)
def deliver_outbox() -> int:
    """Send what is ready on the channels this process serves; returns how many messages were taken."""
    served = [channel for channel, handler in outbox.HANDLERS.items() if is_ready(handler)]
    if not served:
        return 0
    with transaction() as session:
        ready = outbox.channels_ready(session, served)
    taken = 0
    for channel in ready:
        # A slow peer keeps one thread: the next hint finds the channel in work and serves the others.
        if _threads[channel].acquire(blocking=False):
            try:
                pace = Pace()
                while (batch := deliver_batch(channel, pace=pace)) == BATCH:
                    taken += batch
                taken += batch
            finally:
                _threads[channel].release()
    Sessions.remove()
    return taken


def deliver_batch(channel: str, limit: int = BATCH, pace: Pace | None = None) -> int:
    """Take up to so many ready messages of a channel and send them; how many were taken, fewer when its gate shuts."""
    handler = outbox.HANDLERS[channel]
    limits: Limits = getattr(handler, "limits", Limits())
    gate = limits.gate or channel
    with transaction() as session:
        room = gates.room(session, gate, limit, limits.per_minute)
        batch = outbox.lease(session, [channel], owner(), room) if room else []
    waiting = list(_past_closed_lanes(batch, limits))
    pace = pace or Pace()
    while waiting:
        chunk = waiting[: pace.most]
        del waiting[: pace.most]
        results = _send(handler, chunk)
        pace.learn(results)
        shut = _note(results, gate, limits)
        if gate in shut:
            with transaction() as session:
                outbox.put_back(session, waiting)
            return len(batch) - len(waiting)
        if shut:
            waiting = list(_past_closed_lanes(waiting, limits))
    Sessions.remove()
    return len(batch)


def _past_closed_lanes(batch: Sequence[Leased], limits: Limits) -> Sequence[Leased]:
    """What lies behind a closed gate of its own waits there; the others go on."""
    if limits.lane is None or not batch:
        return batch
    lanes = {message.id: limits.lane(message) for message in batch}
    with transaction() as session:
        shut = gates.closed(session, set(lanes.values()))
        for lane, until in shut.items():
            outbox.put_back(session, [message for message in batch if lanes[message.id] == lane], until)
    return [message for message in batch if lanes[message.id] not in shut]


def _send(handler: Handler, chunk: Sequence[Leased]) -> list[Tried]:
    with transaction() as session:
        begun = outbox.begin_attempts(session, chunk)
    results = []
    for message in begun:
        began = time.monotonic()
        delivery = _attempt(handler, message)
        results.append(Tried(message, delivery, round((time.monotonic() - began) * 1000)))
    _settle(results)
    return results


def _attempt(handler: Handler, message: Leased) -> Delivery:
    try:
        return handler.deliver(message)
    except Exception as error:
        # The wire may have been touched: whoever cannot say "nothing was sent" must not be repeated blindly.
        logger.exception("outbox.handler_failed", extra={"outbox_id": message.id, "channel": message.channel})
        return Delivery("unknown", error=f"{type(error).__name__}: {error}"[:500])


def _settle(results: Sequence[Tried]) -> None:
    """Keep what came of each: those a process waits for each with its step, the others together."""
    alone = [one for one in results if one.message.token is not None]
    together = [one for one in results if one.message.token is None]
    for group in [together, *([one] for one in alone)]:
        if group:
            runtime.perform(partial(_keep, results=group))


def _keep(session: Session, results: Sequence[Tried]) -> None:
    states = outbox.settle_many(session, [(one.message, one.delivery) for one in results])
    kept = [one for one in results if one.message.id in states]
    if kept:
        session.execute(insert(OutboxAttempt), [_row(one) for one in kept])
    for one in kept:
        tell_of(session, one.message, states[one.message.id], dict(one.delivery.detail), one.delivery.error)
    _say_moved(session, {one.message.id: (one.message.channel, states[one.message.id]) for one in kept})
    if len(kept) < len(results):
        logger.warning("outbox.late_results", extra={"count": len(results) - len(kept)})


def _say_moved(session: Session, moved: dict[int, tuple[str, str]]) -> None:
    """Last of all, for whoever keeps accounts of messages locks rows of his own."""
    for channel, state in sorted(set(moved.values())):
        outbox.moved(session, channel, sorted(one for one, where in moved.items() if where == (channel, state)), state)


def _row(one: Tried) -> dict[str, Any]:
    return {
        "message_id": one.message.id,
        "at": clock.now(),
        "channel": one.message.channel,
        "number": one.message.attempts + 1,
        "outcome": one.delivery.outcome,
        "milliseconds": one.milliseconds,
        "road": str(one.delivery.detail.get("road", ""))[:200],
        "error": one.delivery.error[:500],
    }


def _note(results: Sequence[Tried], gate: str, limits: Limits) -> set[str]:
    """Tell the gates how their peers answered; the names of those that have closed."""
    answers: dict[str, list[bool]] = defaultdict(list)
    for one in results:
        if one.answered is not None:
            answers[limits.lane(one.message) if limits.lane else gate].append(one.answered)
    with transaction() as session:
        return {
            name for name, heard in sorted(answers.items()) if not gates.note(session, name, heard, limits.patience)
        }


def tell_of(session: Session, message: Leased | OutboxMessage, state: str, result: dict[str, Any], error: str) -> None:
    """Say that a message has come to rest, and give a connector task that waits for it what its wire answered.

    What has left stays sent, whatever the diagram makes of it.
    """
    if state not in RESTING:
        return
    events.publish(session, events.SETTLED, message_id=message.id, channel=message.channel, state=state, result=result)
    instance_id, token = message.instance_id, message.token
    if instance_id is None or token is None:
        return
    try:
        with session.begin_nested():
            runtime.settle_connector(session, instance_id, token, message.channel, state, result, error)
    except Conflict:
        logger.info("outbox.nobody_waits", extra={"instance_id": instance_id, "token": token, "state": state})
    except AppError as refusal:
        runtime.settle_connector(session, instance_id, token, message.channel, "failed", {}, str(refusal))
