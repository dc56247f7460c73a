"""What the facts of a call amount to: a pure reading, the same for the same facts in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.telephony.ami import causes, names
from connectors.telephony.ami.legs import Facts, Leg
from connectors.telephony.events import CallEvent, CallKind, Direction, EndedBy

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Part:
    """One agent rings or speaks."""

    agent: str
    leg: str
    at: datetime


@dataclass(frozen=True)
class View:
    """A call as people see it."""

    call_id: str
    started_at: datetime
    direction: Direction
    number: str
    did: str
    queue: str
    agent: str
    """whose call it is: who asked for it or dialled; "" for one that comes in"""
    ringing: tuple[Part, ...]
    """agents whose phone rings now"""
    talks: tuple[Part, ...]
    """agents who have spoken with the other side, from when"""
    left: tuple[tuple[str, datetime, str], ...]
    """agents who rang or spoke and do no more: when, why"""
    held: tuple[datetime, bool] | None
    transfers: tuple[tuple[datetime, str, str, str], ...]
    """when, how, to whom, by whom"""
    ended: tuple[datetime, str, EndedBy] | None


def read(facts: Facts) -> View:
    direction, talks = _direction(facts), _talks(facts)
    rings, left = _rings(facts, {part.agent for part in talks}), _left(facts, talks)
    legs = [leg for leg in facts.legs.values() if leg.is_phone]
    started = [leg.born_at for leg in legs if leg.born_at is not None]
    started += [facts.originated[0]] if facts.originated else []
    started += [*facts.rings.values(), *([facts.origin_failure[0]] if facts.origin_failure else [])]
    started += [leg.hangup[0] for leg in legs if leg.hangup is not None]
    holds = [leg.held for leg in legs if leg.held is not None]
    first = facts.first_leg()
    return View(
        call_id=facts.id,
        started_at=min(started, default=_NEVER),
        direction=direction,
        number=_number(facts, direction),
        did=first.exten[1] if direction == "in" and first is not None and first.exten else "",
        queue=facts.queue[1] if facts.queue else "",
        agent=_owner(facts, direction),
        ringing=rings,
        talks=talks,
        left=left,
        held=max(holds) if holds else None,
        transfers=tuple(sorted((at, how, to, who) for (how, to), (at, who) in facts.transfers.items())),
        ended=_ended(facts, legs, direction, talks),
    )


# ------------------------------------------------------------------------------------------------- who with whom


def _direction(facts: Facts) -> Direction:
    if facts.originated is not None:
        return "out"
    first = facts.first_leg()
    if first is None or first.is_local:
        return ""  # begun before we listened, or its beginning is still to come
    if first.is_outside:
        return "in"
    calls_out = any(leg.is_outside for leg in facts.legs.values())
    dialled = first.exten[1] if first.exten else ""
    return "out" if calls_out or (dialled and not names.is_extension(dialled)) else "internal"


def _owner(facts: Facts, direction: Direction) -> str:
    if facts.originated is not None:
        return facts.originated[1]
    first = facts.first_leg()
    return first.agent if direction in ("out", "internal") and first is not None else ""


def _number(facts: Facts, direction: Direction) -> str:
    if facts.originated is not None:
        return facts.originated[2]
    first = facts.first_leg()
    if direction == "in" and first is not None:
        said = first.number or facts.caller
        return said[1] if said else ""
    if direction == "internal" and first is not None:
        return first.agent
    if direction == "out" and first is not None:
        if first.exten:
            return first.exten[1]
        dialled = [leg.dialled for leg in facts.legs.values() if leg.is_outside and leg.dialled]
        return min(dialled)[1] if dialled else ""
    return ""


def _talks(facts: Facts) -> tuple[Part, ...]:
    """From the first moment an agent is in one room with the other side: a channel is up long before."""
    found: dict[str, Part] = {}

    def note(agent: str, leg: str, at: datetime) -> None:
        known = found.get(agent)
        if known is None or (at, leg) < (known.at, known.leg):
            found[agent] = Part(agent, leg, at)

    for members in facts.bridges.values():
        legs = [(facts.legs[leg], at) for leg, at in members.items() if leg in facts.legs]
        agents = sorted(((at, leg) for leg, at in legs if leg.agent), key=lambda one: (one[0], one[1].id))
        others = [at for leg, at in legs if leg.is_outside]
        if others:
            for at, leg in agents:
                note(leg.agent, leg.id, max(at, min(others)))
        elif len({leg.agent for _at, leg in agents}) > 1 and _direction(facts) == "internal":
            for at, leg in agents:
                note(leg.agent, leg.id, max(at, agents[1][0]))
    for (agent, leg_id), at in facts.connects.items():
        note(agent, leg_id, at)
    return tuple(sorted(found.values(), key=lambda part: (part.at, part.agent)))


def _rings(facts: Facts, talking: set[str]) -> tuple[Part, ...]:
    """Rung and neither answered nor over; an agent of several attempts once, by the newest."""
    open_rings: dict[str, Part] = {}
    for (agent, leg_id), at in sorted(facts.rings.items(), key=lambda one: (one[1], one[0])):
        leg = facts.legs.get(leg_id)
        if agent not in talking and (leg is None or leg.quiet_at is None):
            open_rings[agent] = Part(agent, leg_id, at)
    return tuple(open_rings.values())


def _left(facts: Facts, talks: tuple[Part, ...]) -> tuple[tuple[str, datetime, str], ...]:
    found = []
    talked = {part.agent: part for part in talks}
    agents = {agent for agent, _leg in facts.rings} | set(talked)
    for agent in sorted(agents):
        part = talked.get(agent)
        mine = [facts.legs[leg] for of, leg in facts.rings if of == agent and leg in facts.legs]
        if part is not None:
            lines = [leg for leg in facts.legs.values() if leg.agent == agent]
            if lines and all(leg.hangup is not None for leg in lines):
                found.append((agent, max(leg.hangup[0] for leg in lines if leg.hangup), "normal"))
        elif mine and len(mine) == sum(of == agent for of, _leg in facts.rings):
            ends = [(leg.gone_at, leg) for leg in mine if leg.gone_at is not None]
            if len(ends) == len(mine):
                at, leg = max(ends, key=lambda one: (one[0], one[1].id))
                found.append((agent, at, _unanswered(leg, talks)))
    return tuple(found)


def _unanswered(leg: Leg, talks: tuple[Part, ...]) -> str:
    if leg.was_picked_up:
        return "normal"  # and the other side was not reached
    cause = causes.of_leg(leg.hangup[1] if leg.hangup else None, leg.dial_end[1] if leg.dial_end else "")
    if talks and cause in ("", "cancelled", "answered_elsewhere"):
        return "answered_elsewhere"
    if cause == "answered_elsewhere":
        return cause
    return "caller_left" if cause == "cancelled" else cause or "no_answer"


# ------------------------------------------------------------------------------------------------- the end


def _ended(
    facts: Facts, legs: list[Leg], direction: Direction, talks: tuple[Part, ...]
) -> tuple[datetime, str, EndedBy] | None:
    if not legs:
        if facts.origin_failure is None:
            return None
        at, reason = facts.origin_failure
        return at, causes.of_originate(reason), ""  # no channel at all: the agent's phone is not there
    if any(leg.hangup is None for leg in legs):
        return None
    at = max(leg.hangup[0] for leg in legs if leg.hangup is not None)
    return at, _cause(facts, legs, direction, talks), _ended_by(facts)


def _cause(facts: Facts, legs: list[Leg], direction: Direction, talks: tuple[Part, ...]) -> str:
    if talks:
        return "normal"
    if facts.origin_failure is not None:
        return causes.of_originate(facts.origin_failure[1])
    if direction == "in":
        return _why_missed(facts)
    called = [leg for leg in legs if leg.id != facts.id]
    called = [leg for leg in called if leg.is_outside] or called
    ends = sorted((leg.hangup[0] if leg.hangup else leg.born_at or _NEVER, leg.id, leg) for leg in called)
    for _at, _id, leg in reversed(ends):
        cause = causes.of_leg(leg.hangup[1] if leg.hangup else None, leg.dial_end[1] if leg.dial_end else "")
        if cause:
            return cause
    first = facts.first_leg()
    return (causes.of_leg(first.hangup[1], "") if first is not None and first.hangup else "") or "cancelled"


def _why_missed(facts: Facts) -> str:
    """The queue says "abandoned" of both: the caller gave up, or the time was over."""
    first = facts.first_leg()
    asked_first = facts.hangup_request is not None and first is not None and facts.hangup_request[1] == first.id
    if asked_first or (first is not None and first.hangup is not None and first.hangup[1] == 0):
        return "caller_left"
    return "timed_out" if facts.queue is not None else "not_answered"


def _ended_by(facts: Facts) -> EndedBy:
    if facts.hangup_request is not None:
        leg = facts.legs.get(facts.hangup_request[1])
        if leg is not None and leg.channel:
            return "agent" if leg.agent else "customer"
    if facts.completed_by is not None and not facts.soft_request:
        return "agent" if facts.completed_by[1] == "agent" else "customer"
    return "exchange"


# ------------------------------------------------------------------------------------------------- as events


def differences(before: View | None, after: View) -> Iterator[CallEvent]:
    """What the listener is told when the reading of a call has changed."""

    def event(kind: CallKind, at: datetime, **more: str) -> CallEvent:
        return CallEvent(
            call_id=after.call_id,
            at=at,
            kind=kind,
            direction=after.direction,
            number=after.number,
            did=after.did,
            queue=after.queue,
            raw_id=after.call_id,
            **more,  # type: ignore[arg-type]
        )

    if before is None or _identity(before) != _identity(after):
        yield event("started", after.started_at, agent=after.agent)
    yield from (event("ringing", p.at, agent=p.agent, leg=p.leg) for p in _new(before, after, "ringing"))
    yield from (event("answered", p.at, agent=p.agent, leg=p.leg) for p in _new(before, after, "talks"))
    if after.held is not None and (before is None or before.held != after.held):
        yield event("held" if after.held[1] else "resumed", after.held[0])
    for at, how, to, who in _new(before, after, "transfers"):
        yield event("transferred", at, agent=who, to=to, how=how)
    for agent, at, cause in _new(before, after, "left"):
        yield event("left", at, agent=agent, cause=cause)
    if after.ended is not None and (before is None or before.ended != after.ended):
        yield event("ended", after.ended[0], cause=after.ended[1], ended_by=after.ended[2])


def _identity(view: View) -> tuple[object, ...]:
    return view.started_at, view.direction, view.number, view.did, view.queue, view.agent


def _new(before: View | None, after: View, part: str) -> list[Any]:
    """What the later reading has there and the earlier one has not."""
    known = getattr(before, part) if before is not None else ()
    return [one for one in getattr(after, part) if one not in known]
