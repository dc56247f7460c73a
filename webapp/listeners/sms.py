"""Holds the SMS modem: sends what waits, stores what comes in and what became of what was sent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from connectors.outcome import LinkState
from connectors.sms.transport import (
    Handed,
    HealthChanged,
    Incoming,
    ProviderReport,
    Received,
    Report,
    SmsEvent,
    SmsTransport,
    Unreadable,
)
from engine import delivering, health, jobs, outbox, runtime, wire_tests
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.wire import Limits
from processes.messaging.operations import receiving, reporting
from webapp import wires
from webapp.listeners import holding
from webapp.settings import Settings
from webapp.wires import pool

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
BURST_SECONDS = 5.0
"""How long messages are sent without a look at the lease on the device."""


def names(settings: Settings) -> tuple[str, ...]:
    """A process for each modem, and one for smsd's spool."""
    return pool.devices(settings)


def run(settings: Settings, name: str, stop: threading.Event) -> None:
    """Hold the modem, or the spool, of this name until told to stop."""
    _forget_gone(settings)
    roads = pool.names(settings)
    device = next((modem for modem in pool.modems(settings) if modem.name == name), None)
    if device is not None:
        hold(wires.modem(device), device.port, stop, name=name, roads=roads)
    else:
        spool = wires.spool(settings)
        hold(spool, spool.name, stop, name=name, roads=roads, retry_unknown=True)


def hold(
    road: SmsTransport,
    device: str,
    stop: threading.Event,
    *,
    name: str = wires.SMS,
    roads: Sequence[str] = (wires.SMS,),
    retry_unknown: bool = False,
) -> None:
    """Send and receive over the road while the lease on the device is ours; `roads`: all that this house has."""
    duty = f"sms:{device}"[:80]
    me = delivering.owner()
    handler = wires.SmsHandler(
        road, retry_unknown, others_up=lambda: pool.others_up(name, roads), limits=Limits(gate=name)
    )
    outbox.HANDLERS.clear()
    outbox.HANDLERS[wires.SMS] = handler
    CATALOG.health[name] = own = wires.health_of(handler)
    CATALOG.health[wires.SMS] = pool.of_channel(name, own, roads)
    wire_tests.TRIALS[name] = wires.trial_of(handler)
    listening = threading.Thread(target=_listen, args=(road, stop), name="sms-events", daemon=True)
    told = _Told()
    began = False
    while not stop.is_set():
        if holding.acquire(duty, me):
            if not began:
                listening.start()
                began = True
            told.tell(road)
            wire_tests.answer()
            _send_for_a_while(road, handler, stop)
        elif began:
            logger.error("listener.lost_its_lease", extra={"device": device})
            break  # the supervisor starts us anew, and the port is closed before
        stop.wait(BEAT_SECONDS)
    stop.set()
    road.close()
    holding.release(duty, me)


def _send_for_a_while(road: SmsTransport, handler: wires.SmsHandler, stop: threading.Event) -> None:
    """One message after the other, as long as there are any and it is our turn; then the lease wants to be renewed."""
    until = time.monotonic() + BURST_SECONDS
    while not stop.is_set() and time.monotonic() < until:
        if road.health().state is not LinkState.UP and handler.left_to_others():
            return
        if not delivering.deliver_batch(wires.SMS, 1):  # one: what we hold, no other modem can send
            return


class _Told:
    """When the others last heard how we are; a change is told at once, for they take our messages over."""

    def __init__(self) -> None:
        self._at = -health.PERIOD
        self._state: LinkState | None = None

    def tell(self, road: SmsTransport) -> None:
        state = road.health().state
        if state is self._state and time.monotonic() - self._at < health.PERIOD:
            return
        jobs.report_health()
        self._state, self._at = state, time.monotonic()


def _forget_gone(settings: Settings) -> None:
    """A modem that was taken out of the setting is not missed for ever."""
    kept = {wires.SMS, *pool.names(settings)}
    with transaction() as session:
        known = (name for name in health.seen(session) if name.startswith(f"{wires.SMS}-"))
        health.forget(session, [name for name in known if name not in kept])
    Sessions.remove()


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
                reporting.note_report(
                    session, road=road, to=event.to, state=event.state, ref=event.ref, code=f"{event.status:#04x}"
                )
            case Received(pdu=pdu):
                receiving.receive_part(session, pdu=pdu, road=road)
            case Incoming():
                receiving.receive_message(
                    session,
                    sender=event.sender,
                    text=event.text,
                    road=road,
                    external_id=event.external_id,
                    at=event.at,
                )
            case Handed():
                reporting.note_refs(session, message_id=event.message_id, refs=event.refs, road=road)
            case ProviderReport():
                reporting.note_report(
                    session,
                    road=road,
                    to=event.to,
                    state=event.state,
                    message_id=event.message_id,
                    code=event.code,
                )
            case Unreadable(pdu=pdu, why=why):
                receiving.keep_unreadable(session, pdu=pdu, road=road)
                logger.error("listener.unreadable", extra={"road": road, "octets": len(pdu) // 2, "why": why})
            case HealthChanged(health=link):
                logger.warning("listener.health", extra={"road": road, "state": link.state, "reason": link.reason})

    return keep
