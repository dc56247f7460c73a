"""The wallboard: how it stands at the telephones now, and how the day has gone so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, joinedload

from engine import clock
from engine.actor import Actor
from processes.kernel.periods import begin_of, seconds_between
from processes.kernel.working_time import business_date
from processes.organization.permissions import require
from processes.telephony import permissions
from processes.telephony.models import Agent, Call
from processes.telephony.operations.commands import connected


@dataclass(frozen=True)
class Board:
    at: datetime
    connected: bool
    waiting: int
    """calls that came in and nobody has taken yet"""
    waiting_since: datetime | None
    """of the one that waits longest"""
    talking: int
    answered: int
    """of today's incoming calls, like those that follow"""
    missed: int
    given_up: int
    """of those missed: the caller put down himself"""
    in_time: int
    within: int
    """seconds in which a call should be answered"""
    average_wait: int | None
    average_talk: int | None
    """seconds"""
    agents: list[Agent] = field(default_factory=list)

    @property
    def offered(self) -> int:
        return self.answered + self.missed

    @property
    def service_level(self) -> int | None:
        """Per cent of those answered or missed today that were answered in time."""
        return 100 * self.in_time // self.offered if self.offered else None

    @property
    def presences(self) -> Mapping[str, int]:
        """How many agents are how; nobody knows while the exchange is away."""
        return Counter(agent.presence if self.connected else "" for agent in self.agents)


def board(session: Session, actor: Actor, *, within: int) -> Board:
    """Of the calls and agents the actor may see; ix_phone_call_open and ix_phone_call_started carry it."""
    require(actor, permissions.TEAM)
    now, seen = clock.now(), permissions.visible_to(actor)
    waits = (Call.direction == "in") & Call.answered_at.is_(None)
    live = select(_count(waits), func.min(case((waits, Call.started_at))), _count(Call.answered_at.is_not(None)))
    waiting, since, talking = session.execute(live.where(Call.ended_at.is_(None), seen)).one()
    taken = Call.answered_at.is_not(None)
    missed = taken.is_(False) & Call.ended_at.is_not(None)
    wait = seconds_between(Call.started_at, Call.answered_at)
    today = select(
        _count(taken),
        _count(missed),
        _count(missed & gave_up()),
        _count(taken & (wait <= within)),
        func.sum(case((taken, wait))),
        func.sum(case((taken & Call.ended_at.is_not(None), seconds_between(Call.answered_at, Call.ended_at)))),
        _count(taken & Call.ended_at.is_not(None)),
    ).where(Call.direction == "in", Call.started_at >= begin_of(business_date(now)), seen)
    answered, unanswered, given_up, in_time, waited, talked, over = session.execute(today).one()
    team = select(Agent).where(Agent.state == "active", permissions.watched_agents(actor))
    return Board(
        at=now,
        connected=connected(session),
        waiting=waiting,
        waiting_since=since,
        talking=talking,
        answered=answered,
        missed=unanswered,
        given_up=given_up,
        in_time=in_time,
        within=within,
        average_wait=round(int(waited) / answered) if answered else None,
        average_talk=round(int(talked) / over) if over else None,
        agents=list(session.scalars(team.options(joinedload(Agent.person)).order_by(Agent.extension))),
    )


def gave_up() -> Any:
    """Whoever wanted the other side put down before it answered."""
    return case(
        (Call.direction == "out", Call.result == "cancelled"),
        else_=(Call.ended_by == "customer") | (Call.cause == "caller_left"),
    )


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
