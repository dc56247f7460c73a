"""Folds AMI's events into calls: each message adds facts to its call, and what changes in the reading is told.

Order is not trusted and repeats change nothing: legs.py keeps facts that only grow, view.py reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

from connectors.telephony.adapter import now
from connectors.telephony.ami import view
from connectors.telephony.ami.codec import Message
from connectors.telephony.ami.heard import Heard, add_present
from connectors.telephony.ami.legs import Facts
from connectors.telephony.events import CallEvent

SETTLE_SECONDS = 0.3
"""An end is told when nothing more has been heard of the call for so long: late messages may still explain it."""
KEEP_SECONDS = 120.0
"""How long an ended call is remembered, so that what comes after its end opens no new one."""
LOST_SECONDS = 90.0
"""A call we asked for and never heard of is given up after this."""


class CallFolding:
    """The calls of one exchange. Not for several threads at once."""

    def __init__(self, tick: Callable[[], float] = monotonic) -> None:
        self._heard = Heard(tick)
        self._told: dict[str, view.View] = {}
        self._live: set[str] = set()
        self._unsettled: set[str] = set()
        """calls with news that are not known to be quiet yet"""
        self._over: dict[str, float] = {}
        """ended calls, the longest ended first"""
        self._tick = tick

    # --------------------------------------------------------------------------------------------- what comes in

    def originated(self, call_id: str, agent: str, number: str, at: datetime) -> None:
        """We have asked for this call; the exchange takes our id for it."""
        self._heard.call(call_id).originated = (at, agent, number)
        self._unsettled.add(call_id)

    def take(self, message: Message) -> list[CallEvent]:
        """Add one event; what has changed by it."""
        self._heard.add(message, message.at or now())
        return self._changes()

    def settle(self, *, at_once: bool = False) -> list[CallEvent]:
        """Tell the ends that have become certain, forget what is long over."""
        moment, found = self._tick(), []
        for call_id in sorted(self._unsettled):
            facts = self._heard.calls[call_id]
            quiet = moment - facts.heard_at
            if quiet < SETTLE_SECONDS and not at_once:
                continue
            unheard = facts.originated is not None and not facts.legs and facts.origin_failure is None
            if unheard and facts.originated is not None and quiet > LOST_SECONDS:
                facts.origin_failure = (facts.originated[0] + timedelta(seconds=LOST_SECONDS), "lost")
                unheard = False
            if not unheard:
                self._unsettled.discard(call_id)
            found += self._tell(facts, with_end=True)
        while self._over and moment - next(iter(self._over.values())) > KEEP_SECONDS:
            self._forget(next(iter(self._over)))
        return found

    def _changes(self) -> list[CallEvent]:
        changed, self._heard.changed = sorted(self._heard.changed), set()
        self._unsettled.update(changed)
        return [event for call_id in changed for event in self._tell(self._heard.calls[call_id])]

    def _tell(self, facts: Facts, *, with_end: bool = False) -> list[CallEvent]:
        """What is new in the reading of this call; its end only when it has settled."""
        if not (facts.originated or facts.rings or any(leg.is_phone for leg in facts.legs.values())):
            return []
        known, reading = self._told.get(facts.id), view.read(facts)
        if not with_end:
            reading = replace(reading, ended=known.ended if known is not None else None)
        self._told[facts.id] = reading
        if reading.ended is None:
            self._live.add(facts.id)
        else:
            self._live.discard(facts.id)
            self._over.setdefault(facts.id, self._tick())
        return list(view.differences(known, reading))

    def _forget(self, call_id: str) -> None:
        self._heard.forget(call_id)
        self._told.pop(call_id, None)
        self._live.discard(call_id)
        self._unsettled.discard(call_id)
        self._over.pop(call_id, None)

    # --------------------------------------------------------------------------------------------- what is there

    def open_calls(self) -> frozenset[str]:
        return frozenset(facts.id for facts in self._heard.calls.values() if any(facts.open_legs()))

    def channel_of(self, call_id: str, agent: str = "") -> str:
        """The open channel of the agent in this call, else any of its open ones; "" when there is none."""
        facts = self._heard.calls.get(call_id)
        if facts is None:
            return ""
        leg = facts.leg_of_agent(agent) if agent else None
        first = facts.first_leg()
        legs = [leg] if leg else [one for one in (first, *facts.open_legs()) if one is not None and not one.hangup]
        return legs[0].channel if legs else ""

    def legs_of(self, call_id: str) -> frozenset[str]:
        """Every channel the call has ever had, loops as well."""
        facts = self._heard.calls.get(call_id)
        return frozenset(facts.legs) if facts else frozenset()

    def has_transfer(self, call_id: str, how: str) -> bool:
        facts = self._heard.calls.get(call_id)
        return facts is not None and any(kind == how for kind, _to in facts.transfers)

    def rings(self, agent: str) -> bool:
        """Whether a call rings at this agent's, and none is being spoken there."""
        return any(part.agent == agent for call_id in self._live for part in self._told[call_id].ringing)

    def snapshot(self, channels: Iterable[Message], asked_at: float, at: datetime) -> list[CallEvent]:
        """After a login: the channels that are there now. Those we knew before and are not there are over."""
        present = list(channels)
        there = {message.get("Uniqueid") for message in present}
        for call_id, facts in list(self._heard.calls.items()):
            if facts.heard_at >= asked_at:
                continue  # heard of since we asked: the list may be older than it
            gone = [leg for leg in facts.legs.values() if leg.hangup is None and leg.id not in there]
            for leg in gone:
                leg.hangup = (at, 16)
            if gone and not any(facts.open_legs()):
                self._forget(call_id)  # the listener ends it: nobody has seen how
            elif gone:
                self._heard.changed.add(call_id)
        for message in present:
            add_present(self._heard, message, at)
        return self._changes()


def events_of(fold: CallFolding, messages: Iterable[Message]) -> Iterator[CallEvent]:
    """Everything these messages tell, with the ends that follow."""
    for message in messages:
        yield from fold.take(message)
    yield from fold.settle(at_once=True)
