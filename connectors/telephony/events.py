"""What happens at an exchange, in words that fit every exchange.

Events may come late, twice, and in another order than they happened; each says when it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CallKind = Literal["started", "ringing", "answered", "held", "resumed", "transferred", "left", "ended"]
Direction = Literal["", "in", "out", "internal"]
AgentState = Literal["idle", "ringing", "busy", "paused", "offline"]
EndedBy = Literal["", "agent", "customer", "exchange"]

CAUSES = (
    "normal",
    "busy",
    "no_answer",
    "unknown_number",
    "rejected",
    "unreachable",
    "congestion",
    "cancelled",
    "caller_left",
    "timed_out",
    "not_answered",
    "answered_elsewhere",
    "agent_no_answer",
    "agent_busy",
    "agent_unreachable",
    "failed",
    "link_lost",
)
"""Why a call, or one agent's part in it, is over. "" = not said."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something happened in a call.

    started: it is there, or what is known of it (direction, number, called number, queue) has become more.
    ringing: an agent's phone rings.  answered: this agent speaks with the other side.  left: this agent rings or speaks
    no more, `cause` says why.  transferred: handed on `to`, `how` is blind or attended.  ended: nobody is left.
    """

    call_id: str
    """ours when we asked for the call, else the exchange's; unique among all exchanges"""
    at: datetime
    kind: CallKind
    direction: Direction = ""
    """ "" = not known (yet)"""
    number: str = ""
    """of the other side, as the exchange reports it"""
    did: str = ""
    """the number of ours that was called"""
    queue: str = ""
    agent: str = ""
    """extension"""
    leg: str = ""
    """what the exchange calls this agent's line in the call"""
    cause: str = ""
    ended_by: EndedBy = ""
    to: str = ""
    how: str = ""
    raw_id: str = ""
    """where to look in the exchange's own records"""


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """How an agent is now. reason: of a pause."""

    agent: str
    at: datetime
    state: AgentState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """The link to the exchange came up or went down.

    open_calls: after it came up, every call that is there now; what we hold open besides is over.
    """

    state: Literal["up", "down"]
    at: datetime
    reason: str = ""
    """a word: auth_refused | unreachable | silent | closed | shutdown | certificate_untrusted"""
    open_calls: frozenset[str] = frozenset()


ExchangeEvent = CallEvent | AgentEvent | LinkEvent
