"""A road for mail that leads nowhere: for the demo company, and for tests of everything above it."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.message import EmailMessage

from connectors.mail import message
from connectors.mail.transport import MailResult, OutMail
from connectors.outcome import BadMessage, Health, LinkState, Outcome

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

    def health(self) -> Health:
        return Health(LinkState.UP, "simulated")
