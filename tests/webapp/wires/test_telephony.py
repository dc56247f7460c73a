"""From the click to the exchange and back: the listener holds a small Asterisk over a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.telephony.ami import exchange as ami, link
from connectors.telephony.ami.exchange import AsteriskExchange
from connectors.telephony.simulator import SimulatedExchange
from engine import health, leases
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.models.leaving import Lease
from processes.organization import operations as organization
from processes.telephony import operations
from processes.telephony.models import Agent, Call, CallCommand
from tests.connectors import call_traces as traces
from tests.connectors.ami_exchange import AmiExchange
from tests.databases import Database
from webapp import bootstrap, wires
from webapp.listeners import names, telephony as listener
from webapp.settings import Settings

pytestmark = pytest.mark.databases("sqlite")


def until(holds: Callable[[], object], seconds: float = 15) -> float:
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise AssertionError("it did not come about")
        time.sleep(0.01)
    return time.monotonic() - begun


def ask(question: Callable[[Session], Any]) -> Any:
    with transaction() as session:
        answer = question(session)
    Sessions.remove()
    return answer


@pytest.fixture
def li(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Actor]:
    """Li Na at 1001, Zhao Lei at 1002."""
    kept = dict(CATALOG.health)
    bootstrap.join_parts()
    monkeypatch.setattr(ami, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(link, "ANSWER_SECONDS", 1.0)

    def hire(session: Session) -> Actor:
        for number, name in (("1001", "李娜"), ("1002", "赵磊")):
            person = organization.create_employee(session, SYSTEM, values={"number": number, "name": name})
            values = {"person": person, "extension": number, "queues": "sales"}
            agent = operations.create_agent(session, SYSTEM, values=values)
            if number == "1001":
                actor = Actor(person_id=agent.person_id, name=name)
        return actor

    yield ask(hire)
    CATALOG.health.clear()
    CATALOG.health.update(kept)


@pytest.fixture
def peer() -> Iterator[AmiExchange]:
    with AmiExchange() as exchange:
        yield exchange


@pytest.fixture
def holding(li: Actor, peer: AmiExchange) -> Iterator[AmiExchange]:
    stop = threading.Event()
    thread = threading.Thread(target=listener.hold, args=(AsteriskExchange.from_url(peer.url), stop))
    thread.start()
    try:
        until(lambda: ask(operations.connected))
        yield peer
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def call_of(uuid: str) -> tuple[str, str, str] | None:
    row = ask(lambda s: s.execute(select(Call.state, Call.result, Call.cause).where(Call.uuid == uuid)).first())
    return tuple(row) if row is not None else None


def command(session: Session) -> tuple[str, str]:
    found = session.scalars(select(CallCommand).order_by(CallCommand.id.desc())).first()
    return (found.state, found.code) if found is not None else ("", "")


def test_a_click_rings_within_a_moment_and_the_call_is_kept_to_its_end(li: Actor, holding: AmiExchange) -> None:
    holding.originated = lambda call_id: traces.dialled(call_id).events
    call = ask(lambda s: operations.dial(s, li, number="13800138000", key="k"))
    waited = until(lambda: holding.asked("Originate"))
    assert waited < 1.0  # 0.2 s between looks, and a machine that does other things
    assert holding.asked("Originate")[0].get("ChannelId") == call.uuid
    until(lambda: call_of(call.uuid) == ("ended", "answered", "normal"))
    until(lambda: ask(command) == ("done", ""))


def test_an_agent_who_is_not_there(li: Actor, holding: AmiExchange) -> None:
    holding.originated = lambda call_id: traces.agent_is_offline(call_id).events
    call = ask(lambda s: operations.dial(s, li, number="13800138000", key="k"))
    until(lambda: call_of(call.uuid) == ("ended", "agent_unreachable", "agent_unreachable"))


def test_calls_that_come_in_and_agents_are_kept(li: Actor, holding: AmiExchange) -> None:
    missed = traces.queue_abandoned()
    holding.play([{"Event": "DeviceStateChange", "Device": "PJSIP/1001", "State": "NOT_INUSE"}])
    holding.play(traces.queue_answered().events)
    holding.play(missed.events)
    until(lambda: call_of(missed.call_id) == ("ended", "missed", "caller_left"))
    assert call_of(traces.queue_answered().call_id) == ("ended", "answered", "normal")
    presence = select(Agent.presence).where(Agent.extension == "1001")
    until(lambda: ask(lambda s: s.scalar(presence)) == "idle")


def test_a_refused_command_says_why_and_its_call_is_over(li: Actor, holding: AmiExchange) -> None:
    holding.answers["Originate"] = "Extension does not exist."
    call = ask(lambda s: operations.dial(s, li, number="13800138000", key="k"))
    until(lambda: ask(command)[0] == "failed")
    assert call_of(call.uuid) == ("ended", "failed", "failed")


def test_a_command_without_an_answer_is_in_doubt_and_never_repeated(li: Actor, holding: AmiExchange) -> None:
    holding.silent.add("Originate")
    ask(lambda s: operations.dial(s, li, number="13800138000", key="k"))
    until(lambda: ask(command) == ("unknown", "peer_silent"))
    time.sleep(0.6)
    assert len(holding.asked("Originate")) == 1


def test_while_the_exchange_is_away_the_link_is_down_and_lost_calls_are_ended(li: Actor, holding: AmiExchange) -> None:
    open_call = traces.held()
    holding.play(open_call.events)
    until(lambda: call_of(open_call.call_id) == ("held", "", ""))
    holding.refuse_login = True
    holding.cut()
    until(lambda: not ask(operations.connected))
    assert ask(health.seen)["telephony"].reason in ("closed", "auth_refused")
    assert call_of(open_call.call_id) == ("held", "", "")


def test_after_a_reconnect_a_call_that_is_gone_is_lost(li: Actor, holding: AmiExchange) -> None:
    open_call = traces.held()
    holding.play(open_call.events)
    until(lambda: call_of(open_call.call_id) == ("held", "", ""))
    holding.cut()
    until(lambda: call_of(open_call.call_id) == ("ended", "answered", "link_lost"))


def test_a_listener_that_has_lost_its_lease_takes_nothing_and_ends(li: Actor, peer: AmiExchange) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=listener.hold, args=(AsteriskExchange.from_url(peer.url), stop))
    thread.start()
    until(lambda: ask(operations.connected))
    ask(lambda s: s.execute(update(Lease).values(owner="another", fence=Lease.fence + 1)))
    ask(lambda s: operations.dial(s, li, number="13800138000", key="k"))
    thread.join(15)
    assert not thread.is_alive()
    assert peer.asked("Originate") == []
    assert ask(command) == ("queued", "")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_listener_whose_ear_has_failed_ends_and_is_started_anew(li: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deaf, it would still say that the link is up, and every call would pass unseen."""
    exchange = SimulatedExchange(lambda: ())

    def stumble(*_args: object) -> None:
        raise ValueError("a line nobody has thought of")

    monkeypatch.setattr(exchange, "run", stumble)
    thread = threading.Thread(target=listener.hold, args=(exchange, threading.Event()), daemon=True)
    thread.start()
    thread.join(15)
    assert not thread.is_alive()


def test_a_second_listener_waits_for_the_first(li: Actor, holding: AmiExchange) -> None:
    stop = threading.Event()
    second = SimulatedExchange(lambda: ())
    thread = threading.Thread(target=listener.hold, args=(second, stop))
    thread.start()
    time.sleep(1.2)
    assert second._sink is None
    stop.set()
    thread.join(15)
    assert ask(lambda s: leases.acquire(s, wires.TELEPHONY, "third")) is None


def test_which_houses_have_a_listener_for_the_telephone() -> None:
    assert "telephony" not in names(Settings())
    assert "telephony" in names(Settings(ami_url="ami://u:s@127.0.0.1"))
    assert isinstance(wires.exchange(Settings(demo=True, ami_url="ami://u:s@127.0.0.1")), SimulatedExchange)
    assert "s@" not in repr(Settings(ami_url="ami://u:s@127.0.0.1"))


def test_the_demo_companys_exchange_rings_on_request(li: Actor) -> None:
    stop = threading.Event()
    exchange = SimulatedExchange(lambda: ("1001", "1002"), pace=0.01)
    thread = threading.Thread(target=listener.hold, args=(exchange, stop))
    thread.start()
    try:
        until(lambda: ask(operations.connected))
        ask(lambda s: operations.receive(s, li, number="13800138000", answered=False))
        until(lambda: ask(lambda s: s.scalars(select(Call.result)).all()) == ["missed"])
    finally:
        stop.set()
        thread.join(15)
