"""The simulated exchange: what the demo company hears of its phones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from connectors.outcome import BadMessage, LinkDown, PeerRefused
from connectors.telephony.events import AgentEvent, CallEvent, ExchangeEvent
from connectors.telephony.simulator import SimulatedExchange


def until(holds: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        time.sleep(0.01)


class Running:
    def __init__(self) -> None:
        self.exchange = SimulatedExchange(lambda: ("8001", "8002"), pace=0.01)
        self.told: list[ExchangeEvent] = []

    def of(self, call_id: str) -> list[str]:
        """ "kind agent cause" of every event of a call."""
        calls = [e for e in self.told if isinstance(e, CallEvent) and e.call_id == call_id]
        return [" ".join(filter(None, (e.kind, e.agent, e.cause))) for e in calls]

    def state(self, agent: str) -> tuple[str, str]:
        states = [(e.state, e.reason) for e in self.told if isinstance(e, AgentEvent) and e.agent == agent]
        return states[-1] if states else ("", "")


@pytest.fixture
def running() -> Iterator[Running]:
    house, stop = Running(), threading.Event()
    thread = threading.Thread(target=house.exchange.run, args=(house.told.append, stop))
    thread.start()
    until(lambda: house.state("8002")[0] == "idle")
    yield house
    stop.set()
    thread.join(5)


def test_a_dialled_number_is_answered_and_ends_by_itself(running: Running) -> None:
    running.exchange.originate("yl-1", "8001", "13800138000")
    until(lambda: "ended normal" in running.of("yl-1"))
    assert running.of("yl-1") == [
        "started 8001", "ringing 8001", "answered 8001", "left 8001 normal", "ended normal",
    ]  # fmt: skip
    assert running.state("8001") == ("idle", "")


@pytest.mark.parametrize(("last", "cause"), [("7", "busy"), ("8", "no_answer"), ("9", "unknown_number")])
def test_the_last_digit_decides(running: Running, last: str, cause: str) -> None:
    running.exchange.originate("yl-2", "8001", f"1380013800{last}")
    until(lambda: f"ended {cause}" in running.of("yl-2"))
    assert "answered 8001" not in running.of("yl-2")


def test_a_call_that_comes_in_rings_at_everybody_idle_and_one_takes_it(running: Running) -> None:
    running.exchange.pause("8002", "", True, "午餐")
    until(lambda: running.state("8002") == ("paused", "午餐"))
    alone = running.exchange.receive("13800138000")
    until(lambda: "ended normal" in running.of(alone))
    assert "ringing 8002" not in running.of(alone)
    running.exchange.pause("8002", "", False)
    until(lambda: running.state("8002")[0] == "idle")
    both = running.exchange.receive("13800138000")
    until(lambda: "ended normal" in running.of(both))
    assert {"ringing 8001", "ringing 8002", "answered 8001", "left 8002 answered_elsewhere"} <= set(running.of(both))


def test_nobody_takes_it(running: Running) -> None:
    call = running.exchange.receive("13800138000", answered=False)
    until(lambda: "ended caller_left" in running.of(call))
    assert "left 8001 caller_left" in running.of(call)


def test_commands_reach_the_call_they_name(running: Running) -> None:
    running.exchange.originate("yl-3", "8001", "13800138000")
    until(lambda: "answered 8001" in running.of("yl-3"))
    running.exchange.transfer("yl-3", "8001", "8002")
    until(lambda: "answered 8002" in running.of("yl-3"))
    running.exchange.hangup("yl-3")
    until(lambda: "ended normal" in running.of("yl-3"))
    with pytest.raises(PeerRefused):
        running.exchange.hangup("yl-3")
    with pytest.raises(BadMessage):
        running.exchange.originate("yl-4", "8001", "1\r\n")


def test_it_refuses_while_it_does_not_run() -> None:
    with pytest.raises(LinkDown):
        SimulatedExchange(lambda: ()).originate("yl-1", "8001", "13800138000")
