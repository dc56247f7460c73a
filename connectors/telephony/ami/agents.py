"""Folds AMI's events about queue members and devices into how each agent is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connectors.telephony.adapter import now
from connectors.telephony.ami import names
from connectors.telephony.ami.codec import Message
from connectors.telephony.events import AgentEvent, AgentState

_MEMBER_STATUS: dict[str, AgentState] = {
    "0": "offline",
    "1": "idle",
    "2": "busy",
    "3": "busy",
    "4": "offline",
    "5": "offline",
    "6": "ringing",
    "7": "busy",
    "8": "busy",
}

_DEVICE_STATE: dict[str, AgentState] = {
    "NOT_INUSE": "idle",
    "INUSE": "busy",
    "BUSY": "busy",
    "ONHOLD": "busy",
    "RINGING": "ringing",
    "RINGINUSE": "busy",
    "UNAVAILABLE": "offline",
    "INVALID": "offline",
}


@dataclass
class _Agent:
    phone: tuple[datetime, AgentState] | None = None
    """the latest that was said of the phone"""
    pauses: dict[str, tuple[datetime, bool, str]] = field(default_factory=dict)
    """queue -> the latest that was said: when, paused, why"""


class AgentFolding:
    """The agents of one exchange: the phone's state, and a pause on top of it while the phone rests."""

    def __init__(self) -> None:
        self._agents: dict[str, _Agent] = {}
        self._told: dict[str, tuple[AgentState, str]] = {}

    def take(self, m: Message, *, rings: bool = False) -> list[AgentEvent]:
        """Add one event. rings: a call rings at this agent's phone, which some exchanges call busy."""
        at = m.at or now()
        agent = agent_of(m)
        if not agent:
            return []
        known = self._agents.setdefault(agent, _Agent())
        if m.event in ("DeviceStateChange", "ContactStatus"):
            self._note_phone(known, _phone_of(m), at)
        else:
            self._note_member(known, m, at)
        return self.tell(agent, at, rings=rings)

    def tell(self, agent: str, at: datetime, *, rings: bool = False) -> list[AgentEvent]:
        """How the agent is, when that is news."""
        known = self._agents.get(agent)
        if known is None or known.phone is None:
            return []
        state, reason = _reading(known, rings=rings)
        if self._told.get(agent) == (state, reason):
            return []
        self._told[agent] = (state, reason)
        return [AgentEvent(agent, at, state, reason)]

    def forget_told(self) -> None:
        """After a login everything is told anew: what happened meanwhile is not known."""
        self._told.clear()
        self._agents.clear()

    @staticmethod
    def _note_phone(known: _Agent, state: AgentState | None, at: datetime) -> None:
        if state is not None and (known.phone is None or at >= known.phone[0]):
            known.phone = (at, state)

    def _note_member(self, known: _Agent, m: Message, at: datetime) -> None:
        queue = m.get("Queue")
        if m.event == "QueueMemberRemoved":
            known.pauses.pop(queue, None)
            return
        self._note_phone(known, _MEMBER_STATUS.get(m.get("Status")), at)
        said = m.get("Paused")
        before = known.pauses.get(queue)
        if said in ("0", "1") and (before is None or at >= before[0]):
            known.pauses[queue] = (at, said == "1", m.get("PausedReason"))


def agent_of(m: Message) -> str:
    """Whom an event is about; "" when it is about no agent."""
    match m.event:
        case "QueueMemberStatus" | "QueueMember" | "QueueMemberAdded" | "QueueMemberPause" | "QueueMemberRemoved":
            return names.agent_of_interface(m.get("Interface") or m.get("Location") or m.get("StateInterface"))
        case "DeviceStateChange":
            return names.agent_of_interface(m.get("Device"))
        case "ContactStatus":
            endpoint = m.get("EndpointName") or m.get("AOR")
            return endpoint if names.is_extension(endpoint) else ""
        case _:
            return ""


def _phone_of(m: Message) -> AgentState | None:
    """A phone that has signed off is gone; one that has signed on says its state in the next event."""
    if m.event == "ContactStatus":
        return "offline" if m.get("ContactStatus") in ("Removed", "Unreachable") else None
    return _DEVICE_STATE.get(m.get("State"))


def _reading(known: _Agent, *, rings: bool) -> tuple[AgentState, str]:
    phone: AgentState = known.phone[1] if known.phone else "offline"
    if phone == "offline":
        return "offline", ""
    if rings and phone in ("busy", "ringing"):
        return "ringing", ""
    if phone == "idle":
        paused = [pause for pause in known.pauses.values() if pause[1]]
        if paused:
            return "paused", max(paused)[2]
    return phone, ""
