"""Keeps calls as the exchange tells them: late, repeated and shuffled events leave the same call behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload, selectinload

from connectors.telephony.events import CallEvent
from engine import clock, events, live
from processes.telephony import permissions, rules
from processes.telephony.models import Agent, Call, CallCommand, CallLeg
from processes.telephony.operations.plan import plan

PUSH = "call"
"""The kind of push that lets open pages look at the calls of their person again."""
BOARD = "board"
"""The kind of push that lets open wallboards look again; says nothing of the call."""

MISSED = "telephony.call_missed"
"""Nobody took a call that came in: call_id, number, people (rung, in order), at."""
ENDED = "telephony.call_ended"
"""A call is over: call_id, result."""


def note_call(session: Session, event: CallEvent, *, exchange: str = rules.EXCHANGE) -> Call:
    """Keep one event. Every fact counts from its earliest mention; the end stays the end."""
    return note_calls(session, [event], exchange=exchange)[0]


def note_calls(session: Session, told: Sequence[CallEvent], *, exchange: str = rules.EXCHANGE) -> list[Call]:
    """Keep events of many calls, in their order; what follows from them is drawn once for each call."""
    of_call: dict[str, list[CallEvent]] = {}
    for event in told:
        of_call.setdefault(event.call_id, []).append(event)
    extensions = {event.agent for event in told if event.agent}
    known = select(Agent).where(Agent.extension.in_(extensions)).options(joinedload(Agent.person))
    agents = {agent.extension: agent for agent in session.scalars(known)} if extensions else {}
    calls = [_noted(session, call_id, events_of, agents, exchange) for call_id, events_of in of_call.items()]
    tell_boards(session)
    return calls


def _noted(
    session: Session, call_id: str, told: Sequence[CallEvent], agents: Mapping[str, Agent], exchange: str
) -> Call:
    call = _locked(session, call_id, min(event.at for event in told), exchange)
    was = call.state
    for event in told:
        agent = agents.get(event.agent)
        _identify(call, event, agent)
        match event.kind:
            case "ringing" if agent is not None:
                _ring(_leg(call, agent), event)
            case "answered":
                _answer(call, agent, event)
            case "left" if agent is not None:
                _leave(_leg(call, agent), event)
            case "held" | "resumed":
                if call.held_at is None or event.at >= call.held_at:
                    call.held_at, call.is_held = event.at, event.kind == "held"
            case "transferred":
                _transfer(call, event)
            case "ended":
                call.ended_at = max(event.at, call.ended_at) if call.ended_at is not None else event.at
                call.cause, call.ended_by = event.cause, event.ended_by
    _conclude(session, call, was)
    return call


def tell_boards(session: Session) -> None:
    live.push(session, [live.holders_of(permissions.TEAM)], BOARD)


def close_gone(
    session: Session, open_calls: Collection[str], *, at: datetime, exchange: str = rules.EXCHANGE
) -> list[Call]:
    """After a reconnect: what is open with us and gone at the exchange ended while nobody looked.

    A call whose dialling the listener has not taken before `at` has not begun there yet.
    """
    waiting = select(CallCommand.call_id).where(
        CallCommand.kind == "dial",
        CallCommand.call_id.is_not(None),
        or_(CallCommand.state == "queued", CallCommand.taken_at > at),
    )
    lost = select(Call).where(Call.ended_at.is_(None), Call.exchange == exchange, Call.started_at < at)
    lost = lost.where(Call.id.not_in(waiting)).order_by(Call.id).with_for_update()
    gone = [call for call in session.scalars(lost) if call.uuid not in open_calls]
    for call in gone:
        was, call.ended_at, call.cause = call.state, clock.now(), "link_lost"
        _conclude(session, call, was)
    if gone:
        tell_boards(session)
    return gone


def fail_call(session: Session, call_id: int, cause: str) -> None:
    """A call that never came to the exchange."""
    call = session.get_one(Call, call_id, with_for_update=True, populate_existing=True)
    if call.ended_at is None:
        was, call.ended_at, call.cause = call.state, clock.now(), cause
        _conclude(session, call, was)


# ------------------------------------------------------------------------------------------------- one event


def _locked(session: Session, call_id: str, at: datetime, exchange: str) -> Call:
    wanted = (
        select(Call)
        .where(Call.uuid == call_id)
        .options(selectinload(Call.legs).joinedload(CallLeg.agent).joinedload(Agent.person))
        .with_for_update(of=Call)
        .execution_options(populate_existing=True)
    )
    known = session.scalars(wanted).first()
    if known is not None:
        return known
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(Call)
    values = {"uuid": call_id, "exchange": exchange, "state": "dialling", "started_at": at, "transfers": []}
    session.execute(insert.values(values).on_conflict_do_nothing(index_elements=["uuid"]))
    return session.scalars(wanted).one()


def _identify(call: Call, event: CallEvent, agent: Agent | None) -> None:
    call.started_at = min(call.started_at, event.at)
    if event.direction:
        call.direction = event.direction
    if event.number and call.asked_by is None:
        call.number = rules.read_number(event.number, plan())
    call.did = event.did or call.did
    call.queue = event.queue or call.queue
    if event.kind == "started" and agent is not None and call.agent is None:
        call.agent = agent


def _leg(call: Call, agent: Agent) -> CallLeg:
    """The part of an agent in the call."""
    for leg in call.legs:
        if leg.agent_id == agent.id or leg.agent is agent:
            return leg
    made = CallLeg(agent=agent, state="ringing", cause="")
    call.legs.append(made)
    return made


def _ring(leg: CallLeg, event: CallEvent) -> None:
    leg.rung_at = min(event.at, leg.rung_at) if leg.rung_at is not None else event.at
    if leg.state == "over" and leg.over_at is not None and event.at > leg.over_at:
        leg.state, leg.over_at, leg.cause, leg.closed_at = "ringing", None, "", None


def _answer(call: Call, agent: Agent | None, event: CallEvent) -> None:
    """An extension that is nobody's here has answered as well."""
    first = call.answered_at is None or event.at < call.answered_at
    call.answered_at = event.at if first else call.answered_at
    if agent is None:
        return
    leg = _leg(call, agent)
    leg.answered_at = min(event.at, leg.answered_at) if leg.answered_at is not None else event.at
    if leg.state == "ringing" or (leg.over_at is not None and event.at > leg.over_at):
        leg.state, leg.over_at, leg.cause = "talking", None, ""
    if call.direction == "in" and (first or call.agent is None):
        call.agent = agent


def _leave(leg: CallLeg, event: CallEvent) -> None:
    if leg.over_at is not None and event.at < leg.over_at:
        return
    begun = max((at for at in (leg.rung_at, leg.answered_at) if at is not None), default=event.at)
    if event.at >= begun:
        leg.state, leg.over_at, leg.cause = "over", event.at, event.cause


def _transfer(call: Call, event: CallEvent) -> None:
    made = {"at": event.at.isoformat(), "how": event.how, "to": event.to, "by": event.agent}
    if made not in call.transfers:
        call.transfers = sorted([*call.transfers, made], key=lambda one: one["at"])


def _conclude(session: Session, call: Call, was: str) -> None:
    """What follows from the facts: the state, the result, who is told."""
    legs = list(call.legs)
    answered = call.answered_at is not None
    if call.ended_at is not None:
        for leg in legs:
            leg.state = "over"  # when and why says its own event, which may be late
        call.result = rules.result_of(call.direction, call.cause, answered=answered)
    call.state = rules.state_of(
        [leg.state for leg in legs], answered=answered, held=call.is_held, ended=call.ended_at is not None
    )
    session.flush()
    people = {leg.agent.person_id for leg in legs} | ({call.asked_by} if call.asked_by else set())
    if call.agent is not None:
        people.add(call.agent.person_id)
    live.push(session, people, PUSH, {"call": call.id, "state": call.state})
    if call.state == "ended" and was != "ended":
        events.publish(session, ENDED, call_id=call.id, result=call.result)
        if call.result == "missed":
            rung = sorted(legs, key=lambda leg: (leg.rung_at or call.started_at, leg.id))
            persons = [leg.agent.person_id for leg in rung]
            events.publish(session, MISSED, call_id=call.id, number=call.number, people=persons, at=call.started_at)
