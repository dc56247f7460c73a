"""What a wire is to the outbox: it is given a leased message and answers what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a wire answered."""

    outcome: Literal["accepted", "rejected", "deferred", "unknown"]
    detail: dict[str, Any] = field(default_factory=dict)
    """kept as the message's result: references, codes"""
    error: str = ""
    retry_after: timedelta | None = None
    tried: bool = True
    """False: the link was not ready and the message merely held back; that does not count as an attempt"""


@dataclass(frozen=True, slots=True)
class Leased:
    """A message this process may send until the lease ends."""

    id: int
    channel: str
    key: str
    payload: dict[str, Any]
    attempts: int
    fence: int
    instance_id: int | None
    token: int | None
    result: dict[str, Any]
    """what earlier attempts brought: parts that left, recipients that took it"""
    created_at: datetime
    due_at: datetime | None = None
    """before which it was not to leave"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a handler's peer bears; a handler without `limits` has none."""

    per_minute: float | None = None
    gate: str = ""
    """the gate (engine.gates) all its messages pass; "" = one named like the channel"""
    patience: int = 5
    """attempts in a row that come to nothing before the peer is left alone"""
    lane: Callable[[Leased], str] | None = None
    """a gate of its own for each peer behind one channel, so that a dead one does not stop the others"""


class Handler(Protocol):
    """Delivers the messages of one channel; no transaction is open while it runs. It may have `limits: Limits`."""

    @property
    def retry_unknown(self) -> bool:
        """True for idempotent peers: a doubtful attempt may be repeated"""
        ...

    def deliver(self, message: Leased) -> Delivery: ...


def is_ready(handler: Handler) -> bool:
    """Whether it wants messages now. One that sends only when others cannot says so by a method `ready`."""
    ready = getattr(handler, "ready", None)
    return ready is None or bool(ready())
