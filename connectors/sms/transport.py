"""What a road for short messages offers, whether a modem, a gateway or a simulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event
from typing import Protocol

from connectors.outcome import Health, Outcome, Trial
from connectors.sms.pdu import Deliver, DeliveryState

DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class SmsCaps:
    """What this road can do, for the router that chooses one and for the page that shows it."""

    free_text: bool = True
    template_only: bool = False
    inbound: bool = True
    reports: bool = True
    max_parts: int = 255
    per_second: float = 0.2
    cost: str = "0"


@dataclass(frozen=True)
class OutSms:
    """One message to one number.

    id: our own key (the outbox row), carried into logs and passed through where a gateway takes it.
    to: E.164 ("+8613800138000") or a service number ("10086").
    concat_ref: shared by the parts, unlike that of recent messages to the same number (the outbox row's id will do).
    attempt: 1 at first; pauses between attempts grow with it.
    parts_sent: parts (counted from 1) that left in an earlier attempt and are not sent again.
    """

    id: str
    to: str
    text: str
    concat_ref: int
    attempt: int = 1
    parts_sent: frozenset[int] = frozenset()
    validity_min: int = DAY_MINUTES
    want_report: bool = True

    def again(self, result: SmsResult) -> OutSms:
        """The next attempt after a deferred one: only what has not left, under the same reference."""
        return replace(self, attempt=self.attempt + result.outcome.tried, parts_sent=self.parts_sent | result.sent)


@dataclass(frozen=True)
class PartRef:
    """One part that was tried. `ref` is the message reference (0-255) that its status report will carry."""

    index: int
    outcome: Outcome
    ref: int | None = None
    provider_id: str = ""


@dataclass(frozen=True)
class SmsResult:
    """The outcome of the message, and of each part tried in this attempt: up to the first one not accepted."""

    outcome: Outcome
    parts: tuple[PartRef, ...] = ()
    total: int = 0

    @property
    def sent(self) -> frozenset[int]:
        return frozenset(part.index for part in self.parts if part.outcome.is_accepted)


@dataclass(frozen=True)
class Received:
    """One incoming part. `pdu` is what to store: it is decoded again when the message is put together."""

    pdu: str
    part: Deliver


@dataclass(frozen=True)
class Report:
    """What became of a sent part: match by (modem, ref, number, newest within 48 h), for `ref` wraps at 256."""

    ref: int
    to: str
    state: DeliveryState
    at: datetime | None
    status: int


@dataclass(frozen=True)
class Incoming:
    """A whole incoming message, from roads that put the parts together themselves; `external_id` tells repeats."""

    external_id: str
    sender: str
    text: str
    at: datetime | None


@dataclass(frozen=True)
class Handed:
    """What was handed over has left: the references that its parts' reports will carry, as far as they are told."""

    message_id: str
    refs: tuple[int, ...]


@dataclass(frozen=True)
class ProviderReport:
    """What became of a whole message, told by the provider's id or by ours (`message_id`)."""

    provider_id: str
    message_id: str
    to: str
    state: DeliveryState
    at: datetime | None
    code: str = ""


@dataclass(frozen=True)
class Unreadable:
    """Something arrived that cannot be decoded; a person should see it."""

    pdu: str
    why: str


@dataclass(frozen=True)
class HealthChanged:
    health: Health


SmsEvent = Received | Incoming | Report | Handed | ProviderReport | Unreadable | HealthChanged


class SmsTransport(Protocol):
    """One owner per device: `send` from one thread, `events` from another, at most one of each."""

    @property
    def name(self) -> str:
        """Names the device in stored references and in health pages."""

    @property
    def caps(self) -> SmsCaps: ...

    def send(self, m: OutSms) -> SmsResult:
        """Never raises for what the wire does; every end is an outcome."""

    def events(self, stop: Event) -> Iterator[SmsEvent]:
        """Until `stop`. Asking for the next event acknowledges the last: commit before you do.

        An event whose handler raised is not acknowledged and comes again.
        """

    def health(self) -> Health: ...

    def try_out(self) -> list[Trial]:
        """Whether the link works, step by step, without sending anything."""

    def close(self) -> None: ...
