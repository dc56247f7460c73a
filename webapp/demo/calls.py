"""The telephone rang these days: answered and noted, called in vain, called back, transferred."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from connectors.telephony.events import CallEvent, CallKind, Direction
from engine.actor import Actor
from processes.telephony import operations
from webapp.demo.moments import at
from webapp.demo.people import EXTENSIONS

OURS = "02155660100"
AGENTS = tuple(EXTENSIONS)


class _Call:
    """One call, told event by event the way the exchange tells it."""

    def __init__(self, session: Session, number: int, begun: datetime, direction: Direction, other: str) -> None:
        self._session = session
        self._begun = begun
        did, queue = (OURS, "demo") if direction == "in" else ("", "")
        self._facts: dict[str, Any] = {"direction": direction, "number": other, "did": did, "queue": queue}
        self._id = f"demo-{number}"
        self.id = 0

    def tell(self, seconds: float, kind: CallKind, **more: Any) -> _Call:
        moment = self._begun + timedelta(seconds=seconds)
        with at(moment):
            self.id = operations.note_call(self._session, CallEvent(self._id, moment, kind, **self._facts, **more)).id
        return self

    def ring(self, *agents: str) -> _Call:
        for agent in agents:
            self.tell(1, "ringing", agent=agent)
        return self

    def spoken(self, agent: str, answered: float, ended: float, *others: str, by: str = "customer") -> _Call:
        self.tell(answered, "answered", agent=agent)
        for other in others:
            self.tell(answered, "left", agent=other, cause="answered_elsewhere")
        return self.tell(ended, "left", agent=agent, cause="normal").tell(ended, "ended", cause="normal", ended_by=by)

    def in_vain(self, cause: str, ended: float, *agents: str) -> _Call:
        for agent in agents:
            self.tell(ended, "left", agent=agent, cause=cause)
        return self.tell(ended, "ended", cause=cause, ended_by="customer")


def play(session: Session, actors: Mapping[str, Actor], now: datetime) -> None:
    """Six calls of the last two days; the missed one of this morning is still to be returned."""
    first, second = AGENTS
    wang, li = (actors[EXTENSIONS[agent]] for agent in AGENTS)
    day = timedelta(days=1)

    def call(number: int, before: timedelta, direction: Direction, other: str) -> _Call:
        return _Call(session, number, now - before, direction, other).tell(0, "started")

    asked = call(1, 2 * day, "in", "13900139001").ring(first, second).spoken(first, 6, 412, second)
    _note(session, wang, asked, "询问 50 人版报价，对方是苏州工厂的采购。周五前给正式报价单。", now - 2 * day)
    call(2, day + timedelta(hours=3), "in", "02088776655").ring(second).in_vain("caller_left", 24, second)
    back = call(3, day + timedelta(hours=2), "out", "02088776655").tell(0, "started", agent=second).ring(second)
    _note(session, li, back.spoken(second, 14, 173, by="agent"), "回电：问展会到货时间，已转仓库跟进。", now - day)
    call(4, timedelta(hours=20), "out", "13900139002").tell(0, "started", agent=first).ring(first).in_vain("busy", 9)
    moved = call(5, timedelta(hours=5), "in", "19900000012").ring(first).tell(4, "answered", agent=first)
    moved.tell(60, "transferred", agent=first, to=second, how="blind").tell(60, "left", agent=first, cause="normal")
    moved.tell(61, "ringing", agent=second).spoken(second, 66, 300)
    call(6, timedelta(minutes=50), "in", "13900139003").ring(first, second).in_vain("caller_left", 31, first, second)


def _note(session: Session, actor: Actor, call: _Call, text: str, moment: datetime) -> None:
    with at(moment + timedelta(minutes=8)):
        operations.write_note(session, actor, call_id=call.id, text=text)
