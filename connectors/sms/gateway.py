"""Short messages over an HTTP gateway: one POST a message, in words any small adapter before a provider can speak.

    POST <url>                          {"id": "4711", "to": "+8613800138000", "text": "…", "segments": 2}
    Authorization: Bearer <token>       Idempotency-Key: 4711
    -> 200..299                         {"id": "the provider's own"}        both optional
    -> 400..499                         {"code": "…", "text": "…"}          it will never be taken
    -> 408 425 429 503                  Retry-After: seconds                nothing left; later

Anything else after the request has been written (a silent peer, a lost line, another 5xx) leaves it in doubt: the
provider may have sent it. Such a message is shown to a person and never repeated by itself.
"""

from __future__ import annotations

import http.client
import json
import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from connectors import signatures
from connectors.outcome import (
    BadMessage,
    BadSignature,
    Health,
    LinkState,
    Misconfigured,
    Outcome,
    Trial,
    is_loopback,
    last_four,
)
from connectors.sms import callbacks, segments
from connectors.sms.transport import OutSms, PartRef, SmsCaps, SmsEvent, SmsResult

logger = logging.getLogger(__name__)

LATER = frozenset({408, 425, 429, 503})
"""Answers by which a peer says that it has done nothing and may be asked again."""
PAUSES = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800, 7200))
"""After each answer of that kind that names no time itself; after the last the message is rejected."""
LONGEST_PAUSE = timedelta(hours=4)
HELD = timedelta(minutes=1)
"""Before a peer that could not be reached is tried again."""
STOPPED = timedelta(minutes=10)
"""How long a person is given to correct a refused token or address before the next message is offered."""
MOST_ANSWER = 64 * 1024
"""bytes read of an answer"""
DEFAULT_TIMEOUT = 20.0


@dataclass(frozen=True)
class GatewaySettings:
    """Where, and as whom. The token shows in no repr."""

    scheme: str
    host: str
    port: int
    path: str
    token: str = field(default="", repr=False)
    timeout: float = DEFAULT_TIMEOUT
    secret: str = field(default="", repr=False)
    """signs what the gateway calls back with; without one nothing is taken"""

    @classmethod
    def parse(cls, url: str, token: str = "", timeout: float = DEFAULT_TIMEOUT, *, secret: str = "") -> GatewaySettings:
        """https://sms.example.cn/send; http:// without a token, or on this machine. Raises Misconfigured."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Misconfigured("The address of the gateway cannot be read.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
            raise Misconfigured("The address of the gateway must read https://host[:port]/path, without a login in it.")
        if token and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise Misconfigured("A token over http:// could be read on the way: use https://.")
        if not token.isascii() or not token.isprintable():
            raise Misconfigured("The token of the gateway must be plain ASCII without line ends.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii() or any(sign.isspace() for sign in path):
            raise Misconfigured("The path of the gateway must be percent-encoded.")
        return cls(
            parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path, token, timeout, secret
        )


class GatewaySms:
    """An SmsTransport. One connection a message; safe to use from several threads.

    A refused token stops it for a while: hammering would lock the account.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        told = bool(settings.secret)
        self.caps = SmsCaps(inbound=told, reports=told, per_second=50.0)
        self.name = f"{settings.scheme}://{settings.host}:{settings.port}"
        self._settings = settings
        self._tls = ssl.create_default_context() if settings.scheme == "https" else None
        self._health = Health(LinkState.UP, "not_tried")
        self._stopped_until = 0.0

    @classmethod
    def from_url(cls, url: str, token: str = "", secret: str = "") -> GatewaySms:
        """Raises Misconfigured."""
        return cls(GatewaySettings.parse(url, token, secret=secret))

    def health(self) -> Health:
        return self._health

    def try_out(self) -> list[Trial]:
        """Connect and secure; nothing is asked, for whatever is asked of a gateway may send. A stop is lifted."""
        self._stopped_until = 0.0
        done = [Trial("connect", True, self.name)]
        if self._tls is not None:
            done.append(Trial("tls", True, self._settings.host))
        connection = self._connection()
        try:
            connection.connect()
        except ssl.SSLError as error:
            return [*done[:1], Trial("tls", False, str(error.reason or error))]
        except (OSError, http.client.HTTPException) as error:
            return [Trial("connect", False, f"{self.name}: {error}")]
        finally:
            connection.close()
        return done

    def events(self, stop: Event) -> Iterator[SmsEvent]:
        """Nothing comes in by itself: the gateway calls back (`parse_callback`)."""
        stop.wait()
        yield from ()

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[SmsEvent]:
        """What the gateway tells us, all or none. Raises BadSignature, BadMessage."""
        if not self._settings.secret:
            raise BadSignature("No secret is set for callbacks.")
        signatures.verify([self._settings.secret], headers, body, now)
        return callbacks.read(body)

    def close(self) -> None:
        """Nothing is held open."""

    def send(self, m: OutSms) -> SmsResult:
        try:
            total = segments.count(m.text).segments
        except BadMessage as error:
            return SmsResult(Outcome.rejected(error.code, str(error)))
        if time.monotonic() < self._stopped_until:
            return SmsResult(Outcome.held(STOPPED, self._health.reason), (), total)
        outcome, provider_id = self._post(m, total)
        logger.info(
            "sms.gateway_tried",
            extra={"sms_id": m.id, "to": last_four(m.to), "verdict": outcome.verdict, "code": outcome.code},
        )
        # A gateway takes the message whole: what is said of it is said of each part.
        parts = range(1, total + 1) if outcome.is_accepted else range(1, 2)
        return SmsResult(outcome, tuple(PartRef(index, outcome, None, provider_id) for index in parts), total)

    # --- the conversation ---

    def _post(self, m: OutSms, total: int) -> tuple[Outcome, str]:
        connection = self._connection()
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            untrusted = isinstance(error, ssl.SSLCertVerificationError)
            code = "certificate_untrusted" if untrusted else "tls_failed" if isinstance(error, ssl.SSLError) else ""
            return self._down(code or "unreachable"), ""
        body = json.dumps({"id": m.id, "to": m.to, "text": m.text, "segments": total}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
        headers |= {"Idempotency-Key": m.id, "User-Agent": "Yunliu"}
        if self._settings.token:
            headers["Authorization"] = f"Bearer {self._settings.token}"
        try:
            connection.request("POST", self._settings.path, body, headers)
            answer = connection.getresponse()
            said = _read(answer, self._settings.timeout)
        except (OSError, http.client.HTTPException):
            self._health = Health(LinkState.DEGRADED, "in_doubt")
            return Outcome.unknown("in_doubt", "The gateway was given the message and gave no answer."), ""
        finally:
            connection.close()
        return self._judge(answer, said, m.attempt), str(said.get("id") or "")[:100]

    def _connection(self) -> http.client.HTTPConnection:
        settings = self._settings
        if self._tls is not None:
            return http.client.HTTPSConnection(
                settings.host, settings.port, timeout=settings.timeout, context=self._tls
            )
        return http.client.HTTPConnection(settings.host, settings.port, timeout=settings.timeout)

    # --- outcomes ---

    def _judge(self, answer: http.client.HTTPResponse, said: dict[str, Any], attempt: int) -> Outcome:
        status, code, text = answer.status, f"http_{answer.status}", _words(said)
        if 200 <= status < 300:
            self._health = Health(LinkState.UP)
            return Outcome.accepted(code, text)
        if status in (401, 403):
            return self._stop("auth_refused", text)
        if 300 <= status < 400:
            return self._stop("redirected", text)  # a message is not carried to another address unasked
        if status in LATER:
            self._health = Health(LinkState.DEGRADED, code)
            return _later(answer, attempt, code, text)
        if 400 <= status < 500:
            self._health = Health(LinkState.UP)
            return Outcome.rejected(code, text)
        self._health = Health(LinkState.DEGRADED, code)
        return Outcome.unknown(code, text or "The gateway failed after it had been given the message.")

    def _down(self, code: str) -> Outcome:
        """Nothing left; the message waits until the gateway can be reached."""
        self._health = Health(LinkState.DOWN, code)
        logger.warning("sms.gateway_down", extra={"gateway": self.name, "code": code})
        return Outcome.held(HELD, code)

    def _stop(self, code: str, text: str) -> Outcome:
        """Nothing left, and nothing will until a person has corrected the settings."""
        self._health = Health(LinkState.DOWN, code)
        self._stopped_until = time.monotonic() + STOPPED.total_seconds()
        logger.error("sms.gateway_stopped", extra={"gateway": self.name, "code": code})
        return Outcome.held(STOPPED, code, text)


def _later(answer: http.client.HTTPResponse, attempt: int, code: str, text: str) -> Outcome:
    if attempt > len(PAUSES):
        return Outcome.rejected(code, text)
    named = (answer.getheader("Retry-After") or "").strip()
    pause = timedelta(seconds=int(named)) if named.isdecimal() and len(named) < 6 else PAUSES[attempt - 1]
    return Outcome.deferred(min(pause, LONGEST_PAUSE), code, text)


def _read(answer: http.client.HTTPResponse, seconds: float) -> dict[str, Any]:
    """The answer's JSON object; {} for any other and for one that never ends: the status decides, and that is known."""
    text, end = b"", time.monotonic() + seconds
    try:
        while (piece := answer.read1(4096)) and len(text) < MOST_ANSWER and time.monotonic() < end:
            text += piece
        said = json.loads(text)
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _words(said: dict[str, Any]) -> str:
    """What the gateway says of it, for a person to read."""
    return " ".join(str(said[name]) for name in ("code", "text", "message") if said.get(name))[:300]
