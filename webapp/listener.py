"""Holds a device: the SMS modem. One listener per device, kept single by a lease in the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.sms.pdu import DeliveryState
from connectors.sms.transport import HealthChanged, Received, Report, SmsEvent, SmsTransport, Unreadable
from engine import clock, health, jobs, leases, outbox, runtime
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from webapp import bootstrap, wires
from webapp.settings import Settings

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
REPORT_WINDOW = timedelta(hours=48)
"""A modem's references wrap at 256: a report is matched with the newest part of that reference this recent."""


def run(settings: Settings, stop: threading.Event) -> None:
    """Hold the modem until told to stop; without one there is nothing to hold."""
    bootstrap.start(settings)
    if not wires.has_modem(settings):
        logger.info("listener.nothing_to_hold")
        stop.wait()
        return
    hold(wires.modem(settings), settings.sms_modem, stop)


def hold(road: SmsTransport, device: str, stop: threading.Event) -> None:
    """Send and receive over the road while the lease on the device is ours."""
    duty = f"sms:{device}"[:80]
    me = jobs.owner()
    outbox.HANDLERS.clear()
    handler = wires.SmsHandler(road)
    outbox.HANDLERS[wires.SMS] = handler
    CATALOG.health[wires.SMS] = wires.health_of(handler)
    reported = -health.PERIOD
    listening = threading.Thread(target=_listen, args=(road, stop), name="sms-events", daemon=True)
    began = False
    while not stop.is_set():
        if _acquire(duty, me):
            if not began:
                listening.start()
                began = True
            jobs.deliver_outbox()
            if time.monotonic() - reported >= health.PERIOD:
                jobs.report_health()
                reported = time.monotonic()
        elif began:
            logger.error("listener.lost_its_lease", extra={"device": device})
            break  # the supervisor starts us anew, and the port is closed before
        stop.wait(BEAT_SECONDS)
    stop.set()
    road.close()
    with transaction() as session:
        leases.release(session, duty, me)
    Sessions.remove()


def _acquire(duty: str, me: str) -> bool:
    with transaction() as session:
        fence = leases.acquire(session, duty, me)
    Sessions.remove()
    return fence is not None


def _listen(road: SmsTransport, stop: threading.Event) -> None:
    """Store every event before the road acknowledges it; one that cannot be stored comes again."""
    while not stop.is_set():
        try:
            for event in road.events(stop):
                runtime.perform(_keeping(event, road.name))
                Sessions.remove()
        except Exception:
            logger.exception("listener.event_failed", extra={"road": road.name})
            Sessions.remove()
            time.sleep(BEAT_SECONDS)


def _keeping(event: SmsEvent, road: str) -> Callable[[Session], None]:
    def keep(session: Session) -> None:
        match event:
            case Report():
                note_report(session, event, road)
            case Received(pdu=pdu, part=part):
                runtime.publish(
                    session,
                    name="messaging.sms_part_received",
                    message_id=f"{road}:{pdu}"[-120:],
                    variables={"pdu": pdu, "from": part.sender, "text": part.text, "road": road},
                )
            case Unreadable(pdu=pdu, why=why):
                logger.error("listener.unreadable", extra={"road": road, "octets": len(pdu) // 2, "why": why})
            case HealthChanged(health=link):
                logger.warning("listener.health", extra={"road": road, "state": link.state, "reason": link.reason})

    return keep


def note_report(session: Session, report: Report, road: str) -> None:
    """A status report: the message is delivered when each of its parts is."""
    recent = (
        select(OutboxMessage)
        .where(
            OutboxMessage.channel == wires.SMS,
            OutboxMessage.state == "sent",
            OutboxMessage.sent_at >= clock.now() - REPORT_WINDOW,
        )
        .order_by(OutboxMessage.id.desc())
        .limit(500)
        .with_for_update()
    )
    for message in session.scalars(recent):
        result = dict(message.result)
        index = next((i for i, ref in result.get("refs", {}).items() if ref == report.ref), None)
        if index is None or result.get("road") != road or not _same_number(str(message.payload["to"]), report.to):
            continue
        if report.state in (DeliveryState.TRYING, DeliveryState.RESERVED):
            return
        states = {**result.get("reports", {}), index: report.state.value}
        message.result = {**result, "reports": states}
        if report.state is not DeliveryState.DELIVERED:
            message.state, message.last_error = "failed", f"status report {report.status:#04x}"
        elif len(states) == result.get("total") and set(states.values()) == {DeliveryState.DELIVERED.value}:
            message.state = "delivered"
        return
    logger.info("listener.report_without_message", extra={"road": road, "ref": report.ref})


def _same_number(sent_to: str, reported: str) -> bool:
    """Networks report "13800138000", "8613800138000" or "+8613800138000" for the same phone."""
    return sent_to.lstrip("+").endswith(reported.lstrip("+")[-11:])
