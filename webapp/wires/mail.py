"""Mail: which road a house has, which mailboxes it reads, and how the outbox's messages go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.mail.imap import ImapMailbox
from connectors.mail.invitation import Guest, Invitation, write
from connectors.mail.mailbox import MailSource
from connectors.mail.message import is_reference, parse_address
from connectors.mail.simulator import SimulatedMailbox, SimulatedMailRoad
from connectors.mail.smtp import SmtpTransport
from connectors.mail.transport import Attachment, MailResult, MailTransport, OutMail
from connectors.outcome import Verdict
from engine import attachments
from engine.wire import Delivery, Leased, Limits
from webapp.settings import Settings
from webapp.wires.answers import delivery_of

MAIL = "mail"
MAILBOX = "mailbox"


def mail_road(settings: Settings) -> MailTransport:
    if settings.smtp_url and not settings.devices_simulated:
        return SmtpTransport.from_url(settings.smtp_url, settings.mail_from, settings.mail_bounces_to)
    return SimulatedMailRoad(settings.mail_from)


def mailbox_names(settings: Settings) -> tuple[str, ...]:
    """One for each address in IMAP_URL: mailbox, mailbox-2, …; none while devices are simulated."""
    urls = () if settings.devices_simulated else settings.imap_url.split()
    return tuple(MAILBOX if number == 1 else f"{MAILBOX}-{number}" for number, _url in enumerate(urls, start=1))


def mailbox(settings: Settings, name: str) -> MailSource:
    """The mailbox of this name; connects at the first use."""
    if settings.devices_simulated:
        return SimulatedMailbox()
    return ImapMailbox.from_url(settings.imap_url.split()[mailbox_names(settings).index(name)])


@dataclass(frozen=True)
class MailHandler:
    """Payload: {"to": [address], "cc", "subject", "text", "html", "attachments": [{"name", "media_type", "sha256"}],
    "in_reply_to", "references", "answerable", "invitation"}.

    Result: {"settled", "accepted", "message_id", "road", "refused", "reports"}; reports come later, by mail.
    """

    road: MailTransport
    organizer: str
    """our address, as invitations name it"""
    limits: Limits = field(default_factory=Limits)
    retry_unknown: bool = False
    tags: bool = False
    """somebody reads the answers: subjects of mails that may be answered bear our mark"""

    def deliver(self, message: Leased) -> Delivery:
        payload, before = message.payload, message.result
        result = self.road.send(
            OutMail(
                id=message.key,
                number=message.id,
                to=tuple(payload["to"]),
                cc=tuple(payload.get("cc", ())),
                subject=str(payload["subject"]),
                tagged=self.tags and bool(payload.get("answerable")),
                text=str(payload.get("text", "")),
                html=str(payload.get("html", "")),
                calendar=_calendar(message, self.organizer),
                in_reply_to=next(filter(is_reference, [str(payload.get("in_reply_to", ""))]), ""),
                references=tuple(filter(is_reference, payload.get("references", ()))),
                attachments=tuple(
                    Attachment(file["name"], attachments.path_of(file["sha256"]).read_bytes(), file["media_type"])
                    for file in payload.get("attachments", ())
                ),
                at=message.created_at,
                attempt=message.attempts + 1,
                settled=_settled(message),
            )
        )
        return delivery_of(result.outcome, {**before, **_noted(message, result), "road": self.road.name})


def _calendar(message: Leased, organizer: str) -> str:
    told = message.payload.get("invitation")
    if told is None:
        return ""
    ours = parse_address(organizer, "From")
    return write(
        Invitation(
            uid=f"{told['uid']}@{ours.domain}",
            sequence=told["sequence"],
            title=told["title"],
            place=told["place"],
            text=told["text"],
            starts_at=datetime.fromisoformat(told["starts_at"]),
            ends_at=datetime.fromisoformat(told["ends_at"]),
            at=message.created_at,
            organizer=Guest(ours.addr_spec, ours.display_name),
            guests=tuple(Guest(address, name) for address, name in told["guests"]),
            cancelled=told["cancelled"],
        )
    )


def _settled(message: Leased) -> frozenset[str]:
    """Who need not be asked again. A person who sends a mail again means all who have not got it."""
    before = message.result
    if message.attempts or "accepted" not in before:
        return frozenset(before.get("settled", ()))
    lost = {address for address, told in before.get("reports", {}).items() if told["action"] == "failed"}
    return frozenset(address for address in before["accepted"] if address.lower() not in lost)


def _noted(message: Leased, result: MailResult) -> Mapping[str, Any]:
    before = message.result
    by_verdict: dict[Verdict, dict[str, str]] = {verdict: {} for verdict in Verdict}
    for address, outcome in result.recipients.items():
        by_verdict[outcome.verdict][address] = outcome.text
    accepted = by_verdict[Verdict.ACCEPTED]
    refused = {**before.get("refused", {}), **by_verdict[Verdict.REJECTED]}
    asked = {address.lower() for address in result.recipients}
    return {
        "settled": sorted({*_settled(message), *result.settled}),
        "accepted": sorted({*before.get("accepted", ()), *accepted}),
        "message_id": result.message_id,
        "refused": {address: text for address, text in refused.items() if address not in accepted},
        "reports": {address: told for address, told in before.get("reports", {}).items() if address not in asked},
    }
