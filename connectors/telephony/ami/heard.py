"""What each AMI event adds to the facts of its call; nothing is ever taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from connectors.telephony.ami import names
from connectors.telephony.ami.codec import Message
from connectors.telephony.ami.legs import Facts, Leg, earliest, keep_first

_CAUSE = re.compile(r"[0-9]{1,3}")

DIAL_ACTION = "dial-"
"""Prefix of our ActionID of a call: all that a refused call is known by."""


class Heard:
    """The facts of every call, by call and by leg. A leg may be seen in two calls: its end is the end in both."""

    def __init__(self, tick: Callable[[], float] = monotonic) -> None:
        self.calls: dict[str, Facts] = {}
        self.changed: set[str] = set()
        """calls with new facts since somebody looked"""
        self._legs: dict[str, Leg] = {}
        self._homes: dict[str, set[str]] = {}
        """leg -> the calls it was seen in"""
        self._tick = tick

    def add(self, message: Message, at: datetime) -> None:
        """Add one event; what says nothing of calls adds nothing."""
        adder = _ADDERS.get(message.event)
        if adder is not None:
            adder(self, message, at)

    def call(self, call_id: str) -> Facts:
        facts = self.calls.setdefault(call_id, Facts(call_id))
        facts.heard_at = self._tick()
        self.changed.add(call_id)
        return facts

    def leg(self, facts: Facts, leg_id: str, channel: str = "") -> Leg:
        leg = self._legs.setdefault(leg_id, Leg(leg_id))
        if channel and not leg.channel:
            leg.channel = channel
        facts.legs[leg_id] = leg
        homes = self._homes.setdefault(leg_id, set())
        homes.add(facts.id)
        for home in homes:
            self.call(home)
        return leg

    def both(self, m: Message, prefix: str = "") -> tuple[Facts, Leg] | None:
        """The call and the leg that a message names, None when it names none."""
        call_id, leg_id = m.get(f"{prefix}Linkedid"), m.get(f"{prefix}Uniqueid")
        if not call_id or not leg_id:
            return None
        facts = self.call(call_id)
        return facts, self.leg(facts, leg_id, m.get(f"{prefix}Channel"))

    def forget(self, call_id: str) -> None:
        facts = self.calls.pop(call_id)
        self.changed.discard(call_id)
        for leg in facts.legs:
            homes = self._homes[leg]
            homes.discard(call_id)
            if not homes:
                del self._homes[leg], self._legs[leg]


# ------------------------------------------------------------------------------------------------- one event, one fact

Adder = Callable[[Heard, Message, datetime], None]
_ADDERS: dict[str, Adder] = {}


def _on(*events: str) -> Callable[[Adder], Adder]:
    def declare(function: Adder) -> Adder:
        _ADDERS.update(dict.fromkeys(events, function))
        return function

    return declare


@_on("Newchannel")
def _add_channel(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m):
        _facts, leg = found
        leg.born_at = min(at, leg.born_at or at)
        leg.number = earliest(leg.number, at, _caller_number(m))
        leg.exten = earliest(leg.exten, at, _dialled(m))


def _caller_number(m: Message) -> str:
    return m.get("CallerIDNum").replace("<unknown>", "")


def _dialled(m: Message) -> str:
    """What was dialled; "s" and "h" are places in the exchange's own plan."""
    exten = m.get("Exten")
    return exten if exten not in ("s", "h") else ""


def add_present(heard: Heard, m: Message, at: datetime) -> None:
    """CoreShowChannel: a channel with its age and the room it is in."""
    if found := heard.both(m):
        facts, leg = found
        born_at = at - _age(m.get("Duration"))
        leg.born_at = min(born_at, leg.born_at or born_at)
        leg.number = earliest(leg.number, at, _caller_number(m))
        leg.exten = earliest(leg.exten, at, _dialled(m))
        if bridge := m.get("BridgeId"):
            keep_first(facts.bridges.setdefault(bridge, {}), leg.id, at)
        if leg.agent and m.get("ChannelStateDesc") == "Ringing":
            keep_first(facts.rings, (leg.agent, leg.id), at)


def _age(text: str) -> timedelta:
    try:
        hours, minutes, seconds = (int(part) for part in text.split(":"))
    except ValueError:
        return timedelta()
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


@_on("Newstate")
def _add_state(heard: Heard, m: Message, _at: datetime) -> None:
    heard.both(m)


@_on("DialBegin")
def _add_dial(heard: Heard, m: Message, at: datetime) -> None:
    heard.both(m)
    if found := heard.both(m, "Dest"):
        facts, leg = found
        leg.dialled = earliest(leg.dialled, at, m.get("DialString").split("@")[0].rsplit("/", 1)[-1])
        if leg.agent:
            keep_first(facts.rings, (leg.agent, leg.id), at)


@_on("DialEnd")
def _add_dial_end(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m, "Dest"):
        _facts, leg = found
        leg.dial_end = earliest(leg.dial_end, at, m.get("DialStatus"))


@_on("AgentCalled")
def _add_agent_called(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m):
        facts, _caller = found
        _note_queue(facts, m, at)
        facts.caller = earliest(facts.caller, at, _caller_number(m))
        agent = names.agent_of_interface(m.get("Interface"))
        if agent and m.get("DestUniqueid"):
            leg = heard.leg(facts, m.get("DestUniqueid"), m.get("DestChannel"))
            keep_first(facts.rings, (agent, leg.id), at)


@_on("AgentConnect")
def _add_agent_connect(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m):
        facts, _caller = found
        _note_queue(facts, m, at)
        agent = names.agent_of_interface(m.get("Interface"))
        if agent and m.get("DestUniqueid"):
            leg = heard.leg(facts, m.get("DestUniqueid"), m.get("DestChannel"))
            keep_first(facts.connects, (agent, leg.id), at)


@_on("AgentRingNoAnswer")
def _add_no_answer(heard: Heard, m: Message, at: datetime) -> None:
    if (found := heard.both(m)) and m.get("DestUniqueid"):
        leg = heard.leg(found[0], m.get("DestUniqueid"), m.get("DestChannel"))
        leg.dial_end = earliest(leg.dial_end, at, "NOANSWER")


@_on("AgentComplete")
def _add_agent_complete(heard: Heard, m: Message, at: datetime) -> None:
    if (found := heard.both(m)) and m.get("Reason") in ("agent", "caller"):
        facts, _leg = found
        facts.completed_by = earliest(facts.completed_by, at, m.get("Reason"))


@_on("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon")
def _add_queue_caller(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m):
        facts, _leg = found
        _note_queue(facts, m, at)
        facts.abandoned |= m.event == "QueueCallerAbandon"


def _note_queue(facts: Facts, m: Message, at: datetime) -> None:
    facts.queue = earliest(facts.queue, at, m.get("Queue"))


@_on("BridgeEnter")
def _add_bridge(heard: Heard, m: Message, at: datetime) -> None:
    if (found := heard.both(m)) and m.get("BridgeUniqueid"):
        facts, leg = found
        keep_first(facts.bridges.setdefault(m.get("BridgeUniqueid"), {}), leg.id, at)


@_on("Hold", "Unhold")
def _add_hold(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m):
        _facts, leg = found
        mark = (at, m.event == "Hold")
        leg.held = mark if leg.held is None else max(leg.held, mark)


@_on("HangupRequest")
def _add_request(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m):
        facts, leg = found
        facts.hangup_request = earliest(facts.hangup_request, at, leg.id)


@_on("SoftHangupRequest")
def _add_soft_request(heard: Heard, m: Message, _at: datetime) -> None:
    if found := heard.both(m):
        found[0].soft_request = True


@_on("Hangup")
def _add_hangup(heard: Heard, m: Message, at: datetime) -> None:
    if found := heard.both(m):
        _facts, leg = found
        cause = m.get("Cause")
        mark = (at, int(cause) if _CAUSE.fullmatch(cause) else 0)
        leg.hangup = mark if leg.hangup is None else min(leg.hangup, mark)


@_on("BlindTransfer")
def _add_blind_transfer(heard: Heard, m: Message, at: datetime) -> None:
    if (found := heard.both(m, "Transferer")) and m.get("Result") == "Success":
        facts, leg = found
        _note_transfer(facts, ("blind", m.get("Extension")), at, leg.agent)


@_on("AttendedTransfer")
def _add_attended_transfer(heard: Heard, m: Message, at: datetime) -> None:
    if (found := heard.both(m, "OrigTransferer")) and m.get("Result") == "Success":
        facts, leg = found
        target = m.get("TransferTargetCallerIDNum") or m.get("SecondTransfererConnectedLineNum")
        _note_transfer(facts, ("attended", target), at, leg.agent)


def _note_transfer(facts: Facts, key: tuple[str, str], at: datetime, who: str) -> None:
    facts.transfers[key] = min((at, who), facts.transfers.get(key, (at, who)))


@_on("OriginateResponse")
def _add_originate_response(heard: Heard, m: Message, at: datetime) -> None:
    """Its Uniqueid is "<unknown>" when the agent's phone is not there: known by our ActionID alone."""
    action = m.get("ActionID")
    if action.startswith(DIAL_ACTION) and m.get("Response") == "Failure":
        facts = heard.call(action.removeprefix(DIAL_ACTION))
        facts.origin_failure = earliest(facts.origin_failure, at, m.get("Reason") or "unknown")
