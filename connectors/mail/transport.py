"""What a road for mail offers, whether SMTP or a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from connectors.outcome import Health, Outcome, Trial, Verdict


@dataclass(frozen=True)
class Attachment:
    """`media_type` as "application/pdf"; text files are given as bytes too."""

    filename: str
    content: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True)
class OutMail:
    """One mail. Addresses are "name@host" or "显示名 <name@host>".

    id: our own key (the outbox row); the Message-ID is made from it, so that every attempt bears the same.
    number: our number of the mail; with the hash of `id` it marks Message-ID and ENVID, so that answers find their way.
    tagged: the subject shows the mark, too: "[#4711-3fa9c1]".
    at: the instant for the Date header, the same at every attempt.
    sender: another sender than the road's own.
    in_reply_to, references: Message-IDs; the mail answered is added to the references, as RFC 5322 wants it.
    calendar: an invitation, an iCalendar text with its METHOD; shown by mail programs as one.
    attempt: 1 at first; pauses between attempts grow with it.
    settled: recipients (bare addresses) that an earlier attempt has accepted or refused, not asked again.
    """

    id: str
    to: tuple[str, ...]
    subject: str
    text: str
    at: datetime
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    sender: str = ""
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    number: int = 0
    tagged: bool = False
    calendar: str = ""
    attempt: int = 1
    settled: frozenset[str] = frozenset()

    def again(self, result: MailResult) -> OutMail:
        """The next attempt after a deferred one: only for recipients that still wait."""
        return replace(self, attempt=self.attempt + result.outcome.tried, settled=self.settled | result.settled)


@dataclass(frozen=True)
class MailResult:
    """How the attempt ended, whole and by recipient (bare address)."""

    outcome: Outcome
    recipients: Mapping[str, Outcome]
    message_id: str = ""

    @property
    def settled(self) -> frozenset[str]:
        return frozenset(to for to, outcome in self.recipients.items() if outcome.verdict is not Verdict.DEFERRED)

    @classmethod
    def alike(cls, outcome: Outcome, recipients: tuple[str, ...], message_id: str = "") -> MailResult:
        """The same end for every recipient."""
        return cls(outcome, dict.fromkeys(recipients, outcome), message_id)

    @classmethod
    def of(cls, recipients: Mapping[str, Outcome], message_id: str) -> MailResult:
        """The mail is in doubt if any recipient is, waits if any waits, is accepted if any is, and else rejected."""
        by_verdict = {outcome.verdict: outcome for outcome in reversed(list(recipients.values()))}
        order = (Verdict.UNKNOWN, Verdict.DEFERRED, Verdict.ACCEPTED, Verdict.REJECTED)
        return cls(next(by_verdict[verdict] for verdict in order if verdict in by_verdict), recipients, message_id)


class MailTransport(Protocol):
    @property
    def name(self) -> str:
        """Names the road in health pages; never with its password."""

    def send(self, m: OutMail) -> MailResult:
        """Never raises for what the wire does; every end is an outcome."""

    def health(self) -> Health: ...

    def try_out(self) -> list[Trial]:
        """Whether the link works, step by step, without sending anything."""
