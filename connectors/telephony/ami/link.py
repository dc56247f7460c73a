"""One logged-in connection to AMI: events to whoever reads, answers to whoever asked, pings in between."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.outcome import LinkDown, Misconfigured, PeerRefused, PeerSilent, is_loopback
from connectors.telephony.ami.codec import Message, Reader, render

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 5.0
PING_SECONDS = 15.0
MOST_MISSED_PINGS = 2
LOOK_SECONDS = 0.05
"""How long the reader waits for bytes before it looks at its other duties."""


@dataclass(frozen=True)
class AmiSettings:
    """Where the exchange is and how it is dialled. The secret shows in no repr."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    tls: bool
    ca_file: str | None = None
    context: str = "from-internal"
    technology: str = "PJSIP"

    @classmethod
    def parse(cls, url: str) -> AmiSettings:
        """ami:// (this machine only) or amis:// user:secret@host[:port][?context=&technology=&ca=].

        Raises Misconfigured, without repeating the URL. User and secret are percent-encoded.
        """
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
            port = parts.port
        except ValueError:
            raise Misconfigured("The AMI URL must read ami:// or amis:// user:secret@host[:port].") from None
        if parts.scheme not in ("ami", "amis") or not parts.hostname or not parts.username or not parts.password:
            raise Misconfigured("The AMI URL must read ami:// or amis:// user:secret@host[:port].")
        if set(options) - {"context", "technology", "ca"} or parts.path not in ("", "/"):
            raise Misconfigured("The AMI URL has a path, or an option other than context, technology and ca.")
        tls = parts.scheme == "amis"
        if not tls and not is_loopback(parts.hostname):
            raise Misconfigured("AMI in plain would show its secret on the way: use amis:// for another machine.")
        return cls(
            parts.hostname,
            port or (5039 if tls else 5038),
            unquote(parts.username),
            unquote(parts.password),
            tls,
            options.get("ca"),
            options.get("context", cls.context),
            options.get("technology", cls.technology),
        )


class AmiLink:
    """Made by `opened`. One thread reads `messages`; any thread may `ask`."""

    def __init__(self, connection: socket.socket, *, ping_seconds: float = PING_SECONDS) -> None:
        self._connection = connection
        self._reader = Reader()
        self._writing = threading.Lock()
        self._waiting: dict[str, SimpleQueue[Message]] = {}
        self._numbers = count(1)
        self._ping_seconds = ping_seconds
        self._pinged_at = monotonic()
        self._missed = 0
        self._closed = threading.Event()

    @classmethod
    def opened(cls, settings: AmiSettings, *, ping_seconds: float = PING_SECONDS) -> AmiLink:
        """Connect and log in. Raises LinkDown (code: unreachable | certificate_untrusted), PeerSilent or
        PeerRefused (code: auth_refused).
        """
        try:
            connection = socket.create_connection((settings.host, settings.port), CONNECT_SECONDS)
            if settings.tls:
                context = ssl.create_default_context(cafile=settings.ca_file)
                connection = context.wrap_socket(connection, server_hostname=settings.host)
        except ssl.SSLCertVerificationError as error:
            raise LinkDown(str(error), code="certificate_untrusted") from error
        except OSError as error:
            raise LinkDown(str(error), code="unreachable") from error
        link = cls(connection, ping_seconds=ping_seconds)
        try:
            link._log_in(settings)
        except BaseException:
            link.close()
            raise
        connection.settimeout(ANSWER_SECONDS)
        return link

    def _log_in(self, settings: AmiSettings) -> None:
        """Nobody reads yet: the answer is waited for here; events before it are none of ours."""
        fields = [("ActionID", "login"), ("Username", settings.user), ("Secret", settings.secret), ("Events", "on")]
        self._write(render("Login", fields))
        end = monotonic() + ANSWER_SECONDS
        while monotonic() < end:
            for message in self._received(end - monotonic()):
                if message.is_response and message.get("ActionID", "login") == "login":
                    if message.get("Response") != "Success":
                        raise PeerRefused(message.get("Message"), code="auth_refused")
                    return
        raise PeerSilent("The exchange does not answer the login.", code="silent")

    # --------------------------------------------------------------------------------------------- reading

    def messages(self, stop: threading.Event) -> Iterator[Message | None]:
        """Events, and answers nobody waits for, as they come; None whenever there is a moment for other duties.

        Raises LinkDown or PeerSilent.
        """
        while not stop.is_set():
            for message in self._received(LOOK_SECONDS):
                if not (message.is_response and self._hand_over(message)):
                    yield message
            self._ping_when_due()
            yield None

    def _received(self, seconds: float) -> list[Message]:
        if self._closed.is_set():
            raise LinkDown("The connection was closed.", code="closed")
        try:
            self._connection.settimeout(max(seconds, 0.01))
            data = self._connection.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return []
        except OSError as error:
            raise LinkDown(str(error), code="closed") from error
        if not data:
            raise LinkDown("The exchange has closed the connection.", code="closed")
        return list(self._reader.feed(data))

    def _hand_over(self, message: Message) -> bool:
        """Whether somebody waits for this answer, who has it now."""
        action = message.get("ActionID")
        if action.startswith("ping-"):
            self._missed = 0
            return True
        waiting = self._waiting.get(action)
        if waiting is not None:
            waiting.put(message)
        return waiting is not None

    def _ping_when_due(self) -> None:
        if monotonic() - self._pinged_at < self._ping_seconds:
            return
        if self._missed >= MOST_MISSED_PINGS:
            raise PeerSilent("The exchange has not answered two pings.", code="silent")
        self._pinged_at = monotonic()
        self._missed += 1
        self._write(render("Ping", [("ActionID", f"ping-{next(self._numbers)}")]))

    # --------------------------------------------------------------------------------------------- asking

    def send(self, action: str, *fields: tuple[str, str]) -> None:
        """Ask for something whose answer comes as events; `messages` tells a refusal, by its ActionID."""
        self._write(render(action, fields))

    def ask(self, action: str, *fields: tuple[str, str], action_id: str = "") -> Message:
        """Ask and wait for the answer. Raises PeerRefused with the exchange's words, PeerSilent, LinkDown."""
        key = action_id or f"ask-{next(self._numbers)}"
        data = render(action, [("ActionID", key), *fields])
        waiting = self._waiting[key] = SimpleQueue()
        try:
            self._write(data)
            answer = waiting.get(timeout=ANSWER_SECONDS)
        except Empty:
            raise PeerSilent(f"No answer to {action}.") from None
        finally:
            self._waiting.pop(key, None)
        if answer.get("Response") != "Success":
            raise PeerRefused(answer.get("Message") or answer.get("Response"))
        return answer

    def _write(self, data: bytes) -> None:
        with self._writing:
            try:
                self._connection.sendall(data)
            except OSError as error:
                self.close()
                raise LinkDown(str(error), code="closed") from error

    def close(self) -> None:
        self._closed.set()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._connection.close()
