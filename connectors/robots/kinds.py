"""What the three have in common: a request to build, limits to keep, an answer to judge. HTTP 200 says nothing yet."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.outcome import Outcome

BUSY = timedelta(minutes=1)
"""Before a service that says it is busy is asked again."""
TOO_FAST = "too_fast"
"""Code of an answer that more was said than the service lets through."""
PARTED = "\n\n"
"""Between messages that leave together."""
CUT = "…"


@dataclass(frozen=True)
class Request:
    url: str
    body: bytes


@dataclass(frozen=True)
class Kind:
    """One service.

    longest: bytes of text in one message.  rates: (messages, seconds) that are let through, a margin for clocks within.
    """

    name: str
    hosts: tuple[str, ...]
    longest: int
    rates: tuple[tuple[int, float], ...]
    punished: timedelta
    """how long it lets nothing through after too much"""
    build: Callable[[str, str, str, datetime], Request]
    """(url, secret, text, now)"""
    code_of: Callable[[Mapping[str, Any]], int | None]
    """its own code in an answer; 0 is success, None no answer of its kind"""
    too_fast: frozenset[int]
    busy: frozenset[int]

    def judge(self, status: int, said: Mapping[str, Any]) -> Outcome:
        """What an answer means: success is its own code 0, and nothing else is."""
        code = self.code_of(said)
        words = str(said.get("errmsg") or said.get("msg") or said.get("StatusMessage") or "")[:300]
        if code is None:
            if status in (429, 502, 503, 504):
                return Outcome.deferred(BUSY, f"http_{status}", words)
            if 400 <= status < 500:
                return Outcome.rejected(f"http_{status}", words)
            return Outcome.unknown(f"http_{status}", words)
        if code == 0:
            return Outcome.accepted("0")
        if code in self.too_fast:
            return Outcome.deferred(self.punished, TOO_FAST, f"{code}: {words}")
        if code in self.busy:
            return Outcome.deferred(BUSY, str(code), words)
        return Outcome.rejected(str(code), words)


def signature(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


def as_json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def number(said: Mapping[str, Any], *names: str) -> int | None:
    """The first of these fields that is a whole number."""
    for name in names:
        value = said.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def merged(texts: Sequence[str], longest: int) -> tuple[str, int]:
    """As many of the texts, from the first, as fit into one message, and how many those are; one too long is cut."""
    text = _cut(texts[0], longest)
    count = 1
    for more in texts[1:]:
        longer = text + PARTED + more
        if len(longer.encode()) > longest:
            break
        text, count = longer, count + 1
    return text, count


def _cut(text: str, longest: int) -> str:
    raw = text.encode()
    if len(raw) <= longest:
        return text
    return raw[: longest - len(CUT.encode())].decode(errors="ignore") + CUT


def wait_for(rates: Sequence[tuple[int, float]], sent: Sequence[float], now: float) -> float:
    """Seconds until one more is let through, when these were sent (instants in seconds); 0 = now."""
    longest = 0.0
    for count, seconds in rates:
        recent = sorted(at for at in sent if at > now - seconds)
        if len(recent) >= count:
            longest = max(longest, recent[-count] + seconds - now)
    return longest
