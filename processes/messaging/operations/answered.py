"""Which mail of ours an answer or a report is about."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import getaddresses

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.mail.marks import Mark
from engine.models import OutboxMessage

MAIL = "mail"


def find(session: Session, marks: Iterable[Mark]) -> OutboxMessage | None:
    """Our mail that the first fitting mark names, locked; a number without its proof leads nowhere."""
    for mark in marks:
        message = session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.id == mark.number, OutboxMessage.channel == MAIL)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).first()
        if message is not None and mark.fits(message.key):
            return message
    return None


def recipients(message: OutboxMessage) -> tuple[str, ...]:
    """Bare addresses of all it was written to, in small letters, each once."""
    payload = message.payload
    written = [str(address) for field in ("to", "cc", "bcc") for address in payload.get(field) or ()]
    return tuple(dict.fromkeys(address.lower() for _name, address in getaddresses(written) if address))


def arrived(message: OutboxMessage) -> None:
    """Whoever answers has got it: a doubtful one is settled."""
    if message.state == "unknown":
        message.state, message.last_error = "sent", ""
        message.sent_at = message.sent_at or message.attempt_started_at
