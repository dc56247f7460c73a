"""One webhook on its way: what the peer's answer, or its silence, means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

from connectors import safe_http
from connectors.outcome import ConnectorError, Health, LinkState, Outcome, PeerSilent
from connectors.safe_http import Allowed, Answer, Blocked
from connectors.signatures import sign

PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 21600))
"""Between attempts; after the last one it lies until a person sends it again."""
GONE = "gone"
"""The peer wants no more of them (410): the hook is to be switched off."""
LONGEST_WORDS = 300


@dataclass(frozen=True)
class OutHook:
    """What is sent, where, under which secrets (never shown); `attempt` counts from 1."""

    id: str
    url: str = field(repr=False)
    keys: Sequence[str] = field(repr=False)
    body: bytes = field(repr=False)
    at: datetime
    attempt: int = 1


@dataclass(frozen=True)
class HookResult:
    outcome: Outcome
    status: int = 0
    """0: no answer came"""
    milliseconds: int = 0


class HookSender(Protocol):
    @property
    def name(self) -> str: ...

    def send(self, hook: OutHook) -> HookResult: ...

    def health(self) -> Health: ...


class HttpHooks:
    """Over the net. Webhooks are known by their id to whoever receives them, so one in doubt is sent again."""

    name = "https"

    def __init__(self, allowed: Allowed = safe_http.NOTHING_PRIVATE, *, timeout: float = safe_http.TIMEOUT) -> None:
        self._allowed = allowed
        self._timeout = timeout

    def health(self) -> Health:
        """Each peer has its own health; the road itself is the net."""
        return Health(LinkState.UP)

    def send(self, hook: OutHook) -> HookResult:
        began = monotonic()
        headers = {"Content-Type": "application/json", **sign(hook.keys, hook.id, hook.at, hook.body)}
        status = 0
        try:
            answer = safe_http.post(hook.url, hook.body, headers, allowed=self._allowed, timeout=self._timeout)
            status, outcome = answer.status, judged(answer, hook.attempt)
        except Blocked as refused:
            outcome = Outcome.rejected(refused.code, str(refused))
        except PeerSilent as silent:
            outcome = Outcome.unknown(silent.code, str(silent))
        except ConnectorError as error:
            outcome = _later(hook.attempt, error.code, str(error))
        return HookResult(outcome, status, round((monotonic() - began) * 1000))


class SimulatedHooks:
    """Takes everything and sends nothing; in the demo company."""

    name = "simulator"

    def health(self) -> Health:
        return Health(LinkState.UP, "simulated")

    def send(self, hook: OutHook) -> HookResult:
        return HookResult(Outcome.accepted("simulated"), 200)


def judged(answer: Answer, attempt: int) -> Outcome:
    """2xx alone is a yes; 410 is a no for good; everything else may pass."""
    code = f"http_{answer.status}"
    if 200 <= answer.status < 300:
        return Outcome.accepted(code)
    words = " ".join(answer.body[:1200].decode("utf-8", "replace").split())[:LONGEST_WORDS]
    if answer.status == 410:
        return Outcome.rejected(GONE, words)
    named = answer.headers.get("retry-after", "").strip()
    wished = timedelta(seconds=int(named)) if named.isdecimal() and len(named) < 6 else timedelta(0)
    return _later(attempt, code, words, at_least=wished)


def again(outcome: Outcome, attempt: int) -> Outcome:
    """What is in doubt is tried again like what failed: the id tells the peer that it is the same message."""
    return _later(attempt, outcome.code, outcome.text)


def _later(attempt: int, code: str, text: str, *, at_least: timedelta = timedelta(0)) -> Outcome:
    if attempt > len(PAUSES):
        return Outcome.rejected(code, text)
    return Outcome.deferred(min(max(PAUSES[attempt - 1], at_least), PAUSES[-1]), code, text)
