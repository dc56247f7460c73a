"""A road for mail that leads nowhere, and a mailbox nobody writes to: for the demo company, and for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from email.message import EmailMessage

from connectors.mail import message
from connectors.mail.mailbox import Cursor, Fetched
from connectors.mail.transport import MailResult, OutMail
from connectors.outcome import BadMessage, Health, LinkState, Outcome, Trial

Script = Callable[[OutMail], Outcome]
"""Decides how an attempt ends."""


def accept(_m: OutMail) -> Outcome:
    return Outcome.accepted()


class SimulatedMailRoad:
    """A MailTransport. Builds the message like the SMTP road does, so that what that one refuses is refused here too.

    deliver: called with each message that "left"; without it they gather in `sent`. delay: seconds an attempt takes.
    """

    def __init__(
        self,
        sender: str,
        deliver: Callable[[EmailMessage], None] | None = None,
        *,
        script: Script = accept,
        delay: float = 0.0,
        name: str = "simulator",
    ) -> None:
        self.name = name
        self.sent: list[EmailMessage] = []
        self._sender = sender
        self._deliver = deliver or self.sent.append
        self._script = script
        self._delay = delay

    def send(self, m: OutMail) -> MailResult:
        try:
            recipients = message.recipients(m)
            mail = message.build(m, self._sender)
            message.to_bytes(mail)
        except BadMessage as error:
            return MailResult(Outcome.rejected(error.code, str(error)), {})
        time.sleep(self._delay)
        outcome = self._script(m)
        if outcome.is_accepted:
            self._deliver(mail)
        return MailResult.alike(outcome, recipients, str(mail["Message-ID"]))

    def try_out(self) -> list[Trial]:
        return [Trial("simulated", True)]

    def health(self) -> Health:
        return Health(LinkState.UP, "simulated")


class SimulatedMailbox:
    """A MailSource. What is put in `waiting` comes in; nothing else ever does."""

    def __init__(self, name: str = "simulator") -> None:
        self.name = name
        self.waiting: list[bytes] = []
        self.filed: list[int] = []

    def fetch(self, after: Cursor, since: date) -> Iterator[Fetched]:
        for uid, raw in enumerate(list(self.waiting), start=1):
            if uid > after.uid:
                yield Fetched(Cursor(1, uid), raw, len(raw))

    def file(self, uid: int) -> None:
        self.filed.append(uid)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return not stop.wait(min(seconds, 0.05)) and bool(self.waiting)

    def close(self) -> None:
        """There is nothing to close."""

    def health(self) -> Health:
        return Health(LinkState.UP, "simulated")

    def try_out(self) -> list[Trial]:
        return [Trial("simulated", True)]
