"""Holds the telephone exchange: keeps what it tells, carries out what people ask of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from sqlalchemy.orm import Session

from connectors.outcome import ConnectorError, PeerSilent
from connectors.telephony.adapter import PbxAdapter
from connectors.telephony.events import AgentEvent, CallEvent, ExchangeEvent, LinkEvent
from connectors.telephony.simulator import SimulatedExchange
from engine import delivering, health, leases, runtime, wire_tests
from engine.catalog import CATALOG
from engine.db import Sessions
from processes.telephony import operations
from processes.telephony.operations import Order
from webapp import wires
from webapp.listeners import holding
from webapp.settings import Settings

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

LOOK_SECONDS = 0.2
"""Between two looks for commands: a phone rings at most so much later."""
REPORT_SECONDS = 5.0
"""Between two reports of the link's health and renewals of the lease: pages trust a report for twenty."""
BATCH = 100
HANDS = 4
"""Commands carried out at once: some wait seconds for the exchange's answer."""


def names(settings: Settings) -> tuple[str, ...]:
    """One process for the exchange, where there is one."""
    return (wires.TELEPHONY,) if wires.has_exchange(settings) else ()


def run(settings: Settings, _name: str, stop: threading.Event) -> None:
    """Hold the exchange until told to stop."""
    hold(wires.exchange(settings), stop)


def hold(exchange: PbxAdapter, stop: threading.Event) -> None:
    """Keep events and carry out commands while the lease is ours."""
    me = delivering.owner()
    while not stop.is_set() and not holding.acquire(wires.TELEPHONY, me):
        stop.wait(LOOK_SECONDS * 5)
    if not stop.is_set():
        _Holder(exchange, me).work(stop)
    holding.release(wires.TELEPHONY, me)


class _Holder:
    """The exchange in this process's hands."""

    def __init__(self, exchange: PbxAdapter, me: str) -> None:
        self._exchange = exchange
        self._me = me
        self._events: SimpleQueue[ExchangeEvent] = SimpleQueue()
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="exchange-command")

    def work(self, stop: threading.Event) -> None:
        listening = threading.Thread(
            target=self._exchange.run, args=(self._events.put, stop), name="exchange-events", daemon=True
        )
        listening.start()
        wire_tests.TRIALS[wires.TELEPHONY] = wires.trial_of_road(self._exchange)
        looked = reported = float("-inf")
        while not stop.is_set():
            events = self._gathered()
            if events:
                _keep(events)
            if not listening.is_alive() and not stop.is_set():
                logger.error("listener.deaf", extra={"device": wires.TELEPHONY})
                break  # its thread has stumbled: the supervisor starts us anew, with a new link
            now = time.monotonic()
            told_of_link = any(isinstance(event, LinkEvent) for event in events)
            if told_of_link or now - reported >= REPORT_SECONDS:
                if not self._report():
                    logger.error("listener.lost_its_lease", extra={"device": wires.TELEPHONY})
                    break  # the supervisor starts us anew
                reported = now
                self._hands.submit(_try_out)
            if now - looked >= LOOK_SECONDS:
                self._carry_out_commands()
                looked = now
        stop.set()
        listening.join(5)
        self._hands.shutdown()
        _keep(self._gathered(wait=0))
        self._report()

    def _gathered(self, wait: float = LOOK_SECONDS / 2) -> list[ExchangeEvent]:
        """What has come in; waits a moment for the first."""
        found: list[ExchangeEvent] = []
        try:
            found.append(self._events.get(timeout=wait) if wait else self._events.get_nowait())
            while len(found) < BATCH:
                found.append(self._events.get_nowait())
        except Empty:
            pass
        return found

    def _report(self) -> bool:
        """Say how the link is, and that the duty is still ours."""
        how = self._exchange.health()
        CATALOG.health[wires.TELEPHONY] = lambda: (how.state.value, how.reason)

        def write(session: Session) -> bool:
            if leases.acquire(session, wires.TELEPHONY, self._me) is None:
                return False
            health.report(session, {wires.TELEPHONY: CATALOG.health[wires.TELEPHONY]})
            return True

        return _once(write)

    def _carry_out_commands(self) -> None:
        try:
            if _look():
                for order in _once(self._taken):
                    self._hands.submit(carry_out, self._exchange, order)
        except Exception:
            logger.exception("telephony.commands_failed")

    def _taken(self, session: Session) -> list[Order]:
        """Under the lease: one who has lost it must not touch the exchange any more."""
        fence = leases.acquire(session, wires.TELEPHONY, self._me)
        return operations.take(session, fence=fence) if fence is not None else []


def _once(work: Callable[[Session], Result]) -> Result:
    try:
        return runtime.perform(work)
    finally:
        Sessions.remove()


def _try_out() -> None:
    """What somebody asked for on the connectors' page."""
    try:
        wire_tests.answer()
    except Exception:
        logger.exception("telephony.trial_failed")
    finally:
        Sessions.remove()


def _look() -> bool:
    """Whether anything waits; on SQLite without standing in the writers' line."""
    session = Sessions()
    try:
        if session.get_bind().dialect.name == "sqlite":
            session.connection(execution_options={"read_only": True})
        return operations.waiting(session)
    finally:
        Sessions.remove()


# ------------------------------------------------------------------------------------------------- what it tells


def _keep(events: Sequence[ExchangeEvent]) -> None:
    """All in one transaction, for there may be hundreds a second; one that cannot be kept holds up no other."""
    try:
        _once(lambda session: keep(session, events))
    except Exception:
        if len(events) == 1:
            logger.exception("telephony.event_failed", extra={"event": type(events[0]).__name__})
            return
        for event in events:
            _keep([event])


def keep(session: Session, events: Sequence[ExchangeEvent]) -> None:
    """Calls and agents apart, for they do not touch each other; a link that comes up sees every call before it."""
    calls: list[CallEvent] = []
    for event in events:
        match event:
            case CallEvent():
                calls.append(event)
            case AgentEvent():
                operations.note_presence(session, event)
            case LinkEvent():
                operations.note_calls(session, calls)
                calls = []
                _note_link(session, event)
    operations.note_calls(session, calls)


def _note_link(session: Session, link: LinkEvent) -> None:
    logger.warning("telephony.link", extra={"state": link.state, "reason": link.reason})
    if link.state == "up":
        gone = operations.close_gone(session, link.open_calls, at=link.at)
        if gone:
            logger.warning("telephony.calls_lost", extra={"count": len(gone)})


# ------------------------------------------------------------------------------------------------- what it is asked


def carry_out(exchange: PbxAdapter, order: Order) -> None:
    """Do one command and write down what came of it; it is never done twice."""
    state, code, error = "done", "", ""
    try:
        _ask(exchange, order)
    except PeerSilent as silent:
        state, code, error = "unknown", silent.code, str(silent)
    except ConnectorError as refusal:
        state, code, error = "failed", refusal.code, str(refusal)
    except Exception as failure:
        logger.exception("telephony.command_failed", extra={"command": order.id, "kind": order.kind})
        state, code, error = "unknown", "failed", type(failure).__name__
    try:
        _once(lambda session: operations.settle(session, order, state, code=code, error=error))
    except Exception:
        logger.exception("telephony.command_not_settled", extra={"command": order.id})


def _ask(exchange: PbxAdapter, order: Order) -> None:
    given = order.arguments
    match order.kind:
        case "dial":
            exchange.originate(order.uuid, order.agent, given["number"])
        case "hang_up":
            exchange.hangup(order.uuid)
        case "transfer":
            exchange.transfer(order.uuid, order.agent, given["to"], given["how"])
        case "pause" | "resume":
            exchange.pause(order.agent, "", order.kind == "pause", given.get("reason", ""))
        case "sign_in":
            for queue in given["queues"]:
                exchange.sign_in(order.agent, queue)
        case "sign_out":
            for queue in given["queues"]:
                exchange.sign_out(order.agent, queue)
        case "receive" if isinstance(exchange, SimulatedExchange):
            exchange.receive(given["number"], answered=given["answered"])
        case _:
            raise ConnectorError(f"There is no command {order.kind}.", code="no_such_command")
