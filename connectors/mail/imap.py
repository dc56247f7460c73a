"""A mailbox over IMAP: TLS always and verified, new mail by IDLE, a silent server noticed."""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls
from imap_tools.errors import ImapToolsError, MailboxFetchError, MailboxLoginError
from imap_tools.utils import check_command_status

from connectors.mail.mailbox import Cursor, Fetched
from connectors.outcome import (
    ConnectorError,
    Health,
    LinkDown,
    LinkState,
    Misconfigured,
    PeerRefused,
    PeerSilent,
    Trial,
)

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 30.0
DEFAULT_FOLDER = "INBOX"
LARGEST = 50 * 1024 * 1024
"""Octets of a mail that is taken whole; as sent, a third larger than what is in it."""
SIZES_AT_ONCE = 200
POLL_SECONDS = 30.0
"""Between looks at a server that knows no IDLE."""
LOOK_SECONDS = 0.5
"""How soon a request to stop is noticed while we idle."""

_SIZE = re.compile(rb"UID (\d+)[^)]*RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+)[^)]*UID (\d+)")
_LATER = re.compile(r"\[(UNAVAILABLE|LIMIT|INUSE|SERVERBUG|ALERT)\]", re.IGNORECASE)
_STEP_OF = {
    "tls_failed": "tls",
    "certificate_untrusted": "tls",
    "auth_refused": "login",
    "imap_refused": "folder",
}
"""Which step of a trial an error's code ends."""
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

imaplib.Commands.setdefault("ID", ("NONAUTH", "AUTH", "SELECTED"))


class Security(StrEnum):
    TLS = "imaps"
    STARTTLS = "imap+starttls"


_PORTS = {Security.TLS: 993, Security.STARTTLS: 143}


@dataclass(frozen=True)
class ImapSettings:
    """Where and how. The password shows in no repr.

    filed: the folder stored mails are moved to; "" leaves them where they are, marked as read.
    """

    security: Security
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = DEFAULT_FOLDER
    filed: str = ""
    ca_file: str | None = None
    timeout: float = DEFAULT_TIMEOUT

    @classmethod
    def parse(cls, url: str) -> ImapSettings:
        """imaps:// or imap+starttls://user:password@host[:port][/folder][?filed=已处理&ca=/path/ca.pem&timeout=30].

        Raises Misconfigured, without repeating the URL. User, password and folder are percent-encoded.
        """
        try:
            parts = urlsplit(url)
            security, port = Security(parts.scheme), parts.port
            options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
            timeout = float(options.pop("timeout", DEFAULT_TIMEOUT))
        except ValueError:
            raise Misconfigured(
                "The IMAP URL must read imaps:// or imap+starttls:// user:password@host [:port] [/folder]."
            ) from None
        filed, ca_file = options.pop("filed", ""), options.pop("ca", None)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not parts.hostname or not user or not password or options or timeout <= 0:
            raise Misconfigured("The IMAP URL has no host, user or password, or an option it does not know.")
        folder = unquote(parts.path.strip("/")) or DEFAULT_FOLDER
        if any(ord(sign) < 32 for sign in user + password + folder + filed):
            raise Misconfigured("The IMAP URL holds a control character.")
        return cls(
            security, parts.hostname, port or _PORTS[security], user, password, folder, filed, ca_file, timeout
        )  # fmt: skip


class ImapMailbox:
    """A MailSource. One connection, made at the first use and again after any trouble; for one thread."""

    def __init__(self, settings: ImapSettings) -> None:
        self.name = f"{settings.user}@{settings.host}/{settings.folder}"
        self._settings = settings
        try:
            self._tls = ssl.create_default_context(cafile=settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured("The file named by ?ca= holds no certificates we can read.") from error
        self._box: BaseMailBox | None = None
        self._validity = 0
        self._health = Health(LinkState.DOWN, "not_opened")

    @classmethod
    def from_url(cls, url: str) -> ImapMailbox:
        """Raises Misconfigured."""
        return cls(ImapSettings.parse(url))

    def health(self) -> Health:
        return self._health

    def try_out(self) -> list[Trial]:
        """Reach it, sign in and open the folder, beside the connection that waits for mail."""
        settings, beside = self._settings, ImapMailbox(self._settings)
        steps = {"connect": settings.host, "tls": settings.host, "login": settings.user, "folder": settings.folder}
        try:
            with beside._link():
                return [Trial(step, True, words) for step, words in steps.items()]
        except ConnectorError as error:
            failed = _STEP_OF.get(error.code, "connect")
            before = takewhile(lambda step: step != failed, steps)
            return [*(Trial(step, True, steps[step]) for step in before), Trial(failed, False, str(error))]
        finally:
            beside.close()

    # --- reading ---

    def fetch(self, after: Cursor, since: date) -> Iterator[Fetched]:
        with self._link() as box:
            validity = self._select(box)
            uids = self._new_uids(box, after, validity, since)
            sizes = self._sizes(box, uids)
        for uid in uids:
            if uid not in sizes:
                continue  # deleted since
            with self._link() as box:
                if self._validity != validity:
                    return  # connected anew meanwhile, to a folder made anew
                whole = sizes[uid] <= LARGEST
                raw = self._raw(box, uid, whole=whole)
            if raw is not None:
                yield Fetched(Cursor(validity, uid), raw, sizes[uid], whole)

    def file(self, uid: int) -> None:
        with self._link() as box:
            box.flag(str(uid), r"\Seen", value=True)
            if self._settings.filed:
                box.move(str(uid), self._settings.filed)

    def _select(self, box: BaseMailBox) -> int:
        """Look at the folder anew; its UIDVALIDITY."""
        box.folder.set(self._settings.folder)
        _word, found = box.client.response("UIDVALIDITY")
        self._validity = int(found[0]) if found and found[0] else 0
        return self._validity

    @staticmethod
    def _new_uids(box: BaseMailBox, after: Cursor, validity: int, since: date) -> list[int]:
        known = after.uid if after.validity == validity else 0
        day = f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}"
        # "n:*" always holds the newest, even when it is older than n
        found = box.uids(f"UID {known + 1}:*" if known else f"SINCE {day}", charset=None)
        return sorted(uid for uid in map(int, found) if uid > known)

    @staticmethod
    def _sizes(box: BaseMailBox, uids: Sequence[int]) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for start in range(0, len(uids), SIZES_AT_ONCE):
            some = ",".join(map(str, uids[start : start + SIZES_AT_ONCE]))
            for line in _answer(box.client.uid("FETCH", some, "(UID RFC822.SIZE)")):
                if isinstance(line, bytes) and (found := _SIZE.search(line)):
                    uid, size = (found[1], found[2]) if found[1] else (found[4], found[3])
                    sizes[int(uid)] = int(size)
        return sizes

    @staticmethod
    def _raw(box: BaseMailBox, uid: int, *, whole: bool) -> bytes | None:
        parts = _answer(box.client.uid("FETCH", str(uid), f"(BODY.PEEK[{'' if whole else 'HEADER'}])"))
        return next((part[1] for part in parts if isinstance(part, tuple) and b"BODY[" in part[0]), None)

    # --- waiting ---

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        with self._link() as box:
            if "IDLE" not in box.client.capabilities:
                stop.wait(min(seconds, POLL_SECONDS))
                box.client.noop()
                return True
            box.idle.start()  # type: ignore[no-untyped-call]
            news = self._idle(box, seconds, stop)
            box.idle.stop()  # type: ignore[no-untyped-call]  # a silent or lost server shows here
            return news

    @staticmethod
    def _idle(box: BaseMailBox, seconds: float, stop: threading.Event) -> bool:
        end = time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < end:
            began = time.monotonic()
            lines = box.idle.poll(LOOK_SECONDS)
            if any(b"EXISTS" in line for line in lines):
                return True
            if not lines and time.monotonic() - began < LOOK_SECONDS / 2:
                return False  # the end of the stream is "readable" at once, for ever
        return False

    # --- the link ---

    @contextmanager
    def _link(self) -> Iterator[BaseMailBox]:
        """The open mailbox; any trouble closes it and tells what it was."""
        try:
            if self._box is None:
                self._box = self._connect()
            yield self._box
        except ssl.SSLError as error:
            code = "certificate_untrusted" if isinstance(error, ssl.SSLCertVerificationError) else "tls_failed"
            raise self._down(LinkDown(f"TLS with {self._settings.host} failed.", code=code)) from error
        except TimeoutError as error:
            raise self._down(PeerSilent(f"{self._settings.host} does not answer.")) from error
        except imaplib.IMAP4.abort as error:
            raise self._down(LinkDown(f"{self._settings.host} hung up.", code="connection_lost")) from error
        except (ImapToolsError, imaplib.IMAP4.error) as error:
            raise self._down(PeerRefused(str(error)[:300], code="imap_refused")) from error
        except OSError as error:
            code = "connection_lost" if self._box is not None else "unreachable"
            raise self._down(LinkDown(f"{self._settings.host} cannot be reached.", code=code)) from error
        else:
            self._health = Health(LinkState.UP)

    def _connect(self) -> BaseMailBox:
        settings = self._settings
        kind = MailBox if settings.security is Security.TLS else MailBoxStartTls
        box = kind(settings.host, settings.port, timeout=settings.timeout, ssl_context=self._tls)
        try:
            self._enter(box)
        except BaseException:
            with suppress(OSError):
                box.client.shutdown()
            raise
        return box

    def _enter(self, box: BaseMailBox) -> None:
        settings = self._settings
        try:
            if (settings.user + settings.password).isascii():
                box.login(settings.user, settings.password, initial_folder=None)
            else:
                box.login_utf8(settings.user, settings.password, initial_folder=None)
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            if isinstance(error, imaplib.IMAP4.abort) or _LATER.search(str(error)):
                raise
            # `from None`: the exchange with the password stays out of tracebacks
            raise self._down(PeerRefused("The server refused the login.", code="auth_refused")) from None
        if "ID" in box.client.capabilities:
            # 163.com and others let nobody in who does not say what he is ("Unsafe Login")
            box.client._simple_command("ID", '("name" "yunliu")')  # noqa: SLF001
        if settings.filed and not box.folder.exists(settings.filed):
            box.folder.create(settings.filed)
        self._select(box)

    def _down(self, trouble: ConnectorError) -> ConnectorError:
        if self._box is not None:
            with suppress(OSError):
                self._box.client.shutdown()
            self._box = None
        self._health = Health(LinkState.DOWN, trouble.code)
        logger.warning("mailbox.trouble", extra={"mailbox": self.name, "code": trouble.code})
        return trouble

    def close(self) -> None:
        if self._box is None:
            return
        with suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
            self._box.client.sock.settimeout(2.0)
            self._box.logout()
        self._box = None


def _answer(result: tuple[str, list[Any]]) -> list[Any]:
    """The lines of an answer; a refusal is an error, or its mails would be taken for deleted."""
    check_command_status(result, MailboxFetchError)
    return result[1]
