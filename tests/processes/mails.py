"""Mails of ours that have left, and mails that come in: shared by the tests of who reads them and who is told."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from sqlalchemy.orm import Session

from connectors.mail import marks
from engine import clock as engine_clock, outbox
from engine.models import OutboxMessage
from processes.messaging import jobs
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import receiving_mail

BOX = "bpm@example.cn@imap.example.cn/INBOX"


def sent(session: Session, key: str = "mail:4:k", *, state: str = "sent", **more: Any) -> OutboxMessage:
    """A mail of ours that has left."""
    payload = {"to": ["王磊 <wang@customer.cn>"], "subject": "报价单", "text": "请查收"}
    number = outbox.enqueue(session, channel="mail", key=key, payload=payload | more.pop("payload", {}), **more)
    row = session.get_one(OutboxMessage, number)
    row.state, row.sent_at = state, engine_clock.now()
    row.attempt_started_at = engine_clock.now()
    session.commit()
    return row


def mark_of(message: OutboxMessage) -> str:
    return f"<{marks.of_mail(message.key, message.id)}@example.cn>"


def letter(
    subject: str = "Re: 报价单",
    text: str = "同意。\n\n> 请查收\n",
    files: tuple[tuple[str, bytes], ...] = (),
    **headers: str,
) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = headers.pop("From", "王磊 <wang@customer.cn>")
    mail["To"] = "bpm@example.cn"
    mail["Subject"] = subject
    mail["Message-ID"] = headers.pop("Message_ID", "<1@customer.cn>")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def comes(session: Session, raw: bytes, uid: int = 1) -> ReceivedMail:
    kept = receiving_mail.keep(session, box=BOX, uid_validity=1, uid=uid, raw=raw, size=len(raw))
    session.commit()
    assert kept is not None
    jobs.sort_mail()
    row = session.get_one(ReceivedMail, kept, populate_existing=True)
    session.commit()
    return row


def refreshed(session: Session, message: OutboxMessage) -> OutboxMessage:
    return session.get_one(OutboxMessage, message.id, populate_existing=True)


REPORT = """From: MAILER-DAEMON@mx.customer.cn
To: bounce@example.cn
Subject: Undelivered
Message-ID: <{number}@mx>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.cn
{envid}

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 no such user
--b--
"""


def report(
    message: OutboxMessage | None,
    to: str = "wang@customer.cn",
    action: str = "failed",
    status: str = "5.1.1",
    number: int = 1,
) -> bytes:
    envid = f"Original-Envelope-Id: {marks.of_mail(message.key, message.id)}" if message else "X-Queue: 1"
    return (
        REPORT.format(envid=envid, to=to, action=action, status=status, number=number)
        .replace("\n\n\nFinal", "\n\nFinal")
        .encode()
    )
