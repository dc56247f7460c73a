"""What every wire answers: how an attempt ended, how the link is, and what went wrong.

ConnectorError
 ├── Misconfigured     no retry helps until a person changes a setting or the device
 ├── BadSignature      whoever calls us cannot prove who he is
 ├── BadMessage        this message can never be put on this wire; nothing was sent
 ├── LinkDown          the peer cannot be reached
 ├── PeerSilent        the peer was reached and did not answer in time
 └── PeerRefused       the peer answered no, with its own code
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    """The peer took it over."""
    REJECTED = "rejected"
    """It will never be taken; nothing left."""
    DEFERRED = "deferred"
    """Nothing left; try again after `retry_after`."""
    UNKNOWN = "unknown"
    """Bytes were written and no answer came: it may have left. Only a person may send it again."""


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended. `code` is for machines, `text` is the peer's own wording.

    retry_after: set when deferred, and only then.
    tried: False when the link was not ready and the message was merely held back; that does not count as an attempt.
    """

    verdict: Verdict
    code: str = ""
    text: str = ""
    retry_after: timedelta | None = None
    tried: bool = True

    @classmethod
    def accepted(cls, code: str = "", text: str = "") -> Outcome:
        return cls(Verdict.ACCEPTED, code, text)

    @classmethod
    def rejected(cls, code: str, text: str = "") -> Outcome:
        return cls(Verdict.REJECTED, code, text)

    @classmethod
    def deferred(cls, retry_after: timedelta, code: str, text: str = "") -> Outcome:
        return cls(Verdict.DEFERRED, code, text, retry_after)

    @classmethod
    def held(cls, retry_after: timedelta, code: str, text: str = "") -> Outcome:
        return cls(Verdict.DEFERRED, code, text, retry_after, tried=False)

    @classmethod
    def unknown(cls, code: str, text: str = "") -> Outcome:
        return cls(Verdict.UNKNOWN, code, text)

    @property
    def is_accepted(self) -> bool:
        return self.verdict is Verdict.ACCEPTED


class LinkState(StrEnum):
    UP = "up"
    DEGRADED = "degraded"
    """Reachable, and messages wait (no network, mailbox busy)."""
    DOWN = "down"


@dataclass(frozen=True)
class Health:
    """State of a link.

    reason: a word to translate ("sim_pin_refused"). facts: figures to show (signal, operator).
    """

    state: LinkState
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One thing that was tried of a link without sending anything; the first that fails is the last.

    step: connect | tls | login | device | sim | network | folder | folders | program | answer | simulated.
    words: what the peer said.
    """

    step: str
    ok: bool
    words: str = ""


class ConnectorError(Exception):
    """Base of all that a connector raises; `code` is stable and made for machines."""

    code = "connector_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class Misconfigured(ConnectorError):
    code = "misconfigured"


class BadSignature(ConnectorError):
    code = "bad_signature"


class BadMessage(ConnectorError):
    code = "bad_message"


class LinkDown(ConnectorError):
    code = "link_down"


class PeerSilent(ConnectorError):
    code = "peer_silent"


class PeerRefused(ConnectorError):
    code = "peer_refused"


def last_four(number: str) -> str:
    """A telephone number as logs may show it: "…8000"."""
    return f"…{number[-4:]}"


def is_loopback(host: str) -> bool:
    """Whether what is said to this host stays on this machine: secrets may go there in plain."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
