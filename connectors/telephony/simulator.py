"""An exchange that is none: phones ring, are taken up and put down by themselves; for the demo company and tests."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Condition, Event
from time import monotonic
from typing import Any

from connectors.outcome import Health, LinkDown, LinkState, PeerRefused, Trial
from connectors.telephony.adapter import Sink, TransferKind, checked_number, checked_word, now
from connectors.telephony.events import AgentEvent, AgentState, CallEvent, Direction, EndedBy, ExchangeEvent, LinkEvent

OUTCOMES = {"7": "busy", "8": "no_answer", "9": "unknown_number"}
"""What becomes of a dialled number by its last digit; every other is answered."""

PICK_UP_SECONDS = 1.5
ANSWER_SECONDS = 3.0
RING_SECONDS = 8.0
TALK_SECONDS = 45.0


@dataclass
class _Call:
    """A call in play."""

    base: CallEvent
    ringing: list[str] = field(default_factory=list)
    talking: str = ""
    over: bool = False


class SimulatedExchange:
    """A PbxAdapter. agents: the extensions that have a phone here, asked whenever it matters.

    pace: 0.1 lets everything take a tenth of its time.
    """

    def __init__(self, agents: Callable[[], Iterable[str]], *, pace: float = 1.0, name: str = "simulator") -> None:
        self.name = name
        self._agents = agents
        self._pace = pace
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count(1)
        self._changed = Condition()
        self._calls: dict[str, _Call] = {}
        self._states: dict[str, tuple[AgentState, str]] = {}
        self._sink: Sink | None = None

    def health(self) -> Health:
        return Health(LinkState.UP, "simulated")

    def try_out(self) -> list[Trial]:
        return [Trial("simulated", True)]

    def run(self, sink: Sink, stop: Event) -> None:
        self._sink = sink
        sink(LinkEvent("up", now(), open_calls=frozenset(self._calls)))
        self._greet()
        while not stop.is_set():
            with self._changed:
                if not self._plan or self._plan[0][0] > monotonic():
                    self._changed.wait(0.05)
                    continue
                _due, _number, act = heapq.heappop(self._plan)
            act()
        self._sink = None

    # --------------------------------------------------------------------------------------------- commands

    def originate(
        self, call_id: str, agent: str, number: str, *, show_number: str | None = None, timeout_s: int = 30
    ) -> None:
        dialled = checked_number(number)
        call = self._begin(checked_word(call_id), "out", dialled, agent=checked_number(agent))
        self._later(0, lambda: self._ring(call, [agent]))
        outcome = OUTCOMES.get(dialled[-1], "normal")
        if outcome == "normal":
            self._later(PICK_UP_SECONDS + ANSWER_SECONDS, lambda: self._answer(call, agent))
            self._later(PICK_UP_SECONDS + ANSWER_SECONDS + TALK_SECONDS, lambda: self._end(call, "normal", "customer"))
        else:
            self._later(PICK_UP_SECONDS + ANSWER_SECONDS, lambda: self._end(call, outcome, "exchange"))

    def receive(self, number: str, *, queue: str = "demo", did: str = "", answered: bool = True) -> str:
        """Let a call come in: it rings at everybody who is idle, and the first of them takes it, or nobody does."""
        call = self._begin(f"sim-{now().timestamp():.3f}-{next(self._numbers)}", "in", number, queue=queue, did=did)
        self._later(0, lambda: self._ring(call, self._idle()))
        if answered:
            self._later(RING_SECONDS, lambda: self._answer(call, (call.ringing or [""])[0]))
            self._later(RING_SECONDS + TALK_SECONDS, lambda: self._end(call, "normal", "customer"))
        self._later(RING_SECONDS * 1.5, lambda: self._give_up(call))
        return call.base.call_id

    def hangup(self, call_id: str) -> None:
        call = self._present(call_id)
        self._later(0, lambda: self._end(call, "normal" if call.talking else "cancelled", "agent"))

    def transfer(self, call_id: str, agent: str, to: str, kind: TransferKind = "blind") -> None:
        call, target = self._present(call_id), checked_number(to)

        def hand_over() -> None:
            self._tell(call, "transferred", agent=agent, to=target, how=kind)
            self._tell(call, "left", agent=agent, cause="normal")
            call.talking = ""
            self._state(agent, "idle")
            self._ring(call, [target])

        self._later(0, hand_over)
        self._later(ANSWER_SECONDS, lambda: self._answer(call, target))

    def pause(self, agent: str, queue: str, on: bool, reason: str = "") -> None:
        state: AgentState = "paused" if on else "idle"
        self._later(0, lambda: self._state(agent, state, checked_word(reason)))

    def sign_in(self, agent: str, queue: str) -> None:
        self._later(0, lambda: self._state(agent, "idle"))

    def sign_out(self, agent: str, queue: str) -> None:
        self._later(0, lambda: self._state(agent, "offline"))

    # --------------------------------------------------------------------------------------------- the play

    def _later(self, seconds: float, act: Callable[[], Any]) -> None:
        if self._sink is None:
            raise LinkDown("The simulated exchange does not run.")
        with self._changed:
            heapq.heappush(self._plan, (monotonic() + seconds * self._pace, next(self._numbers), act))
            self._changed.notify()

    def _say(self, event: ExchangeEvent) -> None:
        if self._sink is not None:
            self._sink(event)

    def _greet(self) -> None:
        for agent in self._agents():
            if agent not in self._states:
                self._state(agent, "idle")

    def _idle(self) -> list[str]:
        self._greet()
        here = list(self._agents())
        return [agent for agent in here if self._states.get(agent, ("offline", ""))[0] == "idle"]

    def _begin(self, call_id: str, direction: Direction, number: str, **more: str) -> _Call:
        call = _Call(CallEvent(call_id, now(), "started", direction, number, raw_id=call_id, **more))  # type: ignore[arg-type]
        started = call.base
        self._later(0, lambda: self._say(replace(started, at=now())))
        call.base = replace(started, agent="")
        self._calls[call_id] = call
        return call

    def _present(self, call_id: str) -> _Call:
        call = self._calls.get(call_id)
        if call is None or call.over:
            raise PeerRefused("There is no such call any more.", code="no_such_call")
        return call

    def _tell(self, call: _Call, kind: str, **more: Any) -> None:
        self._say(replace(call.base, at=now(), kind=kind, **more))  # type: ignore[arg-type]

    def _state(self, agent: str, state: AgentState, reason: str = "") -> None:
        if self._states.get(agent) != (state, reason):
            self._states[agent] = (state, reason)
            self._say(AgentEvent(agent, now(), state, reason))

    def _ring(self, call: _Call, agents: Iterable[str]) -> None:
        for agent in [] if call.over else agents:
            call.ringing.append(agent)
            self._tell(call, "ringing", agent=agent, leg=f"{call.base.call_id}/{agent}")
            self._state(agent, "ringing")

    def _stop_ringing(self, call: _Call, cause: str) -> None:
        for agent in call.ringing:
            self._tell(call, "left", agent=agent, cause=cause)
            self._state(agent, "idle")
        call.ringing.clear()

    def _answer(self, call: _Call, agent: str) -> None:
        if call.over or agent not in call.ringing:
            return
        call.ringing.remove(agent)
        call.talking = agent
        self._tell(call, "answered", agent=agent, leg=f"{call.base.call_id}/{agent}")
        self._state(agent, "busy")
        self._stop_ringing(call, "answered_elsewhere")

    def _give_up(self, call: _Call) -> None:
        if not call.talking:
            self._end(call, "caller_left", "customer")

    def _end(self, call: _Call, cause: str, by: EndedBy) -> None:
        if call.over:
            return
        call.over = True
        self._stop_ringing(call, "caller_left" if call.base.direction == "in" else "normal")
        if call.talking:
            self._tell(call, "left", agent=call.talking, cause="normal")
            self._state(call.talking, "idle")
        self._tell(call, "ended", cause=cause, ended_by=by)
        del self._calls[call.base.call_id]
