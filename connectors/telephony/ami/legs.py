"""What is known of a call at the exchange: facts that only grow, so that their order and repeats change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from connectors.telephony.ami import names

Key = TypeVar("Key")


@dataclass
class Leg:
    """One channel. Of every fact that is told several times the earliest counts."""

    id: str
    channel: str = ""
    number: tuple[datetime, str] | None = None
    """its caller id"""
    exten: tuple[datetime, str] | None = None
    """what was dialled on it"""
    dialled: tuple[datetime, str] | None = None
    """what it was dialled as"""
    born_at: datetime | None = None
    dial_end: tuple[datetime, str] | None = None
    hangup: tuple[datetime, int] | None = None
    held: tuple[datetime, bool] | None = None
    """the latest of holding and resuming"""

    @property
    def is_local(self) -> bool:
        return names.is_local(self.channel)

    @property
    def agent(self) -> str:
        return names.agent_of_channel(self.channel)

    @property
    def is_phone(self) -> bool:
        """A line to somebody, here or outside."""
        return bool(self.channel) and not self.is_local

    @property
    def is_outside(self) -> bool:
        return self.is_phone and not self.agent

    @property
    def was_picked_up(self) -> bool:
        return self.dial_end is not None and self.dial_end[1] == "ANSWER"

    @property
    def quiet_at(self) -> datetime | None:
        """Since when it rings no more."""
        ends = [end[0] for end in (self.dial_end, self.hangup) if end is not None]
        return min(ends) if ends else None

    @property
    def gone_at(self) -> datetime | None:
        """Since when nobody can be reached on it."""
        ends = [self.hangup[0]] if self.hangup is not None else []
        ends += [self.dial_end[0]] if self.dial_end is not None and not self.was_picked_up else []
        return min(ends) if ends else None


@dataclass
class Facts:
    """All that was heard of one call."""

    id: str
    legs: dict[str, Leg] = field(default_factory=dict)
    bridges: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """bridge -> leg -> when it came in first"""
    rings: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """(agent, leg) -> since when"""
    connects: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """(agent, leg) the queue has joined with the caller"""
    queue: tuple[datetime, str] | None = None
    caller: tuple[datetime, str] | None = None
    """the caller's number as the queue tells it"""
    abandoned: bool = False
    hangup_request: tuple[datetime, str] | None = None
    """the first leg that asked for the end"""
    soft_request: bool = False
    completed_by: tuple[datetime, str] | None = None
    """agent | caller, as the queue saw it"""
    transfers: dict[tuple[str, str], tuple[datetime, str]] = field(default_factory=dict)
    """(how, to) -> (when, who)"""
    originated: tuple[datetime, str, str] | None = None
    """we asked for it: when, agent, number"""
    origin_failure: tuple[datetime, str] | None = None
    heard_at: float = 0.0
    """on the monotonic clock"""

    def leg_of_agent(self, agent: str) -> Leg | None:
        """The agent's line that is still open, the newest of several."""
        mine = [leg for leg in self.open_legs() if leg.agent == agent]
        return max(mine, key=lambda leg: (leg.born_at is not None, leg.born_at or 0, leg.id), default=None)

    def open_legs(self) -> Iterator[Leg]:
        return (leg for leg in self.legs.values() if leg.is_phone and leg.hangup is None)

    def first_leg(self) -> Leg | None:
        """The channel that began the call: its own id is the call's."""
        leg = self.legs.get(self.id)
        return leg if leg is not None and leg.channel else None


def earliest(known: tuple[datetime, str] | None, at: datetime, value: str) -> tuple[datetime, str] | None:
    """The first of what was said, whichever is heard first; an empty value says nothing."""
    if not value:
        return known
    return (at, value) if known is None else min(known, (at, value))


def keep_first(times: dict[Key, datetime], key: Key, at: datetime) -> None:
    times[key] = min(at, times.get(key, at))
