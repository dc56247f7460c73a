"""A road for short messages that leads nowhere: for the demo company, and for tests of everything above it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from queue import Empty, Queue
from threading import Event

from connectors.outcome import BadMessage, Health, LinkState, Outcome, Trial
from connectors.sms.pdu import Deliver, DeliveryState, decode, encode_submit
from connectors.sms.transport import OutSms, PartRef, Received, Report, SmsCaps, SmsEvent, SmsResult

Script = Callable[[OutSms], Outcome]
"""Decides how an attempt ends."""


@dataclass(frozen=True)
class SimulatedSms:
    """What left, as the recipient's phone would show it."""

    id: str
    to: str
    text: str
    segments: int


def accept(_m: OutSms) -> Outcome:
    return Outcome.accepted()


class SimulatedSmsRoad:
    """An SmsTransport. Encodes like the modem does, so that what a modem would refuse is refused here too.

    deliver: called with each message that "left"; without it they gather in `sent`.
    delay: seconds an attempt takes. Parts that left are reported as delivered.
    """

    def __init__(
        self,
        deliver: Callable[[SimulatedSms], None] | None = None,
        *,
        script: Script = accept,
        delay: float = 0.0,
        name: str = "simulator",
    ) -> None:
        self.caps = SmsCaps(per_second=1000.0)
        self.name = name
        self.sent: list[SimulatedSms] = []
        self._deliver = deliver or self.sent.append
        self._script = script
        self._delay = delay
        self._refs = count(1)
        self._events: Queue[SmsEvent] = Queue()

    def send(self, m: OutSms) -> SmsResult:
        try:
            parts = encode_submit(m.to, m.text, ref=m.concat_ref)
        except BadMessage as error:
            return SmsResult(Outcome.rejected(error.code, str(error)))
        time.sleep(self._delay)
        outcome = self._script(m)
        if not outcome.is_accepted:
            return SmsResult(outcome, (PartRef(1, outcome),), len(parts))
        self._deliver(SimulatedSms(m.id, m.to, m.text, len(parts)))
        left = tuple(PartRef(index, outcome, next(self._refs) % 256) for index in range(1, len(parts) + 1))
        if m.want_report:
            for part in left:
                self._events.put(Report(part.ref or 0, m.to, DeliveryState.DELIVERED, None, 0))
        return SmsResult(outcome, left, len(parts))

    def receive(self, pdu: str) -> None:
        """Let a part come in, given as a PDU."""
        part = decode(pdu)
        if not isinstance(part, Deliver):
            raise TypeError("Only a received message can come in.")
        self._events.put(Received(pdu, part))

    def events(self, stop: Event) -> Iterator[SmsEvent]:
        while not stop.is_set():
            try:
                yield self._events.get(timeout=0.1)
            except Empty:
                continue

    def try_out(self) -> list[Trial]:
        return [Trial("simulated", True)]

    def health(self) -> Health:
        return Health(LinkState.UP, "simulated")

    def close(self) -> None:
        """Nothing is held open."""
