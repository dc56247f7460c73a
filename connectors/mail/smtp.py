"""Mail over SMTP: TLS always verified, never a fallback to plain, a lost answer told apart from a lost mail."""

from __future__ import annotations

import logging
import random
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import takewhile
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from connectors.mail import marks, message
from connectors.mail.transport import MailResult, OutMail
from connectors.outcome import BadMessage, Health, LinkState, Misconfigured, Outcome, Trial, is_loopback

logger = logging.getLogger(__name__)

RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=60),
    *(timedelta(hours=4),) * 5,
)
"""Pauses after each temporary failure, about a day in all; then the mail is rejected."""

STOPPED_RETRY = timedelta(hours=1)
"""How long a person is given to correct the settings before a mail is offered again."""

JITTER = 0.2
DEFAULT_TIMEOUT = 30.0


class Security(StrEnum):
    PLAIN = "smtp"
    TLS = "smtps"
    STARTTLS = "smtp+starttls"


_PORTS = {Security.PLAIN: 25, Security.TLS: 465, Security.STARTTLS: 587}


@dataclass(frozen=True)
class SmtpSettings:
    """Where and how. The password shows in no repr."""

    security: Security
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str | None = None
    timeout: float = DEFAULT_TIMEOUT

    @classmethod
    def parse(cls, url: str) -> SmtpSettings:
        """smtp:// smtps:// smtp+starttls://[user:password@]host[:port][?ca=/path/to/ca.pem&timeout=30].

        Raises Misconfigured, without repeating the URL. User and password are percent-encoded.
        """
        try:
            parts = urlsplit(url)
            security, port = Security(parts.scheme), parts.port
            options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
            timeout = float(options.pop("timeout", DEFAULT_TIMEOUT))
        except ValueError:
            raise Misconfigured(
                "The SMTP URL must read smtp://, smtps:// or smtp+starttls:// [user:password@] host [:port]."
            ) from None
        ca_file = options.pop("ca", None)
        if not parts.hostname or options or parts.path not in ("", "/"):
            raise Misconfigured("The SMTP URL has no host, a path, or an option other than ca and timeout.")
        settings = cls(security, parts.hostname, port or _PORTS[security], *_login_of(parts), ca_file, timeout)
        if not (settings.user + settings.password).isascii():
            raise Misconfigured("User and password must be plain ASCII: SMTP clients and servers disagree on the rest.")
        if settings.password and security is Security.PLAIN and not is_loopback(settings.host):
            raise Misconfigured("A password over smtp:// could be read on the way: use smtps:// or smtp+starttls://.")
        return settings


def _login_of(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.username or ""), unquote(parts.password or "")


_STEP_OF = {
    "unreachable": "connect",
    "certificate_untrusted": "tls",
    "tls_failed": "tls",
    "no_starttls": "tls",
    "no_auth": "login",
    "auth_refused": "login",
}


class _Trouble(Exception):
    """An attempt that ended before the mail was handed over, with the outcome for all its recipients."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


class SmtpTransport:
    """A MailTransport. One connection per mail; safe to use from several threads.

    A refused password stops it until it is made anew: hammering would lock the account.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        sender: str,
        *,
        bounces_to: str = "",
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        self.name = f"{settings.security}://{settings.host}:{settings.port}"
        self._settings = settings
        self._sender = sender
        self._random_fraction = random_fraction
        self._tls = None if settings.security is Security.PLAIN else _tls_context(settings.ca_file)
        self._stopped: Outcome | None = None
        self._health = Health(LinkState.UP, "not_tried")
        try:
            message.parse_address(sender, "From")
        except BadMessage as error:
            raise Misconfigured("The sender (MAIL_FROM) must be one mail address, with or without a name.") from error
        try:
            self._bounces_to = message.parse_address(bounces_to, "Return-Path").addr_spec if bounces_to else ""
        except BadMessage as error:
            raise Misconfigured("Where bounces go (MAIL_BOUNCES_TO) must be one mail address.") from error

    @classmethod
    def from_url(cls, url: str, sender: str, bounces_to: str = "") -> SmtpTransport:
        """sender: "云流 <bpm@example.cn>"; bounces_to: "" sends them to the sender. Raises Misconfigured."""
        return cls(SmtpSettings.parse(url), sender, bounces_to=bounces_to)

    def health(self) -> Health:
        return self._health

    def try_out(self) -> list[Trial]:
        """Connect, secure, sign in and ask for an answer; no mail is sent. A stop for a refused login is lifted."""
        self._stopped = None
        done = [Trial("connect", True, self.name)]
        if self._tls is not None:
            done.append(Trial("tls", True, self._settings.host))
        if self._settings.user:
            done.append(Trial("login", True, self._settings.user))
        try:
            with self._session(attempt=1) as smtp:
                code, text = smtp.noop()
        except _Trouble as trouble:
            failed = _STEP_OF.get(
                trouble.outcome.code, "connect" if trouble.outcome.code == "unreachable" else "answer"
            )
            before = list(takewhile(lambda one: one.step != failed, done))
            return [*before, Trial(failed, False, f"{trouble.outcome.code} {trouble.outcome.text}".strip())]
        return [*done, Trial("answer", code // 100 == 2, f"{code} {_text(text)}")]

    def send(self, m: OutMail) -> MailResult:
        try:
            recipients = message.recipients(m)
            mail = message.build(m, self._sender)
            content = message.to_bytes(mail)
        except BadMessage as error:
            return MailResult(Outcome.rejected(error.code, str(error)), {})
        result = self._deliver(m, str(mail["Message-ID"]), recipients, content)
        logger.info(
            "mail.tried",
            extra={"mail_id": m.id, "verdict": result.outcome.verdict, "code": result.outcome.code},
        )
        return result

    def _deliver(self, m: OutMail, message_id: str, recipients: tuple[str, ...], content: bytes) -> MailResult:
        if self._stopped is not None:
            return MailResult.alike(self._stopped, recipients, message_id)
        sender = self._bounces_to or message.parse_address(m.sender or self._sender, "From").addr_spec
        try:
            with self._session(m.attempt) as smtp:
                self._open_envelope(smtp, m, sender, len(content))
                verdicts = self._name_recipients(smtp, m, recipients)
                if any(outcome.is_accepted for outcome in verdicts.values()):
                    final = self._hand_over(smtp, m.attempt, content)
                    verdicts = {to: final if outcome.is_accepted else outcome for to, outcome in verdicts.items()}
            return MailResult.of(verdicts, message_id)
        except _Trouble as trouble:
            return MailResult.alike(trouble.outcome, recipients, message_id)

    # --- the conversation ---

    @contextmanager
    def _session(self, attempt: int) -> Iterator[smtplib.SMTP]:
        """A connection, secured and logged in. What breaks before the final dot leaves the mail with us: deferred."""
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._connect()
            self._greet(smtp, attempt)
            self._health = Health(LinkState.UP)
            yield smtp
        except ssl.SSLError as error:
            code = "certificate_untrusted" if isinstance(error, ssl.SSLCertVerificationError) else "tls_failed"
            raise self._link_trouble(attempt, code) from error
        except smtplib.SMTPResponseException as error:
            # A greeting or EHLO refused: the server will not talk now, which is no word about this mail.
            raise self._link_trouble(attempt, f"smtp_{error.smtp_code}", _text(error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise self._link_trouble(attempt, "connection_lost" if smtp else "unreachable") from error
        finally:
            if smtp is not None:
                _take_leave(smtp)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security is Security.TLS:
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout, context=self._tls)
        return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)

    def _greet(self, smtp: smtplib.SMTP, attempt: int) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._settings.security is Security.STARTTLS:
            if not smtp.has_extn("starttls"):
                raise self._link_trouble(attempt, "no_starttls")
            smtp.starttls(context=self._tls)
            smtp.ehlo_or_helo_if_needed()
        if not self._settings.user:
            return
        try:
            smtp.login(self._settings.user, self._settings.password)
        except smtplib.SMTPNotSupportedError as error:
            raise self._link_trouble(attempt, "no_auth") from error
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code // 100 == 4:
                raise self._link_trouble(attempt, f"smtp_{error.smtp_code}", _text(error.smtp_error)) from None
            # `from None`: the exchange with the password stays out of tracebacks.
            raise self._stop("auth_refused", _text(error.smtp_error)) from None

    def _open_envelope(self, smtp: smtplib.SMTP, m: OutMail, sender: str, size: int) -> None:
        most = smtp.esmtp_features.get("size", "")
        if most.isdecimal() and len(most) < 20 and 0 < int(most) < size:
            raise _Trouble(Outcome.rejected("too_big", f"The mail has {size} bytes, the server takes {most}."))
        options = [f"SIZE={size}"] if smtp.has_extn("size") else []
        if smtp.has_extn("dsn"):
            options += ["RET=HDRS", f"ENVID={marks.of_mail(m.id, m.number)}"]
        code, text = smtp.mail(sender, options)
        if code != 250:
            raise _Trouble(self._outcome(code, text, m.attempt))

    def _name_recipients(self, smtp: smtplib.SMTP, m: OutMail, recipients: tuple[str, ...]) -> Mapping[str, Outcome]:
        options = ["NOTIFY=FAILURE,DELAY"] if smtp.has_extn("dsn") else []
        return {to: self._outcome(*smtp.rcpt(to, options), m.attempt) for to in recipients}

    def _hand_over(self, smtp: smtplib.SMTP, attempt: int, content: bytes) -> Outcome:
        """DATA. Before the final dot nothing has happened; after it, silence means doubt."""
        code, text = smtp.docmd("DATA")
        if code != 354:
            return self._outcome(code, text, attempt)
        smtp.send(_stuffed(content))
        try:
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException):
            return Outcome.unknown("in_doubt", "The server took the mail and did not say what became of it.")
        if code == -1:
            return Outcome.unknown("in_doubt", "The server's answer to the mail could not be read.")
        return self._outcome(code, text, attempt)

    # --- outcomes ---

    def _outcome(self, code: int, text: bytes, attempt: int) -> Outcome:
        match code // 100:
            case 2:
                return Outcome.accepted(f"smtp_{code}", _text(text))
            case 5:
                return Outcome.rejected(f"smtp_{code}", _text(text))
            case _:
                return self._deferred(attempt, f"smtp_{code}", _text(text))

    def _deferred(self, attempt: int, code: str, text: str = "") -> Outcome:
        if attempt > len(RETRY_AFTER):
            return Outcome.rejected(code, text)
        stretch = 1 + JITTER * (2 * self._random_fraction() - 1)
        return Outcome.deferred(RETRY_AFTER[attempt - 1] * stretch, code, text)

    def _link_trouble(self, attempt: int, code: str, text: str = "") -> _Trouble:
        self._health = Health(LinkState.DOWN, code)
        logger.warning("mail.link_trouble", extra={"server": self.name, "code": code})
        return _Trouble(self._deferred(attempt, code, text))

    def _stop(self, code: str, text: str) -> _Trouble:
        self._health = Health(LinkState.DOWN, code)
        self._stopped = Outcome.held(STOPPED_RETRY, code, text)
        logger.error("mail.stopped", extra={"server": self.name, "code": code})
        return _Trouble(self._stopped)


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured("The file named by ?ca= holds no certificates we can read.") from error


def _take_leave(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        smtp.close()


def _stuffed(content: bytes) -> bytes:
    """Dots at the beginning of a line doubled, and a line end at the end."""
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _text(reply: bytes | str) -> str:
    return reply if isinstance(reply, str) else reply.decode("utf-8", "replace")
